// Streams run late, in order, and beside each other: what programs see that forget to wait.
#include "sim/driver/test/driver_test.h"

using namespace test;

namespace {

constexpr int64_t kCount = 4096;
constexpr size_t kBytes = kCount * sizeof(float);

// The schedule is as late as can be, whatever the environment says.
void late() { secateur_sim_seed(0); }

void read_before_synchronize() {
  Device device;
  late();
  CUstream on = stream();
  CUfunction kernel = function("secateur_fill");
  const CUdeviceptr block = memory(kBytes);
  float* host = pinned<float>(kCount);
  for (int64_t i = 0; i < kCount; i++) host[i] = 1;
  CHECK_OK(fill(on, kernel, 2, kCount, block));
  CHECK_OK(cuMemcpyDtoHAsync_v2(host, block, kBytes, on));
  CHECK(counters().kernels == 0);
  CHECK(host[0] != 2 && host[0] != 1);  // wrong: read too early, neither new nor old
  CHECK_OK(cuStreamSynchronize(on));
  CHECK(host[0] == 2 && host[kCount - 1] == 2);
  CHECK(counters().kernels == 1);
  CHECK_NO_FAULT();
}

void staging_overwritten() {
  for (const bool wait : {true, false}) {
    Device device;
    late();
    CUstream on = stream();
    const CUdeviceptr block = memory(kBytes);
    float* host = pinned<float>(kCount);
    for (int64_t i = 0; i < kCount; i++) host[i] = 1;
    CHECK_OK(cuMemcpyHtoDAsync_v2(block, host, kBytes, on));
    if (wait) CHECK_OK(cuStreamSynchronize(on));
    host[kCount - 1] = 5;
    CHECK_RESULT(wait ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(on));
    if (!wait) CHECK_FAULT("the host changed the source");
  }
}

void target_written_in_flight() {
  Device device;
  late();
  CUstream on = stream();
  const CUdeviceptr block = memory(kBytes);
  float* host = pinned<float>(kCount);
  CHECK_OK(cuMemsetD32Async(block, 0, kCount, on));
  CHECK_OK(cuMemcpyDtoHAsync_v2(host, block, kBytes, on));
  host[7] = 3;
  CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(on));
  CHECK_FAULT("the host wrote into the target");
}

// A buffer through which data goes in a circle on one stream is not the host's doing.
void staging_passed_on() {
  Device device;
  CUstream on = stream();
  const CUdeviceptr from = memory(kBytes), to = memory(kBytes);
  float* host = pinned<float>(kCount);
  for (int round = 1; round < 5; round++) {
    CHECK_OK(cuMemsetD32Async(from, static_cast<unsigned>(round), kCount, on));
    CHECK_OK(cuMemcpyDtoHAsync_v2(host, from, kBytes, on));
    CHECK_OK(cuMemcpyHtoDAsync_v2(to, host, kBytes, on));
  }
  CHECK_OK(cuStreamSynchronize(on));
  CHECK(download<unsigned>(to, kCount) == std::vector<unsigned>(kCount, 4));
  CHECK_NO_FAULT();
}

void pageable_memory() {
  Device device;
  late();
  CUstream on = stream();
  const CUdeviceptr block = memory(kBytes);
  std::vector<unsigned> host(kCount, 1), got(kCount);
  // Staged when called: the source is free at once.
  CHECK_OK(cuMemcpyHtoDAsync_v2(block, host.data(), kBytes, on));
  host.assign(kCount, 2);
  CHECK(counters().synchronizations == 0);
  // A download waits.
  CHECK_OK(cuMemcpyDtoHAsync_v2(got.data(), block, kBytes, on));
  CHECK(got == std::vector<unsigned>(kCount, 1));
  CHECK(counters().synchronizations == 1);
  // The copy behind a blocking upload need not have ended for streams that do not wait for the null
  // stream.
  CHECK_OK(cuMemcpyHtoD_v2(block, host.data(), kBytes));
  CHECK_OK(cuMemcpyDtoHAsync_v2(got.data(), block, kBytes, on));
  CHECK(got == std::vector<unsigned>(kCount, 1));
  CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
  CHECK_FAULT("no event orders them");
}

