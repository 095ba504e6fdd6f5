// The NVIDIA driver: its functions, found in libcuda.so.1 by dlopen, so that the library loads
// where there is no driver.
//
// Functions are looked up by the names they are exported under ("cuMemAlloc_v2"), never by the bare
// ones, which are an older ABI.
#pragma once

#include <string>

#include "cuda/driver_api.h"
#include "secateur.h"

namespace secateur::cuda {

using namespace secateur::cu;

#define SECATEUR_DRIVER_FUNCTIONS(X) \
  X(cuInit)                          \
  X(cuGetErrorName)                  \
  X(cuGetErrorString)                \
  X(cuDeviceGetCount)                \
  X(cuDeviceGet)                     \
  X(cuDeviceGetName)                 \
  X(cuDeviceGetAttribute)            \
  X(cuDevicePrimaryCtxRetain)        \
  X(cuDevicePrimaryCtxRelease_v2)    \
  X(cuCtxGetCurrent)                 \
  X(cuCtxPushCurrent_v2)             \
  X(cuCtxPopCurrent_v2)              \
  X(cuCtxSynchronize)                \
  X(cuModuleLoadDataEx)              \
  X(cuModuleUnload)                  \
  X(cuModuleGetFunction)             \
  X(cuMemGetInfo_v2)                 \
  X(cuMemAlloc_v2)                   \
  X(cuMemFree_v2)                    \
  X(cuMemcpyHtoDAsync_v2)            \
  X(cuMemcpyDtoHAsync_v2)            \
  X(cuMemcpyDtoDAsync_v2)            \
  X(cuMemsetD8Async)                 \
  X(cuPointerGetAttribute)           \
  X(cuStreamIsCapturing)             \
  X(cuStreamSynchronize)             \
  X(cuLaunchKernel)

struct Driver {
  // Loaded and initialised once it can be; throws UNAVAILABLE until then.
  static const Driver& get();

  // "CUDA_ERROR_INVALID_VALUE (invalid argument)"
  std::string describe(CUresult result) const;

#define SECATEUR_DRIVER_MEMBER(name) name##_t* name = nullptr;
  SECATEUR_DRIVER_FUNCTIONS(SECATEUR_DRIVER_MEMBER)
#undef SECATEUR_DRIVER_MEMBER

  std::string path;  // of the library that was found
  int version = 0;   // of CUDA, 1000 * major + 10 * minor
};

// What a driver's failure means to a caller of the ABI.
secateur_status status_of(CUresult result);

// Makes a context current for a scope, if it is not already, and restores the thread's own.
class ContextGuard {
 public:
  ContextGuard(const Driver& driver, CUcontext context) : driver_(driver) {
    CUcontext current = nullptr;
    if (driver.cuCtxGetCurrent(&current) == CUDA_SUCCESS && current == context) return;
    push(context);
  }
  ~ContextGuard() {
    if (pushed_) pop();
  }
  ContextGuard(const ContextGuard&) = delete;
  ContextGuard& operator=(const ContextGuard&) = delete;

 private:
  void push(CUcontext context);  // throws
  void pop() noexcept;

  const Driver& driver_;
  bool pushed_ = false;
};

}  // namespace secateur::cuda
