#define SECATEUR_ROWS kRowsAvx2
#include "sparse/rows.inc"
