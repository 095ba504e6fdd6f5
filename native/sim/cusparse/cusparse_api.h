// The part of the cuSPARSE 12 generic API that the stand-in has, declared in our own words. Types
// are spelled by what they are on the wire: enumerations as int, streams and handles as pointers.
#pragma once

#include <cstddef>
#include <cstdint>

#define CUSPARSE_EXPORT extern "C" __attribute__((visibility("default")))

enum {
  CUSPARSE_STATUS_SUCCESS = 0,
  CUSPARSE_STATUS_NOT_INITIALIZED = 1,
  CUSPARSE_STATUS_ALLOC_FAILED = 2,
  CUSPARSE_STATUS_INVALID_VALUE = 3,
  CUSPARSE_STATUS_ARCH_MISMATCH = 4,
  CUSPARSE_STATUS_MAPPING_ERROR = 5,
  CUSPARSE_STATUS_EXECUTION_FAILED = 6,
  CUSPARSE_STATUS_INTERNAL_ERROR = 7,
  CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED = 8,
  CUSPARSE_STATUS_ZERO_PIVOT = 9,
  CUSPARSE_STATUS_NOT_SUPPORTED = 10,
  CUSPARSE_STATUS_INSUFFICIENT_RESOURCES = 11,
};
enum { CUSPARSE_POINTER_MODE_HOST = 0, CUSPARSE_POINTER_MODE_DEVICE = 1 };
enum {
  CUSPARSE_OPERATION_NON_TRANSPOSE = 0,
  CUSPARSE_OPERATION_TRANSPOSE = 1,
  CUSPARSE_OPERATION_CONJUGATE_TRANSPOSE = 2,
};
enum { CUSPARSE_INDEX_16U = 1, CUSPARSE_INDEX_32I = 2, CUSPARSE_INDEX_64I = 3 };
enum { CUSPARSE_INDEX_BASE_ZERO = 0, CUSPARSE_INDEX_BASE_ONE = 1 };
enum { CUSPARSE_ORDER_COL = 1, CUSPARSE_ORDER_ROW = 2 };
enum {
  CUSPARSE_FORMAT_CSR = 1,
  CUSPARSE_FORMAT_CSC = 2,
  CUSPARSE_FORMAT_COO = 3,
  CUSPARSE_FORMAT_BSR = 6,
};
enum {
  CUSPARSE_SPMM_ALG_DEFAULT = 0,
  CUSPARSE_SPMM_COO_ALG1 = 1,
  CUSPARSE_SPMM_COO_ALG2 = 2,
  CUSPARSE_SPMM_COO_ALG3 = 3,
  CUSPARSE_SPMM_CSR_ALG1 = 4,
  CUSPARSE_SPMM_COO_ALG4 = 5,
  CUSPARSE_SPMM_CSR_ALG2 = 6,
  CUSPARSE_SPMM_CSR_ALG3 = 12,
  CUSPARSE_SPMM_BSR_ALG1 = 14,
};
enum {
  CUSPARSE_SPMV_ALG_DEFAULT = 0,
  CUSPARSE_SPMV_CSR_ALG1 = 2,
  CUSPARSE_SPMV_CSR_ALG2 = 3,
};
enum {  // types of numbers
  CUDA_R_32F = 0,
  CUDA_R_64F = 1,
  CUDA_R_16F = 2,
  CUDA_R_8I = 3,
  CUDA_C_32F = 4,
  CUDA_C_64F = 5,
  CUDA_C_16F = 6,
  CUDA_R_8U = 8,
  CUDA_R_32I = 10,
  CUDA_R_16BF = 14,
  CUDA_C_16BF = 15,
};

typedef int cusparseStatus_t;
typedef void* cudaStream_t;
typedef struct cusparse_handle* cusparseHandle_t;
typedef struct sparse_matrix* cusparseSpMatDescr_t;
typedef const struct sparse_matrix* cusparseConstSpMatDescr_t;
typedef struct dense_matrix* cusparseDnMatDescr_t;
typedef const struct dense_matrix* cusparseConstDnMatDescr_t;
typedef struct dense_vector* cusparseDnVecDescr_t;
typedef const struct dense_vector* cusparseConstDnVecDescr_t;

// Library and handle.
CUSPARSE_EXPORT cusparseStatus_t cusparseCreate(cusparseHandle_t* handle);
CUSPARSE_EXPORT cusparseStatus_t cusparseDestroy(cusparseHandle_t handle);
CUSPARSE_EXPORT cusparseStatus_t cusparseGetVersion(cusparseHandle_t handle, int* version);
CUSPARSE_EXPORT cusparseStatus_t cusparseGetProperty(int property, int* value);
CUSPARSE_EXPORT const char* cusparseGetErrorName(cusparseStatus_t status);
CUSPARSE_EXPORT const char* cusparseGetErrorString(cusparseStatus_t status);
CUSPARSE_EXPORT cusparseStatus_t cusparseSetStream(cusparseHandle_t handle, cudaStream_t stream);
CUSPARSE_EXPORT cusparseStatus_t cusparseGetStream(cusparseHandle_t handle, cudaStream_t* stream);
CUSPARSE_EXPORT cusparseStatus_t cusparseSetPointerMode(cusparseHandle_t handle, int mode);
CUSPARSE_EXPORT cusparseStatus_t cusparseGetPointerMode(cusparseHandle_t handle, int* mode);

