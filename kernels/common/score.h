/*
 * Importance of one weight, unit or activation, the same bits on every device: products and
 * squares are rounded before they are added, sums run in the order of reduce.h. The numbers that
 * name norms, scores and statistics are those of secateur.h.
 */
#pragma once

#include <math.h>
#include <stdint.h>

#include "common/elementwise.h"
#include "common/hd.h"

SECATEUR_COMMON_BEGIN

/* |w| (norm 1) or w^2 (norm 2). */
SECATEUR_HD float magnitude_score(int32_t norm, float w) {
  return norm == 1 ? abs_float(w) : w * w;
}

/* |w g| (0, Taylor), -w g (1, movement), g^2 (2, Fisher). */
SECATEUR_HD float gradient_score(int32_t kind, float w, float g) {
  const float product = kind == 2 ? g * g : w * g;
  return kind == 0 ? abs_float(product) : kind == 1 ? -product : product;
}

/* A unit's norm is finish(sum of term(w) in double): nothing overflows, or is lost to denormals. */
struct L1Norm {
  static SECATEUR_HD double term(float w) { return (double)abs_float(w); }
  static SECATEUR_HD float finish(double sum) { return (float)sum; }
};
struct L2Norm {
  static SECATEUR_HD double term(float w) { return (double)w * (double)w; }
  static SECATEUR_HD float finish(double sum) { return (float)sqrt(sum); }
};

/* What an activation x adds to row `row` of a unit's accumulators: the sum, the sum of |x|, of x^2,
 * and the number of nonzeros. */
constexpr int kActivationRows = 4;
SECATEUR_HD double activation_term(int row, float x) {
  switch (row) {
    case 0:
      return (double)x;
    case 1:
      return (double)abs_float(x);
    case 2:
      return (double)x * (double)x;
    default:
      return x != 0.0f ? 1.0 : 0.0;
  }
}

/* The score from the accumulator in the row of the same number as the statistic. */
SECATEUR_HD float activation_score(int32_t statistic, double accumulator, double count) {
  const double mean = accumulator / count;
  return (float)(statistic == 2 ? sqrt(mean) : mean);
}

SECATEUR_COMMON_END
