// How the CUDA device meets a driver that fails: one sentence with the cure, nothing left behind.
// The driver is the do-nothing one; what it does to memory and contexts is counted.
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "abi/error.h"
#include "cuda/device.h"
#include "cuda/image.h"
#include "null_driver/null_driver.h"

using namespace secateur::cu;
using null_driver::state;
using secateur::cuda::CudaDevice;
using secateur::cuda::Driver;
using secateur::cuda::Kernel;

namespace {

const Kernel<float, int64_t, float*> kKernel("test_kernel");

// The next `times` calls of a driver function fail; < 0: all.
void order(const char* function, CUresult result, int times = -1) {
  state().failing = function;
  state().result = result;
  state().times = times;
}
void all_well() { state().failing = nullptr; }

void check_sentence(std::initializer_list<const char*> parts) {
  const std::string sentence = secateur_last_error();
  for (const char* part : parts) {
    CHECK_NOTE(sentence.find(part) != std::string::npos, "'%s' is not in: %s", part,
               sentence.c_str());
  }
}

void refuses(secateur_status status, std::initializer_list<const char*> parts) {
  secateur_device* device = nullptr;
  CHECK_STATUS(status, secateur_device_open(SECATEUR_CUDA, 0, &device));
  CHECK(device == nullptr);
  check_sentence(parts);
  CHECK(state().retained == 0 && state().modules == 0 && state().blocks == 0);
  all_well();
}

secateur_device* open() {
  secateur_device* device = nullptr;
  CHECK_OK(secateur_device_open(SECATEUR_CUDA, 0, &device));
  return device;
}

void close(secateur_device* device) {
  all_well();
  CHECK_OK(secateur_device_close(device));
  CHECK(state().retained == 0 && state().modules == 0 && state().blocks == 0);
}

// Before a driver was opened once: it is tried again each time.
void drivers_that_cannot_start() {
  order("cuDriverGetVersion", CUDA_ERROR_STUB_LIBRARY);
  refuses(SECATEUR_UNAVAILABLE, {"stub", "525"});
  state().version = 11080;
  refuses(SECATEUR_UNAVAILABLE, {"too old", "CUDA 11.8", "12.0", "525", "libcuda.so.1"});
  state().version = 12020;
  order("cuInit", CUDA_ERROR_NO_DEVICE);
  refuses(SECATEUR_UNAVAILABLE, {"CUDA_ERROR_NO_DEVICE", "CUDA_VISIBLE_DEVICES"});
  order("cuInit", CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
  refuses(SECATEUR_UNAVAILABLE, {"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "reboot"});
  order("cuInit", static_cast<CUresult>(12345));
  refuses(SECATEUR_UNAVAILABLE, {"CUresult 12345"});
}

void gpus_that_do_not_serve() {
  secateur_device* device = nullptr;
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_device_open(SECATEUR_CUDA, 1, &device));
  check_sentence({"no CUDA device 1", "sees 1"});
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_open(SECATEUR_CUDA, -1, &device));
  state().capability = 70;
  refuses(SECATEUR_UNAVAILABLE, {"Null GPU", "7.0", "7.5"});
  state().capability = 90;
  order("cuDevicePrimaryCtxRetain", CUDA_ERROR_DEVICE_UNAVAILABLE);
  refuses(SECATEUR_UNAVAILABLE, {"CUDA_ERROR_DEVICE_UNAVAILABLE", "compute mode"});
  order("cuMemAlloc_v2", CUDA_ERROR_OUT_OF_MEMORY);
  refuses(SECATEUR_OUT_OF_MEMORY, {"scratch", "CUDA_ERROR_OUT_OF_MEMORY"});
}

void images_that_are_refused() {
  order("cuModuleGetFunction", CUDA_ERROR_NOT_FOUND);
  refuses(SECATEUR_UNAVAILABLE, {"lacks", secateur::cuda::KernelBase::all()[0]->name()});
  order("cuModuleLoadDataEx", CUDA_ERROR_INVALID_IMAGE);
  if (secateur::cuda::kEntryCount == 0) {
    refuses(SECATEUR_UNAVAILABLE, {"built without nvcc"});
    return;
  }
  refuses(SECATEUR_UNAVAILABLE,
          {"CUDA_ERROR_INVALID_IMAGE", "9.0", "line 7: unheard of", "newer driver"});
  order("cuModuleLoadDataEx", CUDA_ERROR_NO_BINARY_FOR_GPU, 1);  // the cubin; the PTX serves
  close(open());
  order("cuModuleLoadDataEx", CUDA_ERROR_OUT_OF_MEMORY);
  refuses(SECATEUR_OUT_OF_MEMORY, {"CUDA_ERROR_OUT_OF_MEMORY"});
  state().capability = 135;  // a GPU not yet made
  close(open());
  state().capability = 90;
}

void memory_runs_out() {
  secateur_device* device = open();
  void *block = nullptr, *empty = nullptr, *untouched = &block;
  CHECK_OK(secateur_alloc(device, 300, &block));
  CHECK_OK(secateur_alloc(device, 0, &empty));
  CHECK(empty != nullptr && empty != block);
  order("cuMemAlloc_v2", CUDA_ERROR_OUT_OF_MEMORY);
  CHECK_STATUS(SECATEUR_OUT_OF_MEMORY, secateur_alloc(device, 7777, &untouched));
  check_sentence({"7777", "300 bytes are in use", "2 blocks", "1000 of the GPU's 5000"});
  CHECK(untouched == &block);
  int64_t blocks = 0, bytes = 0;
  CHECK_OK(secateur_memory(device, &blocks, &bytes));
  CHECK(blocks == 2 && bytes == 300);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_close(device));
  CHECK_OK(secateur_free(device, block));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_free(device, block));
  CHECK_OK(secateur_free(device, empty));
  close(device);
}

