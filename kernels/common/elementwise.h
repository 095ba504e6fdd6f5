/*
 * Elementary functions of one float and their derivatives, the same bits on every device.
 *
 * Only +, -, *, /, sqrt, comparisons and integer operations on the bits of floats are used, in the
 * order written here; files that include this are compiled without contraction and without
 * fast-math, so every instruction set returns the same bits, and a compiler can vectorise all of it
 * (no branch, no table, no call). Bounds in units in the last place, over all 2^32 arguments
 * (native/test/test_elementwise.cpp checks against double precision: all of them when given a
 * stride of 1, a sample otherwise):
 *
 *   exp 1.0 · log 1.0 · sigmoid 2.5 · tanh 1.5 · erf 1.6
 *
 * where an ulp is that of the exact result, never less than the smallest denormal. NaN in gives NaN
 * out; limits at +-infinity and signs of zero are the mathematical ones. All
 * but erf never fall where the function rises; erf may, by one ulp between neighbours near |x| = 2.
 */
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

SECATEUR_HD uint32_t float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

SECATEUR_HD float bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

SECATEUR_HD float abs_float(float x) { return bits_float(float_bits(x) & 0x7fffffffu); }

/* |magnitude| with the sign of `sign`; magnitude must not be negative. */
SECATEUR_HD float with_sign(float magnitude, float sign) {
  return bits_float(float_bits(magnitude) | (float_bits(sign) & 0x80000000u));
}

/* scale * e^x, scale a power of two: e^x = 2^n e^r, n = round(x / ln 2), |r| <= ln 2 / 2 (Cody &
 * Waite's two-part ln 2); 2^n in two factors, so that overflow and gradual underflow round once. */
SECATEUR_HD float exp_scaled(float x, float scale) {
  const float bound = 104.0f, shift = 12582912.0f; /* 1.5 * 2^23 */
  float a = x < -bound ? -bound : x;
  a = a > bound ? bound : a;
  const float shifted = a * 1.44269504f + shift;
  const float n = shifted - shift;
  const float r = (a - n * 0.693359375f) - n * -2.12194440e-4f;
  float q = 1.38131448e-3f;
  q = q * r + 8.36941879e-3f;
  q = q * r + 4.16684560e-2f;
  q = q * r + 1.66665152e-1f;
  q = q * r + 4.99999940e-1f;
  const float e = (q * (r * r) + r) + 1.0f;
  const int32_t power = (int32_t)(float_bits(shifted) - float_bits(shift));
  const int32_t half = power >> 1;
  const float first = bits_float((uint32_t)(half + 127) << 23);
  const float second = bits_float((uint32_t)(power - half + 127) << 23);
  return e * first * (second * scale);
}

SECATEUR_HD float exp_float(float x) { return exp_scaled(x, 1.0f); }

