// dst[i] = value.
//
// dst [n]. One launch that writes 4 n bytes, the floor, by 16-byte stores where they fit; any grid
// of 256 threads, grid-stride. Tested against secateur_fill of the CPU device.
#include "common/grid.h"

using namespace secateur::common;

SECATEUR_KERNEL(256) secateur_fill(float value, int64_t n, float* dst) {
  for_elements(n, vectors_of(n, dst), [=](int64_t i, auto width) {
    float v[decltype(width)::count];
    SECATEUR_UNROLL(4)
    for (float& element : v) element = value;
    store(dst + i, v);
  });
}
SECATEUR_REGISTER(secateur_fill);
