#include "device.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "abi/error.h"
#include "abi/open.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr size_t kAlignment = 128;  // a mask starts on a 128-byte line of its own
constexpr size_t kHugePage = size_t{2} << 20;
constexpr int64_t kCopyGrain = int64_t{1} << 20;  // bytes a chunk of copies and fills

}  // namespace

secateur_device* open_cpu_device(int32_t ordinal) {
  SECATEUR_REQUIRE(ordinal == 0, "The CPU device has ordinal 0 only, not %d.", ordinal);
  return new CpuDevice;
}

secateur_device_kind CpuDevice::kind() const { return SECATEUR_CPU; }

void CpuDevice::require_stream(const void* stream) const {
  SECATEUR_REQUIRE(stream == nullptr, "The CPU device has no streams; pass NULL.");
}

void CpuDevice::require_closable() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  SECATEUR_REQUIRE(blocks_.empty(),
                   "The device still has %zu live allocations; free them before closing it.",
                   blocks_.size());
}

void* CpuDevice::alloc(size_t bytes) {
  const bool huge = bytes >= kHugePage;
  void* block = nullptr;
  if (posix_memalign(&block, huge ? kHugePage : kAlignment, bytes == 0 ? 1 : bytes) != 0) {
    fail(SECATEUR_OUT_OF_MEMORY, "The CPU device has no memory for a block of %zu bytes.", bytes);
  }
  if (huge) madvise(block, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // advice only
  try {
    const std::lock_guard<std::mutex> lock(mutex_);
    blocks_.emplace(block, bytes);
    bytes_ += static_cast<int64_t>(bytes);
  } catch (...) {
    std::free(block);
    throw;
  }
  return block;
}

void CpuDevice::free(void* pointer) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto block = blocks_.find(pointer);
    SECATEUR_REQUIRE(block != blocks_.end(),
                     "Pointer %p is no live allocation of this device (freed twice?).", pointer);
    bytes_ -= static_cast<int64_t>(block->second);
    blocks_.erase(block);
  }
  std::free(pointer);
}

void CpuDevice::memory(int64_t* blocks, int64_t* bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  *blocks = static_cast<int64_t>(blocks_.size());
  *bytes = bytes_;
}

void CpuDevice::upload(void* stream, const void* host, void* dst, size_t bytes) {
  copy(stream, host, dst, bytes);
}

void CpuDevice::download(void* stream, const void* src, void* host, size_t bytes) {
  copy(stream, src, host, bytes);
}

void CpuDevice::copy(void*, const void* src, void* dst, size_t bytes) {
  parallel_ranges(static_cast<int64_t>(bytes), kCopyGrain, [&](int64_t begin, int64_t end) {
    std::memcpy(static_cast<char*>(dst) + begin, static_cast<const char*>(src) + begin,
                static_cast<size_t>(end - begin));
  });
}

void CpuDevice::zero(void*, void* dst, size_t bytes) {
  parallel_ranges(static_cast<int64_t>(bytes), kCopyGrain, [&](int64_t begin, int64_t end) {
    std::memset(static_cast<char*>(dst) + begin, 0, static_cast<size_t>(end - begin));
  });
}

void CpuDevice::fill(void*, float value, int64_t n, float* dst) {
  parallel_ranges(n, kCopyGrain / 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) dst[i] = value;
  });
}

void CpuDevice::synchronize(void*) {}

}  // namespace secateur
