// Binary operators: merges the axes of a broadcast and picks the kernel of kernels/binary.cu.
#include "common/strides.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using Axes = common::Strides<2, SECATEUR_MAX_RANK>;

const Kernel<int32_t, int64_t, const float*, int32_t, const float*, int32_t, float*> kBinary(
    "secateur_binary");
const Kernel<int32_t, int64_t, int64_t, const float*, const float*, int32_t, float*> kBinaryBias(
    "secateur_binary_bias");
const Kernel<int32_t, int64_t, Axes, const float*, const float*, float*> kBinaryStrided(
    "secateur_binary_strided");

struct Axis {
  int64_t extent, a, b;  // strides of a and b
};

// The axes, innermost first, without those of extent 1 and with neighbours merged along which both
// inputs go on evenly. Returns their number.
int merge(const secateur_broadcast& broadcast, Axis* axes) {
  int rank = 0;
  for (int32_t d = broadcast.rank; d-- > 0;) {
    const Axis axis{broadcast.shape[d], broadcast.a_strides[d], broadcast.b_strides[d]};
    if (axis.extent == 1) continue;
    Axis* const inner = rank > 0 ? &axes[rank - 1] : nullptr;
    if (inner != nullptr && axis.a == inner->a * inner->extent &&
        axis.b == inner->b * inner->extent) {
      inner->extent *= axis.extent;
    } else {
      axes[rank++] = axis;
    }
  }
  return rank;
}

bool is_matrix(int64_t inner, int64_t outer, int64_t cols) { return inner == 1 && outer == cols; }
bool is_row(int64_t inner, int64_t outer) { return inner == 1 && outer == 0; }
bool is_flat(int64_t stride) { return stride == 0 || stride == 1; }

}  // namespace

void CudaDevice::binary(void* stream, int32_t op, const secateur_broadcast& broadcast,
                        const float* a, const float* b, float* out) {
  Axis axes[SECATEUR_MAX_RANK] = {{1, 1, 1}};
  const int rank = std::max(merge(broadcast, axes), 1);
  int64_t n = 1;
  for (int d = 0; d < rank; ++d) n *= axes[d].extent;
  const Axis inner = axes[0], outer = rank == 2 ? axes[1] : Axis{};
  if (rank == 1 && is_flat(inner.a) && is_flat(inner.b)) {
    launch(stream, kBinary, elements_grid(*this, n), op, n, a, static_cast<int32_t>(inner.a), b,
           static_cast<int32_t>(inner.b), out);
  } else if (rank == 2 && is_matrix(inner.a, outer.a, inner.extent) && is_row(inner.b, outer.b)) {
    launch(stream, kBinaryBias, elements_grid(*this, n), op, n, inner.extent, a, b, 0, out);
  } else if (rank == 2 && is_matrix(inner.b, outer.b, inner.extent) && is_row(inner.a, outer.a)) {
    launch(stream, kBinaryBias, elements_grid(*this, n), op, n, inner.extent, b, a, 1, out);
  } else {
    Axes strides{};
    for (int d = 0; d < rank; ++d) strides.add(axes[d].extent, {axes[d].a, axes[d].b});
    const Geometry geometry = grid(*this, n, kThreads, kThreads);
    strides.set_step(int64_t{geometry.blocks} * geometry.threads);
    launch(stream, kBinaryStrided, geometry, op, n, strides, a, b, out);
  }
}

}  // namespace secateur::cuda
