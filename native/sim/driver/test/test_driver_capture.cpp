// Captures: what they forbid, and graphs that replay what they hold.
#include <thread>

#include "sim/driver/test/driver_test.h"

using namespace test;

namespace {

constexpr int64_t kCount = 1024;
constexpr size_t kBytes = kCount * sizeof(float);

void begin(CUstream on, CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL) {
  CHECK_OK(cuStreamBeginCapture_v2(on, mode));
}

CUgraphExec end(CUstream on) {
  CUgraph graph = nullptr;
  CUgraphExec exec = nullptr;
  CHECK_OK(cuStreamEndCapture(on, &graph));
  CHECK_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  CHECK_OK(cuGraphDestroy(graph));
  return exec;
}

void check_invalidated(CUstream on) {
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  CUgraph graph = nullptr;
  CHECK_OK(cuStreamIsCapturing(on, &status));
  CHECK(status == CU_STREAM_CAPTURE_STATUS_INVALIDATED);
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(on, &graph));
  CHECK(graph == nullptr);
  CHECK_OK(cuStreamSynchronize(on));  // the stream is usable again
}

// Kernel arguments are copied when captured; what lies in memory is read at each replay.
void replay() {
  Device device;
  CUstream on = stream();
  CUfunction kernel = function("secateur_fill");
  const CUdeviceptr block = memory(kBytes), copy = memory(kBytes), given = memory(kBytes);
  unsigned* host = pinned<unsigned>(1);
  *host = 10;
  float value = 1;
  int64_t count = kCount - 1;
  CUdeviceptr target = block;
  void* parameters[] = {&value, &count, &target};
  begin(on);
  CHECK_OK(cuLaunchKernel(kernel, 1, 1, 1, 256, 1, 1, 0, on, parameters, nullptr));
  value = 99;
  count = 1;
  target = 0;
  CHECK_OK(cuMemcpyHtoDAsync_v2(block + kBytes - 4, host, 4, on));
  CHECK_OK(cuMemcpyDtoDAsync_v2(copy, block, kBytes, on));
  CHECK_OK(cuMemcpyDtoDAsync_v2(copy, given, 8, on));
  CUgraphExec exec = end(on);
  CHECK(counters().kernels == 0 && counters().launches == 0);

  for (unsigned round = 1; round <= 3; round++) {
    *host = 10 * round;
    CHECK_OK(cuMemsetD32Async(given, round, kCount, on));
    CHECK_OK(cuGraphLaunch(exec, on));
    CHECK_OK(cuStreamSynchronize(on));
    const auto got = download<unsigned>(copy, kCount);
    CHECK(got[0] == round && got[1] == round && got[kCount - 1] == 10 * round);
    float filled;
    memcpy(&filled, &got[2], sizeof filled);
    CHECK(filled == 1);
  }
  CHECK(counters().graph_launches == 3 && counters().kernels == 3 && counters().launches == 0);
  CHECK_OK(cuGraphExecDestroy(exec));
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuGraphLaunch(exec, on));
  CHECK_FAULT("executable graph");
}

void nodes() {
  Device device;
  CUstream on = stream();
  const CUdeviceptr block = memory(kBytes);
  CUgraph graph = nullptr;
  begin(on);
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  uint64_t id = 0;
  size_t before = 9;
  CHECK_OK(cuStreamGetCaptureInfo_v2(on, &status, &id, nullptr, nullptr, &before));
  CHECK(status == CU_STREAM_CAPTURE_STATUS_ACTIVE && id > 0 && before == 0);
  CHECK_OK(cuStreamEndCapture(on, &graph));

  CUfunction kernel = function("secateur_fill");
  begin(on);
  CHECK_OK(fill(on, kernel, 1, kCount, block));
  CHECK_OK(cuMemsetD32Async(block, 0, 1, on));
  CHECK_OK(cuStreamEndCapture(on, &graph));
  size_t count = 0;
  CHECK_OK(cuGraphGetNodes(graph, nullptr, &count));
  CHECK(count == 2);
  CUgraphNode found[3];
  count = 3;
  CHECK_OK(cuGraphGetNodes(graph, found, &count));
  CHECK(count == 2 && found[2] == nullptr);
  CUgraphNodeType type;
  CHECK_OK(cuGraphNodeGetType(found[0], &type));
  CHECK(type == CU_GRAPH_NODE_TYPE_KERNEL);
  CHECK_OK(cuGraphNodeGetType(found[1], &type));
  CHECK(type == CU_GRAPH_NODE_TYPE_MEMSET);
  CHECK_OK(cuGraphDestroy(graph));
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuGraphNodeGetType(found[0], &type));
}

