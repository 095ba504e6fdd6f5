// Softmax: short rows take a warp, longer ones a block (kernels/softmax.cu).
#include "common/softmax.h"

#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using Rows = Kernel<int64_t, int64_t, const float*, float*>;
using RowsGrad = Kernel<int64_t, int64_t, const float*, const float*, float*>;

const Rows kSoftmax("secateur_softmax"), kSoftmaxLong("secateur_softmax_long");
const RowsGrad kSoftmaxGrad("secateur_softmax_grad"),
    kSoftmaxGradLong("secateur_softmax_grad_long");

}  // namespace

void CudaDevice::softmax(void* stream, int64_t rows, int64_t cols, const float* x, float* y) {
  launch(stream, cols <= common::kShortRow ? kSoftmax : kSoftmaxLong, rows_grid(*this, rows, cols),
         rows, cols, x, y);
}

void CudaDevice::softmax_grad(void* stream, int64_t rows, int64_t cols, const float* y,
                              const float* dy, float* dx) {
  launch(stream, cols <= common::kShortRow ? kSoftmaxGrad : kSoftmaxGradLong,
         rows_grid(*this, rows, cols), rows, cols, y, dy, dx);
}

}  // namespace secateur::cuda
