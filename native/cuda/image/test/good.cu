// Passes all checks: what the wrong kernels beside it do wrong, done right.
#include "common/kernel.h"

SECATEUR_KERNEL(32) good(float a, const float* x, float* y) {
  y[threadIdx.x] = fmaf(a, x[threadIdx.x], y[threadIdx.x]);
}
SECATEUR_REGISTER(good);
