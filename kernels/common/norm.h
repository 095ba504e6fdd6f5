// Batch normalization (Ioffe & Szegedy, arXiv 1502.03167, algorithm 1), the same bits on every
// device.
//
// Sums of a channel are double, in the order of reduce.h over its n = batch * spatial elements
// counted (image, place). Mean and variance come from one pass over differences to the channel's
// first element (shifted data: Chan, Golub & LeVeque 1983), which neither cancel where the mean is
// large beside the deviation nor leave a variance to a constant:
//
//   s1 = sum of d, s2 = sum of d^2, d = x - first;  mean = first + s1 / n,
//   variance = (s2 - s1^2 / n) / n
//
// All that a channel needs is computed in double and rounded to float once; elements are floats.
#pragma once

#include <math.h>

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

// d above; its square is the product of doubles.
SECATEUR_HD double norm_difference(float x, float first) { return (double)x - (double)first; }

struct BatchMoments {
  double mean, variance;
};

SECATEUR_HD BatchMoments batch_moments(float first, double s1, double s2, int64_t n) {
  const double count = (double)n, variance = (s2 - s1 * s1 / count) / count;
  return {(double)first + s1 / count, variance < 0.0 ? 0.0 : variance};
}

SECATEUR_HD float inverse_deviation(double variance, float epsilon) {
  return (float)(1.0 / sqrt(variance + (double)epsilon));
}

// momentum running + (1 - momentum) batch.
SECATEUR_HD float running_statistic(float momentum, float running, double batch) {
  const double kept = (double)momentum;
  return (float)(kept * (double)running + (1.0 - kept) * batch);
}

// y = (x - mean) factor + shift, factor = scale / sqrt(variance + epsilon).
SECATEUR_HD float normalized(float x, float mean, float factor, float shift) {
  return (x - mean) * factor + shift;
}

// x^ = (x - mean) / sqrt(variance + epsilon). dshift = sum of dy, dscale = sum of dy x^: as
// doubles, each product of doubles.
SECATEUR_HD float standardized(float x, float mean, float inverse) { return (x - mean) * inverse; }

// dshift / n and dscale / n, from the floats written.
SECATEUR_HD float norm_share(float sum, int64_t n) { return sum / (float)n; }

// dx = scale inverse (dy - dshift / n - x^ dscale / n), factor = scale * inverse.
SECATEUR_HD float norm_derivative(float dy, float standard, float factor, float shift_share,
                                  float scale_share) {
  return factor * (dy - shift_share - standard * scale_share);
}

SECATEUR_COMMON_END
