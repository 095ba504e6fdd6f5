#define SECATEUR_PANELS kPanelsAvx512
#include "sparse/panels.inc"