/* log x = n ln 2 + log(1 + f), sqrt(1/2) <= 1 + f < sqrt 2. log(+-0) = -inf, of negatives NaN. */
SECATEUR_HD float log_float(float x) {
  const float scaled = x * 8388608.0f; /* denormals become normal */
  const int tiny = x < 1.17549435e-38f;
  const uint32_t bits = float_bits(tiny ? scaled : x);
  const uint32_t above = bits - 0x3f3504f3u; /* bits of sqrt(1/2) */
  const int32_t power = (int32_t)above >> 23;
  const float n = (float)(power - (tiny ? 23 : 0));
  const float f = bits_float((above & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float p = 6.74652979e-2f;
  p = p * f + -1.16876774e-1f;
  p = p * f + 1.18946575e-1f;
  p = p * f + -1.24042235e-1f;
  p = p * f + 1.42185643e-1f;
  p = p * f + -1.66680291e-1f;
  p = p * f + 2.00021639e-1f;
  p = p * f + -2.50000089e-1f;
  p = p * f + 3.33333135e-1f;
  const float square = f * f;
  const float tail = (p * f * square + n * -2.12194440e-4f) - 0.5f * square;
  const float finite = n * 0.693359375f + (f + tail);
  const float infinity = bits_float(0x7f800000u);
  float y = x < infinity ? finite : x; /* +inf and NaN return themselves */
  y = x < 0.0f ? bits_float(0x7fc00000u) : y;
  return x == 0.0f ? -infinity : y;
}

/* 1 / (1 + e^-x), monotone as its three steps are. Far below zero all is scaled by 2^-64, so that
 * e^-x does not overflow before the quotient is a denormal. */
SECATEUR_HD float sigmoid_float(float x) {
  const float scale = x < -44.0f ? 5.42101086e-20f : 1.0f;
  return 1.0f / (scale + exp_scaled(-x, scale)) * scale;
}

/* Odd polynomial below 0.625, 1 - 2 / (e^2|x| + 1) above. */
SECATEUR_HD float tanh_float(float x) {
  const float a = abs_float(x);
  const float z = a * a;
  float p = -5.70498733e-3f;
  p = p * z + 2.06390880e-2f;
  p = p * z + -5.37397154e-2f;
  p = p * z + 1.33314416e-1f;
  p = p * z + -3.33332807e-1f;
  const float small = p * z * a + a;
  const float large = 1.0f - 2.0f / (exp_float(a + a) + 1.0f);
  return with_sign(a < 0.625f ? small : large, x);
}

/* erf x = 2 / sqrt(pi) * integral of e^-t^2 over 0..x: odd polynomial below 3/4, 1 - e^-q(|x|)
 * above, where q approximates -log(erfc). */
SECATEUR_HD float erf_float(float x) {
  const float a = abs_float(x);
  const float z = a * a;
  float p = -6.74951356e-4f;
  p = p * z + 5.11434581e-3f;
  p = p * z + -2.68346239e-2f;
  p = p * z + 1.12833768e-1f;
  p = p * z + -3.76126200e-1f;
  p = p * z + 1.28379166e-1f;
  const float small = p * a + a;
  const float t = a > 4.0f ? 4.0f : a;
  float q = -2.16992048e-4f;
  q = q * t + 3.23986053e-3f;
  q = q * t + -2.29708515e-2f;
  q = q * t + 1.05391771e-1f;
  q = q * t + 6.35612547e-1f;
  q = q * t + 1.12855291f;
  q = q * t + -3.72228396e-6f;
  const float large = 1.0f - exp_float(-q);
  return with_sign(a < 0.75f ? small : large, x);
}

/* ---- activations and their derivatives ---- */

/* min(max(x, low), high); NaN stays NaN. */
SECATEUR_HD float clip(float x, float low, float high) {
  const float above = x < low ? low : x;
  return above > high ? high : above;
}

SECATEUR_HD float clip_derivative(float x, float low, float high, float dy) {
  return low < x && x < high ? dy : 0.0f;
}

SECATEUR_HD float relu(float x) { return x < 0.0f ? 0.0f : x; }

SECATEUR_HD float leaky_relu(float x, float alpha) {
  const float scaled = alpha * x;
  return x < 0.0f ? scaled : x;
}

/* x/2 * (1 + erf(x / sqrt 2)); -0 once erf has reached -1, so also at -inf. */
SECATEUR_HD float gelu(float x) {
  const float twice = 1.0f + erf_float(x * 0.707106781f);
  const float y = 0.5f * x * twice;
  return twice == 0.0f ? -0.0f : y;
}

/* Phi(x) + x phi(x): the normal distribution function and density. */
SECATEUR_HD float gelu_derivative(float x) {
  const float distribution = 0.5f * (1.0f + erf_float(x * 0.707106781f));
  const float density = 0.398942280f * exp_float(-0.5f * x * x);
  const float product = x * density;
  return distribution + (density == 0.0f ? 0.0f : product);
}

/* x/2 * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
SECATEUR_HD float gelu_tanh(float x) {
  const float inner = 0.797884561f * (x + 0.044715f * x * x * x);
  const float twice = 1.0f + tanh_float(inner);
  const float y = 0.5f * x * twice;
  return twice == 0.0f ? -0.0f : y;
}

/* (1 + t) / 2 + x/2 (1 - t^2) sqrt(2 / pi) (1 + 3 * 0.044715 x^2), t the tanh above. */
SECATEUR_HD float gelu_tanh_derivative(float x) {
  const float square = x * x;
  const float t = tanh_float(0.797884561f * (x + 0.044715f * square * x));
  const float slope = 1.0f - t * t;
  const float product = 0.5f * x * slope * (0.797884561f * (1.0f + 0.134145f * square));
  return 0.5f * (1.0f + t) + (slope == 0.0f ? 0.0f : product);
}

SECATEUR_COMMON_END
