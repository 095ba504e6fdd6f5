#include "score.h"

void secateur::score_units_avx2(int32_t norm, int32_t axis, int64_t rows, int64_t cols,
                                const float* w, float* scores) {
  common::score_units(norm, axis, rows, cols, w, scores);
}
