// Fills, unary operators and clipping.
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

const Kernel<float, int64_t, float*> kFill("secateur_fill");
const Kernel<int32_t, float, int64_t, const float*, float*> kUnary("secateur_unary");
const Kernel<int32_t, float, int64_t, const float*, const float*, const float*, float*> kUnaryGrad(
    "secateur_unary_grad");
const Kernel<float, float, int64_t, const float*, float*> kClip("secateur_clip");
const Kernel<float, float, int64_t, const float*, const float*, float*> kClipGrad(
    "secateur_clip_grad");

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

void CudaDevice::clip(void* stream, float low, float high, int64_t n, const float* x, float* y) {
  launch(stream, kClip, elements_grid(*this, n), low, high, n, x, y);
}

void CudaDevice::clip_grad(void* stream, float low, float high, int64_t n, const float* x,
                           const float* dy, float* dx) {
  launch(stream, kClipGrad, elements_grid(*this, n), low, high, n, x, dy, dx);
}

}  // namespace secateur::cuda
