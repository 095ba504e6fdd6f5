// A fused multiply-add that hides from a reader: refused.
#include "common/kernel.h"

SECATEUR_KERNEL(32) fused(float a, const float* x, float* y) {
  y[threadIdx.x] = __fmaf_rn(a, x[threadIdx.x], y[threadIdx.x]);
}
SECATEUR_REGISTER(fused);
