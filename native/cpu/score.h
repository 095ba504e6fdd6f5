// Norms of rows and columns, compiled once for each instruction set (score_plain.cpp and its
// siblings). Squares and sums are double, so that nothing overflows or is lost to denormals.
#pragma once

#include <math.h>

#include <cstdint>

#include "secateur.h"
#include "sum.h"

namespace secateur {

// w [rows, cols]; scores one a row (axis 0) or column (axis 1).
using ScoreUnits = void (*)(int32_t norm, int32_t axis, int64_t rows, int64_t cols, const float* w,
                            float* scores);
void score_units_plain(int32_t norm, int32_t axis, int64_t rows, int64_t cols, const float* w,
                       float* scores);
void score_units_avx2(int32_t norm, int32_t axis, int64_t rows, int64_t cols, const float* w,
                      float* scores);
void score_units_avx512(int32_t norm, int32_t axis, int64_t rows, int64_t cols, const float* w,
                        float* scores);

}  // namespace secateur

SECATEUR_COMMON_BEGIN

// What L1 and L2 do with an element and with the sum.
struct L1Norm {
  static double term(float w) { return static_cast<double>(w < 0 ? -w : w); }
  static float finish(double sum) { return static_cast<float>(sum); }
};
struct L2Norm {
  static double term(float w) { return static_cast<double>(w) * static_cast<double>(w); }
  static float finish(double sum) { return static_cast<float>(sqrt(sum)); }
};

template <class Norm>
inline void row_norms(int64_t rows, int64_t cols, const float* w, float* scores) {
  constexpr int64_t kChunk = int64_t{1} << 16;  // elements
  const int64_t grain = cols >= kChunk ? 1 : kChunk / (cols + 1) + 1;
  parallel_ranges(rows, grain, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = w + row * cols;
      scores[row] = Norm::finish(sum<double>(cols, [x](int64_t i) { return Norm::term(x[i]); }));
    }
  });
}

template <class Norm>
inline void column_norms(int64_t rows, int64_t cols, const float* w, float* scores) {
  constexpr int kColumns = kSumColumns<double>;
  parallel_ranges(cols, kColumns, [=](int64_t begin, int64_t end) {
    double sums[kColumns];
    const int columns = static_cast<int>(end - begin);
    column_sums<double>(
        rows, columns,
        [=](int64_t row, int column) { return Norm::term(w[row * cols + begin + column]); }, sums);
    for (int c = 0; c < columns; ++c) scores[begin + c] = Norm::finish(sums[c]);
  });
}

template <class Norm>
inline void unit_norms(int32_t axis, int64_t rows, int64_t cols, const float* w, float* scores) {
  if (axis == 0) {
    row_norms<Norm>(rows, cols, w, scores);
  } else {
    column_norms<Norm>(rows, cols, w, scores);
  }
}

inline void score_units(int32_t norm, int32_t axis, int64_t rows, int64_t cols, const float* w,
                        float* scores) {
  if (norm == SECATEUR_L1) {
    unit_norms<L1Norm>(axis, rows, cols, w, scores);
  } else {
    unit_norms<L2Norm>(axis, rows, cols, w, scores);
  }
}

SECATEUR_COMMON_END
