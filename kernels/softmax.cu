// y = softmax(x) = e^(x - max) / sum e^(x - max) over each row, and dx = y * (dy - sum_j dy_j y_j).
//
// x, y, dy, dx [rows, cols], dense. Sums have the order of common/reduce.h.
//
//   secateur_softmax, secateur_softmax_grad
//       cols <= 1024: a warp takes a row, whose elements stay in registers; 8 (12) bytes an
//       element, the floor
//   secateur_softmax_long, secateur_softmax_grad_long
//       any cols: a block of 256 threads takes a row, tile by tile of 4096 through shared memory,
//       whose lanes one warp sums. The row is read again (three times, twice), mostly from the
//       second-level cache
//
// One launch; any grid, rows are strided. y may be x, dx may be dy. A row with NaN, with +inf or of
// nothing but -inf becomes NaN. Tested against secateur_softmax and secateur_softmax_grad of the
// CPU device.
#include "common/softmax_rows.h"

using namespace secateur::common;

SECATEUR_KERNEL(256)
secateur_softmax(int64_t rows, int64_t cols, const float* x, float* y) {
  for (int64_t row = grid_warp(); row < rows; row += grid_warps()) {
    warp_softmax(cols, x + row * cols, y + row * cols);
  }
}
SECATEUR_REGISTER(secateur_softmax);

SECATEUR_KERNEL(256)
secateur_softmax_grad(int64_t rows, int64_t cols, const float* y, const float* dy, float* dx) {
  const int lane = threadIdx.x & 31;
  for (int64_t row = grid_warp(); row < rows; row += grid_warps()) {
    const float* const from = y + row * cols + lane;
    const float* const with = dy + row * cols + lane;
    float value[kRowValues], slope[kRowValues], dot = 0.0f;
    SECATEUR_UNROLL(kRowValues)
    for (int k = 0; k < kRowValues; ++k) {
      if (kSumLanes * k >= cols) break;
      const bool inside = kSumLanes * k + lane < cols;
      value[k] = inside ? from[kSumLanes * k] : 0.0f;
      slope[k] = inside ? with[kSumLanes * k] : 0.0f;
    }
    SECATEUR_UNROLL(kRowValues)
    for (int k = 0; k < kRowValues; ++k) {
      if (kSumLanes * k >= cols) break;
      dot += slope[k] * value[k];
    }
    dot = __shfl_sync(kWholeWarp, warp_tree(dot), 0);
    SECATEUR_UNROLL(kRowValues)
    for (int k = 0; k < kRowValues; ++k) {
      if (kSumLanes * k >= cols) break;
      if (kSumLanes * k + lane < cols) {
        dx[row * cols + kSumLanes * k + lane] = softmax_derivative(value[k], slope[k], dot);
      }
    }
  }
}
SECATEUR_REGISTER(secateur_softmax_grad);

SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_softmax_long(int64_t rows, int64_t cols, const float* x, float* y) {
  SECATEUR_SHARED(BlockRow, shared);
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    block_softmax(shared, cols, x + row * cols, y + row * cols);
  }
}
SECATEUR_REGISTER(secateur_softmax_long);

SECATEUR_KERNEL(256)
secateur_softmax_grad_long(int64_t rows, int64_t cols, const float* y, const float* dy, float* dx) {
  SECATEUR_SHARED(BlockRow, shared);
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const float* const from = y + row * cols;
    const float* const with = dy + row * cols;
    const float dot = block_sum(shared, cols, [=](int64_t c) { return with[c] * from[c]; });
    for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) {
      dx[row * cols + c] = softmax_derivative(from[c], with[c], dot);
    }
  }
}
SECATEUR_REGISTER(secateur_softmax_grad_long);