void missing_event() {
  for (const bool ordered : {true, false}) {
    Device device;
    CUstream first = stream(), second = stream();
    const CUdeviceptr block = memory(kBytes), other = memory(kBytes);
    CHECK_OK(cuMemsetD32Async(block, 1, kCount, first));
    if (ordered) order(second, first);
    CHECK_OK(cuMemcpyDtoDAsync_v2(other, block, kBytes, second));
    CHECK_RESULT(ordered ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
    if (!ordered) CHECK_FAULT("no event orders them");
  }
}

// Kernels' accesses are known in the checked build.
void missing_event_between_kernels() {
  if (!secateur_sim_checked()) return;
  for (const bool ordered : {true, false}) {
    Device device;
    CUstream first = stream(), second = stream();
    CUfunction kernel = function("secateur_fill");
    const CUdeviceptr block = memory(2 * kBytes);
    CHECK_OK(fill(first, kernel, 1, kCount, block));
    if (ordered) order(second, first);
    // Overlaps by one element.
    CHECK_OK(fill(second, kernel, 2, kCount, block + kBytes - sizeof(float)));
    const CUresult result = cuCtxSynchronize();
    CHECK(result == (ordered ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED));
    if (!ordered) {
      CHECK_FAULT("no event orders them");
      continue;
    }
    // Side by side needs no order.
    CHECK_OK(fill(first, kernel, 3, kCount, block));
    CHECK_OK(fill(second, kernel, 4, kCount, block + kBytes));
    CHECK_OK(cuCtxSynchronize());
    CHECK_NO_FAULT();
  }
}

void many_readers_need_no_order() {
  Device device;
  const CUdeviceptr block = memory(kBytes);
  CHECK_OK(cuMemsetD32_v2(block, 5, kCount));
  CHECK_OK(cuCtxSynchronize());
  std::vector<CUstream> streams;
  std::vector<CUdeviceptr> copies;
  for (int i = 0; i < 4; i++) {
    streams.push_back(stream());
    copies.push_back(memory(kBytes));
    CHECK_OK(cuMemcpyDtoDAsync_v2(copies.back(), block, kBytes, streams.back()));
  }
  // A writer must wait for all of them.
  CUstream writer = stream();
  for (CUstream each : streams) order(writer, each);
  CHECK_OK(cuMemsetD32Async(block, 6, kCount, writer));
  CHECK_OK(cuCtxSynchronize());
  for (CUdeviceptr each : copies) CHECK(download<int>(each, kCount) == std::vector<int>(kCount, 5));
  CHECK_NO_FAULT();
  CHECK_OK(cuMemcpyDtoDAsync_v2(copies[0], block, kBytes, streams[0]));
  CHECK_OK(cuMemsetD32Async(block, 7, kCount, writer));
  CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
}

void allocation_is_ordered_too() {
  for (const bool ordered : {true, false}) {
    Device device;
    CUstream first = stream(), second = stream();
    CUdeviceptr block = 0;
    CHECK_OK(cuMemAllocAsync(&block, kBytes, first));
    if (ordered) order(second, first);
    CHECK_OK(cuMemsetD32Async(block, 1, kCount, second));
    CHECK_RESULT(ordered ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
    if (!ordered) CHECK_FAULT("cuMemAllocAsync");
  }
}

void null_stream() {
  Device device;
  late();
  CUstream blocking = stream(CU_STREAM_DEFAULT);
  const CUdeviceptr block = memory(kBytes), other = memory(kBytes);
  // Ordered with blocking streams both ways, without events.
  CHECK_OK(cuMemsetD32Async(block, 1, kCount, blocking));
  CHECK_OK(cuMemcpyDtoDAsync_v2(other, block, kBytes, nullptr));
  CHECK_OK(cuMemsetD32Async(block, 2, kCount, blocking));
  CHECK_OK(cuMemsetD32Async(other, 3, 1, blocking));
  CHECK_OK(cuStreamSynchronize(nullptr));
  const auto got = download<int>(other, 2);
  CHECK(got[0] == 3 && got[1] == 1);
  CHECK_NO_FAULT();
  // But not with others.
  CUstream free = stream(CU_STREAM_NON_BLOCKING);
  CHECK_OK(cuMemsetD32Async(block, 1, kCount, free));
  CHECK_OK(cuMemcpyDtoDAsync_v2(other, block, kBytes, nullptr));
  CHECK_RESULT(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
}

void events() {
  Device device;
  late();
  CUstream on = stream();
  CUevent mark = event();
  const CUdeviceptr block = memory(kBytes);
  // An event that was never recorded has happened.
  CHECK_OK(cuEventQuery(mark));
  CHECK_OK(cuEventSynchronize(mark));
  CHECK_OK(cuStreamWaitEvent(on, mark, 0));
  CHECK_OK(cuMemsetD32Async(block, 1, kCount, on));
  CHECK_OK(cuEventRecord(mark, on));
  CHECK_OK(cuMemsetD32Async(block, 2, kCount, on));
  CHECK_RESULT(CUDA_ERROR_NOT_READY, cuEventQuery(mark));
  int polls = 1;
  while (cuEventQuery(mark) == CUDA_ERROR_NOT_READY) CHECK(++polls < 100);
  CHECK(counters().memsets == 1);  // no more than was asked for
  CHECK_RESULT(CUDA_ERROR_NOT_READY, cuStreamQuery(on));
  CHECK_OK(cuStreamSynchronize(on));
  CHECK_OK(cuStreamQuery(on));
  float time = 0;
  CUevent start = nullptr, end = nullptr;
  CHECK_OK(cuEventCreate(&start, 0));
  CHECK_OK(cuEventCreate(&end, 0));
  CHECK_OK(cuEventRecord(start, on));
  CHECK_OK(cuEventRecord(end, on));
  CHECK_RESULT(CUDA_ERROR_NOT_READY, cuEventElapsedTime(&time, start, end));
  CHECK_OK(cuEventSynchronize(end));
  CHECK_OK(cuEventElapsedTime(&time, start, end));
  CHECK(time >= 0);
  CHECK_NO_FAULT();
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&time, mark, mark));
}

// A stream keeps its order and events theirs under every seed; what is free runs in various orders.
void seeds() {
  std::vector<bool> seen(2);
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Device device;
    secateur_sim_seed(seed);
    CUstream first = stream(), second = stream();
    const CUdeviceptr block = memory(kBytes), other = memory(kBytes);
    for (unsigned i = 0; i < 8; i++) CHECK_OK(cuMemsetD32Async(block, i, kCount, first));
    order(second, first);
    CHECK_OK(cuMemcpyDtoDAsync_v2(other, block, kBytes, second));
    order(first, second);
    CHECK_OK(cuMemsetD32Async(block, 9, kCount, first));
    CHECK_OK(cuStreamSynchronize(second));
    seen[counters().memsets == 9] = true;
    CHECK_OK(cuStreamSynchronize(first));
    CHECK(download<unsigned>(other, kCount) == std::vector<unsigned>(kCount, 7));
    CHECK(download<unsigned>(block, kCount) == std::vector<unsigned>(kCount, 9));
    CHECK_NO_FAULT();
  }
  CHECK(seen[0] && seen[1]);
}