// Sparse matrices: CSR (offsets by row, column indices), CSC (offsets by column, row indices), COO
// (row indices, column indices) and BSR (CSR of square blocks).
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateCsr(cusparseSpMatDescr_t* matrix, int64_t rows,
                                                   int64_t cols, int64_t nnz, void* offsets,
                                                   void* columns, void* values, int offset_type,
                                                   int column_type, int base, int type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateConstCsr(cusparseConstSpMatDescr_t* matrix,
                                                        int64_t rows, int64_t cols, int64_t nnz,
                                                        const void* offsets, const void* columns,
                                                        const void* values, int offset_type,
                                                        int column_type, int base, int type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateCsc(cusparseSpMatDescr_t* matrix, int64_t rows,
                                                   int64_t cols, int64_t nnz, void* offsets,
                                                   void* row_indices, void* values, int offset_type,
                                                   int row_type, int base, int type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateConstCsc(
    cusparseConstSpMatDescr_t* matrix, int64_t rows, int64_t cols, int64_t nnz, const void* offsets,
    const void* row_indices, const void* values, int offset_type, int row_type, int base, int type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateCoo(cusparseSpMatDescr_t* matrix, int64_t rows,
                                                   int64_t cols, int64_t nnz, void* row_indices,
                                                   void* columns, void* values, int index_type,
                                                   int base, int type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateConstCoo(cusparseConstSpMatDescr_t* matrix,
                                                        int64_t rows, int64_t cols, int64_t nnz,
                                                        const void* row_indices,
                                                        const void* columns, const void* values,
                                                        int index_type, int base, int type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateBsr(cusparseSpMatDescr_t* matrix, int64_t block_rows,
                                                   int64_t block_cols, int64_t blocks,
                                                   int64_t rows_per_block, int64_t cols_per_block,
                                                   void* offsets, void* columns, void* values,
                                                   int offset_type, int column_type, int base,
                                                   int type, int order);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateConstBsr(
    cusparseConstSpMatDescr_t* matrix, int64_t block_rows, int64_t block_cols, int64_t blocks,
    int64_t rows_per_block, int64_t cols_per_block, const void* offsets, const void* columns,
    const void* values, int offset_type, int column_type, int base, int type, int order);
CUSPARSE_EXPORT cusparseStatus_t cusparseDestroySpMat(cusparseConstSpMatDescr_t matrix);

CUSPARSE_EXPORT cusparseStatus_t cusparseCsrGet(cusparseSpMatDescr_t matrix, int64_t* rows,
                                                int64_t* cols, int64_t* nnz, void** offsets,
                                                void** columns, void** values, int* offset_type,
                                                int* column_type, int* base, int* type);
CUSPARSE_EXPORT cusparseStatus_t cusparseConstCsrGet(cusparseConstSpMatDescr_t matrix,
                                                     int64_t* rows, int64_t* cols, int64_t* nnz,
                                                     const void** offsets, const void** columns,
                                                     const void** values, int* offset_type,
                                                     int* column_type, int* base, int* type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCscGet(cusparseSpMatDescr_t matrix, int64_t* rows,
                                                int64_t* cols, int64_t* nnz, void** offsets,
                                                void** row_indices, void** values, int* offset_type,
                                                int* row_type, int* base, int* type);
CUSPARSE_EXPORT cusparseStatus_t cusparseConstCscGet(cusparseConstSpMatDescr_t matrix,
                                                     int64_t* rows, int64_t* cols, int64_t* nnz,
                                                     const void** offsets, const void** row_indices,
                                                     const void** values, int* offset_type,
                                                     int* row_type, int* base, int* type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCooGet(cusparseSpMatDescr_t matrix, int64_t* rows,
                                                int64_t* cols, int64_t* nnz, void** row_indices,
                                                void** columns, void** values, int* index_type,
                                                int* base, int* type);
CUSPARSE_EXPORT cusparseStatus_t cusparseConstCooGet(cusparseConstSpMatDescr_t matrix,
                                                     int64_t* rows, int64_t* cols, int64_t* nnz,
                                                     const void** row_indices, const void** columns,
                                                     const void** values, int* index_type,
                                                     int* base, int* type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCsrSetPointers(cusparseSpMatDescr_t matrix, void* offsets,
                                                        void* columns, void* values);
CUSPARSE_EXPORT cusparseStatus_t cusparseCscSetPointers(cusparseSpMatDescr_t matrix, void* offsets,
                                                        void* row_indices, void* values);
CUSPARSE_EXPORT cusparseStatus_t cusparseCooSetPointers(cusparseSpMatDescr_t matrix,
                                                        void* row_indices, void* columns,
                                                        void* values);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMatGetSize(cusparseConstSpMatDescr_t matrix,
                                                      int64_t* rows, int64_t* cols, int64_t* nnz);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMatGetFormat(cusparseConstSpMatDescr_t matrix,
                                                        int* format);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMatGetIndexBase(cusparseConstSpMatDescr_t matrix,
                                                           int* base);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMatGetValues(cusparseSpMatDescr_t matrix, void** values);
CUSPARSE_EXPORT cusparseStatus_t cusparseConstSpMatGetValues(cusparseConstSpMatDescr_t matrix,
                                                             const void** values);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMatSetValues(cusparseSpMatDescr_t matrix, void* values);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMatGetStridedBatch(cusparseConstSpMatDescr_t matrix,
                                                              int* batch);
CUSPARSE_EXPORT cusparseStatus_t cusparseCsrSetStridedBatch(cusparseSpMatDescr_t matrix, int batch,
                                                            int64_t offset_stride,
                                                            int64_t column_stride);
CUSPARSE_EXPORT cusparseStatus_t cusparseBsrSetStridedBatch(cusparseSpMatDescr_t matrix, int batch,
                                                            int64_t offset_stride,
                                                            int64_t column_stride,
                                                            int64_t value_stride);

// Dense matrices and vectors.
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateDnMat(cusparseDnMatDescr_t* matrix, int64_t rows,
                                                     int64_t cols, int64_t ld, void* values,
                                                     int type, int order);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateConstDnMat(cusparseConstDnMatDescr_t* matrix,
                                                          int64_t rows, int64_t cols, int64_t ld,
                                                          const void* values, int type, int order);
CUSPARSE_EXPORT cusparseStatus_t cusparseDestroyDnMat(cusparseConstDnMatDescr_t matrix);
CUSPARSE_EXPORT cusparseStatus_t cusparseDnMatGet(cusparseDnMatDescr_t matrix, int64_t* rows,
                                                  int64_t* cols, int64_t* ld, void** values,
                                                  int* type, int* order);
CUSPARSE_EXPORT cusparseStatus_t cusparseConstDnMatGet(cusparseConstDnMatDescr_t matrix,
                                                       int64_t* rows, int64_t* cols, int64_t* ld,
                                                       const void** values, int* type, int* order);
CUSPARSE_EXPORT cusparseStatus_t cusparseDnMatGetValues(cusparseDnMatDescr_t matrix, void** values);
CUSPARSE_EXPORT cusparseStatus_t cusparseConstDnMatGetValues(cusparseConstDnMatDescr_t matrix,
                                                             const void** values);
CUSPARSE_EXPORT cusparseStatus_t cusparseDnMatSetValues(cusparseDnMatDescr_t matrix, void* values);
CUSPARSE_EXPORT cusparseStatus_t cusparseDnMatGetStridedBatch(cusparseConstDnMatDescr_t matrix,
                                                              int* batch, int64_t* stride);
CUSPARSE_EXPORT cusparseStatus_t cusparseDnMatSetStridedBatch(cusparseDnMatDescr_t matrix,
                                                              int batch, int64_t stride);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateDnVec(cusparseDnVecDescr_t* vector, int64_t size,
                                                     void* values, int type);
CUSPARSE_EXPORT cusparseStatus_t cusparseCreateConstDnVec(cusparseConstDnVecDescr_t* vector,
                                                          int64_t size, const void* values,
                                                          int type);
CUSPARSE_EXPORT cusparseStatus_t cusparseDestroyDnVec(cusparseConstDnVecDescr_t vector);
CUSPARSE_EXPORT cusparseStatus_t cusparseDnVecGet(cusparseDnVecDescr_t vector, int64_t* size,
                                                  void** values, int* type);
CUSPARSE_EXPORT cusparseStatus_t cusparseConstDnVecGet(cusparseConstDnVecDescr_t vector,
                                                       int64_t* size, const void** values,
                                                       int* type);
CUSPARSE_EXPORT cusparseStatus_t cusparseDnVecGetValues(cusparseDnVecDescr_t vector, void** values);
CUSPARSE_EXPORT cusparseStatus_t cusparseConstDnVecGetValues(cusparseConstDnVecDescr_t vector,
                                                             const void** values);
CUSPARSE_EXPORT cusparseStatus_t cusparseDnVecSetValues(cusparseDnVecDescr_t vector, void* values);

// C = alpha op(A) op(B) + beta C, A sparse.
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMM_bufferSize(cusparseHandle_t handle, int opa, int opb,
                                                         const void* alpha,
                                                         cusparseConstSpMatDescr_t a,
                                                         cusparseConstDnMatDescr_t b,
                                                         const void* beta, cusparseDnMatDescr_t c,
                                                         int compute, int algorithm, size_t* bytes);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMM_preprocess(cusparseHandle_t handle, int opa, int opb,
                                                         const void* alpha,
                                                         cusparseConstSpMatDescr_t a,
                                                         cusparseConstDnMatDescr_t b,
                                                         const void* beta, cusparseDnMatDescr_t c,
                                                         int compute, int algorithm, void* buffer);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMM(cusparseHandle_t handle, int opa, int opb,
                                              const void* alpha, cusparseConstSpMatDescr_t a,
                                              cusparseConstDnMatDescr_t b, const void* beta,
                                              cusparseDnMatDescr_t c, int compute, int algorithm,
                                              void* buffer);

// C = alpha (op(A) op(B)) where C has entries + beta C, C sparse.
CUSPARSE_EXPORT cusparseStatus_t
cusparseSDDMM_bufferSize(cusparseHandle_t handle, int opa, int opb, const void* alpha,
                         cusparseConstDnMatDescr_t a, cusparseConstDnMatDescr_t b, const void* beta,
                         cusparseSpMatDescr_t c, int compute, int algorithm, size_t* bytes);
CUSPARSE_EXPORT cusparseStatus_t cusparseSDDMM_preprocess(cusparseHandle_t handle, int opa, int opb,
                                                          const void* alpha,
                                                          cusparseConstDnMatDescr_t a,
                                                          cusparseConstDnMatDescr_t b,
                                                          const void* beta, cusparseSpMatDescr_t c,
                                                          int compute, int algorithm, void* buffer);
CUSPARSE_EXPORT cusparseStatus_t cusparseSDDMM(cusparseHandle_t handle, int opa, int opb,
                                               const void* alpha, cusparseConstDnMatDescr_t a,
                                               cusparseConstDnMatDescr_t b, const void* beta,
                                               cusparseSpMatDescr_t c, int compute, int algorithm,
                                               void* buffer);

// y = alpha op(A) x + beta y, A sparse.
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMV_bufferSize(cusparseHandle_t handle, int opa,
                                                         const void* alpha,
                                                         cusparseConstSpMatDescr_t a,
                                                         cusparseConstDnVecDescr_t x,
                                                         const void* beta, cusparseDnVecDescr_t y,
                                                         int compute, int algorithm, size_t* bytes);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMV_preprocess(cusparseHandle_t handle, int opa,
                                                         const void* alpha,
                                                         cusparseConstSpMatDescr_t a,
                                                         cusparseConstDnVecDescr_t x,
                                                         const void* beta, cusparseDnVecDescr_t y,
                                                         int compute, int algorithm, void* buffer);
CUSPARSE_EXPORT cusparseStatus_t cusparseSpMV(cusparseHandle_t handle, int opa, const void* alpha,
                                              cusparseConstSpMatDescr_t a,
                                              cusparseConstDnVecDescr_t x, const void* beta,
                                              cusparseDnVecDescr_t y, int compute, int algorithm,
                                              void* buffer);

// Dense to sparse in three steps: analysis counts and fills the offsets, the caller reads nnz and
// gives the descriptor its arrays, convert fills indices and values.
CUSPARSE_EXPORT cusparseStatus_t cusparseDenseToSparse_bufferSize(cusparseHandle_t handle,
                                                                  cusparseConstDnMatDescr_t a,
                                                                  cusparseSpMatDescr_t b,
                                                                  int algorithm, size_t* bytes);
CUSPARSE_EXPORT cusparseStatus_t cusparseDenseToSparse_analysis(cusparseHandle_t handle,
                                                                cusparseConstDnMatDescr_t a,
                                                                cusparseSpMatDescr_t b,
                                                                int algorithm, void* buffer);
CUSPARSE_EXPORT cusparseStatus_t cusparseDenseToSparse_convert(cusparseHandle_t handle,
                                                               cusparseConstDnMatDescr_t a,
                                                               cusparseSpMatDescr_t b,
                                                               int algorithm, void* buffer);
CUSPARSE_EXPORT cusparseStatus_t cusparseSparseToDense_bufferSize(cusparseHandle_t handle,
                                                                  cusparseConstSpMatDescr_t a,
                                                                  cusparseDnMatDescr_t b,
                                                                  int algorithm, size_t* bytes);
CUSPARSE_EXPORT cusparseStatus_t cusparseSparseToDense(cusparseHandle_t handle,
                                                       cusparseConstSpMatDescr_t a,
                                                       cusparseDnMatDescr_t b, int algorithm,
                                                       void* buffer);
