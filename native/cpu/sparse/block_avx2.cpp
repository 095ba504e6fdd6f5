#define SECATEUR_BLOCK_KERNELS kBlockAvx2
#include "block.inc"
