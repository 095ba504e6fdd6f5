// The part of the cuBLAS 12 API that the stand-in has, declared in our own words. Types are spelled
// by what they are on the wire: enumerations as int, streams and handles as pointers.
#pragma once

#include <cstddef>
#include <cstdint>

#define CUBLAS_EXPORT extern "C" __attribute__((visibility("default")))

enum {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_ARCH_MISMATCH = 8,
  CUBLAS_STATUS_MAPPING_ERROR = 11,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_INTERNAL_ERROR = 14,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
  CUBLAS_STATUS_LICENSE_ERROR = 16,
};
enum { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_OP_C = 2 };
enum { CUBLAS_POINTER_MODE_HOST = 0, CUBLAS_POINTER_MODE_DEVICE = 1 };
enum { CUBLAS_ATOMICS_NOT_ALLOWED = 0, CUBLAS_ATOMICS_ALLOWED = 1 };
enum {  // math modes; the last is a flag beside the others
  CUBLAS_DEFAULT_MATH = 0,
  CUBLAS_TENSOR_OP_MATH = 1,
  CUBLAS_PEDANTIC_MATH = 2,
  CUBLAS_TF32_TENSOR_OP_MATH = 3,
  CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16,
};
enum {  // compute types with float sums
  CUBLAS_COMPUTE_32F = 68,
  CUBLAS_COMPUTE_32F_PEDANTIC = 69,
  CUBLAS_COMPUTE_32F_FAST_16F = 74,
  CUBLAS_COMPUTE_32F_FAST_16BF = 75,
  CUBLAS_COMPUTE_32F_FAST_TF32 = 77,
};
enum { CUDA_R_32F = 0, CUDA_R_16F = 2, CUDA_R_16BF = 14 };  // types of numbers

typedef struct cublas_handle* cublasHandle_t;
typedef int cublasStatus_t;
typedef void* cudaStream_t;

CUBLAS_EXPORT cublasStatus_t cublasCreate_v2(cublasHandle_t* handle);
CUBLAS_EXPORT cublasStatus_t cublasDestroy_v2(cublasHandle_t handle);
CUBLAS_EXPORT cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, int* version);
CUBLAS_EXPORT cublasStatus_t cublasGetProperty(int property, int* value);
CUBLAS_EXPORT const char* cublasGetStatusName(cublasStatus_t status);
CUBLAS_EXPORT const char* cublasGetStatusString(cublasStatus_t status);

CUBLAS_EXPORT cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream);
CUBLAS_EXPORT cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream);
CUBLAS_EXPORT cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace,
                                                   size_t bytes);
CUBLAS_EXPORT cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, int mode);
CUBLAS_EXPORT cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, int* mode);
CUBLAS_EXPORT cublasStatus_t cublasSetMathMode(cublasHandle_t handle, int mode);
CUBLAS_EXPORT cublasStatus_t cublasGetMathMode(cublasHandle_t handle, int* mode);
CUBLAS_EXPORT cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, int mode);
CUBLAS_EXPORT cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, int* mode);

CUBLAS_EXPORT cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, int transa, int transb, int m,
                                            int n, int k, const float* alpha, const float* a,
                                            int lda, const float* b, int ldb, const float* beta,
                                            float* c, int ldc);
CUBLAS_EXPORT cublasStatus_t cublasSgemmStridedBatched(
    cublasHandle_t handle, int transa, int transb, int m, int n, int k, const float* alpha,
    const float* a, int lda, long long stride_a, const float* b, int ldb, long long stride_b,
    const float* beta, float* c, int ldc, long long stride_c, int batch);
CUBLAS_EXPORT cublasStatus_t cublasGemmEx(cublasHandle_t handle, int transa, int transb, int m,
                                          int n, int k, const void* alpha, const void* a,
                                          int a_type, int lda, const void* b, int b_type, int ldb,
                                          const void* beta, void* c, int c_type, int ldc,
                                          int compute, int algorithm);
CUBLAS_EXPORT cublasStatus_t cublasGemmStridedBatchedEx(
    cublasHandle_t handle, int transa, int transb, int m, int n, int k, const void* alpha,
    const void* a, int a_type, int lda, long long stride_a, const void* b, int b_type, int ldb,
    long long stride_b, const void* beta, void* c, int c_type, int ldc, long long stride_c,
    int batch, int compute, int algorithm);
CUBLAS_EXPORT cublasStatus_t cublasSgeam(cublasHandle_t handle, int transa, int transb, int m,
                                         int n, const float* alpha, const float* a, int lda,
                                         const float* beta, const float* b, int ldb, float* c,
                                         int ldc);
