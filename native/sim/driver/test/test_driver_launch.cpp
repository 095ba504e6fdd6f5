// Modules, launches within the device's limits, library work and counters.
#include "sim/driver/library.h"
#include "sim/driver/test/driver_test.h"

using namespace test;

namespace {

constexpr int64_t kCount = 1000;
constexpr size_t kBytes = kCount * sizeof(float);

void images() {
  Device device;
  CUmodule module = nullptr;
  CUfunction found = nullptr;
  const auto load = [&](const char* image) { return cuModuleLoadData(&module, image); };
  CHECK_OK(load("// built without nvcc\n"));
  CHECK_OK(cuModuleGetFunction(&found, module, "secateur_fill"));
  CHECK_RESULT(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&found, module, "secateur_unheard_of"));
  CHECK_OK(cuModuleUnload(module));
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuModuleGetFunction(&found, module, "secateur_fill"));
  int most = 0;
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE,
               cuFuncGetAttribute(&most, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, found));

  CHECK_OK(load(".version 6.4\n.target sm_75\n.address_size 64\n"));
  CHECK_RESULT(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, load(".version 9.0\n.target sm_75\n"));
  CHECK_RESULT(CUDA_ERROR_NO_BINARY_FOR_GPU, load(".version 7.0\n.target sm_80\n"));
  CHECK_RESULT(CUDA_ERROR_INVALID_IMAGE, load("hello"));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuModuleLoadData(&module, nullptr));
  char cubin[64] = "\177ELF";
  cubin[8] = 7;
  cubin[18] = static_cast<char>(190);
  cubin[48] = 75;
  CHECK_OK(load(cubin));
  cubin[48] = 90;
  CHECK_RESULT(CUDA_ERROR_NO_BINARY_FOR_GPU, load(cubin));
  cubin[18] = 62;
  CHECK_RESULT(CUDA_ERROR_INVALID_IMAGE, load(cubin));
}

void limits() {
  Device device;
  CUstream on = stream();
  CUfunction kernel = function("secateur_fill");
  const CUdeviceptr block = memory(kBytes);
  float value = 4;
  int64_t count = kCount;
  CUdeviceptr target = block;
  void* parameters[] = {&value, &count, &target};
  const auto launch = [&](unsigned grid, unsigned grid_y, unsigned threads, unsigned threads_z,
                          unsigned shared) {
    return cuLaunchKernel(kernel, grid, grid_y, 1, threads, 1, threads_z, shared, on, parameters,
                          nullptr);
  };
  const CUresult invalid = CUDA_ERROR_INVALID_VALUE;
  CHECK_OK(launch(1, 1, 256, 1, 0));
  CHECK_RESULT(invalid, launch(0, 1, 256, 1, 0));
  CHECK_RESULT(invalid, launch(1, 65536, 256, 1, 0));
  CHECK_OK(launch(1, 1, 256, 1, 48 << 10));
  CHECK_RESULT(invalid, launch(1, 1, 0, 1, 0));
  CHECK_RESULT(invalid, launch(1, 1, 257, 1, 0));  // SECATEUR_KERNEL(256)
  CHECK_FAULT("257 threads");
  CHECK_RESULT(invalid, launch(1, 1, 1025, 1, 0));
  CHECK_RESULT(invalid, launch(1, 1, 2, 65, 0));
  CHECK_RESULT(invalid, launch(1, 1, 256, 1, (48 << 10) + 1));
  CHECK_OK(cuFuncSetAttribute(kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 64 << 10));
  CHECK_OK(launch(1, 1, 256, 1, 64 << 10));
  CHECK_RESULT(invalid, cuFuncSetAttribute(kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                           65 << 10));
  CHECK_RESULT(invalid, cuLaunchKernel(kernel, 1, 1, 1, 256, 1, 1, 0, on, nullptr, nullptr));
  void* missing[] = {&value, nullptr, &target};
  CHECK_RESULT(invalid, cuLaunchKernel(kernel, 1, 1, 1, 256, 1, 1, 0, on, missing, nullptr));

  // All parameters in one buffer.
  struct {
    float value;
    int64_t count;
    CUdeviceptr target;
  } packed{8, kCount, block};
  size_t size = sizeof packed;
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &size,
                   CU_LAUNCH_PARAM_END};
  CHECK_OK(cuLaunchKernel(kernel, 1, 1, 1, 256, 1, 1, 0, on, nullptr, extra));
  CHECK_RESULT(invalid, cuLaunchKernel(kernel, 1, 1, 1, 256, 1, 1, 0, on, parameters, extra));
  size = 16;
  CHECK_RESULT(invalid, cuLaunchKernel(kernel, 1, 1, 1, 256, 1, 1, 0, on, nullptr, extra));
  CHECK_OK(cuStreamSynchronize(on));
  CHECK(download<float>(block, kCount) == std::vector<float>(kCount, 8));

  int blocks = 0;
  CHECK_OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, 256, 0));
  CHECK(blocks == 4);
}

