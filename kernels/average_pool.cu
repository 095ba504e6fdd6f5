// The mean under each window, and the gradient.
//
//   secateur_average_pool       y = sum over (k, l) of x / places averaged
//   secateur_average_pool_grad  dx = sum of dy / places averaged over the windows that see the
//                               place, in order of (i, j)
//
// x and dx [planes, in_h, in_w], y and dy [planes, out_h, out_w], planes = batch * channels. The
// padding counts as zeros (count_padding = 1: divided by the window's size) or not at all (0: by
// its places in the image); formulas in common/pool.h, places in common/window.h.
//
// A thread takes an output and adds the places under its window in order; for the gradient it takes
// a place and looks at the windows over it, so that there are no atomics and sums have one order.
// One launch of any grid of 256 threads. Bytes: each array once, and again from the cache where
// windows overlap; the floor. Tested against secateur_average_pool and secateur_average_pool_grad
// of the CPU device, bit for bit.
#include "common/grid.h"
#include "common/planes.h"
#include "common/pool.h"

using namespace secateur::common;

SECATEUR_KERNEL(256)
secateur_average_pool(const __grid_constant__ Window window, int32_t count_padding, int64_t planes,
                      const float* x, float* y) {
  const WindowAxis &h = window.h, &w = window.w;
  const int64_t n = planes * h.out * w.out, first = grid_thread(), step = grid_threads();
  PlaneWalk at(h.out, w.out, first, step);
  for (int64_t i = first; i < n; i += step, at.advance()) {
    const float* const plane = x + at.plane * h.in * w.in;
    const Range rows = h.taps(at.row), cols = w.taps(at.col);
    const int32_t top = h.start(at.row), left = w.start(at.col);
    float sum = 0.0f;
    for (int32_t k = rows.first; k < rows.end; ++k) {
      const int32_t line = (top + k * h.dilation) * w.in + left;
      for (int32_t l = cols.first; l < cols.end; ++l) sum += plane[line + l * w.dilation];
    }
    y[i] = average(sum, averaged_places(window, count_padding != 0, rows, cols));
  }
}
SECATEUR_REGISTER(secateur_average_pool);

SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_average_pool_grad(const __grid_constant__ Window window, int32_t count_padding,
                           int64_t planes, const float* dy, float* dx) {
  const WindowAxis &h = window.h, &w = window.w;
  const int64_t n = planes * h.in * w.in, first = grid_thread(), step = grid_threads();
  PlaneWalk at(h.in, w.in, first, step);
  for (int64_t i = first; i < n; i += step, at.advance()) {
    const float* const plane = dy + at.plane * h.out * w.out;
    const Range rows = h.outputs(at.row), cols = w.outputs(at.col);
    float sum = 0.0f;
    for (int32_t o = rows.first; o < rows.end; ++o) {
      if (h.tap(o, at.row) < 0) continue;
      const Range down = h.taps(o);
      for (int32_t p = cols.first; p < cols.end; ++p) {
        if (w.tap(p, at.col) < 0) continue;
        sum += average_derivative(plane[o * w.out + p],
                                  averaged_places(window, count_padding != 0, down, w.taps(p)));
      }
    }
    dx[i] = sum;
  }
}
SECATEUR_REGISTER(secateur_average_pool_grad);
