#include "driver_calls.h"

#include "cuda/driver_api.h"

using namespace secateur::cu;

extern "C" {
cuInit_t cuInit;
cuCtxGetCurrent_t cuCtxGetCurrent;
cuCtxSetCurrent_t cuCtxSetCurrent;
cuCtxGetDevice_t cuCtxGetDevice;
cuDeviceGetAttribute_t cuDeviceGetAttribute;
cuDevicePrimaryCtxRetain_t cuDevicePrimaryCtxRetain;
cuMemAlloc_v2_t cuMemAlloc_v2;
cuMemFree_v2_t cuMemFree_v2;
cuStreamIsCapturing_t cuStreamIsCapturing;
cuStreamSynchronize_t cuStreamSynchronize;
}

namespace sim {

bool make_context_current() {
  CUcontext context = nullptr;
  if (cuCtxGetCurrent(&context) == CUDA_SUCCESS && context) return true;
  return cuInit(0) == CUDA_SUCCESS && cuDevicePrimaryCtxRetain(&context, 0) == CUDA_SUCCESS &&
         cuCtxSetCurrent(context) == CUDA_SUCCESS;
}

int capability() {
  CUdevice device = 0;
  int major = 0, minor = 0;
  if (cuCtxGetDevice(&device) != CUDA_SUCCESS ||
      cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device) !=
          CUDA_SUCCESS ||
      cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device) !=
          CUDA_SUCCESS)
    return 0;
  return 10 * major + minor;
}

void* allocate(size_t bytes) {
  CUdeviceptr address = 0;
  return cuMemAlloc_v2(&address, bytes) == CUDA_SUCCESS ? reinterpret_cast<void*>(address)
                                                        : nullptr;
}

void release(void* memory) {
  if (memory) cuMemFree_v2(reinterpret_cast<CUdeviceptr>(memory));
}

bool is_capturing(void* stream) {
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  return cuStreamIsCapturing(static_cast<CUstream>(stream), &status) == CUDA_SUCCESS &&
         status != CU_STREAM_CAPTURE_STATUS_NONE;
}

bool synchronize(void* stream) {
  return cuStreamSynchronize(static_cast<CUstream>(stream)) == CUDA_SUCCESS;
}

}  // namespace sim
