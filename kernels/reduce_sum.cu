// out = sum of x over some of its axes, in the order of common/reduce.h, so with the same bits on
// every device.
//
// The launcher merges neighbouring axes of a kind into `kept` and `reduced`; which of them holds
// the innermost axis, of stride 1, picks the kernel. Each output is the sum of n elements, that is
// of `tiles` tiles of 4096; with one tile the kernel writes the output, else the tile sums
// [outputs, tiles], which secateur_sum_rows then sums by the same rule, level by level.
//
//   secateur_sum_rows     innermost axis reduced: a warp takes a tile of an output, its threads are
//                         the 32 lanes and read neighbouring elements
//   secateur_sum_columns  innermost axis kept: a block of 256 threads takes a tile of 8
//   neighbouring
//                         outputs with 32 lanes each, so that every 32-byte sector is read whole;
//                         the lanes meet in shared memory, then a warp an output is the tree
//
// Bytes: 4 a number of x read once, 4 an output written, the floor, and 1/2048 of that again for
// tile sums. Launches: one for n <= 4096, two for n <= 2^24. Any grid, grid-stride over tiles. A
// sum of elements among which is NaN, or are infinities of both signs, is NaN; no sum is -0. The
// result is divided by `divisor`, 1 but for means. Tested against secateur_reduce_sum of the CPU
// device.
#include "common/strides.h"
#include "common/warp_sum.h"

using namespace secateur::common;

constexpr int kColumns = 8;  // outputs of a block of secateur_sum_columns

// reduced has a step of 32; outputs [first, first + outputs) are summed, to out[0 ..].
SECATEUR_KERNEL(128)
secateur_sum_rows(Strides<1, 4> kept, Strides<1, 4> reduced, int64_t first, int64_t outputs,
                  int64_t n, int64_t tiles, float divisor, const float* x, float* out) {
  const int64_t warp = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / 32;
  const int64_t warps = int64_t{gridDim.x} * blockDim.x / 32;
  const int lane = threadIdx.x & 31;
  for (int64_t unit = warp; unit < outputs * tiles; unit += warps) {
    const int64_t output = unit / tiles, begin = (unit - output * tiles) * kSumTile;
    const int64_t end = n - begin < kSumTile ? n : begin + kSumTile;
    const float* const from = x + StridedWalk<1, 4>(kept, first + output).offset[0];
    float sum;
    if (reduced.rank <= 1) {
      sum = warp_sum_tile<float>(begin, end, [from](int64_t i) { return from[i]; });
    } else {
      StridedWalk<1, 4> at(reduced, begin + lane);
      sum = 0.0f;
      for (int64_t i = begin + lane; i < end; i += kSumLanes, at.advance(reduced)) {
        sum += from[at.offset[0]];
      }
      sum = warp_tree(sum);
    }
    if (lane == 0) out[unit] = sum / divisor;
  }
}
SECATEUR_REGISTER(secateur_sum_rows);

struct ColumnLanes {
  float lane[kColumns][36];  // 32 and a pad against bank conflicts
};

// kept holds the axes outside the innermost, which has `cols` elements; chunks [first, first +
// chunks) of kColumns outputs are summed, counted along those axes. out[0] belongs to output
// `origin`.
SECATEUR_KERNEL(256)
secateur_sum_columns(Strides<1, 4> kept, Strides<1, 4> reduced, int64_t cols, int64_t first,
                     int64_t chunks, int64_t origin, int64_t n, int64_t tiles, const float* x,
                     float* out) {
  SECATEUR_SHARED(ColumnLanes, shared);
  const int64_t across = (cols + kColumns - 1) / kColumns;
  const int lane = threadIdx.x / kColumns, column = threadIdx.x % kColumns;
  for (int64_t unit = blockIdx.x; unit < chunks * tiles; unit += gridDim.x) {
    const int64_t chunk = unit / tiles, tile = unit - chunk * tiles;
    const int64_t outer = (first + chunk) / across;
    const int64_t col = (first + chunk - outer * across) * kColumns;
    const int64_t begin = tile * kSumTile;
    const int64_t end = n - begin < kSumTile ? n : begin + kSumTile;
    float sum = 0.0f;
    if (col + column < cols) {
      const float* const from = x + StridedWalk<1, 4>(kept, outer).offset[0] + col + column;
      if (reduced.rank <= 1) {
        const int64_t stride = reduced.stride[0][0];
        SECATEUR_UNROLL(8)
        for (int64_t i = begin + lane; i < end; i += kSumLanes) sum += from[i * stride];
      } else {
        StridedWalk<1, 4> at(reduced, begin + lane);
        for (int64_t i = begin + lane; i < end; i += kSumLanes, at.advance(reduced)) {
          sum += from[at.offset[0]];
        }
      }
    }
    shared.lane[column][lane] = sum;
    __syncthreads();
    const int output = threadIdx.x / 32;
    const float total = warp_tree(shared.lane[output][threadIdx.x & 31]);
    if ((threadIdx.x & 31) == 0 && col + output < cols) {
      out[(outer * cols + col + output - origin) * tiles + tile] = total;
    }
    __syncthreads();
  }
}
SECATEUR_REGISTER(secateur_sum_columns);
