#define SECATEUR_NM_KERNELS kNmPlain
#include "nm.inc"
