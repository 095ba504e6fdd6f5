#define SECATEUR_KERNELS kKernelsAvx2
#include "kernels/all.inc"
