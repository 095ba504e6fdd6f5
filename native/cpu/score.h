// Norms of rows and columns, compiled once for each instruction set (score_plain.cpp and its
// siblings).
#pragma once

#include <cstdint>

#include "common/half.h"
#include "common/score.h"
#include "secateur.h"
#include "sum.h"

namespace secateur {

// w [rows, cols]; scores one a row (axis 0) or column (axis 1).
using ScoreUnits = void (*)(int32_t norm, int32_t axis, secateur_dtype dtype, int64_t rows,
                            int64_t cols, const void* w, float* scores);
void score_units_plain(int32_t norm, int32_t axis, secateur_dtype dtype, int64_t rows, int64_t cols,
                       const void* w, float* scores);
void score_units_avx2(int32_t norm, int32_t axis, secateur_dtype dtype, int64_t rows, int64_t cols,
                      const void* w, float* scores);
void score_units_avx512(int32_t norm, int32_t axis, secateur_dtype dtype, int64_t rows,
                        int64_t cols, const void* w, float* scores);

}  // namespace secateur

SECATEUR_COMMON_BEGIN

template <class Norm, class Type>
inline void row_norms(int64_t rows, int64_t cols, const typename Type::Storage* w, float* scores) {
  constexpr int64_t kChunk = int64_t{1} << 16;  // elements
  const int64_t grain = cols >= kChunk ? 1 : kChunk / (cols + 1) + 1;
  parallel_ranges(rows, grain, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto* x = w + row * cols;
      scores[row] = Norm::finish(
          sum<double>(cols, [x](int64_t i) { return Norm::term(load_float<Type>(x, i)); }));
    }
  });
}

template <class Norm, class Type>
inline void column_norms(int64_t rows, int64_t cols, const typename Type::Storage* w,
                         float* scores) {
  constexpr int kColumns = kSumColumns<double>;
  parallel_ranges(cols, kColumns, [=](int64_t begin, int64_t end) {
    double sums[kColumns];
    const int columns = static_cast<int>(end - begin);
    column_sums<double>(
        rows, columns,
        [=](int64_t row, int column) {
          return Norm::term(load_float<Type>(w, row * cols + begin + column));
        },
        sums);
    for (int c = 0; c < columns; ++c) scores[begin + c] = Norm::finish(sums[c]);
  });
}

template <class Norm>
inline void unit_norms(int32_t axis, secateur_dtype dtype, int64_t rows, int64_t cols,
                       const void* w, float* scores) {
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* x = static_cast<const typename Type::Storage*>(w);
    if (axis == 0) {
      row_norms<Norm, Type>(rows, cols, x, scores);
    } else {
      column_norms<Norm, Type>(rows, cols, x, scores);
    }
  });
}

inline void score_units(int32_t norm, int32_t axis, secateur_dtype dtype, int64_t rows,
                        int64_t cols, const void* w, float* scores) {
  if (norm == SECATEUR_L1) {
    unit_norms<L1Norm>(axis, dtype, rows, cols, w, scores);
  } else {
    unit_norms<L2Norm>(axis, dtype, rows, cols, w, scores);
  }
}

SECATEUR_COMMON_END
