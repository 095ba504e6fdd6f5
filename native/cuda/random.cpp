// Uniforms and dropout (kernels/random.cu).
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

const Kernel<const uint64_t*, uint64_t, int64_t, float*> kUniform("secateur_uniform");
const Kernel<const uint64_t*, uint64_t, float, int64_t, const float*, float*> kDropout(
    "secateur_dropout");

}  // namespace

void CudaDevice::uniform(void* stream, const uint64_t* state, uint64_t salt, int64_t n,
                         float* out) {
  launch(stream, kUniform, elements_grid(*this, n), state, salt, n, out);
}

void CudaDevice::dropout(void* stream, const uint64_t* state, uint64_t salt, float ratio, int64_t n,
                         const float* x, float* y) {
  launch(stream, kDropout, elements_grid(*this, n), state, salt, ratio, n, x, y);
}

}  // namespace secateur::cuda
