#define SECATEUR_KERNELS kKernelsPlain
#include "kernels/all.inc"
