#define SECATEUR_BLOCK_KERNELS kBlockPlain
#include "block.inc"
