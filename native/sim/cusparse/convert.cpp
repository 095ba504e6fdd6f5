// Dense to sparse and back. A number is a nonzero when it compares unequal to 0, so NaN is one and
// -0 is not. The analysis counts into the buffer and, once it has waited for the stream as the real
// one does, into the descriptor; convert fills offsets, indices and values.
#include <memory>
#include <vector>

#include "../library/driver_calls.h"
#include "operands.h"

namespace sim::cusparse {
namespace {

constexpr int kAlgorithm = 0;  // the default is the only one
constexpr size_t kAlignment = 128;

cusparseStatus_t check(const char* function, cusparseHandle_t handle, const dense_matrix* dense,
                       const sparse_matrix* sparse, int algorithm) {
  if (!is_live(handle)) return invalid(function, "no such handle");
  if (!is_live(dense) || !is_live(sparse))
    return invalid(function, "a matrix is NULL or was destroyed");
  if (algorithm != kAlgorithm) return invalid(function, "unknown algorithm");
  if (dense->rows != sparse->rows || dense->cols != sparse->cols)
    return invalid(function, "matrices of different shapes");
  if (dense->type != sparse->type) return invalid(function, "matrices of different types");
  if (sparse->format == CUSPARSE_FORMAT_BSR) return unsupported(function, "BSR");
  if (sparse->index_type == CUSPARSE_INDEX_16U) return unsupported(function, "16-bit indices");
  if (!is_supported(dense->type, sparse->type, CUDA_R_32F))
    return unsupported(function, "this type");
  if (dense->batch != 1 || sparse->batch != 1) return unsupported(function, "batches");
  return CUSPARSE_STATUS_SUCCESS;
}

// A count for each line: row, or column of a CSC matrix.
int64_t lines_of(const sparse_matrix& m) {
  return m.format == CUSPARSE_FORMAT_CSC ? m.cols : m.rows;
}

size_t buffer_size(const sparse_matrix& m) {
  return 256 + (static_cast<size_t>(lines_of(m)) * sizeof(int64_t) + 255) / 256 * 256;
}

// Calls visit(line, index, value) for each nonzero in the order of the sparse matrix's arrays.
template <typename Visit>
void visit_nonzeros(const dense_matrix& dense, const sparse_matrix& sparse, Visit visit) {
  const bool by_column = sparse.format == CUSPARSE_FORMAT_CSC;
  const int64_t lines = lines_of(sparse), length = by_column ? sparse.rows : sparse.cols;
  for (int64_t line = 0; line < lines; line++)
    for (int64_t i = 0; i < length; i++) {
      const int64_t row = by_column ? i : line, col = by_column ? line : i;
      const float value = load(dense.values, dense.type, place(dense, 0, row, col));
      if (value != 0) visit(line, i, value);
    }
}

void store_index(void* array, int type, int64_t at, int64_t index) {
  if (type == CUSPARSE_INDEX_64I)
    static_cast<int64_t*>(array)[at] = index;
  else
    static_cast<int32_t*>(array)[at] = static_cast<int32_t>(index);
}

std::string fill(const dense_matrix& dense, const sparse_matrix& sparse, const int64_t* counts) {
  std::vector<int64_t> found(lines_of(sparse), 0);
  int64_t nonzeros = 0;
  visit_nonzeros(dense, sparse, [&](int64_t line, int64_t, float) { found[line]++, nonzeros++; });
  for (int64_t line = 0; line < lines_of(sparse); line++)
    if (found[line] != counts[line])
      return "line " + std::to_string(line) +
             " of the dense matrix, or the buffer, changed since "
             "the analysis";
  if (nonzeros != sparse.nnz) return "the analysis of this matrix did not run";

  int64_t at = 0;
  visit_nonzeros(dense, sparse, [&](int64_t line, int64_t index, float value) {
    if (sparse.format == CUSPARSE_FORMAT_COO)
      store_index(sparse.offsets, sparse.index_type, at, line + sparse.base);
    store_index(sparse.indices, sparse.index_type, at, index + sparse.base);
    store(sparse.values, sparse.type, at++, value);
  });
  if (sparse.format == CUSPARSE_FORMAT_COO) return "";
  int64_t offset = sparse.base;
  for (int64_t line = 0; line <= lines_of(sparse); line++) {
    store_index(sparse.offsets, sparse.index_type, line, offset);
    if (line < lines_of(sparse)) offset += counts[line];
  }
  return "";
}

}  // namespace
}  // namespace sim::cusparse

using namespace sim;
using namespace sim::cusparse;