// Each forbidden call fails as documented and invalidates the capture; the capture without it is
// good.
void forbidden_calls() {
  Device device;
  CUstream on = stream(), blocking = stream(CU_STREAM_DEFAULT);
  CUevent mark = event(), outside = event();
  const CUdeviceptr block = memory(kBytes);
  CHECK_OK(cuMemsetD32_v2(block, 0, kCount));
  CHECK_OK(cuEventRecord(outside, on));
  CHECK_OK(cuCtxSynchronize());
  std::vector<float> host(kCount);
  void* locked = nullptr;
  CUdeviceptr more = 0;
  CUmodule module = nullptr;

  const auto attempt = [&](CUresult expected, auto&& forbidden) {
    begin(on);
    CHECK_OK(cuMemsetD32Async(block, 1, kCount, on));
    CHECK_RESULT(expected, forbidden());
    CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuMemsetD32Async(block, 1, kCount, on));
    check_invalidated(on);
  };
  const CUresult unsupported = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  attempt(unsupported, [&] { return cuMemAlloc_v2(&more, 64); });
  attempt(unsupported, [&] { return cuMemFree_v2(block); });
  attempt(unsupported, [&] { return cuMemAllocAsync(&more, 64, on); });
  attempt(unsupported, [&] { return cuMemHostAlloc(&locked, 64, 0); });
  attempt(unsupported, [&] { return cuStreamSynchronize(on); });
  attempt(unsupported, [&] { return cuStreamQuery(on); });
  attempt(unsupported, [&] { return cuCtxSynchronize(); });
  attempt(unsupported, [&] { return cuEventQuery(outside); });
  attempt(unsupported, [&] { return cuEventSynchronize(outside); });
  attempt(unsupported, [&] { return cuStreamSynchronize(blocking); });
  attempt(unsupported, [&] { return cuModuleLoadData(&module, "//\n"); });
  attempt(unsupported, [&] { return cuMemcpyHtoDAsync_v2(block, host.data(), kBytes, on); });
  attempt(unsupported, [&] { return cuMemcpyDtoHAsync_v2(host.data(), block, kBytes, on); });
  attempt(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, [&] { return cuStreamWaitEvent(on, outside, 0); });
  attempt(CUDA_ERROR_CAPTURED_EVENT, [&] {
    CHECK_OK(cuEventRecord(mark, on));
    return cuEventSynchronize(mark);
  });
  CHECK(more == 0 && locked == nullptr);

  begin(on);
  CHECK_OK(cuMemsetD32Async(block, 1, kCount, on));
  CHECK_OK(cuGraphLaunch(end(on), on));
  CHECK_OK(cuStreamSynchronize(on));
  CHECK(download<int>(block, 1)[0] == 1);
}

void null_stream_in_capture() {
  Device device;
  CUstream blocking = stream(CU_STREAM_DEFAULT), free = stream();
  const CUdeviceptr block = memory(kBytes);
  CUgraph graph = nullptr;
  CUstreamCaptureStatus status;
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
               cuStreamBeginCapture_v2(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL));
  begin(blocking);
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, cuStreamIsCapturing(nullptr, &status));
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, cuMemsetD32Async(block, 0, kCount, nullptr));
  check_invalidated(blocking);
  // A stream that does not wait for the null stream leaves it free.
  begin(free);
  CHECK_OK(cuMemsetD32Async(block, 0, kCount, nullptr));
  CHECK_OK(cuStreamEndCapture(free, &graph));
}

void fork_and_join() {
  Device device;
  CUstream origin = stream(), side = stream();
  CUevent forked = event(), joined = event();
  const CUdeviceptr left = memory(kBytes), right = memory(kBytes);
  CUgraph graph = nullptr;

  begin(origin);
  CHECK_OK(cuMemsetD32Async(left, 1, kCount, origin));
  CHECK_OK(cuEventRecord(forked, origin));
  CHECK_OK(cuStreamWaitEvent(side, forked, 0));
  CHECK_OK(cuMemcpyDtoDAsync_v2(right, left, kBytes, side));
  CHECK_OK(cuEventRecord(joined, side));
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, cuStreamEndCapture(side, &graph));
  check_invalidated(origin);

  const auto capture = [&](bool join) {
    begin(origin);
    CHECK_OK(cuMemsetD32Async(left, 1, kCount, origin));
    CHECK_OK(cuEventRecord(forked, origin));
    CHECK_OK(cuStreamWaitEvent(side, forked, 0));
    CHECK_OK(cuMemcpyDtoDAsync_v2(right, left, kBytes, side));
    CHECK_OK(cuEventRecord(joined, side));
    if (join) CHECK_OK(cuStreamWaitEvent(origin, joined, 0));
    CHECK_OK(cuMemsetD32Async(left, 2, kCount, origin));
  };
  capture(false);
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(origin, &graph));
  capture(true);
  CUgraphExec exec = end(origin);
  CHECK_OK(cuStreamSynchronize(side));  // no part of a capture any more
  CHECK_RESULT(CUDA_ERROR_CAPTURED_EVENT, cuEventQuery(joined));
  for (int i = 0; i < 3; i++) CHECK_OK(cuGraphLaunch(exec, origin));
  CHECK_OK(cuStreamSynchronize(origin));
  CHECK(download<int>(left, kCount) == std::vector<int>(kCount, 2));
  CHECK(download<int>(right, kCount) == std::vector<int>(kCount, 1));

  // Another capture's event.
  CUstream other = stream();
  begin(origin);
  begin(other);
  CHECK_OK(cuEventRecord(forked, origin));
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_MERGE, cuStreamWaitEvent(other, forked, 0));
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(origin, &graph));
  check_invalidated(other);
}