void counted() {
  Device device;
  CUstream on = stream();
  CUfunction kernel = function("secateur_fill");
  const CUdeviceptr block = memory(kBytes), other = memory(kBytes);
  std::vector<float> host(kCount, 1);
  secateur_sim_counters_reset();
  CHECK(counters().live_bytes == 2 * kBytes && counters().peak_bytes == 2 * kBytes);
  CHECK_OK(fill(on, kernel, 3, kCount, block));
  CHECK_OK(cuMemcpyDtoDAsync_v2(other, block, kBytes, on));
  CHECK_OK(cuMemsetD8Async(other, 0, 100, on));
  CHECK_OK(cuMemcpyHtoDAsync_v2(other, host.data(), 200, on));
  CHECK_OK(cuStreamSynchronize(on));
  CHECK_OK(cuMemcpyDtoH_v2(host.data(), block, 300));
  const secateur_sim_counters now = counters();
  CHECK(now.launches == 1 && now.kernels == 1 && now.graph_launches == 0);
  CHECK(now.copies == 1 && now.copy_bytes == kBytes);
  CHECK(now.memsets == 1 && now.memset_bytes == 100);
  CHECK(now.uploads == 1 && now.upload_bytes == 200);
  CHECK(now.downloads == 1 && now.download_bytes == 300);
  CHECK(now.synchronizations == 2 && now.allocations == 0);
  if (secateur_sim_checked())
    CHECK(now.kernel_bytes_written == kBytes && now.kernel_bytes_read == 0);
}

// ---- work of the library stand-ins

struct Doubling {
  const float* from;
  float* to;
  int runs, destroyed;
};

const char* run_doubling(void* data) {
  auto* work = static_cast<Doubling*>(data);
  work->runs++;
  if (!work->to) return "nothing to write to";
  for (int64_t i = 0; i < kCount; i++) work->to[i] = 2 * work->from[i];
  return nullptr;
}

void destroy_doubling(void* data) { static_cast<Doubling*>(data)->destroyed++; }

int enqueue(CUstream on, Doubling* data, CUdeviceptr from, CUdeviceptr to, size_t bytes = kBytes) {
  const secateur_sim_range ranges[] = {
      {"A", reinterpret_cast<void*>(from), bytes, 1, 0, SECATEUR_SIM_READ},
      {"C", reinterpret_cast<void*>(to), kBytes / 10, 10, kBytes / 10, SECATEUR_SIM_WRITE}};
  const secateur_sim_work work = {"double", ranges, 2, data, run_doubling, destroy_doubling};
  return secateur_sim_enqueue(on, &work);
}

void library_work() {
  {
    Device device;
    CUstream on = stream(), other = stream();
    const CUdeviceptr from = memory(kBytes), to = memory(kBytes);
    Doubling data{reinterpret_cast<float*>(from), reinterpret_cast<float*>(to), 0, 0};
    CHECK_OK(fill(on, function("secateur_fill"), 3, kCount, from));
    CHECK(enqueue(on, &data, from, to) == CUDA_SUCCESS);
    CHECK_OK(cuStreamSynchronize(on));
    CHECK(data.runs == 1 && data.destroyed == 1 && counters().library_calls == 1);
    CHECK(download<float>(to, kCount) == std::vector<float>(kCount, 6));

    // Captured: runs at each replay, ends with the graph.
    CUgraph graph = nullptr;
    CUgraphExec exec = nullptr;
    CHECK_OK(cuStreamBeginCapture_v2(on, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    CHECK(enqueue(on, &data, from, to) == CUDA_SUCCESS);
    CHECK_OK(cuStreamEndCapture(on, &graph));
    CHECK_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    CHECK_OK(cuGraphDestroy(graph));
    CHECK_OK(cuGraphLaunch(exec, on));
    CHECK_OK(cuGraphLaunch(exec, on));
    CHECK_OK(cuStreamSynchronize(on));
    CHECK(data.runs == 3 && data.destroyed == 1);
    CHECK_OK(cuGraphExecDestroy(exec));
    CHECK(data.destroyed == 2);
    CHECK_NO_FAULT();

    CHECK(enqueue(nullptr, &data, from, to) == CUDA_SUCCESS);
    CHECK_OK(cuMemsetD8Async(from, 0, kBytes, other));
    CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
    CHECK_FAULT("no event orders them");
  }
  {
    Device device;
    CUstream on = stream();
    const CUdeviceptr from = memory(kBytes), to = memory(kBytes);
    CHECK_OK(cuMemsetD8Async(from, 0, kBytes, on));
    Doubling data{reinterpret_cast<float*>(from), reinterpret_cast<float*>(to), 0, 0};
    CHECK(enqueue(on, &data, from, to, kBytes + 1) == CUDA_SUCCESS);
    CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(on));
    CHECK_FAULT("A: 1 bytes beyond the end");
    CHECK(data.runs == 0 && data.destroyed == 1);
  }
  {
    Device device;
    CUstream on = stream();
    const CUdeviceptr from = memory(kBytes), to = memory(kBytes);
    CHECK_OK(cuMemsetD8Async(from, 0, kBytes, on));
    Doubling data{reinterpret_cast<float*>(from), nullptr, 0, 0};
    CHECK(enqueue(on, &data, from, to) == CUDA_SUCCESS);
    CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(on));
    CHECK_FAULT("nothing to write to");
    CHECK(enqueue(on, &data, from, to) == CUDA_ERROR_LAUNCH_FAILED);
    CHECK(data.destroyed == 2);  // refused: destroyed at once
  }
}

}  // namespace

int main() {
  images();
  limits();
  counted();
  library_work();
  secateur_sim_restart();
}
