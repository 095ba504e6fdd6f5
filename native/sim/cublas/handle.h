// A cuBLAS handle: the settings that products read.
#pragma once

#include <cstddef>

#include "cublas_api.h"

struct cublas_handle {
  cudaStream_t stream = nullptr;
  int pointer_mode = CUBLAS_POINTER_MODE_HOST;
  int math_mode = CUBLAS_DEFAULT_MATH;
  int atomics_mode = CUBLAS_ATOMICS_NOT_ALLOWED;
  int capability = 0;  // 75 for 7.5

  // The workspace that products scribble on: the handle's own, or the user's until the next
  // cublasSetStream.
  void* own_workspace = nullptr;
  size_t own_bytes = 0;
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
  bool user_workspace = false;
};

namespace sim::cublas {

bool is_live(cublasHandle_t handle);

// Prints which argument of which function is wrong, and returns CUBLAS_STATUS_INVALID_VALUE.
cublasStatus_t invalid(const char* function, const char* what);

}  // namespace sim::cublas
