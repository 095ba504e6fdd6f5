#define SECATEUR_PANELS kPanelsAvx2
#include "sparse/panels.inc"
