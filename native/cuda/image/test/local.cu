// An array indexed by a variable lives in local memory: refused.
#include "common/kernel.h"

SECATEUR_KERNEL(32) local(const int* index, const float* x, float* y) {
  float values[32];
  for (int i = 0; i < 32; ++i) values[i] = x[i * 32 + threadIdx.x];
  for (int i = 0; i < 32; ++i) values[index[i] & 31] += 1.0f;
  for (int i = 0; i < 32; ++i) y[i * 32 + threadIdx.x] = values[i];
}
SECATEUR_REGISTER(local);
