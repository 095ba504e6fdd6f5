// Copies and memsets.
//
// What waits is what the documentation says: a blocking download; a blocking upload for the null
// stream's past and until its pageable source is staged, not for the copy itself; an asynchronous
// download into pageable memory. Copies and memsets within the device never wait.
#include "sim/driver/call.h"
#include "sim/driver/capture.h"
#include "sim/driver/host_memory.h"
#include "sim/memory.h"

using namespace sim;

namespace {

// A range that lies in no allocation is refused by the call.
void require_device_memory(CUdeviceptr address, size_t bytes) {
  const std::string wrong = memory::check(reinterpret_cast<const void*>(address), bytes);
  if (!wrong.empty()) {
    char text[64];
    snprintf(text, sizeof text, "%zu bytes at %p: ", bytes, reinterpret_cast<void*>(address));
    refuse(CUDA_ERROR_INVALID_VALUE, text + wrong);
  }
}

bool pageable(const void* host, size_t bytes) {
  switch (host_memory::locked(host, bytes)) {
    case host_memory::Locked::kNone:
      return true;
    case host_memory::Locked::kAll:
      return false;
    case host_memory::Locked::kPart:
      break;
  }
  refuse(CUDA_ERROR_INVALID_VALUE, "the host memory is page-locked in part only");
}

// A captured copy of pageable memory would read it at each replay.
void require_no_capture(Stream& stream) {
  if (!capturing(stream)) return;
  invalidate(*stream.capture);
  refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
         "pageable memory is copied in a capture; use page-locked memory");
}

void upload(CUdeviceptr dst, const void* src, size_t bytes, CUstream handle, bool blocking) {
  if (bytes == 0) return;
  require_value(src != nullptr);
  require_device_memory(dst, bytes);
  const auto stream = require_stream(handle);
  const bool staged = pageable(src, bytes);
  if (blocking) {
    forbid_on(*stream);
    capturing(*stream);
    state().counters.synchronizations++;
    wait_for_stream(stream);
    const auto item = submit(stream, make_upload(dst, src, bytes, staged));
    if (!staged) wait_for(item);
    return;
  }
  if (staged) require_no_capture(*stream);
  submit(stream, make_upload(dst, src, bytes, staged));
}

void download(void* dst, CUdeviceptr src, size_t bytes, CUstream handle, bool blocking) {
  if (bytes == 0) return;
  require_value(dst != nullptr);
  require_device_memory(src, bytes);
  const auto stream = require_stream(handle);
  const bool unlocked = pageable(dst, bytes);
  if (blocking) forbid_on(*stream);
  if (unlocked) require_no_capture(*stream);
  const auto item = submit(stream, make_download(dst, src, bytes));
  if (!item || !(blocking || unlocked)) return;
  state().counters.synchronizations++;
  wait_for(item);
}

void copy(CUdeviceptr dst, CUdeviceptr src, size_t bytes, CUstream handle) {
  if (bytes == 0) return;
  require_device_memory(src, bytes);
  require_device_memory(dst, bytes);
  submit(require_stream(handle), make_copy(dst, src, bytes));
}

// Either side may be host memory.
void copy_any(CUdeviceptr dst, CUdeviceptr src, size_t bytes, CUstream handle, bool blocking) {
  const auto host = [](CUdeviceptr address) { return reinterpret_cast<void*>(address); };
  const bool from = memory::contains(host(src)), to = memory::contains(host(dst));
  if (from && to) return copy(dst, src, bytes, handle);
  if (from) return download(host(dst), src, bytes, handle, blocking);
  if (to) return upload(dst, host(src), bytes, handle, blocking);
  refuse(CUDA_ERROR_INVALID_VALUE, "neither side is device memory");
}

void fill(CUdeviceptr dst, unsigned value, size_t width, size_t count, CUstream handle) {
  if (count == 0) return;
  require_value(dst % width == 0);
  require_device_memory(dst, width * count);
  submit(require_stream(handle), make_memset(dst, value, width, count));
}

}  // namespace

