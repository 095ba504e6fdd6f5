/* The forwarding library beside a libcublas.so.13 of the test's own, and without any. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      return 1;                                                               \
    }                                                                         \
  } while (0)

static void *function(void *library, const char *name) {
  /* By symbol version, as JCuda asks for it. */
  void *found = dlvsym(library, name, "libcublas.so.12");
  if (found == NULL) {
    fprintf(stderr, "%s\n", dlerror());
  }
  return found;
}

int main(int argc, char **argv) {
  (void)argc;
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  CHECK(library != NULL);
  int (*create)(void **);
  int (*math)(void *, int *);
  int (*workspace)(void *, void *, size_t);
  int (*sgemm)(void *, int, int, int, int, int, const float *, const float *, int, const float *,
               int, const float *, float *, int);
  *(void **)&create = function(library, "cublasCreate_v2");
  *(void **)&math = function(library, "cublasGetMathMode");
  *(void **)&workspace = function(library, "cublasSetWorkspace_v2");
  *(void **)&sgemm = function(library, "cublasSgemm_v2");
  CHECK(create != NULL && math != NULL && workspace != NULL && sgemm != NULL);
  CHECK(function(library, "cublasSgemmStridedBatched") != NULL);

  void *handle = NULL;
  CHECK(create(&handle) == 1); /* CUBLAS_STATUS_NOT_INITIALIZED: nothing to forward to */

  void *thirteen = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  CHECK(thirteen != NULL);
  CHECK(create(&handle) == 0);
  CHECK(handle == dlsym(thirteen, "fake_calls"));
  CHECK(workspace(handle, handle, (size_t)1 << 40) == 0);
  CHECK(workspace(handle, handle, 1000) == 7);
  int mode = 5;
  CHECK(math(handle, &mode) == 15 && mode == 5); /* CUBLAS_STATUS_NOT_SUPPORTED */

  float alpha = 2, beta = 3, a = 5, b = 7, c = 11;
  CHECK(sgemm(handle, 1, 0, 2, 3, 4, &alpha, &a, 5, &b, 6, &beta, &c, 7) == 13);
  int expected[] = {1, 0, 2, 3, 4, 5, 6, 7};
  CHECK(memcmp(handle, expected, sizeof expected) == 0);
  CHECK(c == 2 * 5 * 7 + 3 * 11);
  return 0;
}
