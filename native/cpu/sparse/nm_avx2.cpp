#define SECATEUR_NM_KERNELS kNmAvx2
#include "nm.inc"
