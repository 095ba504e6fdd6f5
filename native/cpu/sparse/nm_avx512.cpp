#define SECATEUR_NM_KERNELS kNmAvx512
#include "nm.inc"
