#include "null_driver.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "cuda/driver_api.h"

using namespace secateur::cu;

namespace {

null_driver::State state;
thread_local std::vector<CUcontext> contexts;  // the last is current

CUcontext primary() { return reinterpret_cast<CUcontext>(&state); }

// Whether this call is the one that is to fail.
bool fails(const char* function) {
  if (__builtin_expect(state.failing == nullptr, 1)) return false;
  if (std::strcmp(state.failing, function) != 0 || state.times == 0) return false;
  if (state.times > 0) --state.times;
  return true;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define DRIVER(name, parameters, ...)                             \
  EXPORT CUresult name parameters {                               \
    if (fails(#name)) return static_cast<CUresult>(state.result); \
    __VA_ARGS__                                                   \
    return CUDA_SUCCESS;                                          \
  }                                                               \
  static_assert(std::is_same<decltype(name), name##_t>::value, #name);

EXPORT null_driver::State* null_driver_state() { return &state; }

DRIVER(cuInit, (unsigned), )
DRIVER(cuDriverGetVersion, (int* version), *version = state.version;)
DRIVER(cuGetErrorString, (CUresult, const char** text), *text = "as ordered";)
EXPORT CUresult cuGetErrorName(CUresult result, const char** name) {
  switch (result) {
#define R(symbol, value) \
  case value:            \
    *name = #symbol;     \
    return CUDA_SUCCESS;
    SECATEUR_DRIVER_RESULTS(R)
#undef R
  }
  return CUDA_ERROR_INVALID_VALUE;
}

DRIVER(cuDeviceGetCount, (int* count), *count = 1;)
DRIVER(cuDeviceGet, (CUdevice * device, int ordinal), *device = ordinal;)
DRIVER(cuDeviceGetName, (char* name, int length, CUdevice),
       std::strncpy(name, "Null GPU", static_cast<size_t>(length));)
DRIVER(cuDeviceGetAttribute, (int* value, CUdevice_attribute attribute, CUdevice), *value = 1;
       if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * value = state.capability /
                                                                                10;
       if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR) * value = state.capability %
                                                                                10;)

DRIVER(cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice), *context = primary();
       ++state.retained;)
DRIVER(cuDevicePrimaryCtxRelease_v2, (CUdevice), --state.retained;)
DRIVER(cuCtxGetCurrent, (CUcontext * context),
       *context = contexts.empty() ? nullptr : contexts.back();)
DRIVER(cuCtxPushCurrent_v2, (CUcontext context), contexts.push_back(context);)
DRIVER(cuCtxPopCurrent_v2, (CUcontext * context),
       if (contexts.empty()) return CUDA_ERROR_INVALID_CONTEXT;
       *context = contexts.back(); contexts.pop_back();)
DRIVER(cuCtxSynchronize, (), ++state.synchronizations;)

EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void*, unsigned count,
                                   CUjit_option* options, void** values) {
  if (fails("cuModuleLoadDataEx")) {
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER) {
        std::strcpy(static_cast<char*>(values[i]), "line 7:\nunheard of");
      }
    }
    return static_cast<CUresult>(state.result);
  }
  *module = reinterpret_cast<CUmodule>(&state);
  ++state.modules;
  return CUDA_SUCCESS;
}
DRIVER(cuModuleUnload, (CUmodule), --state.modules;)
DRIVER(cuModuleGetFunction, (CUfunction * function, CUmodule, const char*),
       *function = reinterpret_cast<CUfunction>(&state);)

DRIVER(cuMemGetInfo_v2, (size_t * available, size_t* total), *available = 1000; *total = 5000;)
DRIVER(cuMemAlloc_v2, (CUdeviceptr * pointer, size_t bytes),
       *pointer = reinterpret_cast<CUdeviceptr>(std::malloc(bytes));
       ++state.blocks;)
DRIVER(cuMemFree_v2, (CUdeviceptr pointer), std::free(reinterpret_cast<void*>(pointer));
       --state.blocks;)
DRIVER(cuMemcpyHtoDAsync_v2, (CUdeviceptr, const void*, size_t, CUstream), ++state.copies;)
DRIVER(cuMemcpyDtoHAsync_v2, (void*, CUdeviceptr, size_t, CUstream), ++state.copies;)
DRIVER(cuMemcpyDtoDAsync_v2, (CUdeviceptr, CUdeviceptr, size_t, CUstream), ++state.copies;)
DRIVER(cuMemsetD8Async, (CUdeviceptr, unsigned char, size_t, CUstream), )
DRIVER(cuPointerGetAttribute, (void*, CUpointer_attribute, CUdeviceptr),
       if (!state.pinned) return CUDA_ERROR_INVALID_VALUE;)
DRIVER(cuStreamIsCapturing, (CUstream, CUstreamCaptureStatus* status),
       *status = state.capturing ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_NONE;)
DRIVER(cuStreamSynchronize, (CUstream), ++state.synchronizations;)
#ifndef WITHOUT_LAUNCH  // a driver that lacks a function
DRIVER(cuLaunchKernel,
       (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream,
        void**, void**),
       ++state.launches;)
#endif
