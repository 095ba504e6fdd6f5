// Softmax of one row by a warp and by a block: what softmax.cu and cross_entropy.cu share.
#pragma once

#include "common/grid.h"
#include "common/softmax.h"
#include "common/warp_sum.h"

SECATEUR_COMMON_BEGIN

SECATEUR_DEVICE int64_t grid_warp() { return grid_thread() / 32; }
SECATEUR_DEVICE int64_t grid_warps() { return grid_threads() / 32; }

constexpr int kRowValues = kShortRow / kSumLanes;  // that a thread of a warp holds

// The larger; the other one where one is NaN, which makes the row NaN anyway.
SECATEUR_DEVICE float larger(float max, float x) { return x > max ? x : max; }

SECATEUR_DEVICE float warp_max(float max) {
  SECATEUR_UNROLL(5)
  for (int half = 16; half > 0; half /= 2) {
    max = larger(max, __shfl_xor_sync(kWholeWarp, max, half));
  }
  return max;
}

struct RowSum {
  float max, sum;  // of x, and of e^(x - max)
};

// y = softmax of x over cols <= kShortRow elements, by a warp. y may be x.
SECATEUR_DEVICE RowSum warp_softmax(int64_t cols, const float* x, float* y) {
  const int lane = threadIdx.x & 31;
  const float lowest = bits_float(0xff800000u);
  float value[kRowValues], max = lowest, sum = 0.0f;
  SECATEUR_UNROLL(kRowValues)
  for (int k = 0; k < kRowValues; ++k) {
    if (kSumLanes * k >= cols) break;
    value[k] = kSumLanes * k + lane < cols ? x[kSumLanes * k + lane] : lowest;
  }
  SECATEUR_UNROLL(kRowValues)
  for (int k = 0; k < kRowValues; ++k) {
    if (kSumLanes * k >= cols) break;
    max = larger(max, value[k]);
  }
  max = warp_max(max);
  SECATEUR_UNROLL(kRowValues)
  for (int k = 0; k < kRowValues; ++k) {
    if (kSumLanes * k >= cols) break;
    value[k] = exp_float(value[k] - max);
    sum += kSumLanes * k + lane < cols ? value[k] : 0.0f;
  }
  sum = __shfl_sync(kWholeWarp, warp_tree(sum), 0);
  SECATEUR_UNROLL(kRowValues)
  for (int k = 0; k < kRowValues; ++k) {
    if (kSumLanes * k >= cols) break;
    if (kSumLanes * k + lane < cols) y[kSumLanes * k + lane] = value[k] / sum;
  }
  return {max, sum};
}

struct BlockRow {
  float tile[kSumTile];
  float warp[32];
  float result;
};

// Sum of value(i) for i in [0, n), by a block, all of whose threads get it. Tile by tile: the block
// computes the values, its first warp adds them.
template <class Value>
SECATEUR_DEVICE float block_sum(BlockRow& shared, int64_t n, const Value& value) {
  WarpTileSums<float> total;
  for (int64_t begin = 0; begin < n; begin += kSumTile) {
    const int64_t count = n - begin < kSumTile ? n - begin : kSumTile;
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) shared.tile[i] = value(begin + i);
    __syncthreads();
    if (threadIdx.x < 32) {
      const float* const tile = shared.tile;
      total.add(warp_sum_tile<float>(0, count, [tile](int64_t i) { return tile[i]; }));
    }
    __syncthreads();
  }
  if (threadIdx.x < 32) {
    const float sum = total.total();
    if (threadIdx.x == 0) shared.result = sum;
  }
  __syncthreads();
  const float sum = shared.result;
  __syncthreads();
  return sum;
}

SECATEUR_DEVICE float block_max(BlockRow& shared, float max) {
  max = warp_max(max);
  if ((threadIdx.x & 31) == 0) shared.warp[threadIdx.x / 32] = max;
  __syncthreads();
  for (uint32_t w = 0; w < blockDim.x / 32; ++w) max = larger(max, shared.warp[w]);
  __syncthreads();
  return max;
}

// y = softmax of x over any number of elements, by a block. y may be x.
SECATEUR_DEVICE RowSum block_softmax(BlockRow& shared, int64_t cols, const float* x, float* y) {
  float max = bits_float(0xff800000u);
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) max = larger(max, x[c]);
  max = block_max(shared, max);
  const float sum = block_sum(shared, cols, [=](int64_t c) { return exp_float(x[c] - max); });
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) y[c] = exp_float(x[c] - max) / sum;
  return {max, sum};
}

SECATEUR_COMMON_END
