// The largest value under each window, and the gradient.
//
//   secateur_max_pool       y = max over (k, l) of x; places = the winner's index in its plane
//   secateur_max_pool_grad  dx = sum of dy over the windows that the place won, in order of (i, j)
//
// x and dx [planes, in_h, in_w], y, dy and places [planes, out_h, out_w], planes = batch *
// channels; which value wins is told by common/pool.h, which places a window sees by
// common/window.h. places may be null.
//
// A thread takes an output and looks at the places under its window; for the gradient it takes a
// place and looks at the windows over it, so that there are no atomics and sums have one order.
// One launch of any grid of 256 threads. Bytes: each array once, and again from the cache where
// windows overlap; the floor. A NaN under the window wins. Tested against secateur_max_pool and
// secateur_max_pool_grad of the CPU device, bit for bit.
#include "common/grid.h"
#include "common/planes.h"
#include "common/pool.h"

using namespace secateur::common;

SECATEUR_KERNEL(256)
secateur_max_pool(const __grid_constant__ Window window, int64_t planes, const float* x, float* y,
                  int32_t* places) {
  const WindowAxis &h = window.h, &w = window.w;
  const int64_t n = planes * h.out * w.out, first = grid_thread(), step = grid_threads();
  PlaneWalk at(h.out, w.out, first, step);
  for (int64_t i = first; i < n; i += step, at.advance()) {
    const float* const plane = x + at.plane * h.in * w.in;
    const Range rows = h.taps(at.row), cols = w.taps(at.col);
    const int32_t top = h.start(at.row), left = w.start(at.col);
    Winner winner;
    for (int32_t k = rows.first; k < rows.end; ++k) {
      const int32_t line = (top + k * h.dilation) * w.in + left;
      for (int32_t l = cols.first; l < cols.end; ++l) {
        const int32_t place = line + l * w.dilation;
        winner.see(plane[place], place);
      }
    }
    y[i] = winner.value;
    if (places != nullptr) places[i] = winner.place;
  }
}
SECATEUR_REGISTER(secateur_max_pool);

SECATEUR_KERNEL(256)
secateur_max_pool_grad(const __grid_constant__ Window window, int64_t planes, const float* dy,
                       const int32_t* places, float* dx) {
  const WindowAxis &h = window.h, &w = window.w;
  const int64_t n = planes * h.in * w.in, first = grid_thread(), step = grid_threads();
  PlaneWalk at(h.in, w.in, first, step);
  for (int64_t i = first; i < n; i += step, at.advance()) {
    const int64_t plane = at.plane * h.out * w.out;
    const Range rows = h.outputs(at.row), cols = w.outputs(at.col);
    const int32_t place = at.place();
    float sum = 0.0f;
    for (int32_t o = rows.first; o < rows.end; ++o) {
      for (int32_t p = cols.first; p < cols.end; ++p) {
        const int64_t output = plane + o * w.out + p;
        if (places[output] == place) sum += dy[output];
      }
    }
    dx[i] = sum;
  }
}
SECATEUR_REGISTER(secateur_max_pool_grad);
