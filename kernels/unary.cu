// y = f(x), and dx = dy f'(x), for the operators of secateur_unary_op.
//
// All arrays [n]; the formulas are those of common/unary.h, so every device returns the same bits.
// y may be x, dx may be dy. One launch that reads and writes each array once: 8 n bytes, 12 n for
// the derivative, which reads only the one of x and y that it needs; the floor. 16-byte loads where
// they fit; any grid of 256 threads, grid-stride. NaN in gives NaN out, but for the derivative of
// ABS at 0. Tested against secateur_unary and secateur_unary_grad of the CPU device.
#include "common/grid.h"
#include "common/unary.h"

using namespace secateur::common;

SECATEUR_KERNEL(256)
secateur_unary(int32_t op, float alpha, int64_t n, const float* x, float* y) {
  with_unary(op, alpha, [=](const auto& f) { map_elements(n, x, y, f); });
}
SECATEUR_REGISTER(secateur_unary);

SECATEUR_KERNEL(256)
secateur_unary_grad(int32_t op, float alpha, int64_t n, const float* x, const float* y,
                    const float* dy, float* dx) {
  with_unary_grad(op, alpha, x, y,
                  [=](const float* from, const auto& f) { zip_elements(n, from, dy, dx, f); });
}
SECATEUR_REGISTER(secateur_unary_grad);