void destroyed_stream_runs_to_its_end() {
  Device device;
  late();
  CUstream on = stream();
  const CUdeviceptr block = memory(kBytes);
  CHECK_OK(cuMemsetD32Async(block, 1, kCount, on));
  CHECK_OK(cuStreamDestroy_v2(on));
  CHECK_OK(cuCtxSynchronize());
  CHECK(counters().memsets == 1);
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(on));
  CHECK_FAULT("destroyed before");
  // A new stream in its place is a stream of its own to the order of accesses.
  for (int i = 0; i < 3; i++) {
    CUstream next = stream();
    CHECK_OK(cuMemsetD32Async(block, 2, kCount, next));
    CHECK_OK(cuStreamSynchronize(next));
    CHECK_OK(cuStreamDestroy_v2(next));
  }
}

void long_queue() {
  Device device;
  late();
  CUstream on = stream();
  const CUdeviceptr block = memory(64);
  for (unsigned i = 0; i < 5000; i++) CHECK_OK(cuMemsetD32Async(block, i, 16, on));
  CHECK(counters().memsets > 3000 && counters().memsets < 5000);  // a queue has an end
  CHECK_OK(cuStreamSynchronize(on));
  CHECK(download<unsigned>(block, 1)[0] == 4999);
}

}  // namespace

int main() {
  const char* given = getenv("SECATEUR_SIM_SEED");
  const uint64_t seed = given ? strtoull(given, nullptr, 10) : 0;
  for (auto* each :
       {read_before_synchronize, staging_overwritten, target_written_in_flight, staging_passed_on,
        pageable_memory, missing_event, missing_event_between_kernels, many_readers_need_no_order,
        allocation_is_ordered_too, null_stream, events, seeds, destroyed_stream_runs_to_its_end,
        long_queue}) {
    secateur_sim_seed(seed);
    each();
  }
  secateur_sim_restart();
}
