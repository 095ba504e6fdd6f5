// The products of the cuBLAS stand-in: arguments checked as documented, then queued on the handle's
// stream with the extent of every matrix.
#include <algorithm>
#include <string>

#include "../library/driver_calls.h"
#include "../library/work.h"
#include "gemm.h"
#include "handle.h"

using namespace sim;
using namespace sim::cublas;

namespace {

constexpr size_t kSmallestWorkspace = 16 << 10;  // documented: enough for every routine to run
constexpr size_t kScribbled = 64 << 10;          // of a workspace, by each product

bool is_operation(int op) { return op >= CUBLAS_OP_N && op <= CUBLAS_OP_C; }

// One or more products of one shape, as the entries below take them.
struct Call {
  const char* function;
  int transa, transb;
  int64_t m, n, k;
  const void *alpha, *a;
  int a_type;
  int64_t lda, stride_a;
  const void* b;
  int b_type;
  int64_t ldb, stride_b;
  const void* beta;
  void* c;
  int c_type;
  int64_t ldc, stride_c;
  int64_t batch;
  int compute, algorithm;
};

const char* wrong_argument(const Call& call) {
  if (!is_operation(call.transa)) return "unknown transa";
  if (!is_operation(call.transb)) return "unknown transb";
  if (call.m < 0 || call.n < 0 || call.k < 0) return "m, n or k is negative";
  if (call.batch < 0) return "the batch count is negative";
  if (call.lda < std::max<int64_t>(1, call.transa == CUBLAS_OP_N ? call.m : call.k))
    return "lda is smaller than the rows of A";
  if (call.ldb < std::max<int64_t>(1, call.transb == CUBLAS_OP_N ? call.k : call.n))
    return "ldb is smaller than the rows of B";
  if (call.ldc < std::max<int64_t>(1, call.m)) return "ldc is smaller than m";
  if (!call.alpha || !call.beta) return "alpha or beta is NULL";
  if (call.algorithm < -1 || (call.algorithm > 23 && call.algorithm < 99) || call.algorithm > 115)
    return "unknown algorithm";
  return nullptr;
}

// The documented combinations with float sums, but for those that round float inputs to 16 bits.
bool is_supported(const Call& call) {
  if (call.a_type != call.b_type) return false;
  const bool plain =
      call.compute == CUBLAS_COMPUTE_32F || call.compute == CUBLAS_COMPUTE_32F_PEDANTIC;
  switch (call.a_type) {
    case CUDA_R_32F:
      return call.c_type == CUDA_R_32F && (plain || call.compute == CUBLAS_COMPUTE_32F_FAST_TF32);
    case CUDA_R_16F:
    case CUDA_R_16BF:
      return plain && (call.c_type == call.a_type || call.c_type == CUDA_R_32F);
    default:
      return false;
  }
}

Type type_of(int cuda_type) {
  return cuda_type == CUDA_R_32F ? Type::f32 : cuda_type == CUDA_R_16F ? Type::f16 : Type::bf16;
}

bool rounds_to_tf32(const cublas_handle& handle, const Call& call) {
  const int mode = handle.math_mode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
  if (call.a_type != CUDA_R_32F || handle.capability < 80) return false;
  if (mode == CUBLAS_PEDANTIC_MATH || call.compute == CUBLAS_COMPUTE_32F_PEDANTIC) return false;
  return mode == CUBLAS_TF32_TENSOR_OP_MATH || call.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
}

Scalar scalar(const cublas_handle& handle, const void* pointer) {
  const float* number = static_cast<const float*>(pointer);
  return handle.pointer_mode == CUBLAS_POINTER_MODE_DEVICE ? Scalar::on_device(number)
                                                           : Scalar(*number);
}

const char* at(const void* matrix, int64_t item, int64_t stride, size_t size) {
  return static_cast<const char*>(matrix) + item * stride * static_cast<int64_t>(size);
}

// A column-major matrix of rows x columns numbers.
void touch(Work* work, const char* name, const void* matrix, size_t size, int64_t rows,
           int64_t columns, int64_t ld, Access access) {
  if (rows == 0 || columns == 0) return;
  if (rows == ld) {
    work->touch(name, matrix, size, size * rows * columns, access);
  } else {
    work->touch(name, matrix, size, size * rows, access, columns, size * ld);
  }
}

cublasStatus_t touch_workspace(const cublas_handle& handle, const char* function, Work* work) {
  if (handle.workspace_bytes < kSmallestWorkspace) {
    record_fault(std::string(function) + ": a workspace of less than 16 KiB may not be enough");
    return CUBLAS_STATUS_ALLOC_FAILED;
  }
  if (!handle.user_workspace && is_capturing(handle.stream)) {
    record_fault(std::string(function) +
                 ": allocates within a capture; call cublasSetWorkspace after each "
                 "cublasSetStream");
    return CUBLAS_STATUS_INTERNAL_ERROR;
  }
  // The default pool keeps the streams of a handle apart; a user's workspace does not.
  if (handle.user_workspace)
    work->touch("workspace", handle.workspace, 1, std::min(handle.workspace_bytes, kScribbled),
                Access::kWrite);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t multiply(cublasHandle_t handle, const Call& call) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (const char* wrong = wrong_argument(call)) return invalid(call.function, wrong);
  if (!is_supported(call)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (call.m == 0 || call.n == 0 || call.batch == 0) return CUBLAS_STATUS_SUCCESS;

  const Scalar alpha = scalar(*handle, call.alpha), beta = scalar(*handle, call.beta);
  const Type in = type_of(call.a_type), out = type_of(call.c_type);
  const size_t in_size = size_of(in), out_size = size_of(out);
  const bool ta = call.transa != CUBLAS_OP_N, tb = call.transb != CUBLAS_OP_N;

  Work work(call.function);
  if (const cublasStatus_t status = touch_workspace(*handle, call.function, &work)) return status;
  work.touch("alpha", alpha);
  work.touch("beta", beta);
  for (int64_t item = 0; item < call.batch; item++) {
    if (!alpha.is_zero() && (item == 0 || call.stride_a != 0))
      touch(&work, "A", at(call.a, item, call.stride_a, in_size), in_size, ta ? call.k : call.m,
            ta ? call.m : call.k, call.lda, Access::kRead);
    if (!alpha.is_zero() && (item == 0 || call.stride_b != 0))
      touch(&work, "B", at(call.b, item, call.stride_b, in_size), in_size, tb ? call.n : call.k,
            tb ? call.k : call.n, call.ldb, Access::kRead);
    touch(&work, "C", at(call.c, item, call.stride_c, out_size), out_size, call.m, call.n, call.ldc,
          beta.is_zero() ? Access::kWrite : Access::kUpdate);
  }

  const bool tf32 = rounds_to_tf32(*handle, call);
  void* workspace = handle->workspace;
  const size_t scribbled =
      handle->user_workspace ? std::min(handle->workspace_bytes, kScribbled) : 0;
  const int status = work.submit(handle->stream, [=] {
    scribble(workspace, scribbled);
    for (int64_t item = 0; item < call.batch; item++)
      gemm({call.m,
            call.n,
            call.k,
            alpha.get(),
            beta.get(),
            {at(call.a, item, call.stride_a, in_size), in, call.lda, ta},
            {at(call.b, item, call.stride_b, in_size), in, call.ldb, tb},
            const_cast<char*>(at(call.c, item, call.stride_c, out_size)),
            out,
            call.ldc,
            tf32});
    return std::string();
  });
  return status == 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, int transa, int transb, int m, int n, int k,
                              const float* alpha, const float* a, int lda, const float* b, int ldb,
                              const float* beta, float* c, int ldc) {
  return multiply(handle, {__func__,   transa,
                           transb,     m,
                           n,          k,
                           alpha,      a,
                           CUDA_R_32F, lda,
                           0,          b,
                           CUDA_R_32F, ldb,
                           0,          beta,
                           c,          CUDA_R_32F,
                           ldc,        0,
                           1,          CUBLAS_COMPUTE_32F,
                           -1});
}

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, int transa, int transb, int m,
                                         int n, int k, const float* alpha, const float* a, int lda,
                                         long long stride_a, const float* b, int ldb,
                                         long long stride_b, const float* beta, float* c, int ldc,
                                         long long stride_c, int batch) {
  return multiply(handle, {__func__,   transa,
                           transb,     m,
                           n,          k,
                           alpha,      a,
                           CUDA_R_32F, lda,
                           stride_a,   b,
                           CUDA_R_32F, ldb,
                           stride_b,   beta,
                           c,          CUDA_R_32F,
                           ldc,        stride_c,
                           batch,      CUBLAS_COMPUTE_32F,
                           -1});
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, int transa, int transb, int m, int n, int k,
                            const void* alpha, const void* a, int a_type, int lda, const void* b,
                            int b_type, int ldb, const void* beta, void* c, int c_type, int ldc,
                            int compute, int algorithm) {
  return multiply(
      handle, {__func__, transa, transb, m,    n, k,      alpha, a, a_type, lda,     0,        b,
               b_type,   ldb,    0,      beta, c, c_type, ldc,   0, 1,      compute, algorithm});
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, int transa, int transb, int m,
                                          int n, int k, const void* alpha, const void* a,
                                          int a_type, int lda, long long stride_a, const void* b,
                                          int b_type, int ldb, long long stride_b, const void* beta,
                                          void* c, int c_type, int ldc, long long stride_c,
                                          int batch, int compute, int algorithm) {
  return multiply(handle, {__func__, transa, transb,   m,        n,      k,       alpha,    a,
                           a_type,   lda,    stride_a, b,        b_type, ldb,     stride_b, beta,
                           c,        c_type, ldc,      stride_c, batch,  compute, algorithm});
}

// C = alpha op(A) + beta op(B). C may be A or B where that is not transposed and ld is the same.
cublasStatus_t cublasSgeam(cublasHandle_t handle, int transa, int transb, int m, int n,
                           const float* alpha, const float* a, int lda, const float* beta,
                           const float* b, int ldb, float* c, int ldc) {
  if (!is_live(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  const bool ta = transa != CUBLAS_OP_N, tb = transb != CUBLAS_OP_N;
  if (!is_operation(transa) || !is_operation(transb)) return invalid(__func__, "unknown operation");
  if (m < 0 || n < 0) return invalid(__func__, "m or n is negative");
  if (lda < std::max(1, ta ? n : m)) return invalid(__func__, "lda is smaller than the rows of A");
  if (ldb < std::max(1, tb ? n : m)) return invalid(__func__, "ldb is smaller than the rows of B");
  if (ldc < std::max(1, m)) return invalid(__func__, "ldc is smaller than m");
  if (!alpha || !beta) return invalid(__func__, "alpha or beta is NULL");
  const bool in_a = c == a, in_b = c == b;
  if ((in_a && (ta || lda != ldc)) || (in_b && (tb || ldb != ldc)))
    return invalid(__func__, "C is A or B, but transposed or with another ld");
  if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;

  const Scalar scale_a = scalar(*handle, alpha), scale_b = scalar(*handle, beta);
  Work work(__func__);
  work.touch("alpha", scale_a);
  work.touch("beta", scale_b);
  if (!scale_a.is_zero() && !in_a)
    touch(&work, "A", a, sizeof(float), ta ? n : m, ta ? m : n, lda, Access::kRead);
  if (!scale_b.is_zero() && !in_b)
    touch(&work, "B", b, sizeof(float), tb ? n : m, tb ? m : n, ldb, Access::kRead);
  touch(&work, "C", c, sizeof(float), m, n, ldc,
        (in_a && !scale_a.is_zero()) || (in_b && !scale_b.is_zero()) ? Access::kUpdate
                                                                     : Access::kWrite);
  const int status = work.submit(handle->stream, [=] {
    const float x = scale_a.get(), y = scale_b.get();
    for (int64_t j = 0; j < n; j++)
      for (int64_t i = 0; i < m; i++) {
        float sum = 0;
        if (x != 0) sum += x * (ta ? a[j + i * lda] : a[i + j * lda]);
        if (y != 0) sum += y * (tb ? b[j + i * ldb] : b[i + j * ldb]);
        c[i + j * ldc] = sum;
      }
    return std::string();
  });
  return status == 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
