// The cuSPARSE library and its handles, and what their statuses mean.
#include <cstdio>

#include "../library/driver_calls.h"
#include "descriptors.h"
#include "live.h"

namespace sim::cusparse {

namespace {
Live<cusparse_handle>& handles = *new Live<cusparse_handle>;
}

bool is_live(cusparseHandle_t handle) { return handles.has(handle); }

cusparseStatus_t invalid(const char* function, const char* what) {
  std::fprintf(stderr, " ** %s: %s\n", function, what);
  return CUSPARSE_STATUS_INVALID_VALUE;
}

cusparseStatus_t unsupported(const char* function, const char* what) {
  std::fprintf(stderr, " ** %s: %s\n", function, what);
  return CUSPARSE_STATUS_NOT_SUPPORTED;
}

}  // namespace sim::cusparse

using namespace sim;
using namespace sim::cusparse;

cusparseStatus_t cusparseCreate(cusparseHandle_t* handle) {
  if (!handle) return invalid(__func__, "handle is NULL");
  *handle = nullptr;
  if (!make_context_current()) return CUSPARSE_STATUS_NOT_INITIALIZED;
  *handle = handles.add({});
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseDestroy(cusparseHandle_t handle) {
  if (!handle || handles.remove(handle)) return CUSPARSE_STATUS_SUCCESS;
  return invalid(__func__, "no such handle");
}

cusparseStatus_t cusparseGetVersion(cusparseHandle_t handle, int* version) {
  if (!is_live(handle)) return invalid(__func__, "no such handle");
  if (!version) return invalid(__func__, "version is NULL");
  *version = 12504;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseGetProperty(int property, int* value) {
  constexpr int kVersion[] = {12, 5, 4};  // of the library in CUDA 12.6
  if (property < 0 || property > 2) return invalid(__func__, "unknown property");
  if (!value) return invalid(__func__, "value is NULL");
  *value = kVersion[property];
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSetStream(cusparseHandle_t handle, cudaStream_t stream) {
  if (!is_live(handle)) return invalid(__func__, "no such handle");
  handle->stream = stream;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseGetStream(cusparseHandle_t handle, cudaStream_t* stream) {
  if (!is_live(handle)) return invalid(__func__, "no such handle");
  if (!stream) return invalid(__func__, "stream is NULL");
  *stream = handle->stream;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSetPointerMode(cusparseHandle_t handle, int mode) {
  if (!is_live(handle)) return invalid(__func__, "no such handle");
  if (mode != CUSPARSE_POINTER_MODE_HOST && mode != CUSPARSE_POINTER_MODE_DEVICE)
    return invalid(__func__, "unknown pointer mode");
  handle->pointer_mode = mode;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseGetPointerMode(cusparseHandle_t handle, int* mode) {
  if (!is_live(handle)) return invalid(__func__, "no such handle");
  if (!mode) return invalid(__func__, "mode is NULL");
  *mode = handle->pointer_mode;
  return CUSPARSE_STATUS_SUCCESS;
}

namespace {

struct Text {
  const char *name, *description;
};

Text text(cusparseStatus_t status) {
  switch (status) {
    case CUSPARSE_STATUS_SUCCESS:
      return {"CUSPARSE_STATUS_SUCCESS", "success"};
    case CUSPARSE_STATUS_NOT_INITIALIZED:
      return {"CUSPARSE_STATUS_NOT_INITIALIZED", "initialization error"};
    case CUSPARSE_STATUS_ALLOC_FAILED:
      return {"CUSPARSE_STATUS_ALLOC_FAILED", "out of memory"};
    case CUSPARSE_STATUS_INVALID_VALUE:
      return {"CUSPARSE_STATUS_INVALID_VALUE", "invalid value"};
    case CUSPARSE_STATUS_ARCH_MISMATCH:
      return {"CUSPARSE_STATUS_ARCH_MISMATCH", "architecture mismatch"};
    case CUSPARSE_STATUS_MAPPING_ERROR:
      return {"CUSPARSE_STATUS_MAPPING_ERROR", "texture memory mapping error"};
    case CUSPARSE_STATUS_EXECUTION_FAILED:
      return {"CUSPARSE_STATUS_EXECUTION_FAILED", "kernel launch failure"};
    case CUSPARSE_STATUS_INTERNAL_ERROR:
      return {"CUSPARSE_STATUS_INTERNAL_ERROR", "internal error"};
    case CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED:
      return {"CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED", "matrix type not supported"};
    case CUSPARSE_STATUS_ZERO_PIVOT:
      return {"CUSPARSE_STATUS_ZERO_PIVOT", "zero pivot"};
    case CUSPARSE_STATUS_NOT_SUPPORTED:
      return {"CUSPARSE_STATUS_NOT_SUPPORTED", "operation not supported"};
    case CUSPARSE_STATUS_INSUFFICIENT_RESOURCES:
      return {"CUSPARSE_STATUS_INSUFFICIENT_RESOURCES", "insufficient resources"};
    default:
      return {"unrecognized error code", "unrecognized error code"};
  }
}

}  // namespace

const char* cusparseGetErrorName(cusparseStatus_t status) { return text(status).name; }

const char* cusparseGetErrorString(cusparseStatus_t status) { return text(status).description; }
