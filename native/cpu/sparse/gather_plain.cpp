#define SECATEUR_GATHER kGatherPlain
#include "sparse/gather.inc"
