// What softmax and its losses compute of one element.
#pragma once

#include "common/elementwise.h"

SECATEUR_COMMON_BEGIN

// Longest row that a warp of a GPU keeps in registers; longer ones take a block.
constexpr int64_t kShortRow = 1024;

// logsumexp(x) - x[label] of a row, from its maximum and the sum of e^(x - max).
SECATEUR_HD float cross_entropy_loss(float at_label, float max, float sum) {
  return log_float(sum) - (at_label - max);
}

// dx of the cross-entropy, scale = dloss / rows.
SECATEUR_HD float cross_entropy_derivative(float p, bool is_label, float scale) {
  return scale * (is_label ? p - 1.0f : p);
}

SECATEUR_HD float softmax_derivative(float y, float dy, float dot) { return y * (dy - dot); }

SECATEUR_HD float square_error(float x, float t) {
  const float difference = x - t;
  return difference * difference;
}

SECATEUR_HD float square_error_derivative(float x, float t, float scale) { return scale * (x - t); }

SECATEUR_COMMON_END
