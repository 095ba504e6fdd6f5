// Start, contexts, handles, errors that stay, faults on order, and the company of a real driver.
#include <dlfcn.h>

#include <thread>

#include "sim/driver/test/driver_test.h"

using namespace test;

namespace {

void device_is_named() {
  Device device;
  char name[64];
  int version = 0, count = 0, major = 0, minor = 0;
  size_t bytes = 0;
  CHECK_OK(cuDriverGetVersion(&version));
  CHECK_OK(cuDeviceGetCount(&count));
  CHECK_OK(cuDeviceGetName(name, sizeof name, 0));
  CHECK_OK(cuDeviceTotalMem_v2(&bytes, 0));
  CHECK_OK(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0));
  CHECK_OK(cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0));
  CHECK(version == 12060 && count == 1 && bytes == size_t{4} << 30);
  CHECK(strcmp(name, "Simulated CUDA device") == 0);
  CHECK(major == 7 && minor == 5);
  CHECK_RESULT(CUDA_ERROR_INVALID_DEVICE, cuDeviceGetName(name, sizeof name, 1));
  CHECK_OK(cuDeviceGetName(name, 5, 0));
  CHECK(strcmp(name, "Simu") == 0);
  const char* text = nullptr;
  CHECK_OK(cuGetErrorName(CUDA_ERROR_ILLEGAL_ADDRESS, &text));
  CHECK(strcmp(text, "CUDA_ERROR_ILLEGAL_ADDRESS") == 0);
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuGetErrorName(static_cast<CUresult>(12345), &text));
}

void context_is_needed() {
  Device device;
  CUdeviceptr block = 0;
  CUstream on = nullptr;
  std::thread([&] {  // has none of its own
    CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc_v2(&block, 64));
    CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuStreamCreate(&on, 0));
    CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuCtxSynchronize());
    CHECK_OK(cuCtxPushCurrent_v2(device.context));
    CHECK_OK(cuMemAlloc_v2(&block, 64));
    CUcontext popped = nullptr;
    CHECK_OK(cuCtxPopCurrent_v2(&popped));
    CHECK(popped == device.context);
    CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuCtxPopCurrent_v2(&popped));
  })
      .join();
  CHECK_OK(cuMemFree_v2(block));

  CUcontext own = nullptr, current = nullptr;
  CHECK_OK(cuCtxCreate_v2(&own, 0, 0));
  CHECK_OK(cuCtxGetCurrent(&current));
  CHECK(current == own && own != device.context);
  // A stream of one context and a kernel of another do not go together.
  CUfunction kernel = function("secateur_fill");
  CHECK_OK(cuCtxSetCurrent(device.context));
  on = stream();
  const CUdeviceptr dst = memory(64);
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, fill(on, kernel, 1, 16, dst));
  CHECK_FAULT("different contexts");
  CHECK_OK(cuCtxDestroy_v2(own));
  CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuCtxSetCurrent(own));
  CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuCtxDestroy_v2(device.context));
}

void primary_context_is_counted() {
  Device device;
  unsigned flags = 0;
  int active = 0;
  CUcontext again = nullptr;
  CHECK_OK(cuDevicePrimaryCtxRetain(&again, 0));
  CHECK(again == device.context);
  CHECK_OK(cuDevicePrimaryCtxRelease_v2(0));
  CHECK_OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
  CHECK(active == 1);
  CUstream on = stream();
  CHECK_OK(cuStreamDestroy_v2(on));
  CHECK_OK(cuDevicePrimaryCtxRelease_v2(0));
  CHECK_OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
  CHECK(active == 0);
  CHECK_RESULT(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxSynchronize());
  CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuDevicePrimaryCtxRelease_v2(0));
}

void wrong_handles() {
  Device device;
  CUstream on = stream();
  CUevent mark = event();
  int nothing = 0;
  const auto as_stream = [](void* handle) { return static_cast<CUstream>(handle); };
  CHECK_OK(cuStreamSynchronize(on));
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(as_stream(mark)));
  CHECK_FAULT("(event), not stream");
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(as_stream(&nothing)));
  CHECK_FAULT("never gave it out");
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuEventRecord(nullptr, on));
  CHECK_OK(cuEventDestroy_v2(mark));
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuEventRecord(mark, on));
  CHECK_FAULT("destroyed before");
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuEventDestroy_v2(mark));
  CHECK(event() != mark);  // never given out again
  CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuCtxSetCurrent(reinterpret_cast<CUcontext>(&nothing)));
  // Nothing lies behind a handle.
  CHECK(signal_of([&] { (void)*reinterpret_cast<volatile char*>(on); }) == SIGSEGV);
}

