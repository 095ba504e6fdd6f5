// Softmax, cross-entropy and squared-error losses with their gradients.
#include <cinttypes>
#include <limits>

#include "abi/error.h"
#include "device.h"
#include "kernels.h"
#include "pool.h"
#include "sum.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 4096;        // elements a chunk, at least one row
constexpr int64_t kCheapGrain = 16384;  // elements a chunk where memory is the limit

int64_t rows_a_chunk(int64_t cols) { return cols >= kGrain ? 1 : kGrain / cols; }

void require_labels(int64_t rows, int64_t cols, const int32_t* labels) {
  for (int64_t r = 0; r < rows; ++r) {
    SECATEUR_REQUIRE(labels[r] >= 0 && labels[r] < cols,
                     "Label %" PRId32 " of row %" PRId64 " is not in 0..%" PRId64 ".", labels[r], r,
                     cols - 1);
  }
}

// The losses of up to a tile of rows are made on the pool and then summed in the one order.
float cross_entropy(int64_t rows, int64_t cols, const float* x, const int32_t* labels, float* p) {
  const Kernels& table = kernels();
  float losses[common::kSumTile];
  common::TileSums<float> total;
  float sum = 0;
  for (int64_t first = 0; first < rows; first += common::kSumTile) {
    const int64_t count = rows - first < common::kSumTile ? rows - first : common::kSumTile;
    parallel_ranges(count, rows_a_chunk(cols), [&](int64_t begin, int64_t end) {
      const int64_t row = first + begin;
      table.cross_entropy(end - begin, cols, x + row * cols, labels + row, p + row * cols,
                          losses + begin);
    });
    sum = table.sum_tile(count, losses);
    total.add(sum);
  }
  if (rows > common::kSumTile) sum = total.total();
  return sum / static_cast<float>(rows);
}

}  // namespace

void CpuDevice::softmax(void*, int64_t rows, int64_t cols, const float* x, float* y) {
  const auto run = kernels().softmax;
  parallel_ranges(rows, rows_a_chunk(cols), [&](int64_t begin, int64_t end) {
    run(end - begin, cols, x + begin * cols, y + begin * cols);
  });
}

void CpuDevice::softmax_grad(void*, int64_t rows, int64_t cols, const float* y, const float* dy,
                             float* dx) {
  const auto run = kernels().softmax_grad;
  parallel_ranges(rows, rows_a_chunk(cols), [&](int64_t begin, int64_t end) {
    run(end - begin, cols, y + begin * cols, dy + begin * cols, dx + begin * cols);
  });
}

void CpuDevice::softmax_cross_entropy(void*, int64_t rows, int64_t cols, const float* x,
                                      const int32_t* labels, float* p, float* loss) {
  *loss = std::numeric_limits<float>::quiet_NaN();
  require_labels(rows, cols, labels);
  *loss = cross_entropy(rows, cols, x, labels, p);
}

void CpuDevice::softmax_cross_entropy_grad(void*, int64_t rows, int64_t cols, const float* p,
                                           const int32_t* labels, const float* dloss, float* dx) {
  require_labels(rows, cols, labels);
  const float scale = *dloss / static_cast<float>(rows);
  const auto run = kernels().cross_entropy_grad;
  parallel_ranges(rows, rows_a_chunk(cols), [&](int64_t begin, int64_t end) {
    run(end - begin, cols, scale, p + begin * cols, labels + begin, dx + begin * cols);
  });
}

void CpuDevice::mse(void*, int64_t n, const float* x, const float* t, float* loss) {
  const auto run = kernels().square_error_tile;
  const float sum = common::parallel_sum<float>(
      n, [&](int64_t begin, int64_t end) { return run(end - begin, x + begin, t + begin); });
  *loss = sum / static_cast<float>(n);
}

void CpuDevice::mse_grad(void*, int64_t n, const float* x, const float* t, const float* dloss,
                         float* dx) {
  const float scale = *dloss * 2.0f / static_cast<float>(n);
  const auto run = kernels().mse_grad;
  parallel_ranges(n, kCheapGrain, [&](int64_t begin, int64_t end) {
    run(end - begin, scale, x + begin, t + begin, dx + begin);
  });
}

}  // namespace secateur
