// Operations whose kernels are not there yet: weak, so that a launcher's file takes the place of
// its line here by being there.
#include "abi/error.h"
#include "cuda/device.h"

namespace secateur::cuda {
namespace {

[[noreturn]] void pending(const char* operation) {
  fail(SECATEUR_UNAVAILABLE, "The CUDA device has no %s; use the CPU device.", operation);
}

}  // namespace

#define WEAK __attribute__((weak))

WEAK void CudaDevice::fill(void*, float, int64_t, float*) { pending("fill"); }
WEAK void CudaDevice::unary(void*, int32_t, float, int64_t, const float*, float*) {
  pending("unary");
}
WEAK void CudaDevice::unary_grad(void*, int32_t, float, int64_t, const float*, const float*,
                                 const float*, float*) {
  pending("unary_grad");
}
WEAK void CudaDevice::binary(void*, int32_t, const secateur_broadcast&, const float*, const float*,
                             float*) {
  pending("binary");
}
WEAK void CudaDevice::reduce_sum(void*, int32_t, const int64_t*, uint32_t, const float*, float*) {
  pending("reduce_sum");
}
WEAK void CudaDevice::transpose(void*, int32_t, const int64_t*, const int32_t*, const float*,
                                float*) {
  pending("transpose");
}
WEAK void CudaDevice::softmax(void*, int64_t, int64_t, const float*, float*) { pending("softmax"); }
WEAK void CudaDevice::softmax_grad(void*, int64_t, int64_t, const float*, const float*, float*) {
  pending("softmax_grad");
}
WEAK void CudaDevice::softmax_cross_entropy(void*, int64_t, int64_t, const float*, const int32_t*,
                                            float*, float*) {
  pending("softmax_cross_entropy");
}
WEAK void CudaDevice::softmax_cross_entropy_grad(void*, int64_t, int64_t, const float*,
                                                 const int32_t*, const float*, float*) {
  pending("softmax_cross_entropy_grad");
}
WEAK void CudaDevice::mse(void*, int64_t, const float*, const float*, float*) { pending("mse"); }
WEAK void CudaDevice::mse_grad(void*, int64_t, const float*, const float*, const float*, float*) {
  pending("mse_grad");
}
WEAK void CudaDevice::uniform(void*, const uint64_t*, uint64_t, int64_t, float*) {
  pending("uniform");
}
WEAK void CudaDevice::dropout(void*, const uint64_t*, uint64_t, float, int64_t, const float*,
                              float*) {
  pending("dropout");
}
WEAK void CudaDevice::gather_rows(void*, int64_t, size_t, int64_t, const void*, const int32_t*,
                                  void*) {
  pending("gather_rows");
}
WEAK void CudaDevice::sgd_step(void*, int64_t, const secateur_sgd_params*, float*, const float*,
                               float*, const uint32_t*) {
  pending("sgd_step");
}
WEAK void CudaDevice::adam_step(void*, int64_t, const secateur_adam_params*, float*, const float*,
                                float*, float*, const uint32_t*) {
  pending("adam_step");
}
WEAK void CudaDevice::soft_threshold(void*, int64_t, const float*, float*, const uint32_t*) {
  pending("soft_threshold");
}
WEAK void CudaDevice::soft_threshold_adam(void*, int64_t, const secateur_adam_params*, const float*,
                                          const float*, float*, const uint32_t*) {
  pending("soft_threshold_adam");
}
WEAK void CudaDevice::hard_concrete(void*, const uint64_t*, uint64_t, int64_t, const float*,
                                    float*) {
  pending("hard_concrete");
}
WEAK void CudaDevice::hard_concrete_grad(void*, const uint64_t*, uint64_t, int64_t, const float*,
                                         const float*, float*) {
  pending("hard_concrete_grad");
}
WEAK void CudaDevice::hard_concrete_eval(void*, int64_t, const float*, float*) {
  pending("hard_concrete_eval");
}
WEAK void CudaDevice::hard_concrete_l0(void*, int64_t, const float*, const float*, float*, float*) {
  pending("hard_concrete_l0");
}
WEAK size_t CudaDevice::select_workspace(const Selection&) { pending("select_workspace"); }
WEAK void CudaDevice::select(void*, const Selection&, void*) { pending("select"); }

}  // namespace secateur::cuda