void errors_stay() {
  Device device;
  CUstream on = stream(), other = stream();
  CUfunction kernel = function("secateur_fill");
  const CUdeviceptr good = memory(64), bad = memory(64);
  CHECK_OK(cuMemFree_v2(bad));
  CHECK_OK(fill(on, kernel, 1, 16, bad));  // the launch succeeds
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(on));
  const std::string fault = secateur_sim_last_fault();
  CHECK(!fault.empty());
  CUdeviceptr more = 0;
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuMemAlloc_v2(&more, 64));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, fill(other, kernel, 1, 16, good));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(other));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuMemFree_v2(good));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamDestroy_v2(on));
  CHECK(fault == secateur_sim_last_fault());
  // Not even another context helps; the process must start anew.
  CUcontext again = nullptr;
  CHECK_OK(cuDevicePrimaryCtxRelease_v2(0));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuDevicePrimaryCtxRetain(&again, 0));
  const char* text = nullptr;
  CHECK_OK(cuGetErrorString(CUDA_ERROR_ILLEGAL_ADDRESS, &text));
  CHECK(fault == text);
  Device fresh;
  CHECK_NO_FAULT();
  CHECK_OK(cuMemsetD8_v2(memory(64), 0, 64));
  CHECK_OK(cuCtxSynchronize());
}

void faults_on_order() {
  {
    Device device;
    CUdeviceptr block = 0;
    secateur_sim_fail(SECATEUR_SIM_ALLOCATION, 2);
    CHECK_OK(cuMemAlloc_v2(&block, 64));
    CHECK_RESULT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&block, 64));
    CHECK_OK(cuMemAlloc_v2(&block, 64));
    void* host = nullptr;
    secateur_sim_fail(SECATEUR_SIM_ALLOCATION, 1);
    CHECK_RESULT(CUDA_ERROR_OUT_OF_MEMORY, cuMemHostAlloc(&host, 64, 0));
    secateur_sim_fail(SECATEUR_SIM_ALLOCATION, 1);
    secateur_sim_fail(SECATEUR_SIM_ALLOCATION, 0);  // taken back
    CHECK_OK(cuMemAlloc_v2(&block, 64));
  }
  {
    Device device;
    CUstream on = stream();
    CUfunction kernel = function("secateur_fill");
    const CUdeviceptr block = memory(64);
    secateur_sim_fail(SECATEUR_SIM_LAUNCH, 2);
    CHECK_OK(fill(on, kernel, 1, 16, block));
    CHECK_OK(cuStreamSynchronize(on));
    CHECK_OK(fill(on, kernel, 1, 16, block));
    CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(on));
    CHECK_FAULT("kernel secateur_fill");
    CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
  }
  {
    Device device;
    CUstream on = stream();
    CUfunction kernel = function("secateur_fill");
    const CUdeviceptr block = memory(64);
    secateur_sim_fail(SECATEUR_SIM_LOST, 1);
    CHECK_RESULT(CUDA_ERROR_DEVICE_UNAVAILABLE, fill(on, kernel, 1, 16, block));
    CHECK_RESULT(CUDA_ERROR_DEVICE_UNAVAILABLE, cuStreamSynchronize(on));
    CHECK_RESULT(CUDA_ERROR_DEVICE_UNAVAILABLE, cuMemFree_v2(block));
  }
}

// A second libcuda.so.1, of another folder, in the process: the simulator does not start.
void beside_another_driver() {
  Dl_info own;
  CHECK(dladdr(reinterpret_cast<void*>(&cuInit), &own));
  char folder[] = "/tmp/secateur-sim-XXXXXX";
  CHECK(mkdtemp(folder));
  const std::string copy = std::string(folder) + "/libcuda.so.1";
  CHECK(system(("cp '" + std::string(own.dli_fname) + "' " + copy).c_str()) == 0);
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    void* other = dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!other) _exit(2);
    auto* init = reinterpret_cast<cuInit_t*>(dlsym(other, "cuInit"));
    fclose(stderr);
    _exit(init && init(0) == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH ? 0 : 1);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  unlink(copy.c_str());
  rmdir(folder);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

int main() {
  CUdeviceptr block = 0;
  CHECK_RESULT(CUDA_ERROR_NOT_INITIALIZED, cuMemAlloc_v2(&block, 64));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuInit(1));
  beside_another_driver();
  device_is_named();
  context_is_needed();
  primary_context_is_counted();
  wrong_handles();
  errors_stay();
  faults_on_order();
  secateur_sim_restart();
}
