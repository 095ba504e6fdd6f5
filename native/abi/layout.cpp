// Entries of the compressed layouts, CSR and BSR.
#include <limits>

#include "abi/check.h"

using namespace secateur;

namespace {

// The matrix and its number of elements.
int64_t require_layout(const secateur_matrix* matrix) {
  SECATEUR_REQUIRE(matrix != nullptr, "The matrix is NULL.");
  const int64_t elements = require_matrix(matrix->out, matrix->in);
  const int64_t limit = std::numeric_limits<int32_t>::max();
  SECATEUR_REQUIRE(elements <= limit && matrix->out < limit && matrix->in < limit,
                   "A matrix of %" PRId64 " x %" PRId64
                   " weights is too large for 32-bit offsets; split it.",
                   matrix->out, matrix->in);
  SECATEUR_REQUIRE(
      (matrix->transposed | 1) == 1 && (matrix->by_input | 1) == 1 && (matrix->keep_zeros | 1) == 1,
      "transposed = %" PRId32 ", by_input = %" PRId32 ", keep_zeros = %" PRId32 "; use 0 or 1.",
      matrix->transposed, matrix->by_input, matrix->keep_zeros);
  const int64_t rows = matrix->by_input ? matrix->in : matrix->out;
  const int64_t cols = matrix->by_input ? matrix->out : matrix->in;
  SECATEUR_REQUIRE(matrix->block_rows > 0 && matrix->block_cols > 0 &&
                       rows % matrix->block_rows == 0 && cols % matrix->block_cols == 0,
                   "Blocks of %" PRId32 " x %" PRId32 " do not divide a matrix of %" PRId64
                   " x %" PRId64 "; pad it or use other blocks.",
                   matrix->block_rows, matrix->block_cols, rows, cols);
  return elements;
}

int64_t block_rows(const secateur_matrix& matrix) {
  return (matrix.by_input ? matrix.in : matrix.out) / matrix.block_rows;
}

}  // namespace

secateur_status secateur_compress_offsets(secateur_device* device, void* stream,
                                          const secateur_matrix* matrix, const float* w,
                                          const uint32_t* mask, int32_t* offsets, void* workspace,
                                          size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_layout(matrix);
    require_place(workspace_bytes, "the workspace's size");
    const size_t needed = device->compress_workspace(*matrix);
    if (!require_workspace(needed, workspace, workspace_bytes)) return;
    require_pointer(w, n, "w");
    require_place(offsets, "the offsets");
    if (n != 0) {
      device->compress_offsets(stream, *matrix, w, mask, offsets, workspace);
    } else {
      device->zero(stream, offsets, static_cast<size_t>(block_rows(*matrix) + 1) * sizeof *offsets);
    }
  });
}

// That the columns and values, which an empty pattern has none of, are there is left to the device:
// only it knows the number of blocks.
secateur_status secateur_compress_fill(secateur_device* device, void* stream,
                                       const secateur_matrix* matrix, const float* w,
                                       const uint32_t* mask, const int32_t* offsets,
                                       int32_t columns_given, int32_t* columns, float* values) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_layout(matrix);
    require_pointer(w, n, "w");
    require_pointer(offsets, n, "offsets");
    if (n == 0) return;
    device->compress_fill(stream, *matrix, w, mask, offsets, columns_given != 0, columns, values);
  });
}

secateur_status secateur_compress_scatter(secateur_device* device, void* stream,
                                          const secateur_matrix* matrix, const int32_t* offsets,
                                          const int32_t* columns, const float* values, float* w) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_layout(matrix);
    SECATEUR_REQUIRE(matrix->block_rows == 1 && matrix->block_cols == 1,
                     "Values of %" PRId32 " x %" PRId32
                     " blocks cannot be scattered; only those of 1 x 1.",
                     matrix->block_rows, matrix->block_cols);
    require_pointer(offsets, n, "offsets");
    require_pointer(w, n, "w");
    if (n != 0) device->compress_scatter(stream, *matrix, offsets, columns, values, w);
  });
}
