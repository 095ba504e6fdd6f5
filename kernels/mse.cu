// Mean squared error: loss = sum (x - t)^2 / n, and its derivative dx = 2 dloss / n (x - t).
//
// All arrays [n]. The sum has the order of common/reduce.h: secateur_mse writes the sum of each
// tile of 4096, a warp a tile, or for n <= 4096 the loss itself; secateur_sum_rows sums the tiles
// and divides. 8 n bytes in one or two launches of any grid of 128 threads; the derivative 12 n
// bytes in one launch of any grid of 256, by 16-byte vectors where they fit; both the floor. Tested
// against secateur_mse and secateur_mse_grad of the CPU device.
#include "common/grid.h"
#include "common/softmax.h"
#include "common/warp_sum.h"

using namespace secateur::common;

// sums[t] = sum of tile t / divisor.
SECATEUR_KERNEL(128)
secateur_mse(int64_t n, const float* x, const float* t, float divisor, float* sums) {
  const int64_t tiles = (n + kSumTile - 1) / kSumTile;
  for (int64_t tile = grid_thread() / 32; tile < tiles; tile += grid_threads() / 32) {
    const int64_t begin = tile * kSumTile;
    const float sum = warp_sum_tile<float>(begin, n - begin < kSumTile ? n : begin + kSumTile,
                                           [x, t](int64_t i) { return square_error(x[i], t[i]); });
    if ((threadIdx.x & 31) == 0) sums[tile] = sum / divisor;
  }
}
SECATEUR_REGISTER(secateur_mse);

// dloss: device scalar. dx may be x or t.
SECATEUR_KERNEL(256)
secateur_mse_grad(int64_t n, const float* x, const float* t, const float* dloss, float* dx) {
  const float scale = *dloss * 2.0f / static_cast<float>(n);
  zip_elements(n, x, t, dx, [scale](float value, float target) {
    return square_error_derivative(value, target, scale);
  });
}
SECATEUR_REGISTER(secateur_mse_grad);
