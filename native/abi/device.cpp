// Entries that open and close devices, and those of their memory.
#include "abi/device.h"

#include "abi/check.h"
#include "abi/error.h"
#include "abi/open.h"

using namespace secateur;

namespace {

secateur_device* open(const secateur_device_kind& kind, int32_t ordinal) {
  switch (enum_number(kind)) {
    case SECATEUR_CPU:
      return open_cpu_device(ordinal);
    case SECATEUR_CUDA:
      SECATEUR_REQUIRE(ordinal >= 0, "CUDA devices are numbered from 0, not %" PRId32 ".", ordinal);
      return open_cuda_device(ordinal);
    default:
      fail(SECATEUR_INVALID_ARGUMENT, "Unknown kind of device %d; use 0 (CPU) or 1 (CUDA).",
           enum_number(kind));
  }
}

// Two ranges that can be copied one to the other.
void require_ranges(const void* from, const void* to, size_t bytes) {
  require_pointer(from, static_cast<int64_t>(bytes), "source");
  require_pointer(to, static_cast<int64_t>(bytes), "destination");
  const auto source = reinterpret_cast<uintptr_t>(from);
  const auto target = reinterpret_cast<uintptr_t>(to);
  SECATEUR_REQUIRE(bytes <= (source < target ? target - source : source - target) || bytes == 0,
                   "Source and destination of a copy of %zu bytes overlap.", bytes);
}

}  // namespace

int32_t secateur_abi_version(void) { return SECATEUR_ABI_VERSION; }

secateur_status secateur_device_open(secateur_device_kind kind, int32_t ordinal,
                                     secateur_device** device) {
  return guard([&] {
    require_place(device, "the opened device");
    *device = open(kind, ordinal);
  });
}

secateur_status secateur_device_close(secateur_device* device) {
  return guard([&] {
    require_device(device);
    device->require_closable();
    delete device;
  });
}

secateur_status secateur_alloc(secateur_device* device, size_t bytes, void** out) {
  return guard([&] {
    require_device(device);
    require_place(out, "the allocated pointer");
    *out = device->alloc(bytes);
  });
}

secateur_status secateur_free(secateur_device* device, void* pointer) {
  return guard([&] {
    require_device(device);
    if (pointer != nullptr) device->free(pointer);
  });
}

secateur_status secateur_memory(secateur_device* device, int64_t* blocks, int64_t* bytes) {
  return guard([&] {
    require_device(device);
    require_place(blocks, "the number of blocks");
    require_place(bytes, "their bytes");
    device->memory(blocks, bytes);
  });
}

secateur_status secateur_upload(secateur_device* device, void* stream, const void* host, void* dst,
                                size_t bytes) {
  return guard([&] {
    require_device(device, stream);
    require_ranges(host, dst, bytes);
    if (bytes != 0) device->upload(stream, host, dst, bytes);
  });
}

secateur_status secateur_download(secateur_device* device, void* stream, const void* src,
                                  void* host, size_t bytes) {
  return guard([&] {
    require_device(device, stream);
    require_ranges(src, host, bytes);
    if (bytes != 0) device->download(stream, src, host, bytes);
  });
}

secateur_status secateur_copy(secateur_device* device, void* stream, const void* src, void* dst,
                              size_t bytes) {
  return guard([&] {
    require_device(device, stream);
    require_ranges(src, dst, bytes);
    if (bytes != 0) device->copy(stream, src, dst, bytes);
  });
}

secateur_status secateur_zero(secateur_device* device, void* stream, void* dst, size_t bytes) {
  return guard([&] {
    require_device(device, stream);
    require_pointer(dst, static_cast<int64_t>(bytes), "dst");
    if (bytes != 0) device->zero(stream, dst, bytes);
  });
}

secateur_status secateur_fill(secateur_device* device, void* stream, float value, int64_t n,
                              float* dst) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    require_pointer(dst, n, "dst");
    if (n != 0) device->fill(stream, value, n, dst);
  });
}

secateur_status secateur_synchronize(secateur_device* device, void* stream) {
  return guard([&] {
    require_device(device, stream);
    device->synchronize(stream);
  });
}
