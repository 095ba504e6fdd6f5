#define SECATEUR_PANELS kPanelsPlain
#include "sparse/panels.inc"
