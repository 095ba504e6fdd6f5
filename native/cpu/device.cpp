#include "device.h"

#include <sys/mman.h>

#include <cinttypes>
#include <cstdlib>
#include <cstring>

#include "error.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr size_t kAlignment = 128;  // a mask starts on a 128-byte line of its own
constexpr size_t kHugePage = size_t{2} << 20;
constexpr int64_t kCopyGrain = int64_t{1} << 20;  // bytes a chunk of copies and fills

secateur_device* open(secateur_device_kind kind, int32_t ordinal) {
  switch (kind) {
    case SECATEUR_CPU:
      SECATEUR_REQUIRE(ordinal == 0, "The CPU device has ordinal 0 only, not %d.", ordinal);
      return new secateur_device;
    case SECATEUR_CUDA:
      fail(SECATEUR_UNAVAILABLE, "This build of Secateur has no CUDA device; use the CPU device.");
  }
  fail(SECATEUR_INVALID_ARGUMENT, "Unknown kind of device %d; use 0 (CPU) or 1 (CUDA).",
       static_cast<int>(kind));
}

void* allocate(secateur_device* device, size_t bytes) {
  const bool huge = bytes >= kHugePage;
  void* block = nullptr;
  if (posix_memalign(&block, huge ? kHugePage : kAlignment, bytes == 0 ? 1 : bytes) != 0) {
    fail(SECATEUR_OUT_OF_MEMORY, "The CPU device has no memory for a block of %zu bytes.", bytes);
  }
  if (huge) madvise(block, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // advice only
  try {
    const std::lock_guard<std::mutex> lock(device->mutex);
    device->blocks.emplace(block, bytes);
    device->bytes += static_cast<int64_t>(bytes);
  } catch (...) {
    std::free(block);
    throw;
  }
  return block;
}

void release(secateur_device* device, void* pointer) {
  if (pointer == nullptr) return;
  {
    const std::lock_guard<std::mutex> lock(device->mutex);
    const auto block = device->blocks.find(pointer);
    SECATEUR_REQUIRE(block != device->blocks.end(),
                     "Pointer %p is no live allocation of this device (freed twice?).", pointer);
    device->bytes -= static_cast<int64_t>(block->second);
    device->blocks.erase(block);
  }
  std::free(pointer);
}

void copy(const void* from, void* to, size_t bytes) {
  require_pointer(from, static_cast<int64_t>(bytes), "source");
  require_pointer(to, static_cast<int64_t>(bytes), "destination");
  const auto source = reinterpret_cast<uintptr_t>(from);
  const auto target = reinterpret_cast<uintptr_t>(to);
  SECATEUR_REQUIRE(bytes <= (source < target ? target - source : source - target) || bytes == 0,
                   "Source and destination of a copy of %zu bytes overlap.", bytes);
  parallel_ranges(static_cast<int64_t>(bytes), kCopyGrain, [&](int64_t begin, int64_t end) {
    std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin,
                static_cast<size_t>(end - begin));
  });
}

}  // namespace

void require_cpu(const secateur_device* device, const void* stream) {
  SECATEUR_REQUIRE(device != nullptr, "The device is NULL; open one with secateur_device_open.");
  SECATEUR_REQUIRE(stream == nullptr, "The CPU device has no streams; pass NULL.");
}

void require_pointer(const void* pointer, int64_t n, const char* name) {
  SECATEUR_REQUIRE(pointer != nullptr || n == 0, "%s is NULL but has %" PRId64 " elements.", name,
                   n);
}

void require_count(int64_t n, const char* name) {
  SECATEUR_REQUIRE(n >= 0, "%s is %" PRId64 "; a count cannot be negative.", name, n);
}

void require_matrix(int64_t rows, int64_t cols) {
  int64_t elements;
  SECATEUR_REQUIRE(rows >= 0 && cols >= 0 && !__builtin_mul_overflow(rows, cols, &elements),
                   "A matrix of %" PRId64 " rows and %" PRId64 " columns does not exist.", rows,
                   cols);
}

}  // namespace secateur

using secateur::guard;
using secateur::require_cpu;

int32_t secateur_abi_version(void) { return SECATEUR_ABI_VERSION; }

secateur_status secateur_device_open(secateur_device_kind kind, int32_t ordinal,
                                     secateur_device** device) {
  return guard([&] {
    SECATEUR_REQUIRE(device != nullptr, "The place for the opened device is NULL.");
    *device = secateur::open(kind, ordinal);
  });
}

secateur_status secateur_device_close(secateur_device* device) {
  return guard([&] {
    require_cpu(device, nullptr);
    {
      const std::lock_guard<std::mutex> lock(device->mutex);
      SECATEUR_REQUIRE(device->blocks.empty(),
                       "The device still has %zu live allocations; free them before closing it.",
                       device->blocks.size());
    }
    delete device;
  });
}

secateur_status secateur_alloc(secateur_device* device, size_t bytes, void** out) {
  return guard([&] {
    require_cpu(device, nullptr);
    SECATEUR_REQUIRE(out != nullptr, "The place for the allocated pointer is NULL.");
    *out = secateur::allocate(device, bytes);
  });
}

secateur_status secateur_free(secateur_device* device, void* pointer) {
  return guard([&] {
    require_cpu(device, nullptr);
    secateur::release(device, pointer);
  });
}

secateur_status secateur_memory(secateur_device* device, int64_t* blocks, int64_t* bytes) {
  return guard([&] {
    require_cpu(device, nullptr);
    SECATEUR_REQUIRE(blocks != nullptr && bytes != nullptr, "The place for a result is NULL.");
    const std::lock_guard<std::mutex> lock(device->mutex);
    *blocks = static_cast<int64_t>(device->blocks.size());
    *bytes = device->bytes;
  });
}

secateur_status secateur_upload(secateur_device* device, void* stream, const void* host, void* dst,
                                size_t bytes) {
  return guard([&] {
    require_cpu(device, stream);
    secateur::copy(host, dst, bytes);
  });
}

secateur_status secateur_download(secateur_device* device, void* stream, const void* src,
                                  void* host, size_t bytes) {
  return guard([&] {
    require_cpu(device, stream);
    secateur::copy(src, host, bytes);
  });
}

secateur_status secateur_copy(secateur_device* device, void* stream, const void* src, void* dst,
                              size_t bytes) {
  return guard([&] {
    require_cpu(device, stream);
    secateur::copy(src, dst, bytes);
  });
}

secateur_status secateur_zero(secateur_device* device, void* stream, void* dst, size_t bytes) {
  return guard([&] {
    require_cpu(device, stream);
    const auto n = static_cast<int64_t>(bytes);
    secateur::require_pointer(dst, n, "dst");
    secateur::parallel_ranges(n, secateur::kCopyGrain, [&](int64_t begin, int64_t end) {
      std::memset(static_cast<char*>(dst) + begin, 0, static_cast<size_t>(end - begin));
    });
  });
}

secateur_status secateur_fill(secateur_device* device, void* stream, float value, int64_t n,
                              float* dst) {
  return guard([&] {
    require_cpu(device, stream);
    secateur::require_count(n, "n");
    secateur::require_pointer(dst, n, "dst");
    secateur::parallel_ranges(n, secateur::kCopyGrain / 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) dst[i] = value;
    });
  });
}

secateur_status secateur_synchronize(secateur_device* device, void* stream) {
  return guard([&] { require_cpu(device, stream); });
}
