#define SECATEUR_ROWS kRowsPlain
#include "sparse/rows.inc"
