#define SECATEUR_BLOCK_KERNELS kBlockAvx512
#include "block.inc"
