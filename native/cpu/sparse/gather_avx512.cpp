#define SECATEUR_GATHER kGatherAvx512
#include "sparse/gather.inc"
