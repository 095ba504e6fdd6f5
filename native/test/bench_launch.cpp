// What the host adds to each kernel launch: the CUDA device on a driver that does nothing, in
// nanoseconds, the median of many batches. The aim is at most 30, the context check included.
//
//   build/release/native/test/bench_launch
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "abi/open.h"
#include "cuda/device.h"
#include "null_driver/null_driver.h"

namespace {

using secateur::cuda::CudaDevice;
using secateur::cuda::Kernel;

const Kernel<float, int64_t, const float*, float*> kKernel("bench_kernel");

template <class Body>
void measure(const char* name, Body&& body) {
  constexpr int kBatches = 2001, kCalls = 1000;
  std::vector<double> nanoseconds;
  for (int batch = 0; batch < kBatches; ++batch) {
    const auto start = std::chrono::steady_clock::now();
    for (int call = 0; call < kCalls; ++call) body();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    nanoseconds.push_back(took.count() / kCalls);
  }
  std::sort(nanoseconds.begin(), nanoseconds.end());
  std::printf("%-58s %6.1f ns\n", name, nanoseconds[kBatches / 2]);
}

}  // namespace

int main() {
  null_driver::state();
  secateur_device* opened = nullptr;
  CHECK_OK(secateur_device_open(SECATEUR_CUDA, 0, &opened));
  auto* device = static_cast<CudaDevice*>(opened);
  void* block = nullptr;
  CHECK_OK(secateur_alloc(opened, 4096, &block));
  auto* const data = static_cast<float*>(block);

  const auto launch = [&] { device->launch(nullptr, kKernel, {16, 256}, 1.0f, 1000, data, data); };
  const secateur::cuda::Driver& driver = secateur::cuda::Driver::get();
  {
    void* primary = nullptr;
    CHECK(driver.cuDevicePrimaryCtxRetain(reinterpret_cast<secateur::cu::CUcontext*>(&primary),
                                          0) == secateur::cu::CUDA_SUCCESS);
    const secateur::cuda::ContextGuard current(driver,
                                               static_cast<secateur::cu::CUcontext>(primary));
    measure("launch, primary context current", launch);
    if (secateur_fill(opened, nullptr, 0, 1000, data) == SECATEUR_OK) {
      measure("secateur_fill through the C ABI",
              [&] { secateur_fill(opened, nullptr, 0, 1000, data); });
    }
    driver.cuDevicePrimaryCtxRelease_v2(0);
  }
  measure("launch, no context current (pushed and popped)", launch);
  CHECK_OK(secateur_free(opened, block));
  CHECK_OK(secateur_device_close(opened));
  return 0;
}
