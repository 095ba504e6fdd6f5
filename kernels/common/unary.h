// The unary operators of secateur_unary and their derivatives, one function each.
#pragma once

#include "common/elementwise.h"

SECATEUR_COMMON_BEGIN

// The values of secateur_unary_op.
enum UnaryOp : int32_t {
  kRelu = 0,
  kLeakyRelu = 1,
  kSigmoid = 2,
  kTanh = 3,
  kGelu = 4,
  kGeluTanh = 5,
  kNeg = 6,
  kExp = 7,
  kLog = 8,
  kSqrt = 9,
  kErf = 10,
  kAbs = 11
};

// Calls use(f) with the operator's y = f(x).
template <class Use>
SECATEUR_HD void with_unary(int32_t op, float alpha, const Use& use) {
  switch (op) {
    case kRelu:
      return use([](float v) { return relu(v); });
    case kLeakyRelu:
      return use([alpha](float v) { return leaky_relu(v, alpha); });
    case kSigmoid:
      return use([](float v) { return sigmoid_float(v); });
    case kTanh:
      return use([](float v) { return tanh_float(v); });
    case kGelu:
      return use([](float v) { return gelu(v); });
    case kGeluTanh:
      return use([](float v) { return gelu_tanh(v); });
    case kNeg:
      return use([](float v) { return -v; });
    case kExp:
      return use([](float v) { return exp_float(v); });
    case kLog:
      return use([](float v) { return log_float(v); });
    case kSqrt:
      return use([](float v) { return sqrtf(v); });
    case kErf:
      return use([](float v) { return erf_float(v); });
    case kAbs:
      return use([](float v) { return abs_float(v); });
  }
}

// Calls use(v, f) with the operator's dx = f(v, dy), where v is the one of x and y that it reads.
template <class Use>
SECATEUR_HD void with_unary_grad(int32_t op, float alpha, const float* x, const float* y,
                                 const Use& use) {
  switch (op) {
    case kRelu:
      return use(y, [](float v, float d) { return v <= 0.0f ? 0.0f : d; });
    case kLeakyRelu:
      return use(x, [alpha](float v, float d) {
        const float scaled = alpha * d;
        return v <= 0.0f ? scaled : d;
      });
    case kSigmoid:
      return use(y, [](float v, float d) { return d * (v * (1.0f - v)); });
    case kTanh:
      return use(y, [](float v, float d) { return d * (1.0f - v * v); });
    case kGelu:
      return use(x, [](float v, float d) { return d * gelu_derivative(v); });
    case kGeluTanh:
      return use(x, [](float v, float d) { return d * gelu_tanh_derivative(v); });
    case kNeg:
      return use(x, [](float, float d) { return -d; });
    case kExp:
      return use(y, [](float v, float d) { return d * v; });
    case kLog:
      return use(x, [](float v, float d) { return d / v; });
    case kSqrt:
      return use(y, [](float v, float d) { return d / (v + v); });
    case kErf:
      return use(x, [](float v, float d) { return d * (1.12837917f * exp_float(-(v * v))); });
    case kAbs:
      return use(x, [](float v, float d) {
        const float signed_d = v < 0.0f ? -d : d;
        return v == 0.0f ? 0.0f : signed_d;
      });
  }
}

SECATEUR_COMMON_END
