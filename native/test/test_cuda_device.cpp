// The CUDA device's memory, contexts and errors, on whatever driver the library path leads to: the
// simulator's in this build's tests, a real one elsewhere. Faults on order are the simulator's.
#include <thread>
#include <vector>

#include "cuda.h"
#include "cuda/driver.h"
#include "simulated.h"

using namespace secateur::cu;
using secateur::cuda::Driver;
using namespace test;

namespace {

void order(int what, uint64_t nth) {
  driver_function<void(int, uint64_t)>("secateur_sim_fail")(what, nth);
}
CUcontext current_context() {
  CUcontext context = nullptr;
  CHECK(Driver::get().cuCtxGetCurrent(&context) == CUDA_SUCCESS);
  return context;
}

std::vector<unsigned char> pattern(size_t bytes, unsigned seed) {
  std::vector<unsigned char> values(bytes);
  for (size_t i = 0; i < bytes; ++i) {
    values[i] = static_cast<unsigned char>((i + seed) * 2654435761u >> 13);
  }
  return values;
}

void accounts_for_memory() {
  const size_t sizes[] = {0, 1, 127, 4096, (size_t{2} << 20) - 1, (size_t{5} << 20) + 3};
  secateur_device* device = open_cuda();
  std::vector<void*> blocks;
  int64_t live = 0, bytes = 0, expected = 0;
  for (size_t size : sizes) {
    void* block = nullptr;
    CHECK_OK(secateur_alloc(device, size, &block));
    CHECK(block != nullptr && reinterpret_cast<uintptr_t>(block) % 128 == 0);
    for (void* other : blocks) CHECK(other != block);
    blocks.push_back(block);
    expected += static_cast<int64_t>(size);
    CHECK_OK(secateur_memory(device, &live, &bytes));
    CHECK(live == static_cast<int64_t>(blocks.size()) && bytes == expected);
  }
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_close(device));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_free(device, &live));
  for (void* block : blocks) CHECK_OK(secateur_free(device, block));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_free(device, blocks[1]));
  CHECK_OK(secateur_free(device, nullptr));
  CHECK_OK(secateur_memory(device, &live, &bytes));
  CHECK(live == 0 && bytes == 0);
  CHECK_OK(secateur_device_close(device));
}

void copies() {
  secateur_device* device = open_cuda();
  for (size_t bytes : {size_t{1}, size_t{3}, size_t{4097}, (size_t{3} << 20) + 5}) {
    const std::vector<unsigned char> first = pattern(bytes, 1);
    std::vector<unsigned char> host = first, back(bytes);
    void *a = nullptr, *b = nullptr;
    CHECK_OK(secateur_alloc(device, bytes, &a));
    CHECK_OK(secateur_alloc(device, bytes, &b));
    CHECK_OK(secateur_upload(device, nullptr, host.data(), a, bytes));
    host = pattern(bytes, 2);  // pageable memory is finished with
    CHECK_OK(secateur_copy(device, nullptr, a, b, bytes));
    CHECK_OK(secateur_zero(device, nullptr, a, bytes / 2));
    CHECK_OK(secateur_download(device, nullptr, b, back.data(), bytes));
    CHECK(back == first);
    CHECK_OK(secateur_download(device, nullptr, a, back.data(), bytes));
    for (size_t i = 0; i < bytes; ++i) CHECK(back[i] == (i < bytes / 2 ? 0 : first[i]));
    CHECK_OK(secateur_free(device, a));
    CHECK_OK(secateur_free(device, b));
  }
  CHECK_OK(secateur_upload(device, nullptr, nullptr, nullptr, 0));
  CHECK_OK(secateur_device_close(device));
}

void copies_pinned_memory() {
  const auto host_alloc = driver_function<cuMemHostAlloc_t>("cuMemHostAlloc");
  const auto host_free = driver_function<cuMemFreeHost_t>("cuMemFreeHost");
  constexpr size_t kBytes = 10000;
  secateur_device* device = open_cuda();
  void *block = nullptr, *host = nullptr, *back = nullptr;
  CHECK_OK(secateur_alloc(device, kBytes, &block));
  CHECK(host_alloc(&host, kBytes, CU_MEMHOSTALLOC_PORTABLE) != CUDA_SUCCESS);  // needs a context
  CUcontext context = nullptr, popped = nullptr;
  CHECK(Driver::get().cuDevicePrimaryCtxRetain(&context, 0) == CUDA_SUCCESS);
  CHECK(Driver::get().cuCtxPushCurrent_v2(context) == CUDA_SUCCESS);
  CHECK(host_alloc(&host, kBytes, CU_MEMHOSTALLOC_PORTABLE) == CUDA_SUCCESS);
  CHECK(host_alloc(&back, kBytes, CU_MEMHOSTALLOC_PORTABLE) == CUDA_SUCCESS);
  const std::vector<unsigned char> values = pattern(kBytes, 3);
  memcpy(host, values.data(), kBytes);
  memset(back, 0, kBytes);
  const uint64_t waits = simulated() ? counters().synchronizations : 0;
  CHECK_OK(secateur_upload(device, nullptr, host, block, kBytes));
  CHECK_OK(secateur_download(device, nullptr, block, back, kBytes));
  if (simulated()) CHECK(counters().synchronizations == waits);
  CHECK_OK(secateur_synchronize(device, nullptr));
  CHECK(memcmp(back, values.data(), kBytes) == 0);
  CHECK(current_context() == context);
  CHECK(host_free(host) == CUDA_SUCCESS && host_free(back) == CUDA_SUCCESS);
  CHECK(Driver::get().cuCtxPopCurrent_v2(&popped) == CUDA_SUCCESS && popped == context);
  CHECK(Driver::get().cuDevicePrimaryCtxRelease_v2(0) == CUDA_SUCCESS);
  CHECK_OK(secateur_free(device, block));
  CHECK_OK(secateur_device_close(device));
}

