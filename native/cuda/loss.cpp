// Losses and their gradients (kernels/cross_entropy.cu, kernels/mse.cu).
#include "common/reduce.h"
#include "common/softmax.h"
#include "cuda/grid.h"
#include "cuda/sum.h"

namespace secateur::cuda {
namespace {

using CrossEntropy = Kernel<int64_t, int64_t, const float*, const int32_t*, float*, float*>;

const CrossEntropy kCrossEntropy("secateur_cross_entropy"),
    kCrossEntropyLong("secateur_cross_entropy_long");
const Kernel<int64_t, int64_t, const float*, const int32_t*, const float*, float*>
    kCrossEntropyGrad("secateur_cross_entropy_grad");
const Kernel<int64_t, const float*, const float*, float, float*> kMse("secateur_mse");
const Kernel<int64_t, const float*, const float*, const float*, float*> kMseGrad(
    "secateur_mse_grad");

// Rows whose losses wait in the scratch together; the other half holds the sums of their tiles.
constexpr int64_t kRows = kScratchFloats / 2;
static_assert(kRows % common::kSumTile == 0, "whole tiles of rows");

}  // namespace

void CudaDevice::softmax_cross_entropy(void* stream, int64_t rows, int64_t cols, const float* x,
                                       const int32_t* labels, float* p, float* loss) {
  float* const losses = static_cast<float*>(scratch());
  float* const sums = losses + kRows;
  for (int64_t first = 0; first < rows; first += kRows) {
    const int64_t count = std::min(kRows, rows - first);
    launch(stream, cols <= common::kShortRow ? kCrossEntropy : kCrossEntropyLong,
           rows_grid(*this, count, cols), count, cols, x + first * cols, labels + first,
           p + first * cols, losses);
    if (rows > common::kSumTile) {
      sum_level(*this, stream, 1, count, losses, 1.0f, sums + first / common::kSumTile);
    }
  }
  const auto divisor = static_cast<float>(rows);
  if (rows <= common::kSumTile) {
    sum_level(*this, stream, 1, rows, losses, divisor, loss);
  } else {
    sum_rows(*this, stream, 1, sum_tiles(rows), sums, divisor, loss, losses);
  }
}

void CudaDevice::softmax_cross_entropy_grad(void* stream, int64_t rows, int64_t cols,
                                            const float* p, const int32_t* labels,
                                            const float* dloss, float* dx) {
  launch(stream, kCrossEntropyGrad, elements_grid(*this, rows * cols), rows, cols, p, labels, dloss,
         dx);
}

void CudaDevice::mse(void* stream, int64_t n, const float* x, const float* t, float* loss) {
  const auto divisor = static_cast<float>(n);
  const FirstLevel level = first_level(*this, n, divisor, loss);
  launch(stream, kMse, tiles_grid(*this, sum_tiles(n)), n, x, t, level.divisor, level.sums);
  sum_up(*this, stream, n, divisor, loss);
}

void CudaDevice::mse_grad(void* stream, int64_t n, const float* x, const float* t,
                          const float* dloss, float* dx) {
  launch(stream, kMseGrad, elements_grid(*this, n), n, x, t, dloss, dx);
}

}  // namespace secateur::cuda
