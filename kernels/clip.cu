// y = min(max(x, low), high), and dx = dy where low < x < high, else 0.
//
// All arrays [n]; formulas in common/elementwise.h. y may be x, dx may be dy. One launch that reads
// and writes each array once: 8 n bytes, 12 n for the derivative; the floor. 16-byte loads where
// they fit; any grid of 256 threads, grid-stride. NaN stays NaN; its derivative is 0. Tested
// against secateur_clip and secateur_clip_grad of the CPU device.
#include "common/elementwise.h"
#include "common/grid.h"

using namespace secateur::common;

SECATEUR_KERNEL(256)
secateur_clip(float low, float high, int64_t n, const float* x, float* y) {
  map_elements(n, x, y, [=](float v) { return clip(v, low, high); });
}
SECATEUR_REGISTER(secateur_clip);

SECATEUR_KERNEL(256)
secateur_clip_grad(float low, float high, int64_t n, const float* x, const float* dy, float* dx) {
  zip_elements(n, x, dy, dx, [=](float v, float d) { return clip_derivative(v, low, high, d); });
}
SECATEUR_REGISTER(secateur_clip_grad);
