#define SECATEUR_KERNELS kKernelsAvx512
#include "kernels/all.inc"
