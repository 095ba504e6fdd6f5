// What the products share: the extents of their operands, checks of types and operations, and
// matrices copied into one plain form while the work runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../library/work.h"
#include "descriptors.h"

namespace sim::cusparse {

bool is_operation(int op);

// Types with float sums: all f32, or 16-bit inputs with an output of their type or f32.
bool is_supported(int in_type, int out_type, int compute);

// The extent of every array of a matrix. Offsets and indices, its pattern, are only read.
void touch_pattern(Work* work, const char* name, const sparse_matrix& matrix);
void touch(Work* work, const char* name, const sparse_matrix& matrix, Access values);
void touch(Work* work, const char* name, const dense_matrix& matrix, Access access);

Scalar scalar(const cusparse_handle& handle, const void* pointer);

// A sparse matrix [rows, cols] as CSR from 0, whatever its format.
struct Rows {
  int64_t rows = 0, cols = 0;
  std::vector<int64_t> offsets, columns;
  std::vector<int64_t> places;  // of each value in the matrix's own array
  std::vector<float> values;    // empty when they were not asked for
};

// Copies item `item` of a batch, transposed if wanted. Returns "" or what is wrong with the arrays:
// offsets that do not rise from the base to nnz, indices outside of the matrix.
std::string read(const sparse_matrix& matrix, int64_t item, bool transposed, bool with_values,
                 Rows* rows);

// Copies op(matrix) row by row: [rows, cols] of the result, ld = cols.
std::vector<float> read(const dense_matrix& matrix, int64_t item, bool transposed);

float load(const void* values, int type, int64_t at);
void store(void* values, int type, int64_t at, float value);

// Where element (row, col) of item `item` lies in a dense matrix's array.
inline int64_t place(const dense_matrix& m, int64_t item, int64_t row, int64_t col) {
  return item * m.stride + (m.order == CUSPARSE_ORDER_ROW ? row * m.ld + col : row + col * m.ld);
}

inline cusparseStatus_t status_of(int driver_status) {
  return driver_status == 0 ? CUSPARSE_STATUS_SUCCESS : CUSPARSE_STATUS_EXECUTION_FAILED;
}

// Calls part(first, last) for parts of [0, count), on several threads when `operations` in all are
// worth it.
void parallel(int64_t count, double operations, void (*part)(void*, int64_t, int64_t), void* data);

template <typename Part>
void parallel(int64_t count, double operations, Part part) {
  parallel(
      count, operations,
      [](void* data, int64_t first, int64_t last) { (*static_cast<Part*>(data))(first, last); },
      &part);
}

}  // namespace sim::cusparse
