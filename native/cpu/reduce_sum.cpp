// Sums over axes, each in the order of kernels/common/reduce.h over the reduced elements in flat
// order.
#include "device.h"
#include "kernels.h"
#include "odometer.h"
#include "pool.h"
#include "sum.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 16384;  // elements a chunk
using common::kSumTile;
using Tiles = common::TileSums<float>;

// x as two nests of loops, neighbouring axes of a kind merged.
struct Reduction {
  Odometer<1> kept, reduced;
  bool last_reduced = false;  // whether the innermost axis, of stride 1, is reduced
};

Reduction split(int32_t rank, const int64_t* shape, uint32_t axes) {
  struct Run {
    int64_t extent;
    bool reduced;
  } runs[SECATEUR_MAX_RANK];
  int count = 0;
  for (int32_t d = 0; d < rank; ++d) {
    const bool reduced = (axes >> d & 1u) != 0;
    if (shape[d] == 1) continue;
    if (count > 0 && runs[count - 1].reduced == reduced) {
      runs[count - 1].extent *= shape[d];
    } else {
      runs[count++] = {shape[d], reduced};
    }
  }
  Reduction result;
  result.last_reduced = count == 0 || runs[count - 1].reduced;
  for (int r = 0; r < count; ++r) {
    int64_t stride = 1;
    for (int inner = r + 1; inner < count; ++inner) stride *= runs[inner].extent;
    (runs[r].reduced ? result.reduced : result.kept).add(runs[r].extent, {stride});
  }
  return result;
}

int64_t tile_end(int64_t begin, int64_t n) { return n - begin < kSumTile ? n : begin + kSumTile; }

// Elements begin .. end of the reduced nest, whose innermost axis is contiguous, from x to buffer.
void gather(const Odometer<1>& nest, int64_t begin, int64_t end, const float* x, float* buffer) {
  const int64_t run = nest.extent[nest.rank - 1];
  Odometer<1> at = nest;
  while (begin < end) {
    at.seek(begin);
    const int64_t left = run - begin % run, count = end - begin < left ? end - begin : left;
    for (int64_t i = 0; i < count; ++i) buffer[i] = x[at.offset[0] + i];
    buffer += count;
    begin += count;
  }
}

// One output: the sum of the reduced nest at x, whose innermost axis is contiguous.
float sum_nest(const Odometer<1>& nest, int64_t n, const float* x) {
  const auto sum_tile = kernels().sum_tile;
  const auto tile = [&](int64_t begin, int64_t end) {
    if (nest.rank <= 1) return sum_tile(end - begin, x + begin);
    float buffer[kSumTile];
    gather(nest, begin, end, x, buffer);
    return sum_tile(end - begin, buffer);
  };
  return common::parallel_sum<float>(n, tile);
}

// Up to kColumnBlock neighbouring outputs: rows of the reduced nest added column by column.
void sum_columns(const Odometer<1>& nest, int64_t rows, int64_t cols, const float* x, float* out) {
  const auto column_tile = kernels().column_tile;
  int64_t offsets[kSumTile];
  Odometer<1> at = nest;
  const auto tile = [&](int64_t begin, int64_t end, float* sums) {
    at.seek(begin);
    for (int64_t r = begin; r < end; ++r, at.next()) offsets[r - begin] = at.offset[0];
    column_tile(end - begin, cols, x, offsets, sums);
  };
  if (rows <= kSumTile) return tile(0, rows, out);
  Tiles totals[kColumnBlock];
  for (int64_t begin = 0; begin < rows; begin += kSumTile) {
    float sums[kColumnBlock];
    tile(begin, tile_end(begin, rows), sums);
    for (int64_t c = 0; c < cols; ++c) totals[c].add(sums[c]);
  }
  for (int64_t c = 0; c < cols; ++c) out[c] = totals[c].total();
}

void reduce(const Reduction& reduction, const float* x, float* out) {
  const int64_t outputs = reduction.kept.count(), n = reduction.reduced.count();
  if (reduction.last_reduced) {
    parallel_ranges(outputs, n >= kGrain ? 1 : kGrain / n, [&](int64_t begin, int64_t end) {
      Odometer<1> at = reduction.kept;
      at.seek(begin);
      for (int64_t i = begin; i < end; ++i, at.next()) {
        out[i] = sum_nest(reduction.reduced, n, x + at.offset[0]);
      }
    });
    return;
  }
  const int64_t cols = reduction.kept.extent[reduction.kept.rank - 1];
  const int64_t blocks = (cols + kColumnBlock - 1) / kColumnBlock;  // across one run of columns
  const int64_t grain = n * kColumnBlock >= kGrain ? 1 : kGrain / (n * kColumnBlock);
  parallel_ranges(outputs / cols * blocks, grain, [&](int64_t begin, int64_t end) {
    Odometer<1> at = reduction.kept;
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block % blocks * kColumnBlock, output = block / blocks * cols + first;
      at.seek(output);
      sum_columns(reduction.reduced, n, cols - first < kColumnBlock ? cols - first : kColumnBlock,
                  x + at.offset[0], out + output);
    }
  });
}

}  // namespace

void CpuDevice::reduce_sum(void*, int32_t rank, const int64_t* shape, uint32_t axes, const float* x,
                           float* out) {
  reduce(split(rank, shape, axes), x, out);
}

}  // namespace secateur
