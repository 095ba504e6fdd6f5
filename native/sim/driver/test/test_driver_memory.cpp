// Device memory, pools and page-locked memory: who may use what, and when.
#include "sim/driver/test/driver_test.h"

using namespace test;

namespace {

void round_trip() {
  Device device;
  const CUdeviceptr block = memory(4096);
  std::vector<int> sent(1024), got;
  for (int i = 0; i < 1024; i++) sent[static_cast<size_t>(i)] = i * i;
  CHECK_OK(cuMemcpyHtoD_v2(block, sent.data(), 4096));
  CHECK(download<int>(block, 1024) == sent);
  CHECK_OK(cuMemsetD32_v2(block, 7, 512));
  CHECK_OK(cuMemcpyDtoD_v2(block + 2048, block, 2048));
  CHECK(download<int>(block, 1024) == std::vector<int>(1024, 7));
  CHECK_OK(cuMemFree_v2(block));
  CHECK_NO_FAULT();
}

void host_access_faults() {
  Device device;
  const CUdeviceptr block = memory(4096);
  CHECK_OK(cuMemsetD8_v2(block, 1, 4096));
  CHECK_OK(cuCtxSynchronize());
  CHECK(signal_of([&] { (void)*reinterpret_cast<volatile char*>(block); }) == SIGSEGV);
  CHECK(signal_of([&] { *reinterpret_cast<volatile char*>(block) = 1; }) == SIGSEGV);
  // Page-locked memory is the host's.
  char* host = pinned<char>(4096);
  CHECK(signal_of([&] { *host = 1; }) == 0);
}

void use_after_free() {
  {
    Device device;
    const CUdeviceptr block = memory(4096);
    CHECK_OK(cuMemFree_v2(block));
    CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemsetD8_v2(block, 0, 4096));
    CHECK_FAULT("freed");
    CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(block));
    CHECK_FAULT("freed already");
  }
  {
    // A kernel that is given freed memory: seen when it runs.
    Device device;
    CUfunction kernel = function("secateur_fill");
    const CUdeviceptr block = memory(4096);
    CHECK_OK(cuMemFree_v2(block));
    CHECK_OK(fill(nullptr, kernel, 1, 1024, block));
    CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
    CHECK_FAULT("freed");
  }
  {
    // Freed in stream order, then used behind it on the same stream.
    Device device;
    CUstream on = stream();
    CUdeviceptr block = 0;
    CHECK_OK(cuMemAllocAsync(&block, 4096, on));
    CHECK_OK(cuMemsetD8Async(block, 1, 4096, on));
    CHECK_OK(cuMemFreeAsync(block, on));
    const CUresult late = cuMemsetD8Async(block, 2, 4096, on);  // refused where the free has run
    CHECK(late == CUDA_SUCCESS || late == CUDA_ERROR_INVALID_VALUE);
    if (late == CUDA_SUCCESS) CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(on));
    CHECK_FAULT("freed");
  }
}

void bounds() {
  Device device;
  const CUdeviceptr block = memory(1000);
  CHECK_OK(cuMemsetD8_v2(block, 0, 1000));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemsetD8_v2(block, 0, 1001));
  CHECK_FAULT("1 bytes beyond the end of a block of 1000 bytes");
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemsetD8_v2(block + 1, 0, 1000));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemsetD8_v2(block + (1 << 20), 0, 4));
  int on_host = 0;
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE,
               cuMemsetD8_v2(reinterpret_cast<CUdeviceptr>(&on_host), 0, 4));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemsetD32_v2(block + 2, 0, 1));
  CHECK_OK(cuMemFree_v2(block));
  CHECK_OK(cuMemFree_v2(0));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(block + 4));
}

void unwritten() {
  Device device;
  const CUdeviceptr block = memory(64);
  std::vector<char> got(64);
  CHECK_OK(cuMemsetD8_v2(block, 3, 63));
  CHECK_OK(cuMemcpyDtoH_v2(got.data(), block, 63));
  if (!secateur_sim_checked()) return;
  CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuMemcpyDtoH_v2(got.data(), block, 64));
  CHECK_FAULT("ever written");
}

