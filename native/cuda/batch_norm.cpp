// Batch normalization: launchers of kernels/batch_norm.cu and batch_norm_grad.cu.
#include "abi/error.h"
#include "common/reduce.h"
#include "common/strides.h"
#include "cuda/grid.h"
#include "cuda/sum.h"

namespace secateur::cuda {
namespace {

// As in kernels/common/norm_channels.h.
struct NormShape {
  int64_t batch, channels, spatial, tiles;
};
struct NormPair {
  double first, second;
};
using Axes = common::Strides<1, 3>;

const Kernel<NormShape, int64_t, int64_t, const float*, NormPair*> kSums("secateur_norm_sums");
const Kernel<NormShape, int64_t, int64_t, float, float, const float*, const NormPair*, float*,
             float*, float*>
    kStatistics("secateur_norm_statistics");
const Kernel<int64_t, float, const float*, float*> kInverse("secateur_norm_inverse");
using Apply = Kernel<int64_t, Axes, const float*, const float*, const float*, const float*,
                     const float*, float*>;
const Apply kApply("secateur_norm_apply"), kApplyVectors("secateur_norm_apply_vectors");
const Kernel<NormShape, int64_t, int64_t, const float*, const float*, const float*, NormPair*>
    kGradSums("secateur_norm_grad_sums");
const Kernel<NormShape, int64_t, int64_t, const NormPair*, float*> kGradTotals(
    "secateur_norm_grad_totals");
using GradApply = Kernel<int64_t, Axes, NormShape, const float*, const float*, const float*,
                         const float*, const float*, float*>;
const GradApply kGradApply("secateur_norm_grad_apply"),
    kGradApplyVectors("secateur_norm_grad_apply_vectors");

NormShape shape_of(const secateur_norm_shape& shape) {
  return {shape.batch, shape.channels, shape.spatial, sum_tiles(shape.batch * shape.spatial)};
}

// Calls sum(first, channels, sums) for slices of the channels whose tile sums fit the scratch.
template <class Sum>
void by_slices(CudaDevice& device, const NormShape& shape, const Sum& sum) {
  constexpr int64_t kPairs = kScratchBytes / sizeof(NormPair);
  const int64_t most = kPairs / shape.tiles;
  if (most == 0) {
    fail(SECATEUR_UNAVAILABLE,
         "A batch of %lld elements a channel has more tile sums than the device's scratch holds; "
         "use smaller batches.",
         static_cast<long long>(shape.batch * shape.spatial));
  }
  for (int64_t first = 0; first < shape.channels; first += most) {
    sum(first, std::min(most, shape.channels - first), static_cast<NormPair*>(device.scratch()));
  }
}

Geometry warps_grid(const CudaDevice& device, int64_t items) {
  return grid(device, items, kThreads / 32, kThreads);
}

bool is_vector_aligned(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % (4 * sizeof(float)) == 0;
}

// How a kernel walks over the elements, or vectors, of a tensor: see for_channels.
struct Walk {
  int64_t n;
  Axes axes;
  Geometry geometry;

  Walk(const CudaDevice& device, const NormShape& shape, bool vectors)
      : n(shape.batch * shape.channels * shape.spatial / (vectors ? 4 : 1)),
        axes{},
        geometry(grid(device, n, kThreads, kThreads)) {
    axes.add(shape.spatial / (vectors ? 4 : 1), {0});
    axes.add(shape.channels, {1});
    axes.add(shape.batch, {0});
    axes.set_step(int64_t{geometry.blocks} * geometry.threads);
  }
};

void apply(CudaDevice& device, void* stream, const NormShape& shape, const float* x,
           const float* mean, const float* inverse, const float* scale, const float* shift,
           float* y) {
  const bool vectors = shape.spatial % 4 == 0 && is_vector_aligned(x) && is_vector_aligned(y);
  const Walk walk(device, shape, vectors);
  device.launch(stream, vectors ? kApplyVectors : kApply, walk.geometry, walk.n, walk.axes, x, mean,
                inverse, scale, shift, y);
}

}  // namespace

void CudaDevice::normalize(void* stream, const secateur_norm_shape& norm, const float* x,
                           const float* scale, const float* shift, const float* mean,
                           const float* variance, float* y) {
  if (norm.channels > kScratchFloats) {
    fail(SECATEUR_UNAVAILABLE,
         "Normalizing %lld channels takes more scratch than the device has, which is enough for "
         "%lld; normalize them in parts.",
         static_cast<long long>(norm.channels), static_cast<long long>(kScratchFloats));
  }
  float* const inverse = static_cast<float*>(scratch());
  launch(stream, kInverse, grid(*this, norm.channels, kThreads, kThreads), norm.channels,
         norm.epsilon, variance, inverse);
  apply(*this, stream, shape_of(norm), x, mean, inverse, scale, shift, y);
}

void CudaDevice::normalize_train(void* stream, const secateur_norm_shape& norm, const float* x,
                                 const float* scale, const float* shift, float* mean,
                                 float* variance, float* y, float* statistics) {
  const NormShape shape = shape_of(norm);
  by_slices(*this, shape, [&](int64_t first, int64_t channels, NormPair* sums) {
    launch(stream, kSums, warps_grid(*this, channels * shape.tiles), shape, first, channels, x,
           sums);
    launch(stream, kStatistics, warps_grid(*this, channels), shape, first, channels, norm.epsilon,
           norm.momentum, x, sums, mean, variance, statistics);
  });
  apply(*this, stream, shape, x, statistics, statistics + shape.channels, scale, shift, y);
}

void CudaDevice::normalize_grad(void* stream, const secateur_norm_shape& norm, const float* x,
                                const float* dy, const float* scale, const float* statistics,
                                float* dx, float* dnorm) {
  const NormShape shape = shape_of(norm);
  by_slices(*this, shape, [&](int64_t first, int64_t channels, NormPair* sums) {
    launch(stream, kGradSums, warps_grid(*this, channels * shape.tiles), shape, first, channels, x,
           dy, statistics, sums);
    launch(stream, kGradTotals, warps_grid(*this, channels), shape, first, channels, sums, dnorm);
  });
  const bool vectors = shape.spatial % 4 == 0 && is_vector_aligned(x) && is_vector_aligned(dy) &&
                       is_vector_aligned(dx);
  const Walk walk(*this, shape, vectors);
  launch(stream, vectors ? kGradApplyVectors : kGradApply, walk.geometry, walk.n, walk.axes, shape,
         x, dy, scale, statistics, dnorm, dx);
}

}  // namespace secateur::cuda