// Two handles work in one context; each call leaves the thread's own context current.
void shares_the_primary_context() {
  const auto create = driver_function<cuCtxCreate_v2_t>("cuCtxCreate_v2");
  const auto destroy = driver_function<cuCtxDestroy_v2_t>("cuCtxDestroy_v2");
  CHECK(current_context() == nullptr);
  secateur_device *first = open_cuda(), *second = open_cuda();
  CHECK(current_context() == nullptr);
  void* block = nullptr;
  float value = 0;
  CHECK_OK(secateur_alloc(first, sizeof value, &block));
  std::thread([&] {
    CHECK(current_context() == nullptr);
    CHECK_OK(secateur_fill(second, nullptr, 2.5f, 1, static_cast<float*>(block)));
    CHECK(current_context() == nullptr);
  }).join();
  CUcontext other = nullptr;
  CHECK(create(&other, 0, 0) == CUDA_SUCCESS);
  CHECK_OK(secateur_download(first, nullptr, block, &value, sizeof value));
  CHECK(value == 2.5f);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_free(second, block));
  CHECK_OK(secateur_free(first, block));
  CHECK_OK(secateur_device_close(first));
  CHECK(current_context() == other);
  CHECK_OK(secateur_device_close(second));
  CHECK(current_context() == other);
  CHECK(destroy(other) == CUDA_SUCCESS);
  CHECK(current_context() == nullptr);
}

void says_what_is_wrong() {
  secateur_device *none = nullptr, *device = open_cuda();
  void* block = &none;
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_device_open(SECATEUR_CUDA, 99, &none));
  CHECK(none == nullptr);
  CHECK_STATUS(SECATEUR_OUT_OF_MEMORY, secateur_alloc(device, SIZE_MAX / 4, &block));
  CHECK(strstr(secateur_last_error(), "4611686018427387903 bytes") != nullptr);
  CHECK(strstr(secateur_last_error(), "are free") != nullptr);
  CHECK(block == &none);
  const secateur_gemm_args one = {0, 0, 1, 1, 1, 1, 0, 1, 1, 1};
  CHECK_OK(secateur_alloc(device, 12, &block));
  auto* x = static_cast<float*>(block);
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_gemm(device, nullptr, &one, x, x + 1, x + 2));
  CHECK(strstr(secateur_last_error(), "cuBLAS") != nullptr);
  CHECK_OK(secateur_free(device, block));
  CHECK_OK(secateur_device_close(device));
}

// An allocation that fails leaves all as it was; a fault in a kernel loses the GPU for the process,
// though the device can still be closed.
void survives_faults() {
  secateur_device* device = nullptr;
  void *block = nullptr, *second = nullptr;
  order(SECATEUR_SIM_ALLOCATION, 1);
  CHECK_STATUS(SECATEUR_OUT_OF_MEMORY, secateur_device_open(SECATEUR_CUDA, 0, &device));
  order(SECATEUR_SIM_ALLOCATION, 0);
  CHECK(counters().live_bytes == 0);

  device = open_cuda();
  order(SECATEUR_SIM_ALLOCATION, 2);
  CHECK_OK(secateur_alloc(device, 1000, &block));
  CHECK_STATUS(SECATEUR_OUT_OF_MEMORY, secateur_alloc(device, 1000, &second));
  CHECK_OK(secateur_alloc(device, 1000, &second));
  order(SECATEUR_SIM_ALLOCATION, 0);

  auto* x = static_cast<float*>(block);
  order(SECATEUR_SIM_LAUNCH, 1);
  CHECK_OK(secateur_fill(device, nullptr, 1.0f, 250, x));
  CHECK_STATUS(SECATEUR_DEVICE_LOST, secateur_synchronize(device, nullptr));
  CHECK(strstr(secateur_last_error(), "CUDA_ERROR_LAUNCH_FAILED") != nullptr);
  CHECK_STATUS(SECATEUR_DEVICE_LOST, secateur_fill(device, nullptr, 1.0f, 250, x));
  CHECK_STATUS(SECATEUR_DEVICE_LOST, secateur_alloc(device, 8, &second));
  CHECK_OK(secateur_free(device, block));  // the other block goes with the device
  CHECK_OK(secateur_device_close(device));
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_device_open(SECATEUR_CUDA, 0, &device));
  CHECK(strstr(secateur_last_error(), "start the process again") != nullptr);

  driver_function<void()>("secateur_sim_restart")();
  device = open_cuda();
  CHECK_OK(secateur_alloc(device, 1000, &block));
  x = static_cast<float*>(block);
  order(SECATEUR_SIM_LOST, 1);
  CHECK_STATUS(SECATEUR_DEVICE_LOST, secateur_fill(device, nullptr, 1.0f, 250, x));
  CHECK(strstr(secateur_last_error(), "secateur_fill") != nullptr);
  CHECK(strstr(secateur_last_error(), "256 threads") != nullptr);
  CHECK_OK(secateur_free(device, block));
  CHECK_OK(secateur_device_close(device));
  driver_function<void()>("secateur_sim_restart")();
}

}  // namespace

int main() {
  CHECK_OK(secateur_device_close(open_cuda()));
  accounts_for_memory();
  copies();
  copies_pinned_memory();
  shares_the_primary_context();
  says_what_is_wrong();
  if (simulated()) {
    CHECK(counters().live_bytes == 0);
    survives_faults();
  }
  return 0;
}
