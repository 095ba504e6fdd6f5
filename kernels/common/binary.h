// The binary operators of secateur_binary.
#pragma once

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

// The values of secateur_binary_op.
enum BinaryOp : int32_t { kAdd = 0, kSub = 1, kMul = 2, kDiv = 3 };

// Calls use(f) with the operator's out = f(a, b).
template <class Use>
SECATEUR_HD void with_binary(int32_t op, const Use& use) {
  switch (op) {
    case kAdd:
      return use([](float a, float b) { return a + b; });
    case kSub:
      return use([](float a, float b) { return a - b; });
    case kMul:
      return use([](float a, float b) { return a * b; });
    case kDiv:
      return use([](float a, float b) { return a / b; });
  }
}

SECATEUR_COMMON_END
