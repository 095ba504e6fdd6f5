/*
 * A libcublas.so.12 for hosts that have CUDA 13 only: the functions that Secateur calls, each
 * passed on to libcublas.so.13. JCuda 12.6 asks for version 12 by file name and symbol version; the
 * functions themselves have the same signatures in both.
 *
 * libcublas.so.13 has been opened by the program before, or is where the dynamic linker looks.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#define NOT_INITIALIZED 1 /* CUBLAS_STATUS_NOT_INITIALIZED */
#define NOT_SUPPORTED 15  /* CUBLAS_STATUS_NOT_SUPPORTED */

/* The function of that name in libcublas.so.13; NULL when it has none, or when there is none. */
static void *find(const char *name) {
  void *library = dlopen("libcublas.so.13", RTLD_LAZY | RTLD_LOCAL);
  return library == NULL ? NULL : dlsym(library, name);
}

/* Looked up once; two threads that look it up at once find the same. */
#define FORWARD(name, parameters, arguments)                                      \
  __attribute__((visibility("default"))) int name parameters {                    \
    typedef int function parameters;                                              \
    static function *_Atomic target;                                              \
    function *call = target;                                                      \
    if (call == NULL) {                                                           \
      *(void **)&call = find(#name);                                              \
      if (call == NULL) {                                                         \
        return find("cublasCreate_v2") == NULL ? NOT_INITIALIZED : NOT_SUPPORTED; \
      }                                                                           \
      target = call;                                                              \
    }                                                                             \
    return call arguments;                                                        \
  }

FORWARD(cublasCreate_v2, (void **handle), (handle))
FORWARD(cublasDestroy_v2, (void *handle), (handle))
FORWARD(cublasGetVersion_v2, (void *handle, int *version), (handle, version))
FORWARD(cublasGetProperty, (int type, int *value), (type, value))
FORWARD(cublasSetStream_v2, (void *handle, void *stream), (handle, stream))
FORWARD(cublasGetStream_v2, (void *handle, void **stream), (handle, stream))
FORWARD(cublasSetWorkspace_v2, (void *handle, void *workspace, size_t bytes),
        (handle, workspace, bytes))
FORWARD(cublasSetPointerMode_v2, (void *handle, int mode), (handle, mode))
FORWARD(cublasGetPointerMode_v2, (void *handle, int *mode), (handle, mode))
FORWARD(cublasSetMathMode, (void *handle, int mode), (handle, mode))
FORWARD(cublasGetMathMode, (void *handle, int *mode), (handle, mode))
FORWARD(cublasSgemm_v2,
        (void *handle, int transa, int transb, int m, int n, int k, const float *alpha,
         const float *a, int lda, const float *b, int ldb, const float *beta, float *c, int ldc),
        (handle, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
FORWARD(cublasSgemm_v2_64,
        (void *handle, int transa, int transb, int64_t m, int64_t n, int64_t k, const float *alpha,
         const float *a, int64_t lda, const float *b, int64_t ldb, const float *beta, float *c,
         int64_t ldc),
        (handle, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
FORWARD(cublasSgemmStridedBatched,
        (void *handle, int transa, int transb, int m, int n, int k, const float *alpha,
         const float *a, int lda, long long stride_a, const float *b, int ldb, long long stride_b,
         const float *beta, float *c, int ldc, long long stride_c, int count),
        (handle, transa, transb, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc,
         stride_c, count))
