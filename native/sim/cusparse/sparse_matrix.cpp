// Descriptors of sparse matrices. What they accept was recorded from the real library:
// statuses.txt. Null arrays are fine, unaligned ones are not; sizes must fit the index type.
#include <cstdint>

#include "descriptors.h"
#include "live.h"

namespace sim::cusparse {

namespace {
Live<sparse_matrix>& matrices = *new Live<sparse_matrix>;
}

size_t size_of(int type) {
  switch (type) {
    case CUDA_R_8I:
      return 1;
    case CUDA_R_16F:
    case CUDA_R_16BF:
      return 2;
    case CUDA_R_32F:
    case CUDA_R_32I:
    case CUDA_C_16F:
    case CUDA_C_16BF:
      return 4;
    case CUDA_R_64F:
    case CUDA_C_32F:
      return 8;
    case CUDA_C_64F:
      return 16;
    default:
      return 0;
  }
}

size_t index_size(int index_type) {
  switch (index_type) {
    case CUSPARSE_INDEX_16U:
      return 2;
    case CUSPARSE_INDEX_32I:
      return 4;
    case CUSPARSE_INDEX_64I:
      return 8;
    default:
      return 0;
  }
}

bool aligned(const void* pointer, size_t size) {
  return reinterpret_cast<uintptr_t>(pointer) % size == 0;
}

bool is_live(cusparseConstSpMatDescr_t matrix) { return matrices.has(matrix); }

namespace {

cusparseStatus_t check_pointers(const char* function, const sparse_matrix& m) {
  const size_t index = index_size(m.index_type);
  if (!aligned(m.offsets, index)) return invalid(function, "unaligned offsets or row indices");
  if (!aligned(m.indices, index)) return invalid(function, "unaligned indices");
  if (!aligned(m.values, size_of(m.type))) return invalid(function, "unaligned values");
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t check(const char* function, const sparse_matrix& m) {
  int64_t size;
  if (m.rows < 0 || m.cols < 0 || m.nnz < 0) return invalid(function, "negative size");
  if (index_size(m.index_type) == 0) return invalid(function, "unknown index type");
  if (m.base != CUSPARSE_INDEX_BASE_ZERO && m.base != CUSPARSE_INDEX_BASE_ONE)
    return invalid(function, "unknown index base");
  if (size_of(m.type) == 0) return invalid(function, "unknown type of values");
  if (__builtin_mul_overflow(m.rows, m.cols, &size))
    return invalid(function, "rows x cols is more than 63 bits");
  if (m.nnz > size) return invalid(function, "more nonzeros than rows x cols");
  // COO has no offsets that would count its nonzeros.
  const int64_t counted = m.format == CUSPARSE_FORMAT_COO ? 0 : m.nnz;
  if (m.index_type == CUSPARSE_INDEX_32I &&
      (m.rows + m.base > INT32_MAX || m.cols + m.base > INT32_MAX || counted + m.base > INT32_MAX))
    return invalid(function, "sizes do not fit 32-bit indices");
  return check_pointers(function, m);
}

template <typename Descriptor>
cusparseStatus_t create(const char* function, Descriptor* out, const sparse_matrix& matrix,
                        int second_index_type) {
  if (!out) return invalid(function, "the descriptor is NULL");
  if (index_size(second_index_type) == 0) return invalid(function, "unknown index type");
  if (const cusparseStatus_t status = check(function, matrix)) return status;
  if (second_index_type != matrix.index_type)
    return unsupported(function, "offsets and indices of different widths");
  *out = matrices.add(matrix);
  return CUSPARSE_STATUS_SUCCESS;
}

sparse_matrix matrix_of(int format, int64_t rows, int64_t cols, int64_t nnz, const void* offsets,
                        const void* indices, const void* values, int index_type, int base,
                        int type) {
  sparse_matrix m;
  m.format = format;
  m.rows = rows, m.cols = cols, m.nnz = nnz;
  m.offsets = const_cast<void*>(offsets);
  m.indices = const_cast<void*>(indices);
  m.values = const_cast<void*>(values);
  m.index_type = index_type, m.base = base, m.type = type;
  return m;
}

template <typename Descriptor>
cusparseStatus_t create_bsr(const char* function, Descriptor* out, int64_t block_rows,
                            int64_t block_cols, int64_t blocks, int64_t rows_per_block,
                            int64_t cols_per_block, const void* offsets, const void* columns,
                            const void* values, int offset_type, int column_type, int base,
                            int type, int order) {
  if (rows_per_block <= 0 || cols_per_block <= 0) return invalid(function, "empty blocks");
  if (rows_per_block != cols_per_block) return invalid(function, "blocks are not square");
  if (order != CUSPARSE_ORDER_COL && order != CUSPARSE_ORDER_ROW)
    return invalid(function, "unknown order");
  sparse_matrix m = matrix_of(CUSPARSE_FORMAT_BSR, block_rows, block_cols, blocks, offsets, columns,
                              values, offset_type, base, type);
  m.block = rows_per_block;
  m.order = order;
  return create(function, out, m, column_type);
}

// True when the matrix is live and of the format and no output is missing.
template <typename... Outputs>
bool may_get(const sparse_matrix* matrix, int format, Outputs*... outputs) {
  return is_live(matrix) && matrix->format == format && (... && (outputs != nullptr));
}

template <typename Pointer>
cusparseStatus_t get(const char* function, const sparse_matrix* m, int format, int64_t* rows,
                     int64_t* cols, int64_t* nnz, Pointer* offsets, Pointer* indices,
                     Pointer* values, int* offset_type, int* index_type, int* base, int* type) {
  if (!may_get(m, format, rows, cols, nnz, offsets, indices, values, offset_type, index_type, base,
               type))
    return invalid(function, "no such matrix of this format, or an output is NULL");
  *rows = m->rows, *cols = m->cols, *nnz = m->nnz;
  *offsets = m->offsets, *indices = m->indices, *values = m->values;
  *offset_type = *index_type = m->index_type;
  *base = m->base, *type = m->type;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t set_pointers(const char* function, sparse_matrix* matrix, int format,
                              void* offsets, void* indices, void* values) {
  if (!is_live(matrix) || matrix->format != format)
    return invalid(function, "no such matrix of this format");
  sparse_matrix changed = *matrix;
  changed.offsets = offsets, changed.indices = indices, changed.values = values;
  if (const cusparseStatus_t status = check_pointers(function, changed)) return status;
  *matrix = changed;
  return CUSPARSE_STATUS_SUCCESS;
}

}  // namespace
}  // namespace sim::cusparse

using namespace sim::cusparse;

cusparseStatus_t cusparseCreateCsr(cusparseSpMatDescr_t* matrix, int64_t rows, int64_t cols,
                                   int64_t nnz, void* offsets, void* columns, void* values,
                                   int offset_type, int column_type, int base, int type) {
  return create(__func__, matrix,
                matrix_of(CUSPARSE_FORMAT_CSR, rows, cols, nnz, offsets, columns, values,
                          offset_type, base, type),
                column_type);
}

cusparseStatus_t cusparseCreateConstCsr(cusparseConstSpMatDescr_t* matrix, int64_t rows,
                                        int64_t cols, int64_t nnz, const void* offsets,
                                        const void* columns, const void* values, int offset_type,
                                        int column_type, int base, int type) {
  return create(__func__, matrix,
                matrix_of(CUSPARSE_FORMAT_CSR, rows, cols, nnz, offsets, columns, values,
                          offset_type, base, type),
                column_type);
}

cusparseStatus_t cusparseCreateCsc(cusparseSpMatDescr_t* matrix, int64_t rows, int64_t cols,
                                   int64_t nnz, void* offsets, void* row_indices, void* values,
                                   int offset_type, int row_type, int base, int type) {
  return create(__func__, matrix,
                matrix_of(CUSPARSE_FORMAT_CSC, rows, cols, nnz, offsets, row_indices, values,
                          offset_type, base, type),
                row_type);
}

cusparseStatus_t cusparseCreateConstCsc(cusparseConstSpMatDescr_t* matrix, int64_t rows,
                                        int64_t cols, int64_t nnz, const void* offsets,
                                        const void* row_indices, const void* values,
                                        int offset_type, int row_type, int base, int type) {
  return create(__func__, matrix,
                matrix_of(CUSPARSE_FORMAT_CSC, rows, cols, nnz, offsets, row_indices, values,
                          offset_type, base, type),
                row_type);
}

cusparseStatus_t cusparseCreateCoo(cusparseSpMatDescr_t* matrix, int64_t rows, int64_t cols,
                                   int64_t nnz, void* row_indices, void* columns, void* values,
                                   int index_type, int base, int type) {
  return create(__func__, matrix,
                matrix_of(CUSPARSE_FORMAT_COO, rows, cols, nnz, row_indices, columns, values,
                          index_type, base, type),
                index_type);
}

cusparseStatus_t cusparseCreateConstCoo(cusparseConstSpMatDescr_t* matrix, int64_t rows,
                                        int64_t cols, int64_t nnz, const void* row_indices,
                                        const void* columns, const void* values, int index_type,
                                        int base, int type) {
  return create(__func__, matrix,
                matrix_of(CUSPARSE_FORMAT_COO, rows, cols, nnz, row_indices, columns, values,
                          index_type, base, type),
                index_type);
}

cusparseStatus_t cusparseCreateBsr(cusparseSpMatDescr_t* matrix, int64_t block_rows,
                                   int64_t block_cols, int64_t blocks, int64_t rows_per_block,
                                   int64_t cols_per_block, void* offsets, void* columns,
                                   void* values, int offset_type, int column_type, int base,
                                   int type, int order) {
  return create_bsr(__func__, matrix, block_rows, block_cols, blocks, rows_per_block,
                    cols_per_block, offsets, columns, values, offset_type, column_type, base, type,
                    order);
}

cusparseStatus_t cusparseCreateConstBsr(cusparseConstSpMatDescr_t* matrix, int64_t block_rows,
                                        int64_t block_cols, int64_t blocks, int64_t rows_per_block,
                                        int64_t cols_per_block, const void* offsets,
                                        const void* columns, const void* values, int offset_type,
                                        int column_type, int base, int type, int order) {
  return create_bsr(__func__, matrix, block_rows, block_cols, blocks, rows_per_block,
                    cols_per_block, offsets, columns, values, offset_type, column_type, base, type,
                    order);
}

cusparseStatus_t cusparseDestroySpMat(cusparseConstSpMatDescr_t matrix) {
  if (!matrix || matrices.remove(matrix)) return CUSPARSE_STATUS_SUCCESS;
  return invalid(__func__, "no such matrix");
}

cusparseStatus_t cusparseCsrGet(cusparseSpMatDescr_t matrix, int64_t* rows, int64_t* cols,
                                int64_t* nnz, void** offsets, void** columns, void** values,
                                int* offset_type, int* column_type, int* base, int* type) {
  return get(__func__, matrix, CUSPARSE_FORMAT_CSR, rows, cols, nnz, offsets, columns, values,
             offset_type, column_type, base, type);
}

cusparseStatus_t cusparseConstCsrGet(cusparseConstSpMatDescr_t matrix, int64_t* rows, int64_t* cols,
                                     int64_t* nnz, const void** offsets, const void** columns,
                                     const void** values, int* offset_type, int* column_type,
                                     int* base, int* type) {
  return get(__func__, matrix, CUSPARSE_FORMAT_CSR, rows, cols, nnz, offsets, columns, values,
             offset_type, column_type, base, type);
}

cusparseStatus_t cusparseCscGet(cusparseSpMatDescr_t matrix, int64_t* rows, int64_t* cols,
                                int64_t* nnz, void** offsets, void** row_indices, void** values,
                                int* offset_type, int* row_type, int* base, int* type) {
  return get(__func__, matrix, CUSPARSE_FORMAT_CSC, rows, cols, nnz, offsets, row_indices, values,
             offset_type, row_type, base, type);
}

cusparseStatus_t cusparseConstCscGet(cusparseConstSpMatDescr_t matrix, int64_t* rows, int64_t* cols,
                                     int64_t* nnz, const void** offsets, const void** row_indices,
                                     const void** values, int* offset_type, int* row_type,
                                     int* base, int* type) {
  return get(__func__, matrix, CUSPARSE_FORMAT_CSC, rows, cols, nnz, offsets, row_indices, values,
             offset_type, row_type, base, type);
}

cusparseStatus_t cusparseCooGet(cusparseSpMatDescr_t matrix, int64_t* rows, int64_t* cols,
                                int64_t* nnz, void** row_indices, void** columns, void** values,
                                int* index_type, int* base, int* type) {
  return get(__func__, matrix, CUSPARSE_FORMAT_COO, rows, cols, nnz, row_indices, columns, values,
             index_type, index_type, base, type);
}

cusparseStatus_t cusparseConstCooGet(cusparseConstSpMatDescr_t matrix, int64_t* rows, int64_t* cols,
                                     int64_t* nnz, const void** row_indices, const void** columns,
                                     const void** values, int* index_type, int* base, int* type) {
  return get(__func__, matrix, CUSPARSE_FORMAT_COO, rows, cols, nnz, row_indices, columns, values,
             index_type, index_type, base, type);
}

cusparseStatus_t cusparseCsrSetPointers(cusparseSpMatDescr_t matrix, void* offsets, void* columns,
                                        void* values) {
  return set_pointers(__func__, matrix, CUSPARSE_FORMAT_CSR, offsets, columns, values);
}

cusparseStatus_t cusparseCscSetPointers(cusparseSpMatDescr_t matrix, void* offsets,
                                        void* row_indices, void* values) {
  return set_pointers(__func__, matrix, CUSPARSE_FORMAT_CSC, offsets, row_indices, values);
}

cusparseStatus_t cusparseCooSetPointers(cusparseSpMatDescr_t matrix, void* row_indices,
                                        void* columns, void* values) {
  return set_pointers(__func__, matrix, CUSPARSE_FORMAT_COO, row_indices, columns, values);
}

cusparseStatus_t cusparseSpMatGetSize(cusparseConstSpMatDescr_t matrix, int64_t* rows,
                                      int64_t* cols, int64_t* nnz) {
  if (!is_live(matrix) || !rows || !cols || !nnz) return invalid(__func__, "an argument is NULL");
  *rows = matrix->rows * matrix->block;
  *cols = matrix->cols * matrix->block;
  *nnz = matrix->nnz * matrix->block * matrix->block;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMatGetFormat(cusparseConstSpMatDescr_t matrix, int* format) {
  if (!is_live(matrix) || !format) return invalid(__func__, "an argument is NULL");
  *format = matrix->format;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMatGetIndexBase(cusparseConstSpMatDescr_t matrix, int* base) {
  if (!is_live(matrix) || !base) return invalid(__func__, "an argument is NULL");
  *base = matrix->base;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMatGetValues(cusparseSpMatDescr_t matrix, void** values) {
  if (!is_live(matrix) || !values) return invalid(__func__, "an argument is NULL");
  *values = matrix->values;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseConstSpMatGetValues(cusparseConstSpMatDescr_t matrix,
                                             const void** values) {
  if (!is_live(matrix) || !values) return invalid(__func__, "an argument is NULL");
  *values = matrix->values;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMatSetValues(cusparseSpMatDescr_t matrix, void* values) {
  if (!is_live(matrix)) return invalid(__func__, "no such matrix");
  if (!aligned(values, size_of(matrix->type))) return invalid(__func__, "unaligned values");
  matrix->values = values;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMatGetStridedBatch(cusparseConstSpMatDescr_t matrix, int* batch) {
  if (!is_live(matrix) || !batch) return invalid(__func__, "an argument is NULL");
  *batch = matrix->batch;
  return CUSPARSE_STATUS_SUCCESS;
}

// Strides of 0 share the arrays among the batch; the values of a CSR matrix move with its columns.
cusparseStatus_t cusparseCsrSetStridedBatch(cusparseSpMatDescr_t matrix, int batch,
                                            int64_t offset_stride, int64_t column_stride) {
  if (!is_live(matrix) || batch < 1 || offset_stride < 0 || column_stride < 0)
    return invalid(__func__, "no such matrix, or a batch count or stride out of range");
  if (offset_stride != 0 && offset_stride < matrix->rows + 1)
    return invalid(__func__, "the stride is smaller than the offsets of one matrix");
  if (column_stride != 0 && column_stride < matrix->nnz)
    return invalid(__func__, "the stride is smaller than the nonzeros of one matrix");
  matrix->batch = batch;
  matrix->offset_stride = offset_stride;
  matrix->index_stride = matrix->value_stride = column_stride;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseBsrSetStridedBatch(cusparseSpMatDescr_t matrix, int batch,
                                            int64_t offset_stride, int64_t column_stride,
                                            int64_t value_stride) {
  if (!is_live(matrix) || batch < 1 || offset_stride < 0 || column_stride < 0 || value_stride < 0)
    return invalid(__func__, "no such matrix, or a batch count or stride out of range");
  matrix->batch = batch;
  matrix->offset_stride = offset_stride;
  matrix->index_stride = column_stride;
  matrix->value_stride = value_stride;
  return CUSPARSE_STATUS_SUCCESS;
}
