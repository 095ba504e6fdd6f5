// Creating, destroying and setting up cuBLAS handles. Creation allocates the default workspace
// pool, as the real library does, so it must not happen within a capture and can run out of memory.
#include "handle.h"

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <set>

#include "../library/driver_calls.h"

namespace sim::cublas {
namespace {

std::mutex mutex;
// Never destroyed: other threads may still call when the process ends.
std::set<cublasHandle_t>& handles = *new std::set<cublasHandle_t>;

// The documented default pools: two of 4 MiB and eight of 16 KiB; 32 MiB from Hopper on.
size_t default_workspace(int capability) {
  return capability >= 90 ? size_t{32} << 20 : (size_t{8} << 20) + (size_t{128} << 10);
}

}  // namespace

bool is_live(cublasHandle_t handle) {
  std::lock_guard<std::mutex> lock(mutex);
  return handles.count(handle) != 0;
}

cublasStatus_t invalid(const char* function, const char* what) {
  std::fprintf(stderr, " ** %s: %s\n", function, what);
  return CUBLAS_STATUS_INVALID_VALUE;
}

}  // namespace sim::cublas

using namespace sim;
using namespace sim::cublas;

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  if (!handle) return invalid(__func__, "handle is NULL");
  *handle = nullptr;
  if (!make_context_current()) return CUBLAS_STATUS_NOT_INITIALIZED;
  cublas_handle created;
  created.capability = capability();
  created.own_bytes = default_workspace(created.capability);
  created.own_workspace = allocate(created.own_bytes);
  if (!created.own_workspace) return CUBLAS_STATUS_ALLOC_FAILED;
  created.workspace = created.own_workspace;
  created.workspace_bytes = created.own_bytes;
  *handle = new cublas_handle(created);
  std::lock_guard<std::mutex> lock(mutex);
  handles.insert(*handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (handles.erase(handle) == 0) return CUBLAS_STATUS_NOT_INITIALIZED;
  }
  release(handle->own_workspace);  // waits for work in flight, as the real library does
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
  if (!version) return invalid(__func__, "version is NULL");
  *version = 120603;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetProperty(int property, int* value) {
  constexpr int kVersion[] = {12, 6, 3};
  if (property < 0 || property > 2) return invalid(__func__, "unknown property");
  if (!value) return invalid(__func__, "value is NULL");
  *value = kVersion[property];
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->stream = stream;
  handle->workspace = handle->own_workspace;  // documented: back to the default, unconditionally
  handle->workspace_bytes = handle->own_bytes;
  handle->user_workspace = false;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!stream) return invalid(__func__, "stream is NULL");
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0)
    return invalid(__func__, "the workspace is not aligned to 256 bytes");
  if (!workspace && bytes != 0) return invalid(__func__, "the workspace is NULL");
  handle->workspace = workspace;
  handle->workspace_bytes = bytes;
  handle->user_workspace = true;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, int mode) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (mode != CUBLAS_POINTER_MODE_HOST && mode != CUBLAS_POINTER_MODE_DEVICE)
    return invalid(__func__, "unknown pointer mode");
  handle->pointer_mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, int* mode) {
  if (!mode) return invalid(__func__, "mode is NULL");
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  *mode = handle->pointer_mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, int mode) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  const int base = mode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
  if (base < CUBLAS_DEFAULT_MATH || base > CUBLAS_TF32_TENSOR_OP_MATH)
    return invalid(__func__, "unknown math mode");
  handle->math_mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetMathMode(cublasHandle_t handle, int* mode) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!mode) return invalid(__func__, "mode is NULL");
  *mode = handle->math_mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, int mode) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (mode != CUBLAS_ATOMICS_NOT_ALLOWED && mode != CUBLAS_ATOMICS_ALLOWED)
    return invalid(__func__, "unknown atomics mode");
  handle->atomics_mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, int* mode) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!mode) return invalid(__func__, "mode is NULL");
  *mode = handle->atomics_mode;
  return CUBLAS_STATUS_SUCCESS;
}
