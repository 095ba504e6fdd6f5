// The places that each output of a convolution sees, as a matrix, and the adjoint.
//
//   secateur_im2col  columns[(c, k, l)][(n, i, j)] = x[n][c][place of (i, k)][place of (j, l)],
//                    0 in the padding
//   secateur_col2im  x[n][c][p][q] = sum of the columns that were taken from it, in order of (k, l)
//
// x [batch, channels, in_h, in_w], columns [channels * kernel_h * kernel_w, batch * out_h * out_w],
// dense; common/window.h says which places meet. A convolution is then one matrix product
// (Chellapilla, Puri & Simard 2006).
//
// im2col: a thread takes a column of one channel and writes its kernel_h * kernel_w elements, so
// that neighbouring threads write neighbours. col2im gathers, without atomics: a thread takes a
// place of x and adds what each window over it holds. Blocks of 256 threads; the grid's y counts
// channels, its x columns or places; any grid. Bytes: every element of columns once, 4 each, the
// floor; x once more or less, as windows overlap in the cache. Tested against secateur_im2col and
// secateur_col2im of the CPU device.
#include "common/grid.h"
#include "common/planes.h"
#include "common/window.h"

using namespace secateur::common;

SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_im2col(const __grid_constant__ Window window, int64_t batch, int64_t channels,
                const float* x, float* columns) {
  const WindowAxis &h = window.h, &w = window.w;
  const int64_t places = int64_t{h.in} * w.in, cols = batch * h.out * w.out;
  const int64_t first = grid_thread(), step = grid_threads();
  for (int64_t c = blockIdx.y; c < channels; c += gridDim.y) {
    float* const rows = columns + c * h.kernel * w.kernel * cols;
    PlaneWalk at(h.out, w.out, first, step);
    for (int64_t column = first; column < cols; column += step, at.advance()) {
      const float* const image = x + (at.plane * channels + c) * places;
      float* to = rows + column;
      const int32_t left = w.start(at.col);
      int32_t row = h.start(at.row);
      for (int32_t k = 0; k < h.kernel; ++k, row += h.dilation) {
        const bool inside = row >= 0 && row < h.in;
        const float* const line = image + (inside ? row * w.in : 0);
        int32_t col = left;
        for (int32_t l = 0; l < w.kernel; ++l, col += w.dilation, to += cols) {
          *to = inside && col >= 0 && col < w.in ? line[col] : 0.0f;
        }
      }
    }
  }
}
SECATEUR_REGISTER(secateur_im2col);

SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_col2im(const __grid_constant__ Window window, int64_t batch, int64_t channels,
                const float* columns, float* x) {
  const WindowAxis &h = window.h, &w = window.w;
  const int64_t places = int64_t{h.in} * w.in, outputs = int64_t{h.out} * w.out;
  const int64_t cols = batch * outputs, first = grid_thread(), step = grid_threads();
  for (int64_t c = blockIdx.y; c < channels; c += gridDim.y) {
    PlaneWalk at(h.in, w.in, first, step);
    for (int64_t i = first; i < batch * places; i += step, at.advance()) {
      const float* const image = columns + c * h.kernel * w.kernel * cols + at.plane * outputs;
      const Range rows = h.outputs(at.row), across = w.outputs(at.col);
      float sum = 0.0f;
      // Taps rise as outputs fall.
      for (int32_t o = rows.end - 1; o >= rows.first; --o) {
        const int32_t k = h.tap(o, at.row);
        if (k < 0) continue;
        for (int32_t p = across.end - 1; p >= across.first; --p) {
          const int32_t l = w.tap(p, at.col);
          if (l < 0) continue;
          sum += image[(int64_t{k} * w.kernel + l) * cols + int64_t{o} * w.out + p];
        }
      }
      x[(at.plane * channels + c) * places + at.place()] = sum;
    }
  }
}
SECATEUR_REGISTER(secateur_col2im);
