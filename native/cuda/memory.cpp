// Memory of the CUDA device: allocations, which are counted, and copies.
#include <cinttypes>

#include "abi/error.h"
#include "cuda/device.h"

namespace secateur::cuda {
namespace {

CUdeviceptr address(const void* pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }

}  // namespace

void* CudaDevice::alloc(size_t bytes) {
  const ContextGuard current = enter();
  CUdeviceptr block = 0;
  // An empty block has an address of its own too.
  const CUresult result = driver_->cuMemAlloc_v2(&block, bytes == 0 ? 1 : bytes);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) fail_memory(bytes);
  if (result != CUDA_SUCCESS) fail_call(result, "Allocating %zu bytes", bytes);
  void* const pointer = reinterpret_cast<void*>(block);
  try {
    const std::lock_guard<std::mutex> lock(mutex_);
    blocks_.emplace(pointer, bytes);
    bytes_ += static_cast<int64_t>(bytes);
  } catch (...) {
    driver_->cuMemFree_v2(block);
    throw;
  }
  return pointer;
}

void CudaDevice::fail_memory(size_t bytes) {
  size_t available = 0, total = 0;
  driver_->cuMemGetInfo_v2(&available, &total);
  int64_t blocks = 0, used = 0;
  memory(&blocks, &used);
  fail(SECATEUR_OUT_OF_MEMORY,
       "CUDA device %d (%s) has no memory for a block of %zu bytes: %" PRId64
       " bytes are in use here in %" PRId64
       " blocks, and %zu of the GPU's %zu bytes are free; use a smaller model or batch, or end "
       "other programs on the GPU.",
       ordinal_, name_.c_str(), bytes, used, blocks, available, total);
}

void CudaDevice::free(void* pointer) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto block = blocks_.find(pointer);
    SECATEUR_REQUIRE(block != blocks_.end(),
                     "Pointer %p is no live allocation of this device (freed twice?).", pointer);
    bytes_ -= static_cast<int64_t>(block->second);
    blocks_.erase(block);
  }
  // The memory of a lost device went with it, and its loss has been told.
  if (lost_.load(std::memory_order_relaxed)) return;
  const ContextGuard current = enter();
  require(driver_->cuMemFree_v2(address(pointer)), "Freeing memory");
}

void CudaDevice::memory(int64_t* blocks, int64_t* bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  *blocks = static_cast<int64_t>(blocks_.size());
  *bytes = bytes_;
}

bool CudaDevice::pinned(const void* host) const {
  unsigned int type = 0;
  return driver_->cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address(host)) ==
         CUDA_SUCCESS;
}

// Whether the driver has read pageable memory when an asynchronous copy returns depends on driver
// and GPU (it may read it in place), so we wait for the stream. A graph would read it again at each
// replay, long after the call.
void CudaDevice::require_no_capture(void* stream, const char* operation) {
  CUstreamCaptureStatus capture = CU_STREAM_CAPTURE_STATUS_NONE;
  require(driver_->cuStreamIsCapturing(static_cast<CUstream>(stream), &capture), operation);
  SECATEUR_REQUIRE(capture == CU_STREAM_CAPTURE_STATUS_NONE,
                   "%s cannot be captured into a graph with pageable host memory: use pinned "
                   "memory.",
                   operation);
}

void CudaDevice::upload(void* stream, const void* host, void* dst, size_t bytes) {
  if (bytes == 0) return;
  const ContextGuard current = enter();
  const bool enqueued = pinned(host);
  if (!enqueued) require_no_capture(stream, "An upload");
  const CUresult result =
      driver_->cuMemcpyHtoDAsync_v2(address(dst), host, bytes, static_cast<CUstream>(stream));
  if (result != CUDA_SUCCESS) fail_call(result, "Uploading %zu bytes", bytes);
  if (!enqueued) synchronize(stream);
}

void CudaDevice::download(void* stream, const void* src, void* host, size_t bytes) {
  if (bytes == 0) return;
  const ContextGuard current = enter();
  const bool enqueued = pinned(host);
  if (!enqueued) require_no_capture(stream, "A download");
  const CUresult result =
      driver_->cuMemcpyDtoHAsync_v2(host, address(src), bytes, static_cast<CUstream>(stream));
  if (result != CUDA_SUCCESS) fail_call(result, "Downloading %zu bytes", bytes);
  if (!enqueued) synchronize(stream);
}

void CudaDevice::copy(void* stream, const void* src, void* dst, size_t bytes) {
  if (bytes == 0) return;
  const ContextGuard current = enter();
  const CUresult result = driver_->cuMemcpyDtoDAsync_v2(address(dst), address(src), bytes,
                                                        static_cast<CUstream>(stream));
  if (result != CUDA_SUCCESS) fail_call(result, "Copying %zu bytes", bytes);
}

void CudaDevice::zero(void* stream, void* dst, size_t bytes) { set_bytes(stream, dst, 0, bytes); }

void CudaDevice::set_bytes(void* stream, void* dst, uint8_t value, size_t bytes) {
  if (bytes == 0) return;
  const ContextGuard current = enter();
  const CUresult result =
      driver_->cuMemsetD8Async(address(dst), value, bytes, static_cast<CUstream>(stream));
  if (result != CUDA_SUCCESS) fail_call(result, "Setting %zu bytes", bytes);
}

void CudaDevice::synchronize(void* stream) {
  const ContextGuard current = enter();
  require(driver_->cuStreamSynchronize(static_cast<CUstream>(stream)), "Waiting for a stream");
}

}  // namespace secateur::cuda