secateur_status launch(secateur_device* device) {
  return secateur::guard([&] {
    static_cast<CudaDevice*>(device)->launch(nullptr, kKernel, {12, 256, 3}, 1.0f, 8, nullptr);
  });
}

void launches_fail() {
  secateur_device* device = open();
  CHECK_OK(launch(device));
  order("cuLaunchKernel", CUDA_ERROR_INVALID_HANDLE);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, launch(device));
  check_sentence({"test_kernel", "12 x 3 blocks of 256 threads", "CUDA_ERROR_INVALID_HANDLE"});
  all_well();
  void* block = nullptr;
  CHECK_OK(secateur_alloc(device, 8, &block));

  // A lost device says so, lets its memory go and can be closed.
  order("cuLaunchKernel", CUDA_ERROR_ILLEGAL_ADDRESS);
  CHECK_STATUS(SECATEUR_DEVICE_LOST, launch(device));
  check_sentence({"CUDA_ERROR_ILLEGAL_ADDRESS", "lost", "close"});
  order("cuMemFree_v2", CUDA_ERROR_ILLEGAL_ADDRESS);
  CHECK_OK(secateur_free(device, block));
  all_well();
  CHECK_OK(secateur_device_close(device));
  CHECK(state().retained == 0 && state().modules == 0);
  std::free(block);  // which a real GPU's context takes with it
  state().blocks = 0;
}

void contexts_stay_as_they_were() {
  const Driver& driver = Driver::get();
  const auto current = [&] {
    CUcontext context = nullptr;
    CHECK(driver.cuCtxGetCurrent(&context) == CUDA_SUCCESS);
    return context;
  };
  CHECK(current() == nullptr);
  secateur_device *device = open(), *second = open();
  CHECK(current() == nullptr && state().retained == 2);
  CHECK_OK(launch(device));
  CHECK(current() == nullptr);
  const auto other = reinterpret_cast<CUcontext>(&device);
  CHECK(driver.cuCtxPushCurrent_v2(other) == CUDA_SUCCESS);
  CHECK_OK(launch(device));
  CHECK_OK(secateur_synchronize(device, nullptr));
  CHECK(current() == other);
  order("cuLaunchKernel", CUDA_ERROR_INVALID_VALUE);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, launch(device));
  CHECK(current() == other);
  order("cuCtxPushCurrent_v2", CUDA_ERROR_CONTEXT_IS_DESTROYED);
  CHECK_STATUS(SECATEUR_DEVICE_LOST, launch(device));
  CHECK(current() == other);
  all_well();
  CUcontext popped = nullptr;
  CHECK(driver.cuCtxPopCurrent_v2(&popped) == CUDA_SUCCESS && popped == other);
  CHECK_OK(secateur_device_close(second));
  close(device);
}

void pageable_memory_is_finished_with() {
  secateur_device* device = open();
  void* block = nullptr;
  float host[4] = {};
  CHECK_OK(secateur_alloc(device, sizeof host, &block));
  uint64_t waits = state().synchronizations;
  CHECK_OK(secateur_upload(device, nullptr, host, block, sizeof host));
  CHECK_OK(secateur_download(device, nullptr, block, host, sizeof host));
  CHECK(state().synchronizations == waits + 2);
  state().capturing = true;
  const uint64_t copies = state().copies;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_upload(device, nullptr, host, block, sizeof host));
  check_sentence({"pinned"});
  CHECK(state().copies == copies);
  state().pinned = true;
  waits = state().synchronizations;
  CHECK_OK(secateur_upload(device, nullptr, host, block, sizeof host));
  CHECK_OK(secateur_download(device, nullptr, block, host, sizeof host));
  CHECK(state().synchronizations == waits && state().copies == copies + 2);
  state().pinned = state().capturing = false;
  CHECK_OK(secateur_free(device, block));
  close(device);
}

}  // namespace

int main() {
  drivers_that_cannot_start();
  gpus_that_do_not_serve();
  images_that_are_refused();
  memory_runs_out();
  launches_fail();
  contexts_stay_as_they_were();
  pageable_memory_is_finished_with();
  return 0;
}
