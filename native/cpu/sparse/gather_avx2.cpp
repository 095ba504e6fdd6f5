#define SECATEUR_GATHER kGatherAvx2
#include "sparse/gather.inc"
