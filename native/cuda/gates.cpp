// Hard-concrete gates (kernels/gates.cu).
#include "cuda/grid.h"
#include "cuda/sum.h"

namespace secateur::cuda {
namespace {

const Kernel<const uint64_t*, uint64_t, int64_t, const float*, float*> kSample(
    "secateur_hard_concrete");
const Kernel<const uint64_t*, uint64_t, int64_t, const float*, const float*, float*> kSampleGrad(
    "secateur_hard_concrete_grad");
const Kernel<int64_t, const float*, float*> kEval("secateur_hard_concrete_eval");
const Kernel<int64_t, const float*, const float*, float*, float*> kL0("secateur_hard_concrete_l0");

}  // namespace

void CudaDevice::hard_concrete(void* stream, const uint64_t* state, uint64_t salt, int64_t n,
                               const float* log_alpha, float* z) {
  launch(stream, kSample, elements_grid(*this, n), state, salt, n, log_alpha, z);
}

void CudaDevice::hard_concrete_grad(void* stream, const uint64_t* state, uint64_t salt, int64_t n,
                                    const float* log_alpha, const float* dz, float* dlog_alpha) {
  launch(stream, kSampleGrad, elements_grid(*this, n), state, salt, n, log_alpha, dz, dlog_alpha);
}

void CudaDevice::hard_concrete_eval(void* stream, int64_t n, const float* log_alpha, float* z) {
  launch(stream, kEval, elements_grid(*this, n), n, log_alpha, z);
}

void CudaDevice::hard_concrete_l0(void* stream, int64_t n, const float* log_alpha,
                                  const float* scale, float* expected, float* dlog_alpha) {
  const FirstLevel level = first_level(*this, n, 1.0f, expected);
  launch(stream, kL0, tiles_grid(*this, sum_tiles(n)), n, log_alpha, scale, dlog_alpha, level.sums);
  sum_up(*this, stream, n, 1.0f, expected);
}

}  // namespace secateur::cuda