// Branches of a graph that touch the same bytes: an event is missing in the capture.
void branches_need_order() {
  Device device;
  CUstream origin = stream(), side = stream();
  CUevent forked = event(), joined = event();
  const CUdeviceptr block = memory(kBytes);
  begin(origin);
  CHECK_OK(cuMemsetD32Async(block, 1, kCount, origin));
  CHECK_OK(cuEventRecord(forked, origin));
  CHECK_OK(cuStreamWaitEvent(side, forked, 0));
  CHECK_OK(cuMemsetD32Async(block, 2, kCount, side));
  CHECK_OK(cuMemsetD32Async(block, 3, kCount, origin));
  CHECK_OK(cuEventRecord(joined, side));
  CHECK_OK(cuStreamWaitEvent(origin, joined, 0));
  CHECK_OK(cuGraphLaunch(end(origin), origin));
  CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(origin));
  CHECK_FAULT("no event orders them");
}

void memory_freed_under_a_graph() {
  Device device;
  CUstream on = stream();
  CUfunction kernel = function("secateur_fill");
  const CUdeviceptr block = memory(kBytes);
  begin(on);
  CHECK_OK(fill(on, kernel, 1, kCount, block));
  CUgraphExec exec = end(on);
  CHECK_OK(cuGraphLaunch(exec, on));
  CHECK_OK(cuStreamSynchronize(on));
  CHECK_OK(cuMemFree_v2(block));
  CHECK_OK(cuGraphLaunch(exec, on));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(on));
  CHECK_FAULT("freed before the kernel ran");
}

void threads_and_modes() {
  Device device;
  CUstream on = stream();
  CUdeviceptr more = 0;
  CUgraph graph = nullptr;
  const auto elsewhere = [&](auto&& body) {
    std::thread([&] {
      CHECK_OK(cuCtxSetCurrent(device.context));
      body();
    }).join();
  };
  // Another thread may allocate beside a thread's own capture, not beside a global one.
  begin(on, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  elsewhere([&] { CHECK_OK(cuMemAlloc_v2(&more, 64)); });
  CHECK_OK(cuStreamEndCapture(on, &graph));
  begin(on, CU_STREAM_CAPTURE_MODE_GLOBAL);
  elsewhere([&] { CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc_v2(&more, 64)); });
  check_invalidated(on);
  // A relaxed one lets its own thread allocate.
  begin(on, CU_STREAM_CAPTURE_MODE_RELAXED);
  CHECK_OK(cuMemAlloc_v2(&more, 64));
  elsewhere([&] { CHECK_OK(cuStreamEndCapture(on, &graph)); });
  // Others end where they began.
  begin(on, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  elsewhere([&] {
    CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, cuStreamEndCapture(on, &graph));
  });
  // A thread may lift the ban for itself.
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  CHECK_OK(cuThreadExchangeStreamCaptureMode(&mode));
  CHECK(mode == CU_STREAM_CAPTURE_MODE_GLOBAL);
  CHECK_OK(cuMemAlloc_v2(&more, 64));
  CHECK_OK(cuThreadExchangeStreamCaptureMode(&mode));
  CHECK_OK(cuStreamEndCapture(on, &graph));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(on, &graph));
  begin(on);
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_STATE,
               cuStreamBeginCapture_v2(on, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CHECK_OK(cuStreamEndCapture(on, &graph));
}

// A graph launched within a capture becomes a part of it.
void nested() {
  Device device;
  CUstream on = stream();
  const CUdeviceptr block = memory(kBytes);
  begin(on);
  CHECK_OK(cuMemsetD32Async(block, 1, kCount, on));
  CUgraphExec inner = end(on);
  begin(on);
  CHECK_OK(cuMemsetD32Async(block, 0, kCount, on));
  CHECK_OK(cuGraphLaunch(inner, on));
  CHECK_OK(cuMemsetD32Async(block, 2, 1, on));
  CHECK_OK(cuGraphLaunch(end(on), on));
  CHECK_OK(cuStreamSynchronize(on));
  const auto got = download<int>(block, 2);
  CHECK(got[0] == 2 && got[1] == 1);
  CHECK_NO_FAULT();
}

}  // namespace

int main() {
  replay();
  nodes();
  forbidden_calls();
  null_stream_in_capture();
  fork_and_join();
  branches_need_order();
  memory_freed_under_a_graph();
  threads_and_modes();
  nested();
  secateur_sim_restart();
}
