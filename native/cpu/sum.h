// Sums on the CPU in the order of kernels/common/reduce.h: over one long range on the pool, and
// over the rows of a matrix. Templates only, safe in files compiled for an instruction set of their
// own.
#pragma once

#include "common/reduce.h"
#include "pool.h"

SECATEUR_COMMON_BEGIN

// Sum over [0, n) on the pool, where tile(begin, end) is the sum of one tile (as by sum_tile).
template <class T, class Tile>
inline T parallel_sum(int64_t n, const Tile& tile) {
  if (n <= kSumTile) return tile(int64_t{0}, n);
  constexpr int64_t kBatch = 512;
  T sums[kBatch];
  TileSums<T> total;
  for (int64_t first = 0; first < n; first += kBatch * kSumTile) {
    const int64_t left = (n - first + kSumTile - 1) / kSumTile;
    const int64_t count = left < kBatch ? left : kBatch;
    constexpr int64_t kGroup = 8;  // tiles a chunk
    parallel_ranges(count, kGroup, [&](int64_t from, int64_t to) {
      for (int64_t t = from; t < to; ++t) {
        const int64_t begin = first + t * kSumTile;
        sums[t] = tile(begin, n - begin < kSumTile ? n : begin + kSumTile);
      }
    });
    for (int64_t t = 0; t < count; ++t) total.add(sums[t]);
  }
  return total.total();
}

// Columns that column_sums takes at once; their lanes stay in the first-level cache.
template <class T>
constexpr int kSumColumns = 256 / sizeof(T);

// out[c] = sum over rows of T(value(row, c)) for c in [0, columns), columns <= kSumColumns<T>; on
// the calling thread.
template <class T, class Value>
inline void column_sums(int64_t rows, int columns, const Value& value, T* out) {
  constexpr int kColumns = kSumColumns<T>;
  alignas(64) T lanes[kSumLanes][kColumns];
  const auto sum_rows = [&](int64_t begin, int64_t end) {  // to lanes[0]
    for (auto& lane : lanes) {
      for (int c = 0; c < columns; ++c) lane[c] = T(0);
    }
    for (int64_t row = begin; row < end; ++row) {
      T* lane = lanes[(row - begin) % kSumLanes];
      for (int c = 0; c < columns; ++c) lane[c] += T(value(row, c));
    }
    for (int half = kSumLanes / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) {
        for (int c = 0; c < columns; ++c) lanes[l][c] += lanes[l + half][c];
      }
    }
  };
  if (rows <= kSumTile) {
    sum_rows(0, rows);
    for (int c = 0; c < columns; ++c) out[c] = lanes[0][c];
    return;
  }
  TileSums<T> totals[kColumns];
  for (int64_t begin = 0; begin < rows; begin += kSumTile) {
    sum_rows(begin, rows - begin < kSumTile ? rows : begin + kSumTile);
    for (int c = 0; c < columns; ++c) totals[c].add(lanes[0][c]);
  }
  for (int c = 0; c < columns; ++c) out[c] = totals[c].total();
}

SECATEUR_COMMON_END
