// The one order of summation, the same on every device at any number of threads, so that sums have
// the same bits everywhere.
//
//   sum(x[0..n)):
//     n <= 4096 (one tile):  32 lanes, each +0 at first; lane l adds x[l], x[l + 32], x[l + 64],
//     ... in
//                            that order; then the tree: lane l += lane l + 16 for l < 16, then
//                            + 8, + 4, + 2, + 1. Lane 0 holds the sum.
//     n > 4096:              the sums of the tiles x[0..4096), x[4096..8192), ... (the last may be
//                            shorter) are summed by the same rule, and so on.
//
// On a GPU a warp takes a tile (or a row), its threads are the lanes and the tree is five
// shfl_down steps; several warps take several tiles. On a CPU the lanes fill SIMD registers of any
// width: 32 floats are two AVX-512, four AVX2 or eight SSE registers, and each step of the tree but
// the last ones adds whole registers. A sum over the rows of a matrix keeps 32 lanes a column.
//
// The error is bounded by that of 128 sequential additions a tile plus five levels of the tree for
// each power of 4096 in n. A sum of nothing is +0, and no sum is ever -0. Additions are never
// contracted with products (-ffp-contract=off, -fmad=false).
#pragma once

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

constexpr int kSumLanes = 32;
constexpr int64_t kSumTile = 4096;

// The tree over lane[0..32); overwrites them.
template <class T>
SECATEUR_HD T sum_lanes(T* lane) {
  for (int half = kSumLanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

// Sum of T(value(i)) for i in [begin, end), one tile at most.
template <class T, class Value>
SECATEUR_HD T sum_tile(int64_t begin, int64_t end, const Value& value) {
  T lane[kSumLanes] = {};
  int64_t i = begin;
  for (; i + kSumLanes <= end; i += kSumLanes) {
    for (int l = 0; l < kSumLanes; ++l) lane[l] += T(value(i + l));
  }
  for (int l = 0; i + l < end; ++l) lane[l] += T(value(i + l));
  return sum_lanes(lane);
}

// Sums tile sums, given in order by add(), to the sum of all: the rule above the first level.
template <class T>
class TileSums {
 public:
  SECATEUR_HD void add(T tile) { add_at(0, tile); }

  SECATEUR_HD T total() {
    int top = kLevels - 1;
    while (top > 0 && count_[top] == 0) --top;
    for (int level = 0; level < top; ++level) {
      if (count_[level] > 0) add_at(level + 1, close(level));
    }
    while (top + 1 < kLevels && count_[top + 1] > 0) ++top;
    return close(top);
  }

 private:
  static constexpr int kLevels = 4;  // 4096^5 = 2^60 elements

  SECATEUR_HD T close(int level) {
    const T sum = sum_lanes(lane_[level]);
    for (int l = 0; l < kSumLanes; ++l) lane_[level][l] = T(0);
    count_[level] = 0;
    return sum;
  }

  SECATEUR_HD void add_at(int level, T value) {
    for (;; ++level) {
      lane_[level][count_[level] % kSumLanes] += value;
      if (++count_[level] < kSumTile || level + 1 == kLevels) return;
      value = close(level);
    }
  }

  T lane_[kLevels][kSumLanes] = {};
  int count_[kLevels] = {};
};

// Sum of T(value(i)) for i in [0, n) on one thread.
template <class T, class Value>
SECATEUR_HD T sum(int64_t n, const Value& value) {
  if (n <= kSumTile) return sum_tile<T>(0, n, value);
  TileSums<T> tiles;
  for (int64_t begin = 0; begin < n; begin += kSumTile) {
    tiles.add(sum_tile<T>(begin, n - begin < kSumTile ? n : begin + kSumTile, value));
  }
  return tiles.total();
}

SECATEUR_COMMON_END
