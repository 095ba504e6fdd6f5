// The launch path: a context check and the launch itself, without allocation, lock or look-up. A
// training step of a small network is some forty launches, so what the host adds to each counts
// (native/test/bench_launch.cpp).
#include <cstdarg>
#include <cstdio>

#include "abi/error.h"
#include "cuda/device.h"

namespace secateur::cuda {

ContextGuard CudaDevice::enter() const {
  try {
    return ContextGuard(*driver_, context_);
  } catch (const Error& error) {
    if (error.status() == SECATEUR_DEVICE_LOST) lost_.store(true, std::memory_order_relaxed);
    throw;
  }
}

void CudaDevice::launch_raw(void* stream, const KernelBase& kernel, Geometry geometry,
                            void** params) {
  if (geometry.blocks == 0 || geometry.blocks_y == 0) return;
  const ContextGuard current = enter();
  const CUresult result = driver_->cuLaunchKernel(
      functions_[static_cast<size_t>(kernel.id())], geometry.blocks, geometry.blocks_y, 1,
      geometry.threads, 1, 1, 0, static_cast<CUstream>(stream), params, nullptr);
  if (__builtin_expect(result != CUDA_SUCCESS, 0)) {
    fail_call(result, "Launching %s on a grid of %u x %u blocks of %u threads", kernel.name(),
              geometry.blocks, geometry.blocks_y, geometry.threads);
  }
}

void CudaDevice::require(CUresult result, const char* operation) {
  if (result != CUDA_SUCCESS) fail_call(result, "%s", operation);
}

void CudaDevice::fail_call(CUresult result, const char* format, ...) {
  char operation[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(operation, sizeof operation, format, arguments);
  va_end(arguments);
  const secateur_status status = status_of(result);
  const char* cure = "";
  switch (status) {
    case SECATEUR_DEVICE_LOST:
      lost_.store(true, std::memory_order_relaxed);
      cure =
          "; the GPU is lost to this process, by this or an earlier operation: close the device "
          "and "
          "start anew (compute-sanitizer finds faults of kernels, dmesg those of hardware)";
      break;
    case SECATEUR_OUT_OF_MEMORY:
      cure = "; free some memory of the GPU";
      break;
    case SECATEUR_INVALID_ARGUMENT:
      cure =
          "; is the stream one of this GPU's primary context, and may it be used so in a capture?";
      break;
    default:
      break;
  }
  fail(status, "%s failed on CUDA device %d (%s), %s%s.", operation, ordinal_, name_.c_str(),
       driver_->describe(result).c_str(), cure);
}

}  // namespace secateur::cuda
