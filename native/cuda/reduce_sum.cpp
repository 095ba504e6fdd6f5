// Sums over axes: splits the axes into kept and reduced ones and runs kernels/reduce_sum.cu level
// by level.
#include "abi/error.h"
#include "common/reduce.h"
#include "common/strides.h"
#include "cuda/grid.h"
#include "cuda/sum.h"

namespace secateur::cuda {
namespace {

using common::kSumTile;
using Axes = common::Strides<1, 4>;  // kept and reduced axes alternate: at most 4 each

const Kernel<Axes, Axes, int64_t, int64_t, int64_t, int64_t, float, const float*, float*> kSumRows(
    "secateur_sum_rows");
const Kernel<Axes, Axes, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, const float*, float*>
    kSumColumns("secateur_sum_columns");

constexpr int64_t kColumns = 8;  // outputs of a block of secateur_sum_columns

struct Reduction {
  Axes kept{}, reduced{};
  int64_t cols = 0;  // extent of the innermost axis where that is kept; then it is not in `kept`
};

// Merges neighbouring axes of a kind.
Reduction split(int32_t rank, const int64_t* shape, uint32_t axes) {
  Reduction result;
  int64_t stride = 1, extent = 1;  // of the run of axes being merged
  bool reduced = true;
  const auto close = [&] {
    if (extent == 1) return;
    if (stride == 1 && !reduced) {
      result.cols = extent;
    } else {
      (reduced ? result.reduced : result.kept).add(extent, {stride});
    }
    stride *= extent;
    extent = 1;
  };
  for (int32_t d = rank; d-- > 0;) {
    if (shape[d] == 1) continue;
    const bool is_reduced = (axes >> d & 1u) != 0;
    if (is_reduced != reduced) close();
    reduced = is_reduced;
    extent *= shape[d];
  }
  close();
  result.reduced.set_step(common::kSumLanes);
  return result;
}

void launch_rows(CudaDevice& device, void* stream, const Axes& kept, const Axes& reduced,
                 int64_t first, int64_t outputs, int64_t n, float divisor, const float* x,
                 float* out) {
  const int64_t tiles = sum_tiles(n);
  device.launch(stream, kSumRows, tiles_grid(device, outputs * tiles), kept, reduced, first,
                outputs, n, tiles, divisor, x, out);
}

[[noreturn]] void too_long(int64_t n) {
  fail(SECATEUR_UNAVAILABLE,
       "A sum of %lld elements has more tile sums than the device's scratch holds; sum the tensor "
       "in "
       "parts.",
       static_cast<long long>(n));
}

// How many of `all` outputs may be summed at once.
int64_t outputs_at_once(int64_t all, int64_t n) {
  const int64_t spare = sum_spare(n);
  return spare == 0 ? all : std::min(all, kScratchFloats / spare);
}

// Innermost axis reduced.
void reduce_rows(CudaDevice& device, void* stream, const Reduction& reduction, const float* x,
                 float* out) {
  const int64_t outputs = reduction.kept.count(), n = reduction.reduced.count();
  const int64_t tiles = sum_tiles(n), most = outputs_at_once(outputs, n);
  if (most == 0) too_long(n);
  float* const scratch = static_cast<float*>(device.scratch());
  for (int64_t first = 0; first < outputs; first += most) {
    const int64_t count = std::min(most, outputs - first);
    launch_rows(device, stream, reduction.kept, reduction.reduced, first, count, n, 1.0f, x,
                tiles == 1 ? out : scratch);
    if (tiles > 1) {
      sum_rows(device, stream, count, tiles, scratch, 1.0f, out + first, scratch + count * tiles);
    }
  }
}

// Innermost axis kept: blocks take chunks of neighbouring outputs.
void reduce_columns(CudaDevice& device, void* stream, const Reduction& reduction, const float* x,
                    float* out) {
  const int64_t cols = reduction.cols, n = reduction.reduced.count(), tiles = sum_tiles(n);
  const int64_t across = (cols + kColumns - 1) / kColumns;
  const int64_t chunks = reduction.kept.count() * across, widest = std::min(cols, kColumns);
  const auto output_of = [&](int64_t chunk) {
    return chunk / across * cols + chunk % across * kColumns;
  };
  const int64_t most = outputs_at_once(chunks * widest, n) / widest;
  if (most == 0) too_long(n);
  float* const scratch = static_cast<float*>(device.scratch());
  for (int64_t first = 0; first < chunks; first += most) {
    const int64_t count = std::min(most, chunks - first), origin = output_of(first);
    const int64_t outputs = output_of(first + count) - origin;
    device.launch(stream, kSumColumns, grid(device, count * tiles, 1, kThreads), reduction.kept,
                  reduction.reduced, cols, first, count, origin, n, tiles, x,
                  tiles == 1 ? out : scratch);
    if (tiles > 1) {
      sum_rows(device, stream, outputs, tiles, scratch, 1.0f, out + origin,
               scratch + outputs * tiles);
    }
  }
}

}  // namespace

int64_t sum_tiles(int64_t n) { return n <= kSumTile ? 1 : (n + kSumTile - 1) / kSumTile; }

int64_t sum_spare(int64_t n) {
  int64_t floats = 0;
  for (n = sum_tiles(n); n > 1; n = sum_tiles(n)) floats += n;
  return floats;
}

void sum_level(CudaDevice& device, void* stream, int64_t rows, int64_t n, const float* values,
               float divisor, float* sums) {
  Axes kept{}, reduced{};
  kept.add(rows, {n});
  reduced.add(n, {1});
  launch_rows(device, stream, kept, reduced, 0, rows, n, divisor, values, sums);
}

void sum_rows(CudaDevice& device, void* stream, int64_t rows, int64_t n, const float* values,
              float divisor, float* out, float* spare) {
  const int64_t tiles = sum_tiles(n);
  if (tiles == 1) return sum_level(device, stream, rows, n, values, divisor, out);
  sum_level(device, stream, rows, n, values, 1.0f, spare);
  sum_rows(device, stream, rows, tiles, spare, divisor, out, spare + rows * tiles);
}

FirstLevel first_level(CudaDevice& device, int64_t n, float divisor, float* out) {
  if (sum_tiles(n) == 1) return {out, divisor};
  if (sum_spare(n) > kScratchFloats) too_long(n);
  return {static_cast<float*>(device.scratch()), 1.0f};
}

void sum_up(CudaDevice& device, void* stream, int64_t n, float divisor, float* out) {
  const int64_t tiles = sum_tiles(n);
  if (tiles == 1) return;
  float* const sums = static_cast<float*>(device.scratch());
  sum_rows(device, stream, 1, tiles, sums, divisor, out, sums + tiles);
}

void CudaDevice::reduce_sum(void* stream, int32_t rank, const int64_t* shape, uint32_t axes,
                            const float* x, float* out) {
  const Reduction reduction = split(rank, shape, axes);
  reduction.cols == 0 ? reduce_rows(*this, stream, reduction, x, out)
                      : reduce_columns(*this, stream, reduction, x, out);
}

}  // namespace secateur::cuda
