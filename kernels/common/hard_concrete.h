/*
 * Hard-concrete gates (Louizos, Welling & Kingma 2018, arXiv 1712.01312, eq. 10-13) with beta =
 * 2/3, gamma = -0.1, zeta = 1.1:
 *
 *   s = sigmoid((log u - log(1 - u) + log_alpha) / beta),  z = clamp(s (zeta - gamma) + gamma, 0,
 * 1)
 *
 * For a log_alpha of NaN, z is NaN.
 */
#pragma once

#include "common/elementwise.h"
#include "common/hd.h"

SECATEUR_COMMON_BEGIN

#define SECATEUR_GATE_GAMMA (-0.1f)
#define SECATEUR_GATE_SPAN 1.2f         /* zeta - gamma */
#define SECATEUR_GATE_INVERSE_BETA 1.5f /* 1 / beta */
#define SECATEUR_GATE_SHIFT 1.59859685f /* -beta log(-gamma / zeta) */

/* s stretched to (gamma, zeta), before clamping. */
SECATEUR_HD float gate_stretch(float s) { return s * SECATEUR_GATE_SPAN + SECATEUR_GATE_GAMMA; }

SECATEUR_HD float gate_clamp(float stretched) {
  const float z = stretched < 0.0f ? 0.0f : stretched;
  return z > 1.0f ? 1.0f : z;
}

/* The relaxed Bernoulli s for the uniform u in (0, 1). */
SECATEUR_HD float gate_concrete(float u, float log_alpha) {
  const float logit = log_float(u) - log_float(1.0f - u);
  return sigmoid_float((logit + log_alpha) * SECATEUR_GATE_INVERSE_BETA);
}

SECATEUR_HD float gate_sample(float u, float log_alpha) {
  return gate_clamp(gate_stretch(gate_concrete(u, log_alpha)));
}

/* dz / dlog_alpha for the same u: s (1 - s) (zeta - gamma) / beta, 0 where z is clamped. */
SECATEUR_HD float gate_sample_derivative(float u, float log_alpha) {
  const float s = gate_concrete(u, log_alpha);
  const float stretched = gate_stretch(s);
  const float slope = s * (1.0f - s) * (SECATEUR_GATE_SPAN * SECATEUR_GATE_INVERSE_BETA);
  const float inside = stretched <= 0.0f ? 0.0f : slope;
  return stretched >= 1.0f ? 0.0f : inside;
}

/* The gate used after training, without noise. */
SECATEUR_HD float gate_eval(float log_alpha) {
  return gate_clamp(gate_stretch(sigmoid_float(log_alpha)));
}

/* Probability that the gate is open (eq. 12), and its derivative p (1 - p). */
SECATEUR_HD float gate_open(float log_alpha) {
  return sigmoid_float(log_alpha + SECATEUR_GATE_SHIFT);
}

SECATEUR_COMMON_END
