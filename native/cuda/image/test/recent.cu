// An instruction that GPUs of compute capability 7.5 and PTX 7.0 do not have: refused.
#include "common/kernel.h"

SECATEUR_KERNEL(32) recent(unsigned* y) {
  unsigned sum;
  asm("redux.sync.add.u32 %0, %1, 0xffffffff;" : "=r"(sum) : "r"(threadIdx.x));
  y[threadIdx.x] = sum;
}
SECATEUR_REGISTER(recent);
