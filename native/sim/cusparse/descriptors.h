// Handles and descriptors of the cuSPARSE stand-in. Descriptors live on the host and are copied
// into the work that a call queues, so they may change or die before it runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cusparse_api.h"

struct cusparse_handle {
  cudaStream_t stream = nullptr;
  int pointer_mode = CUSPARSE_POINTER_MODE_HOST;
};

// What cusparse..._preprocess left in a buffer: calls with the same matrix and buffer rely on it.
struct active_buffer {
  void* buffer = nullptr;
  uint64_t signature = 0;  // of the arguments that must not change
};

struct sparse_matrix {
  int format = 0;
  int64_t rows = 0, cols = 0, nnz = 0;  // of a BSR matrix: counted in blocks
  void* offsets = nullptr;              // COO: row indices
  void* indices = nullptr;              // columns; CSC: rows
  void* values = nullptr;
  int index_type = 0, base = 0, type = 0;
  int64_t block = 1;               // BSR: rows and columns of a block
  int order = CUSPARSE_ORDER_ROW;  // BSR: of the numbers in a block
  int batch = 1;
  int64_t offset_stride = 0, index_stride = 0, value_stride = 0;
  mutable active_buffer active;
};

struct dense_matrix {
  int64_t rows = 0, cols = 0, ld = 0;
  void* values = nullptr;
  int type = 0, order = 0;
  int batch = 1;
  int64_t stride = 0;
};

struct dense_vector {
  int64_t size = 0;
  void* values = nullptr;
  int type = 0;
};

namespace sim::cusparse {

// Bytes of a number of a cudaDataType, 0 when descriptors do not take the type.
size_t size_of(int type);
size_t index_size(int index_type);  // 0 for an unknown one
bool aligned(const void* pointer, size_t size);

bool is_live(cusparseHandle_t handle);
// Null and destroyed descriptors are not live.
bool is_live(cusparseConstSpMatDescr_t matrix);
bool is_live(cusparseConstDnMatDescr_t matrix);
bool is_live(cusparseConstDnVecDescr_t vector);

// Print what is wrong with a call of a function, as the real library does, and return the status.
cusparseStatus_t invalid(const char* function, const char* what);
cusparseStatus_t unsupported(const char* function, const char* what);

}  // namespace sim::cusparse
