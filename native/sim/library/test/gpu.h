// The simulated GPU for tests of the library stand-ins: a context, a stream, arrays, and faults.
#pragma once

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "cuda/driver_api.h"
#include "sim/simulator.h"

using namespace secateur::cu;

extern "C" {
cuInit_t cuInit;
cuCtxSetCurrent_t cuCtxSetCurrent;
cuDevicePrimaryCtxRetain_t cuDevicePrimaryCtxRetain;
cuMemAlloc_v2_t cuMemAlloc_v2;
cuMemFree_v2_t cuMemFree_v2;
cuMemcpyHtoD_v2_t cuMemcpyHtoD_v2;
cuMemcpyHtoDAsync_v2_t cuMemcpyHtoDAsync_v2;
cuMemcpyDtoH_v2_t cuMemcpyDtoH_v2;
cuStreamCreate_t cuStreamCreate;
cuStreamSynchronize_t cuStreamSynchronize;
cuStreamBeginCapture_v2_t cuStreamBeginCapture_v2;
cuStreamEndCapture_t cuStreamEndCapture;
cuGraphInstantiateWithFlags_t cuGraphInstantiateWithFlags;
cuGraphLaunch_t cuGraphLaunch;
cuGraphDestroy_t cuGraphDestroy;
cuGraphExecDestroy_t cuGraphExecDestroy;
}

#define CHECK_CU(call) CHECK_NOTE((call) == CUDA_SUCCESS, "%s", secateur_sim_last_fault())

// Makes the context current and returns a stream of it, ordered with the default stream that
// blocking copies run on.
inline CUstream start() {
  CUcontext context;
  CUstream stream;
  CHECK_CU(cuInit(0));
  CHECK_CU(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK_CU(cuCtxSetCurrent(context));
  CHECK_CU(cuStreamCreate(&stream, 0));
  return stream;
}

// As a new process: every handle, context and allocation is gone.
inline CUstream restart() {
  secateur_sim_restart();
  return start();
}

template <typename T>
class Array {
 public:
  explicit Array(size_t count) : count_(count) {
    CHECK_CU(cuMemAlloc_v2(&address_, count * sizeof(T)));
  }
  explicit Array(const std::vector<T>& values) : Array(values.size()) { set(values); }
  Array(const Array&) = delete;
  ~Array() { cuMemFree_v2(address_); }

  T* get() const { return reinterpret_cast<T*>(address_); }
  void set(const std::vector<T>& values) const {
    CHECK_CU(cuMemcpyHtoD_v2(address_, values.data(), values.size() * sizeof(T)));
  }
  std::vector<T> read() const {
    std::vector<T> values(count_);
    CHECK_CU(cuMemcpyDtoH_v2(values.data(), address_, count_ * sizeof(T)));
    return values;
  }

 private:
  CUdeviceptr address_ = 0;
  size_t count_;
};

// The work queued on the stream must fail with a sentence that holds `part`.
inline void check_fault(CUstream stream, const char* part) {
  CHECK_NOTE(cuStreamSynchronize(stream) != CUDA_SUCCESS, "no fault, but expected: %s", part);
  const std::string sentence = secateur_sim_last_fault();
  CHECK_NOTE(sentence.find(part) != std::string::npos, "\"%s\" says nothing of %s",
             sentence.c_str(), part);
}

// Captures what `enqueue` does on the stream.
template <typename Enqueue>
CUgraphExec capture(CUstream stream, Enqueue enqueue) {
  CUgraph graph;
  CUgraphExec exec;
  CHECK_CU(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  enqueue();
  CHECK_CU(cuStreamEndCapture(stream, &graph));
  CHECK_CU(cuGraphInstantiateWithFlags(&exec, graph, 0));
  CHECK_CU(cuGraphDestroy(graph));
  return exec;
}

class Random {
 public:
  int below(int bound) { return static_cast<int>(bits_() % bound); }
  int size() { return 1 + below(70); }
  float normal() { return normal_(bits_); }
  std::vector<float> normals(size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal();
    return values;
  }
  // alpha or beta: 0 and 1 are special.
  float scalar() { return std::vector<float>{0, 1, -1, 0.5f, 2.25f}[below(5)]; }

 private:
  std::mt19937 bits_{12345};
  std::normal_distribution<float> normal_;
};
