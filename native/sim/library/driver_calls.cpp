#include "driver_calls.h"

// Spelled out here because the CUDA toolkit's header is not needed to build.
extern "C" {
int cuInit(unsigned flags);
int cuCtxGetCurrent(void** context);
int cuCtxSetCurrent(void* context);
int cuCtxGetDevice(int* device);
int cuDeviceGetAttribute(int* value, int attribute, int device);
int cuDevicePrimaryCtxRetain(void** context, int device);
int cuMemAlloc_v2(unsigned long long* address, size_t bytes);
int cuMemFree_v2(unsigned long long address);
int cuStreamSynchronize(void* stream);
int cuStreamIsCapturing(void* stream, int* status);
}

namespace sim {

namespace {
constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;  // device attributes
constexpr int kNotCapturing = 0;
}  // namespace

bool make_context_current() {
  void* context = nullptr;
  if (cuCtxGetCurrent(&context) == 0 && context) return true;
  return cuInit(0) == 0 && cuDevicePrimaryCtxRetain(&context, 0) == 0 &&
         cuCtxSetCurrent(context) == 0;
}

int capability() {
  int device = 0, major = 0, minor = 0;
  if (cuCtxGetDevice(&device) != 0 || cuDeviceGetAttribute(&major, kCapabilityMajor, device) != 0 ||
      cuDeviceGetAttribute(&minor, kCapabilityMinor, device) != 0)
    return 0;
  return 10 * major + minor;
}

void* allocate(size_t bytes) {
  unsigned long long address = 0;
  return cuMemAlloc_v2(&address, bytes) == 0 ? reinterpret_cast<void*>(address) : nullptr;
}

void release(void* memory) {
  if (memory) cuMemFree_v2(reinterpret_cast<unsigned long long>(memory));
}

bool is_capturing(void* stream) {
  int status = kNotCapturing;
  return cuStreamIsCapturing(stream, &status) == 0 && status != kNotCapturing;
}

bool synchronize(void* stream) { return cuStreamSynchronize(stream) == 0; }

}  // namespace sim
