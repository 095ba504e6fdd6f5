#include "sim/driver/work.h"

#include <algorithm>
#include <cstring>

#include "sim/driver/footprint.h"
#include "sim/driver/state.h"
#include "sim/memory.h"

namespace sim {

namespace {

unsigned char* pointer(uintptr_t address) { return reinterpret_cast<unsigned char*>(address); }

std::string hex(uintptr_t address) {
  char text[32];
  snprintf(text, sizeof text, "%p", reinterpret_cast<void*>(address));
  return text;
}

// Calls each(address, bytes) for the runs of a range, those side by side as one; stops at the first
// that is not "".
template <class Each>
std::string for_runs(const Range& range, Each&& each) {
  if (range.bytes == 0 || range.count == 0) return "";
  if (range.count == 1 || range.pitch == range.bytes)
    return each(range.address, range.bytes * range.count);
  for (size_t i = 0; i < range.count; i++)
    if (std::string wrong = each(range.address + i * range.pitch, range.bytes); !wrong.empty())
      return wrong;
  return "";
}

std::string side(const Range& range) { return range.what.empty() ? "" : range.what + ": "; }

// That the range lies in one live allocation, was written where it is read, and is ordered.
Outcome check(const Range& range, const Task& task) {
  const std::string& who = *task.touch.who;
  std::string wrong = for_runs(range, [&](uintptr_t address, size_t bytes) {
    const std::string found = memory::check(pointer(address), bytes);
    return found.empty() ? found : who + ": " + side(range) + found;
  });
  if (!wrong.empty()) return {CUDA_ERROR_ILLEGAL_ADDRESS, wrong};
  // Kernels mark what they write in the checked build only.
  if (range.read && checked()) {
    wrong = for_runs(range, [&](uintptr_t address, size_t bytes) -> std::string {
      if (memory::is_written(pointer(address), bytes)) return "";
      return who + ": " + side(range) + "reads " + std::to_string(bytes) + " bytes at " +
             hex(address) + ", not all of which were ever written";
    });
    if (!wrong.empty()) return {CUDA_ERROR_LAUNCH_FAILED, wrong};
  }
  wrong = for_runs(range, [&](uintptr_t address, size_t bytes) {
    return state().order.note(address, bytes, range.written, task.touch, task.clock);
  });
  if (!wrong.empty()) return {CUDA_ERROR_LAUNCH_FAILED, wrong};
  return {};
}

void count(const Work& work) {
  secateur_sim_counters& counters = state().counters;
  const size_t bytes = work.ranges.empty() ? 0 : work.ranges.back().bytes;
  switch (work.type) {
    case Type::kKernel:
      counters.kernels++;
      break;
    case Type::kLibrary:
      counters.library_calls++;
      break;
    case Type::kUpload:
      counters.uploads++;
      counters.upload_bytes += bytes;
      break;
    case Type::kDownload:
      counters.downloads++;
      counters.download_bytes += bytes;
      break;
    case Type::kCopy:
      counters.copies++;
      counters.copy_bytes += bytes;
      break;
    case Type::kMemset:
      counters.memsets++;
      counters.memset_bytes += bytes;
      break;
    case Type::kMark:
    case Type::kFree:
      break;
  }
}

// Pointers among a kernel's parameters to memory that was freed, "" if none: those of a graph that
// was captured before.
std::string freed_parameter(const std::vector<std::vector<unsigned char>>& params) {
  const auto& freed = state().freed;
  for (size_t i = 0; i < params.size(); i++) {
    for (size_t at = 0; at + sizeof(uintptr_t) <= params[i].size(); at += sizeof(uintptr_t)) {
      uintptr_t value;
      memcpy(&value, params[i].data() + at, sizeof value);
      auto after = freed.upper_bound(value);
      if (after == freed.begin()) continue;
      const auto& [start, bytes] = *std::prev(after);
      if (value - start < bytes)
        return "parameter " + std::to_string(i) + " is " + hex(value) +
               ", in memory that was freed before the kernel ran";
    }
  }
  return "";
}

// The code that a real GPU gives for what the engine found, by the engine's words.
CUresult code_of(const std::string& sentence) {
  const auto has = [&](const char* words) { return sentence.find(words) != std::string::npos; };
  if (has("beyond the end") || has("before the start") || has("in no block") || has("was freed") ||
      has("not an address of device memory"))
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  if (has("aligned")) return CUDA_ERROR_MISALIGNED_ADDRESS;
  if (has("endless spin")) return CUDA_ERROR_LAUNCH_TIMEOUT;
  return CUDA_ERROR_LAUNCH_FAILED;
}

}  // namespace

Outcome perform(const Task& task, uint64_t seed) {
  const Work& work = *task.work;
  for (const Range& range : work.ranges)
    if (Outcome outcome = check(range, task); outcome.code != CUDA_SUCCESS) return outcome;
  if (const std::string wrong = check_host_memory(task); !wrong.empty())
    return {CUDA_ERROR_LAUNCH_FAILED, wrong};

  Footprint footprint;
  const bool watch = work.type == Type::kKernel && checked();
  if (work.run) {
    Outcome outcome = work.run(seed, watch ? &footprint : nullptr);
    if (outcome.code != CUDA_SUCCESS) {
      outcome.sentence = *task.touch.who + ": " + outcome.sentence;
      return outcome;
    }
  }
  if (watch)
    for (const Footprint::Run& run : footprint.runs()) {
      const std::string wrong =
          state().order.note(run.begin, run.end - run.begin, run.written, task.touch, task.clock);
      if (!wrong.empty()) return {CUDA_ERROR_LAUNCH_FAILED, wrong};
    }
  for (const Range& range : work.ranges)
    if (range.written && work.type != Type::kFree && work.type != Type::kMark)
      for_runs(range, [](uintptr_t address, size_t bytes) {
        memory::mark_written(pointer(address), bytes);
        return std::string();
      });
  count(work);
  return {};
}

std::shared_ptr<Work> make_kernel(const KernelInfo& kernel, Dim3 grid, Dim3 block,
                                  std::vector<std::vector<unsigned char>> params) {
  auto work = std::make_shared<Work>();
  work->type = Type::kKernel;
  work->name = std::string("kernel ") + kernel.name;
  work->run = [launch = Launch{&kernel, grid, block, std::move(params)}](
                  uint64_t seed, AccessLog* log) -> Outcome {
    if (const std::string freed = freed_parameter(launch.params); !freed.empty())
      return {CUDA_ERROR_ILLEGAL_ADDRESS, freed};
    Traffic traffic;
    const Fault fault = sim::run(launch, state().limits, seed, &traffic, log);
    if (fault.found()) return {code_of(fault.sentence), fault.sentence};
    state().counters.kernel_bytes_read += traffic.read;
    state().counters.kernel_bytes_written += traffic.written;
    return {};
  };
  return work;
}

std::shared_ptr<Work> make_upload(uintptr_t dst, const void* src, size_t bytes, bool staged) {
  auto work = std::make_shared<Work>();
  work->type = Type::kUpload;
  work->name = "upload";
  work->ranges = {{"target", dst, bytes, 1, 0, false, true}};
  const auto* source = static_cast<const unsigned char*>(src);
  if (staged) {
    work->run = [dst, copy = std::vector<unsigned char>(source, source + bytes)](
                    uint64_t, AccessLog*) -> Outcome {
      memcpy(pointer(dst), copy.data(), copy.size());
      return {};
    };
  } else {
    work->host = {const_cast<unsigned char*>(source), bytes, false};
    work->run = [dst, source, bytes](uint64_t, AccessLog*) -> Outcome {
      memcpy(pointer(dst), source, bytes);
      return {};
    };
  }
  return work;
}

std::shared_ptr<Work> make_download(void* dst, uintptr_t src, size_t bytes) {
  auto work = std::make_shared<Work>();
  work->type = Type::kDownload;
  work->name = "download";
  work->ranges = {{"source", src, bytes, 1, 0, true, false}};
  work->host = {static_cast<unsigned char*>(dst), bytes, true};
  work->run = [dst, src, bytes](uint64_t, AccessLog*) -> Outcome {
    memcpy(dst, pointer(src), bytes);
    return {};
  };
  return work;
}

std::shared_ptr<Work> make_copy(uintptr_t dst, uintptr_t src, size_t bytes) {
  auto work = std::make_shared<Work>();
  work->type = Type::kCopy;
  work->name = "copy";
  work->ranges = {{"source", src, bytes, 1, 0, true, false},
                  {"target", dst, bytes, 1, 0, false, true}};
  work->run = [dst, src, bytes](uint64_t, AccessLog*) -> Outcome {
    memmove(pointer(dst), pointer(src), bytes);
    return {};
  };
  return work;
}

std::shared_ptr<Work> make_memset(uintptr_t dst, uint32_t value, size_t width, size_t count) {
  auto work = std::make_shared<Work>();
  work->type = Type::kMemset;
  work->name = "memset";
  work->ranges = {{"target", dst, width * count, 1, 0, false, true}};
  work->run = [=](uint64_t, AccessLog*) -> Outcome {
    if (width == 1) {
      memset(pointer(dst), static_cast<int>(value), count);
    } else if (width == 2) {
      std::fill_n(reinterpret_cast<uint16_t*>(dst), count, static_cast<uint16_t>(value));
    } else {
      std::fill_n(reinterpret_cast<uint32_t*>(dst), count, value);
    }
    return {};
  };
  return work;
}

std::shared_ptr<Work> make_free(uintptr_t address, size_t bytes) {
  auto work = std::make_shared<Work>();
  work->type = Type::kFree;
  work->name = "cuMemFreeAsync";
  work->ranges = {{"", address, bytes, 1, 0, false, true}};
  work->run = [=](uint64_t, AccessLog*) -> Outcome {
    State& all = state();
    memory::release(pointer(address));
    all.allocations.erase(address);
    all.freed[address] = bytes;
    all.order.forget(address, bytes);
    return {};
  };
  return work;
}

std::shared_ptr<Work> make_mark(const char* name) {
  auto work = std::make_shared<Work>();
  work->name = name;
  return work;
}

}  // namespace sim
