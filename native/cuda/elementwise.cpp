// Fills and unary operators.
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

const Kernel<float, int64_t, float*> kFill("secateur_fill");
const Kernel<int32_t, float, int64_t, const float*, float*> kUnary("secateur_unary");
const Kernel<int32_t, float, int64_t, const float*, const float*, const float*, float*> kUnaryGrad(
    "secateur_unary_grad");

}  // namespace

void CudaDevice::fill(void* stream, float value, int64_t n, float* dst) {
  launch(stream, kFill, elements_grid(*this, n), value, n, dst);
}

void CudaDevice::unary(void* stream, int32_t op, float alpha, int64_t n, const float* x, float* y) {
  launch(stream, kUnary, elements_grid(*this, n), op, alpha, n, x, y);
}

void CudaDevice::unary_grad(void* stream, int32_t op, float alpha, int64_t n, const float* x,
                            const float* y, const float* dy, float* dx) {
  launch(stream, kUnaryGrad, elements_grid(*this, n), op, alpha, n, x, y, dy, dx);
}

}  // namespace secateur::cuda
