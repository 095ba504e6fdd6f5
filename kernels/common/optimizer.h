/*
 * One weight's step of the optimizers, the same bits on every device (no contraction, in the order
 * written). Formulas and parameters: secateur_sgd_step and secateur_adam_step in secateur.h.
 */
#pragma once

#include <math.h>

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

/* The layout of secateur_sgd_params and secateur_adam_params, for kernels. */
struct SgdParams {
  float lr, momentum, weight_decay;
  int32_t nesterov;
  int32_t step;
};
struct AdamParams {
  float lr, beta1, beta2, epsilon, weight_decay;
  int32_t decoupled;
  float correction1;
  float correction2_sqrt;
};

/* SGD with momentum (Sutskever et al. 2013, in PyTorch's form: dampening 0). Returns the new
 * weight; *buffer is the running gradient, and on the first step becomes the gradient itself. */
SECATEUR_HD float sgd_momentum_step(float w, float g, float* buffer, float lr, float momentum,
                                    float weight_decay, bool nesterov, bool first) {
  const float gradient = g + weight_decay * w;
  const float next = momentum * *buffer + gradient;
  const float running = first ? gradient : next;
  *buffer = running;
  const float ahead = gradient + momentum * running;
  return w - lr * (nesterov ? ahead : running);
}

SECATEUR_HD float sgd_plain_step(float w, float g, float lr, float weight_decay) {
  return w - lr * (g + weight_decay * w);
}

/* What the weights of one Adam step share. */
struct AdamStep {
  float beta1, rest1; /* rest = 1 - beta */
  float beta2, rest2;
  float rate; /* lr / correction1 */
  float root; /* correction2_sqrt */
  float epsilon;
  float l2;     /* weight decay added to the gradient, 0 for AdamW */
  float shrink; /* 1 - lr * weight decay for AdamW, else 1 */
};

/* From the parameters of secateur_adam_params. */
template <class Params>
SECATEUR_HD AdamStep adam_step_of(const Params& params) {
  AdamStep step;
  step.beta1 = params.beta1;
  step.rest1 = 1.0f - params.beta1;
  step.beta2 = params.beta2;
  step.rest2 = 1.0f - params.beta2;
  step.rate = params.lr / params.correction1;
  step.root = params.correction2_sqrt;
  step.epsilon = params.epsilon;
  step.l2 = params.decoupled != 0 ? 0.0f : params.weight_decay;
  step.shrink = params.decoupled != 0 ? 1.0f - params.lr * params.weight_decay : 1.0f;
  return step;
}

/* Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019). Returns the new weight. */
SECATEUR_HD float adam_step(float w, float g, float* m, float* v, const AdamStep& step) {
  const float gradient = g + step.l2 * w;
  const float first = step.beta1 * *m + step.rest1 * gradient;
  const float second = step.beta2 * *v + step.rest2 * (gradient * gradient);
  *m = first;
  *v = second;
  return step.shrink * w - step.rate * first / (sqrtf(second) / step.root + step.epsilon);
}

/* sign(w) max(|w| - t, 0): the proximal step of t |w|. +0 where it vanishes; NaN stays. */
SECATEUR_HD float soft_threshold(float w, float t) {
  const float magnitude = fabsf(w) - t;
  return magnitude <= 0.0f ? 0.0f : copysignf(magnitude, w);
}

/* The threshold of an L1 penalty in the metric of Adam: scaled (lr lambda) over the divisor that
 * adam_step gives the gradient of the same weight. */
SECATEUR_HD float adam_threshold(float v, float scaled, float root, float epsilon) {
  return scaled / (sqrtf(v) / root + epsilon);
}

SECATEUR_COMMON_END
