// Descriptors of dense matrices and vectors; statuses.txt holds what the real library accepts.
#include "descriptors.h"
#include "live.h"

namespace sim::cusparse {

namespace {
Live<dense_matrix>& matrices = *new Live<dense_matrix>;
Live<dense_vector>& vectors = *new Live<dense_vector>;
}  // namespace

bool is_live(cusparseConstDnMatDescr_t matrix) { return matrices.has(matrix); }
bool is_live(cusparseConstDnVecDescr_t vector) { return vectors.has(vector); }

namespace {

template <typename Descriptor>
cusparseStatus_t create_matrix(const char* function, Descriptor* out, int64_t rows, int64_t cols,
                               int64_t ld, const void* values, int type, int order) {
  if (!out) return invalid(function, "the descriptor is NULL");
  if (rows < 0 || cols < 0) return invalid(function, "negative size");
  if (order != CUSPARSE_ORDER_COL && order != CUSPARSE_ORDER_ROW)
    return invalid(function, "unknown order");
  if (ld < (order == CUSPARSE_ORDER_COL ? rows : cols))
    return invalid(function, "ld is smaller than a column (column-major) or row (row-major)");
  if (size_of(type) == 0) return invalid(function, "unknown type of values");
  if (!aligned(values, size_of(type))) return invalid(function, "unaligned values");
  dense_matrix matrix;
  matrix.rows = rows, matrix.cols = cols, matrix.ld = ld;
  matrix.values = const_cast<void*>(values);
  matrix.type = type, matrix.order = order;
  *out = matrices.add(matrix);
  return CUSPARSE_STATUS_SUCCESS;
}

template <typename Pointer>
cusparseStatus_t get_matrix(const char* function, const dense_matrix* m, int64_t* rows,
                            int64_t* cols, int64_t* ld, Pointer* values, int* type, int* order) {
  if (!is_live(m) || !rows || !cols || !ld || !values || !type || !order)
    return invalid(function, "an argument is NULL");
  *rows = m->rows, *cols = m->cols, *ld = m->ld;
  *values = m->values, *type = m->type, *order = m->order;
  return CUSPARSE_STATUS_SUCCESS;
}

template <typename Descriptor>
cusparseStatus_t create_vector(const char* function, Descriptor* out, int64_t size,
                               const void* values, int type) {
  if (!out) return invalid(function, "the descriptor is NULL");
  if (size < 0) return invalid(function, "negative size");
  if (size_of(type) == 0) return invalid(function, "unknown type of values");
  if (!aligned(values, size_of(type))) return invalid(function, "unaligned values");
  dense_vector vector;
  vector.size = size;
  vector.values = const_cast<void*>(values);
  vector.type = type;
  *out = vectors.add(vector);
  return CUSPARSE_STATUS_SUCCESS;
}

template <typename Pointer>
cusparseStatus_t get_vector(const char* function, const dense_vector* v, int64_t* size,
                            Pointer* values, int* type) {
  if (!is_live(v) || !size || !values || !type) return invalid(function, "an argument is NULL");
  *size = v->size, *values = v->values, *type = v->type;
  return CUSPARSE_STATUS_SUCCESS;
}

// The values of a matrix or vector, in and out.
template <typename Object, typename Pointer>
cusparseStatus_t get_values(const char* function, const Object* object, Pointer* values) {
  if (!is_live(object) || !values) return invalid(function, "an argument is NULL");
  *values = object->values;
  return CUSPARSE_STATUS_SUCCESS;
}

template <typename Object>
cusparseStatus_t set_values(const char* function, Object* object, void* values) {
  if (!is_live(object)) return invalid(function, "no such descriptor");
  if (!aligned(values, size_of(object->type))) return invalid(function, "unaligned values");
  object->values = values;
  return CUSPARSE_STATUS_SUCCESS;
}

}  // namespace
}  // namespace sim::cusparse

using namespace sim::cusparse;

cusparseStatus_t cusparseCreateDnMat(cusparseDnMatDescr_t* matrix, int64_t rows, int64_t cols,
                                     int64_t ld, void* values, int type, int order) {
  return create_matrix(__func__, matrix, rows, cols, ld, values, type, order);
}

