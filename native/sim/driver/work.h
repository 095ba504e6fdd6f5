// A piece of work: what a stream's queue and a captured graph hold. It knows the memory it touches,
// so that whoever runs it can check it, and may run many times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda/driver_api.h"
#include "sim/driver/clock.h"
#include "sim/driver/order.h"
#include "sim/engine.h"

namespace sim {

// Device memory, `count` runs of `bytes` bytes, `pitch` bytes apart.
struct Range {
  std::string what;  // "source", "A"
  uintptr_t address = 0;
  size_t bytes = 0, count = 1, pitch = 0;
  bool read = false, written = false;
};

// Host memory of a copy. Page-locked memory is read or written when the copy runs.
struct HostRange {
  unsigned char* address = nullptr;
  size_t bytes = 0;
  bool written = false;
};

// What running a piece of work found.
struct Outcome {
  secateur::cu::CUresult code = secateur::cu::CUDA_SUCCESS;
  std::string sentence;
};

enum class Type { kKernel, kLibrary, kUpload, kDownload, kCopy, kMemset, kMark, kFree };

struct Work {
  Type type = Type::kMark;
  std::string name;  // "kernel secateur_fill"
  std::vector<Range> ranges;
  HostRange host;
  // Does it; device memory is open and the ranges are checked. May be empty.
  std::function<Outcome(uint64_t seed, AccessLog* log)> run;
};

// A piece of work on its way: one of an item of a queue.
struct Task {
  std::shared_ptr<const Work> work;
  std::vector<size_t> after;  // tasks of the same item that come first
  Clock clock;                // what lies before it
  Touch touch;
  uint64_t checksum = 0;  // of page-locked memory that an upload reads, when it was queued
  bool guarded = false;   // checksum, or poison in a download's target, was made
};

// Checks the task's memory, runs it, and counts it.
Outcome perform(const Task& task, uint64_t seed);

// From when a task is queued until it has run, the host may neither change what an upload reads nor
// use what a download writes. guard remembers the source's checksum, or fills the target with
// poison; check finds what the host did meanwhile, "" if nothing.
void guard_host_memory(Task& task);
std::string check_host_memory(const Task& task);
void release_host_memory(const Task& task);  // the task has run or never will

// The pieces of work that the calls queue.
std::shared_ptr<Work> make_kernel(const KernelInfo& kernel, Dim3 grid, Dim3 block,
                                  std::vector<std::vector<unsigned char>> params);
// staged: the source is pageable and copied now.
std::shared_ptr<Work> make_upload(uintptr_t dst, const void* src, size_t bytes, bool staged);
std::shared_ptr<Work> make_download(void* dst, uintptr_t src, size_t bytes);
std::shared_ptr<Work> make_copy(uintptr_t dst, uintptr_t src, size_t bytes);
// count values of `width` bytes.
std::shared_ptr<Work> make_memset(uintptr_t dst, uint32_t value, size_t width, size_t count);
std::shared_ptr<Work> make_free(uintptr_t address, size_t bytes);
std::shared_ptr<Work> make_mark(const char* name);

}  // namespace sim
