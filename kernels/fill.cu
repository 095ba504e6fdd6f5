// dst[i] = value.
//
// dst [n]. One launch that writes 4 n bytes, the floor, by 16-byte stores where they fit; any grid
// of 256 threads, grid-stride. Tested against secateur_fill of the CPU device.
#include "common/grid.h"

using namespace secateur::common;

SECATEUR_KERNEL(256) secateur_fill(float value, int64_t n, float* dst) {
  fill_elements(n, value, dst);
}
SECATEUR_REGISTER(secateur_fill);