cusparseStatus_t cusparseCreateConstDnMat(cusparseConstDnMatDescr_t* matrix, int64_t rows,
                                          int64_t cols, int64_t ld, const void* values, int type,
                                          int order) {
  return create_matrix(__func__, matrix, rows, cols, ld, values, type, order);
}

cusparseStatus_t cusparseDestroyDnMat(cusparseConstDnMatDescr_t matrix) {
  if (!matrix || matrices.remove(matrix)) return CUSPARSE_STATUS_SUCCESS;
  return invalid(__func__, "no such matrix");
}

cusparseStatus_t cusparseDnMatGet(cusparseDnMatDescr_t matrix, int64_t* rows, int64_t* cols,
                                  int64_t* ld, void** values, int* type, int* order) {
  return get_matrix(__func__, matrix, rows, cols, ld, values, type, order);
}

cusparseStatus_t cusparseConstDnMatGet(cusparseConstDnMatDescr_t matrix, int64_t* rows,
                                       int64_t* cols, int64_t* ld, const void** values, int* type,
                                       int* order) {
  return get_matrix(__func__, matrix, rows, cols, ld, values, type, order);
}

cusparseStatus_t cusparseDnMatGetValues(cusparseDnMatDescr_t matrix, void** values) {
  return get_values(__func__, matrix, values);
}

cusparseStatus_t cusparseConstDnMatGetValues(cusparseConstDnMatDescr_t matrix,
                                             const void** values) {
  return get_values(__func__, matrix, values);
}

cusparseStatus_t cusparseDnMatSetValues(cusparseDnMatDescr_t matrix, void* values) {
  return set_values(__func__, matrix, values);
}

cusparseStatus_t cusparseDnMatGetStridedBatch(cusparseConstDnMatDescr_t matrix, int* batch,
                                              int64_t* stride) {
  if (!is_live(matrix) || !batch || !stride) return invalid(__func__, "an argument is NULL");
  *batch = matrix->batch;
  *stride = matrix->stride;
  return CUSPARSE_STATUS_SUCCESS;
}

// A stride of 0 shares the matrix among the batch.
cusparseStatus_t cusparseDnMatSetStridedBatch(cusparseDnMatDescr_t matrix, int batch,
                                              int64_t stride) {
  if (!is_live(matrix) || batch < 1 || stride < 0)
    return invalid(__func__, "no such matrix, or a batch count or stride out of range");
  const int64_t lines = matrix->order == CUSPARSE_ORDER_COL ? matrix->cols : matrix->rows;
  if (stride != 0 && stride < matrix->ld * lines)
    return invalid(__func__, "the stride is smaller than one matrix");
  matrix->batch = batch;
  matrix->stride = stride;
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseCreateDnVec(cusparseDnVecDescr_t* vector, int64_t size, void* values,
                                     int type) {
  return create_vector(__func__, vector, size, values, type);
}

cusparseStatus_t cusparseCreateConstDnVec(cusparseConstDnVecDescr_t* vector, int64_t size,
                                          const void* values, int type) {
  return create_vector(__func__, vector, size, values, type);
}

cusparseStatus_t cusparseDestroyDnVec(cusparseConstDnVecDescr_t vector) {
  if (!vector || vectors.remove(vector)) return CUSPARSE_STATUS_SUCCESS;
  return invalid(__func__, "no such vector");
}

cusparseStatus_t cusparseDnVecGet(cusparseDnVecDescr_t vector, int64_t* size, void** values,
                                  int* type) {
  return get_vector(__func__, vector, size, values, type);
}

cusparseStatus_t cusparseConstDnVecGet(cusparseConstDnVecDescr_t vector, int64_t* size,
                                       const void** values, int* type) {
  return get_vector(__func__, vector, size, values, type);
}

cusparseStatus_t cusparseDnVecGetValues(cusparseDnVecDescr_t vector, void** values) {
  return get_values(__func__, vector, values);
}

cusparseStatus_t cusparseConstDnVecGetValues(cusparseConstDnVecDescr_t vector,
                                             const void** values) {
  return get_values(__func__, vector, values);
}

cusparseStatus_t cusparseDnVecSetValues(cusparseDnVecDescr_t vector, void* values) {
  return set_values(__func__, vector, values);
}
