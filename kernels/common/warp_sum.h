// Sums by a warp and by a block in the order of reduce.h: threads are lanes, the tree is five
// shuffles. Every thread of the warp (of the block) must call.
#pragma once

#include "common/kernel.h"
#include "common/reduce.h"

SECATEUR_COMMON_BEGIN

constexpr uint32_t kWholeWarp = 0xffffffffu;

// The tree over the lanes of a warp; lane 0 holds the sum, the others nothing of use.
template <class T>
SECATEUR_DEVICE T warp_tree(T lane) {
  SECATEUR_UNROLL(5)
  for (int half = kSumLanes / 2; half > 0; half /= 2) {
    lane += __shfl_down_sync(kWholeWarp, lane, half);
  }
  return lane;
}

// Sum of T(value(i)) for i in [begin, end), one tile at most; lane 0 holds it. Loads of several
// steps are in flight, additions stay in order.
template <class T, class Value>
SECATEUR_DEVICE T warp_sum_tile(int64_t begin, int64_t end, const Value& value) {
  T sum = T(0);
  SECATEUR_UNROLL(16)
  for (int64_t i = begin + (threadIdx.x & 31); i < end; i += kSumLanes) sum += T(value(i));
  return warp_tree(sum);
}

// Sums tile sums, given in order to all lanes of a warp, to the sum of all: the rule above the
// first level, up to 2^41 elements. (A level of one sum is that sum: adding +0 changes none.)
template <class T>
class WarpTileSums {
 public:
  // Reads the tile's sum from lane 0.
  SECATEUR_DEVICE void add(T tile) {
    tile = __shfl_sync(kWholeWarp, tile, 0);
    if ((threadIdx.x & 31) == static_cast<uint32_t>(tiles_ % kSumLanes)) lane_ += tile;
    if (++tiles_ % kSumTile == 0) close();
  }

  // Lane 0 holds it.
  SECATEUR_DEVICE T total() {
    if (tiles_ % kSumTile != 0) close();
    return warp_tree(upper_);
  }

 private:
  SECATEUR_DEVICE void close() {
    const T sum = __shfl_sync(kWholeWarp, warp_tree(lane_), 0);
    if ((threadIdx.x & 31) == static_cast<uint32_t>((tiles_ - 1) / kSumTile % kSumLanes)) {
      upper_ += sum;
    }
    lane_ = T(0);
  }

  T lane_ = T(0), upper_ = T(0);
  int64_t tiles_ = 0;
};

SECATEUR_COMMON_END
