/* A libcublas.so.13 for the test: a product records its arguments, and cublasGetMathMode is
 * missing. */
#include <stddef.h>

#define API __attribute__((visibility("default")))

API int fake_calls[14];

API int cublasCreate_v2(void **handle) {
  *handle = fake_calls;
  return 0;
}

API int cublasDestroy_v2(void *handle) { return handle == fake_calls ? 0 : 7; }

API int cublasSetStream_v2(void *handle, void *stream) {
  return handle == fake_calls && stream != NULL ? 0 : 7;
}

API int cublasSetMathMode(void *handle, int mode) {
  return handle == fake_calls && mode == 2 ? 0 : 7;
}

API int cublasSetWorkspace_v2(void *handle, void *workspace, size_t bytes) {
  return handle == fake_calls && workspace != NULL && bytes >= 1024 ? 0 : 7;
}

API int cublasSgemm_v2(void *handle, int transa, int transb, int m, int n, int k,
                       const float *alpha, const float *a, int lda, const float *b, int ldb,
                       const float *beta, float *c, int ldc) {
  int numbers[] = {transa, transb, m, n, k, lda, ldb, ldc};
  for (int i = 0; i < 8; ++i) {
    ((int *)handle)[i] = numbers[i];
  }
  c[0] = *alpha * a[0] * b[0] + *beta * c[0];
  return 13;
}
