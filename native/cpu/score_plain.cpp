#include "score.h"

void secateur::score_units_plain(int32_t norm, int32_t axis, secateur_dtype dtype, int64_t rows,
                                 int64_t cols, const void* w, float* scores) {
  common::score_units(norm, axis, dtype, rows, cols, w, scores);
}
