// Optimizer steps (kernels/optimizer.cu) and soft thresholds (kernels/soft_threshold.cu).
#include "common/optimizer.h"

#include <cstddef>

#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using common::AdamParams;
using common::SgdParams;

const Kernel<int64_t, const secateur_sgd_params*, float*, const float*, float*, const uint32_t*>
    kSgd("secateur_sgd_step");
const Kernel<int64_t, const secateur_adam_params*, float*, const float*, float*, float*,
             const uint32_t*>
    kAdam("secateur_adam_step");
const Kernel<int64_t, const float*, float*, const uint32_t*> kSoftThreshold(
    "secateur_soft_threshold");
const Kernel<int64_t, const secateur_adam_params*, const float*, const float*, float*,
             const uint32_t*>
    kSoftThresholdAdam("secateur_soft_threshold_adam");

// The kernels read the parameters of the ABI as structures of their own.
#define SAME_FIELD(Ours, theirs, field)                             \
  static_assert(offsetof(Ours, field) == offsetof(theirs, field) && \
                    sizeof(Ours::field) == sizeof(theirs::field),   \
                #field " must lie where the ABI has it")
static_assert(sizeof(SgdParams) == sizeof(secateur_sgd_params));
SAME_FIELD(SgdParams, secateur_sgd_params, lr);
SAME_FIELD(SgdParams, secateur_sgd_params, momentum);
SAME_FIELD(SgdParams, secateur_sgd_params, weight_decay);
SAME_FIELD(SgdParams, secateur_sgd_params, nesterov);
SAME_FIELD(SgdParams, secateur_sgd_params, step);
static_assert(sizeof(AdamParams) == sizeof(secateur_adam_params));
SAME_FIELD(AdamParams, secateur_adam_params, lr);
SAME_FIELD(AdamParams, secateur_adam_params, beta1);
SAME_FIELD(AdamParams, secateur_adam_params, beta2);
SAME_FIELD(AdamParams, secateur_adam_params, epsilon);
SAME_FIELD(AdamParams, secateur_adam_params, weight_decay);
SAME_FIELD(AdamParams, secateur_adam_params, decoupled);
SAME_FIELD(AdamParams, secateur_adam_params, correction1);
SAME_FIELD(AdamParams, secateur_adam_params, correction2_sqrt);

}  // namespace

void CudaDevice::sgd_step(void* stream, int64_t n, const secateur_sgd_params* params, float* w,
                          const float* g, float* buf, const uint32_t* mask) {
  launch(stream, kSgd, elements_grid(*this, n), n, params, w, g, buf, mask);
}

void CudaDevice::adam_step(void* stream, int64_t n, const secateur_adam_params* params, float* w,
                           const float* g, float* m, float* v, const uint32_t* mask) {
  launch(stream, kAdam, elements_grid(*this, n), n, params, w, g, m, v, mask);
}

void CudaDevice::soft_threshold(void* stream, int64_t n, const float* threshold, float* w,
                                const uint32_t* mask) {
  launch(stream, kSoftThreshold, elements_grid(*this, n), n, threshold, w, mask);
}

void CudaDevice::soft_threshold_adam(void* stream, int64_t n, const secateur_adam_params* params,
                                     const float* lambda, const float* v, float* w,
                                     const uint32_t* mask) {
  launch(stream, kSoftThresholdAdam, elements_grid(*this, n), n, params, lambda, v, w, mask);
}

}  // namespace secateur::cuda