SECATEUR_SIM_EXPORT CUresult cuMemcpy(CUdeviceptr dst, CUdeviceptr src, size_t bytes) {
  return call("cuMemcpy", Needs::kContext,
              [&](State&) { copy_any(dst, src, bytes, nullptr, true); });
}

SECATEUR_SIM_EXPORT CUresult cuMemcpyAsync(CUdeviceptr dst, CUdeviceptr src, size_t bytes,
                                           CUstream stream) {
  return call("cuMemcpyAsync", Needs::kContext,
              [&](State&) { copy_any(dst, src, bytes, stream, false); });
}

SECATEUR_SIM_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr dst, const void* src, size_t bytes) {
  return call("cuMemcpyHtoD", Needs::kContext,
              [&](State&) { upload(dst, src, bytes, nullptr, true); });
}

SECATEUR_SIM_EXPORT CUresult cuMemcpyDtoH_v2(void* dst, CUdeviceptr src, size_t bytes) {
  return call("cuMemcpyDtoH", Needs::kContext,
              [&](State&) { download(dst, src, bytes, nullptr, true); });
}

SECATEUR_SIM_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr dst, CUdeviceptr src, size_t bytes) {
  return call("cuMemcpyDtoD", Needs::kContext, [&](State&) { copy(dst, src, bytes, nullptr); });
}

SECATEUR_SIM_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr dst, const void* src, size_t bytes,
                                                  CUstream stream) {
  return call("cuMemcpyHtoDAsync", Needs::kContext,
              [&](State&) { upload(dst, src, bytes, stream, false); });
}

SECATEUR_SIM_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* dst, CUdeviceptr src, size_t bytes,
                                                  CUstream stream) {
  return call("cuMemcpyDtoHAsync", Needs::kContext,
              [&](State&) { download(dst, src, bytes, stream, false); });
}

SECATEUR_SIM_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr dst, CUdeviceptr src, size_t bytes,
                                                  CUstream stream) {
  return call("cuMemcpyDtoDAsync", Needs::kContext, [&](State&) { copy(dst, src, bytes, stream); });
}

SECATEUR_SIM_EXPORT CUresult cuMemsetD8_v2(CUdeviceptr dst, unsigned char value, size_t count) {
  return call("cuMemsetD8", Needs::kContext, [&](State&) { fill(dst, value, 1, count, nullptr); });
}

SECATEUR_SIM_EXPORT CUresult cuMemsetD16_v2(CUdeviceptr dst, unsigned short value, size_t count) {
  return call("cuMemsetD16", Needs::kContext, [&](State&) { fill(dst, value, 2, count, nullptr); });
}

SECATEUR_SIM_EXPORT CUresult cuMemsetD32_v2(CUdeviceptr dst, unsigned value, size_t count) {
  return call("cuMemsetD32", Needs::kContext, [&](State&) { fill(dst, value, 4, count, nullptr); });
}

SECATEUR_SIM_EXPORT CUresult cuMemsetD8Async(CUdeviceptr dst, unsigned char value, size_t count,
                                             CUstream stream) {
  return call("cuMemsetD8Async", Needs::kContext,
              [&](State&) { fill(dst, value, 1, count, stream); });
}

SECATEUR_SIM_EXPORT CUresult cuMemsetD16Async(CUdeviceptr dst, unsigned short value, size_t count,
                                              CUstream stream) {
  return call("cuMemsetD16Async", Needs::kContext,
              [&](State&) { fill(dst, value, 2, count, stream); });
}

SECATEUR_SIM_EXPORT CUresult cuMemsetD32Async(CUdeviceptr dst, unsigned value, size_t count,
                                              CUstream stream) {
  return call("cuMemsetD32Async", Needs::kContext,
              [&](State&) { fill(dst, value, 4, count, stream); });
}
