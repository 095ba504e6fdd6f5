// What the tests of the simulated driver share.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cuda/driver_api.h"
#include "sim/simulator.h"

using namespace secateur::cu;

extern "C" {
#define F(name, parameters) secateur::cu::name##_t name;
SECATEUR_DRIVER_API(F)
#undef F
}

#define CHECK(holds)                                                                             \
  do {                                                                                           \
    if (!(holds)) {                                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s (last fault: %s)\n", __FILE__, __LINE__, #holds, \
              secateur_sim_last_fault());                                                        \
      exit(1);                                                                                   \
    }                                                                                            \
  } while (0)

// The call must return exactly this result.
#define CHECK_RESULT(expected, made)                                                          \
  do {                                                                                        \
    const CUresult result_ = (made);                                                          \
    if (result_ != (expected)) {                                                              \
      fprintf(stderr, "%s:%d: %s returned %d, not %d (last fault: %s)\n", __FILE__, __LINE__, \
              #made, static_cast<int>(result_), static_cast<int>(expected),                   \
              secateur_sim_last_fault());                                                     \
      exit(1);                                                                                \
    }                                                                                         \
  } while (0)

#define CHECK_OK(made) CHECK_RESULT(CUDA_SUCCESS, made)

// That the last fault names all of this.
#define CHECK_FAULT(words) CHECK(strstr(secateur_sim_last_fault(), words) != nullptr)
#define CHECK_NO_FAULT() CHECK(*secateur_sim_last_fault() == '\0')

namespace test {

// A fresh device whose primary context is current; at its end all was tidied up.
class Device {
 public:
  Device() {
    secateur_sim_restart();
    CHECK_OK(cuInit(0));
    CHECK_OK(cuDevicePrimaryCtxRetain(&context, 0));
    CHECK_OK(cuCtxSetCurrent(context));
  }

  CUcontext context = nullptr;
};

inline CUstream stream(unsigned flags = CU_STREAM_NON_BLOCKING) {
  CUstream made = nullptr;
  CHECK_OK(cuStreamCreate(&made, flags));
  return made;
}

inline CUevent event() {
  CUevent made = nullptr;
  CHECK_OK(cuEventCreate(&made, CU_EVENT_DISABLE_TIMING));
  return made;
}

inline CUdeviceptr memory(size_t bytes) {
  CUdeviceptr made = 0;
  CHECK_OK(cuMemAlloc_v2(&made, bytes));
  return made;
}

template <class T>
T* pinned(size_t count) {
  void* made = nullptr;
  CHECK_OK(cuMemHostAlloc(&made, count * sizeof(T), 0));
  return static_cast<T*>(made);
}

inline CUfunction function(const char* name) {
  CUmodule module = nullptr;
  CUfunction made = nullptr;
  CHECK_OK(cuModuleLoadData(&module, "// no kernels\n"));
  CHECK_OK(cuModuleGetFunction(&made, module, name));
  return made;
}

// dst[0..n) = value
inline CUresult fill(CUstream on, CUfunction kernel, float value, int64_t n, CUdeviceptr dst) {
  void* parameters[] = {&value, &n, &dst};
  return cuLaunchKernel(kernel, 2, 1, 1, 256, 1, 1, 0, on, parameters, nullptr);
}

// Blocking, on the null stream.
template <class T>
std::vector<T> download(CUdeviceptr from, size_t count) {
  std::vector<T> values(count);
  CHECK_OK(cuMemcpyDtoH_v2(values.data(), from, count * sizeof(T)));
  return values;
}

inline secateur_sim_counters counters() {
  secateur_sim_counters now;
  secateur_sim_counters_get(&now);
  return now;
}

inline void order(CUstream after, CUstream before) {
  CUevent mark = event();
  CHECK_OK(cuEventRecord(mark, before));
  CHECK_OK(cuStreamWaitEvent(after, mark, 0));
  CHECK_OK(cuEventDestroy_v2(mark));
}

// The signal that ends a process running this, 0 for none.
template <class Body>
int signal_of(Body&& body) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    body();
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace test