void amounts() {
  Device device;
  size_t free = 0, total = 0, after = 0;
  CHECK_OK(cuMemGetInfo_v2(&free, &total));
  CHECK(free == total);
  CUdeviceptr block = 0;
  CHECK_RESULT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&block, total + 1));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemAlloc_v2(&block, 0));
  block = memory(1 << 20);
  CHECK_OK(cuMemGetInfo_v2(&after, &total));
  CHECK(after == free - (1 << 20));

  // What was freed in stream order counts no more, though the free has not run.
  CUstream on = stream();
  secateur_sim_counters_reset();
  for (int i = 0; i < 10; i++) {
    CUdeviceptr each = 0;
    CHECK_OK(cuMemAllocAsync(&each, 4 << 20, on));
    CHECK_OK(cuMemsetD8Async(each, 0, 4 << 20, on));
    CHECK_OK(cuMemFreeAsync(each, on));
  }
  CHECK(counters().peak_bytes == 5 << 20);
  CHECK(counters().live_bytes == 1 << 20);
  CHECK(counters().synchronizations == 0);
  CHECK_OK(cuStreamSynchronize(on));
  CHECK_OK(cuMemFree_v2(block));
  CHECK_NO_FAULT();
}

void pools() {
  Device device;
  CUstream on = stream();
  CUmemoryPool standard = nullptr, own = nullptr, current = nullptr;
  CHECK_OK(cuDeviceGetDefaultMemPool(&standard, 0));
  CHECK_OK(cuDeviceGetMemPool(&current, 0));
  CHECK(current == standard);
  CUmemPoolProps wanted{};
  wanted.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  wanted.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  CHECK_OK(cuMemPoolCreate(&own, &wanted));
  uint64_t threshold = UINT64_MAX, used = 1, high = 0;
  CHECK_OK(cuMemPoolSetAttribute(own, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold));
  CUdeviceptr block = 0;
  CHECK_OK(cuMemAllocFromPoolAsync(&block, 4096, own, on));
  CHECK_OK(cuMemPoolGetAttribute(own, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
  CHECK(used == 4096);
  CHECK_OK(cuMemFreeAsync(block, on));
  CHECK_OK(cuStreamSynchronize(on));
  CHECK_OK(cuMemPoolGetAttribute(own, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
  CHECK_OK(cuMemPoolGetAttribute(own, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &high));
  CHECK(used == 0 && high == 4096);
  CHECK_OK(cuMemPoolTrimTo(own, 0));
  CHECK_OK(cuMemPoolDestroy(own));
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuMemPoolTrimTo(own, 0));
  CHECK_FAULT("destroyed");
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemPoolDestroy(standard));
}

void pointers() {
  Device device;
  const CUdeviceptr block = memory(4096);
  int* host = pinned<int>(16);
  unsigned type = 0;
  size_t bytes = 0;
  const auto address = [](void* at) { return reinterpret_cast<CUdeviceptr>(at); };
  CHECK_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, block + 100));
  CHECK(type == CU_MEMORYTYPE_DEVICE);
  CHECK_OK(cuPointerGetAttribute(&bytes, CU_POINTER_ATTRIBUTE_RANGE_SIZE, block + 100));
  CHECK(bytes == 4096);
  CHECK_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address(host + 1)));
  CHECK(type == CU_MEMORYTYPE_HOST);
  int on_stack = 0;
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE,
               cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address(&on_stack)));
  CUdeviceptr start = 0;
  CHECK_OK(cuMemGetAddressRange_v2(&start, &bytes, block + 5));
  CHECK(start == block && bytes == 4096);
  CHECK_OK(cuMemFreeHost(host));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemFreeHost(host));
  std::vector<int> own(16);
  CHECK_OK(cuMemHostRegister_v2(own.data(), 64, 0));
  CHECK_RESULT(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, cuMemHostRegister_v2(own.data(), 64, 0));
  CHECK_OK(cuMemHostUnregister(own.data()));
  CHECK_RESULT(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, cuMemHostUnregister(own.data()));
}

void leaks_are_told() {
  {
    Device device;
    const CUdeviceptr block = memory(4096);
    CUstream on = stream();
    CHECK(strstr(secateur_sim_leaks(), "1 block of device memory (4096 bytes), 1 stream"));
    CHECK_OK(cuStreamDestroy_v2(on));
    CHECK_OK(cuMemFree_v2(block));
    CHECK(*secateur_sim_leaks() == '\0');
    CHECK_OK(cuDevicePrimaryCtxRelease_v2(0));
    CHECK_NO_FAULT();
  }
  {
    Device device;
    memory(4096);
    event();
    CHECK_OK(cuDevicePrimaryCtxRelease_v2(0));
    CHECK_FAULT("1 block of device memory (4096 bytes), 1 event");
  }
}

}  // namespace

int main() {
  round_trip();
  host_access_faults();
  use_after_free();
  bounds();
  unwritten();
  amounts();
  pools();
  pointers();
  leaks_are_told();
  secateur_sim_restart();
}