cusparseStatus_t cusparseDenseToSparse_bufferSize(cusparseHandle_t handle,
                                                  cusparseConstDnMatDescr_t a,
                                                  cusparseSpMatDescr_t b, int algorithm,
                                                  size_t* bytes) {
  if (const cusparseStatus_t status = check(__func__, handle, a, b, algorithm)) return status;
  if (!bytes) return invalid(__func__, "bytes is NULL");
  *bytes = buffer_size(*b);
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseDenseToSparse_analysis(cusparseHandle_t handle,
                                                cusparseConstDnMatDescr_t a, cusparseSpMatDescr_t b,
                                                int algorithm, void* buffer) {
  if (const cusparseStatus_t status = check(__func__, handle, a, b, algorithm)) return status;
  if (!buffer) return invalid(__func__, "the external buffer is NULL");
  const dense_matrix dense = *a;
  const sparse_matrix sparse = *b;
  if (is_capturing(handle->stream)) {
    record_fault(std::string(__func__) +
                 ": waits for its stream, which is not allowed in a capture");
    return CUSPARSE_STATUS_EXECUTION_FAILED;
  }
  const auto nonzeros = std::make_shared<int64_t>(0);
  Work work(__func__);
  touch(&work, "A", dense, Access::kRead);
  work.touch("external buffer", buffer, kAlignment, buffer_size(sparse), Access::kWrite);
  const int status = work.submit(handle->stream, [dense, sparse, buffer, nonzeros] {
    scribble(buffer, buffer_size(sparse));
    int64_t* counts = static_cast<int64_t*>(buffer);
    for (int64_t line = 0; line < lines_of(sparse); line++) counts[line] = 0;
    visit_nonzeros(dense, sparse,
                   [&](int64_t line, int64_t, float) { counts[line]++, ++*nonzeros; });
    return std::string();
  });
  if (status != 0 || !synchronize(handle->stream)) return CUSPARSE_STATUS_EXECUTION_FAILED;
  b->nnz = *nonzeros;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseDenseToSparse_convert(cusparseHandle_t handle, cusparseConstDnMatDescr_t a,
                                               cusparseSpMatDescr_t b, int algorithm,
                                               void* buffer) {
  if (const cusparseStatus_t status = check(__func__, handle, a, b, algorithm)) return status;
  if (!buffer) return invalid(__func__, "the external buffer is NULL");
  const dense_matrix dense = *a;
  const sparse_matrix sparse = *b;
  const size_t index = index_size(sparse.index_type);
  const bool coo = sparse.format == CUSPARSE_FORMAT_COO;
  Work work(__func__);
  touch(&work, "A", dense, Access::kRead);
  work.touch("external buffer", buffer, kAlignment, buffer_size(sparse), Access::kRead);
  work.touch(coo ? "B.rows" : "B.offsets", sparse.offsets, index,
             index * (coo ? sparse.nnz : lines_of(sparse) + 1), Access::kWrite);
  work.touch("B.indices", sparse.indices, index, index * sparse.nnz, Access::kWrite);
  work.touch("B.values", sparse.values, size_of(sparse.type), size_of(sparse.type) * sparse.nnz,
             Access::kWrite);
  return status_of(work.submit(
      handle->stream, [=] { return fill(dense, sparse, static_cast<const int64_t*>(buffer)); }));
}

cusparseStatus_t cusparseSparseToDense_bufferSize(cusparseHandle_t handle,
                                                  cusparseConstSpMatDescr_t a,
                                                  cusparseDnMatDescr_t b, int algorithm,
                                                  size_t* bytes) {
  if (const cusparseStatus_t status = check(__func__, handle, b, a, algorithm)) return status;
  if (!bytes) return invalid(__func__, "bytes is NULL");
  *bytes = buffer_size(*a);
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSparseToDense(cusparseHandle_t handle, cusparseConstSpMatDescr_t a,
                                       cusparseDnMatDescr_t b, int algorithm, void* buffer) {
  if (const cusparseStatus_t status = check(__func__, handle, b, a, algorithm)) return status;
  if (!buffer) return invalid(__func__, "the external buffer is NULL");
  const sparse_matrix sparse = *a;
  const dense_matrix dense = *b;
  Work work(__func__);
  work.touch("external buffer", buffer, kAlignment, buffer_size(sparse), Access::kWrite);
  touch(&work, "A", sparse, Access::kRead);
  touch(&work, "B", dense, Access::kWrite);
  return status_of(work.submit(handle->stream, [=]() -> std::string {
    scribble(buffer, buffer_size(sparse));
    Rows rows;
    const std::string wrong = read(sparse, 0, false, true, &rows);
    if (!wrong.empty()) return "A: " + wrong;
    for (int64_t i = 0; i < dense.rows; i++)
      for (int64_t j = 0; j < dense.cols; j++)
        store(dense.values, dense.type, place(dense, 0, i, j), 0);
    for (int64_t i = 0; i < rows.rows; i++)
      for (int64_t p = rows.offsets[i]; p < rows.offsets[i + 1]; p++)
        store(dense.values, dense.type, place(dense, 0, i, rows.columns[p]), rows.values[p]);
    return "";
  }));
}
