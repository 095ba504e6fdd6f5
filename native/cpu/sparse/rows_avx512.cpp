#define SECATEUR_ROWS kRowsAvx512
#include "sparse/rows.inc"
