// Softmax cross-entropy: p = softmax(x), losses[r] = logsumexp(x_r) - x_r[label_r]; and the
// derivative of their mean, dx = dloss / rows * (p - onehot(labels)).
//
// x, p, dx [rows, cols], labels [rows] int32 in [0, cols), losses [rows] in the device's scratch,
// whose mean secateur_sum_rows takes in the order of common/reduce.h.
//
//   secateur_cross_entropy       cols <= 1024: a warp a row, 8 bytes an element and 8 a row, the
//                                floor
//   secateur_cross_entropy_long  any cols: a block a row; see softmax.cu
//   secateur_cross_entropy_grad  elementwise, 8 bytes an element, the floor, by 16-byte vectors
//                                where they fit
//
// Two launches for the loss (one more for rows > 4096), one for the derivative, blocks of 256
// threads, any grid. A label outside [0, cols), as a NaN in its row, makes the loss NaN and that
// row of dx NaN. dx may be p. Tested against secateur_softmax_cross_entropy and its grad of the CPU
// device.
#include "common/softmax_rows.h"

using namespace secateur::common;

// For one thread, when the row is done.
SECATEUR_DEVICE float row_loss(int64_t cols, const float* x, int32_t label, const RowSum& row) {
  if (label < 0 || label >= cols) return bits_float(0x7fc00000u);
  return cross_entropy_loss(x[label], row.max, row.sum);
}

SECATEUR_KERNEL(256)
secateur_cross_entropy(int64_t rows, int64_t cols, const float* x, const int32_t* labels, float* p,
                       float* losses) {
  for (int64_t row = grid_warp(); row < rows; row += grid_warps()) {
    const RowSum sum = warp_softmax(cols, x + row * cols, p + row * cols);
    if ((threadIdx.x & 31) == 0) losses[row] = row_loss(cols, x + row * cols, labels[row], sum);
  }
}
SECATEUR_REGISTER(secateur_cross_entropy);

SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_cross_entropy_long(int64_t rows, int64_t cols, const float* x, const int32_t* labels,
                            float* p, float* losses) {
  SECATEUR_SHARED(BlockRow, shared);
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const RowSum sum = block_softmax(shared, cols, x + row * cols, p + row * cols);
    if (threadIdx.x == 0) losses[row] = row_loss(cols, x + row * cols, labels[row], sum);
  }
}
SECATEUR_REGISTER(secateur_cross_entropy_long);

SECATEUR_DEVICE float derivative(int64_t cols, int64_t col, int32_t label, float p, float scale) {
  const float d = cross_entropy_derivative(p, col == label, scale);
  return label < 0 || label >= cols ? bits_float(0x7fc00000u) : d;
}

// dloss: device scalar.
SECATEUR_KERNEL(256)
secateur_cross_entropy_grad(int64_t rows, int64_t cols, const float* p, const int32_t* labels,
                            const float* dloss, float* dx) {
  const float scale = *dloss / static_cast<float>(rows);
  const int64_t n = rows * cols, first = grid_thread(), step = grid_threads();
  const Vectors vectors = vectors_of(n, p, dx);
  MatrixWalk at(cols, vectors.head + 4 * first, 4 * step);
  for (int64_t k = first; k < vectors.count; k += step, at.advance()) {
    const int64_t i = vectors.head + 4 * k;
    float v[4];
    load(v, p + i);
    MatrixWalk element = at;
    SECATEUR_UNROLL(4)
    for (int j = 0; j < 4; ++j, element.next()) {
      v[j] = derivative(cols, element.col, labels[element.row], v[j], scale);
    }
    store(dx + i, v);
  }
  for (int64_t k = first; k < n - 4 * vectors.count; k += step) {
    const int64_t i = k < vectors.head ? k : k + 4 * vectors.count, row = i / cols;
    dx[i] = derivative(cols, i - row * cols, labels[row], p[i], scale);
  }
}
SECATEUR_REGISTER(secateur_cross_entropy_grad);
