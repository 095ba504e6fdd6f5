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

WEAK size_t CudaDevice::select_workspace(const Selection&) { pending("select_workspace"); }
WEAK void CudaDevice::select(void*, const Selection&, void*) { pending("select"); }

}  // namespace secateur::cuda
