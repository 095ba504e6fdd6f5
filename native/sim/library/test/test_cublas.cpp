// The cuBLAS stand-in against loops of double, its statuses, its asynchrony, captures and faults.
#include <cmath>

#include "gpu.h"
#include "sim/cublas/cublas_api.h"

namespace {

constexpr int kTypes[] = {CUDA_R_32F, CUDA_R_16F, CUDA_R_16BF};

// Rounds to the type and back, by the compiler's conversion where it has one.
float rounded(float value, int type) {
  if (type == CUDA_R_16F) return static_cast<float>(static_cast<_Float16>(value));
  if (type == CUDA_R_16BF) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if (!std::isnan(value)) bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000;
    std::memcpy(&value, &bits, 4);
  }
  return value;
}

// Numbers of a type as bytes, and back.
std::vector<unsigned char> pack(const std::vector<float>& values, int type) {
  std::vector<unsigned char> bytes;
  for (float value : values) {
    unsigned char number[4];
    size_t size = 2;
    if (type == CUDA_R_32F) {
      std::memcpy(number, &value, size = 4);
    } else if (type == CUDA_R_16F) {
      const _Float16 half = static_cast<_Float16>(value);
      std::memcpy(number, &half, 2);
    } else {
      const float wide = rounded(value, type);
      std::memcpy(number, reinterpret_cast<const unsigned char*>(&wide) + 2, 2);
    }
    bytes.insert(bytes.end(), number, number + size);
  }
  return bytes;
}

std::vector<float> unpack(const std::vector<unsigned char>& bytes, int type) {
  const size_t size = type == CUDA_R_32F ? 4 : 2;
  std::vector<float> values(bytes.size() / size);
  for (size_t i = 0; i < values.size(); i++) {
    const unsigned char* number = bytes.data() + i * size;
    if (type == CUDA_R_16F) {
      _Float16 half;
      std::memcpy(&half, number, 2);
      values[i] = static_cast<float>(half);
    } else {
      values[i] = 0;
      std::memcpy(reinterpret_cast<unsigned char*>(&values[i]) + 4 - size, number, size);
    }
  }
  return values;
}

bool same(float a, float b) { return std::memcmp(&a, &b, 4) == 0 || (a != a && b != b); }

// A column-major product and what a loop of double makes of it.
struct Case {
  int m, n, k, ta, tb, lda, ldb, ldc;
  float alpha, beta;
  std::vector<float> a, b, c;

  Case(Random& random, int in_type = CUDA_R_32F, int out_type = CUDA_R_32F, int bound = 70) {
    m = 1 + random.below(bound), n = 1 + random.below(bound), k = random.below(bound + 1);
    ta = random.below(2), tb = random.below(2);
    lda = std::max(1, ta ? k : m) + random.below(4);
    ldb = std::max(1, tb ? n : k) + random.below(4);
    ldc = m + random.below(4);
    alpha = random.scalar(), beta = random.scalar();
    a = random.normals(size_t(lda) * std::max(1, ta ? m : k));
    b = random.normals(size_t(ldb) * std::max(1, tb ? k : n));
    c = random.normals(size_t(ldc) * n);
    for (float& value : a) value = rounded(value, in_type);
    for (float& value : b) value = rounded(value, in_type);
    if (beta == 0)
      for (float& value : c) value = NAN;  // must not be read
    for (float& value : c) value = rounded(value, out_type);
  }

  void check(const std::vector<float>& got, int out_type = CUDA_R_32F) const {
    const double unit = out_type == CUDA_R_32F ? 0 : out_type == CUDA_R_16F ? 0x1p-11 : 0x1p-8;
    for (int j = 0; j < n; j++)
      for (int i = 0; i < ldc; i++) {
        const size_t at = i + size_t(j) * ldc;
        if (i >= m) {
          CHECK_NOTE(same(got[at], c[at]), "between the columns of C at (%d, %d)", i, j);
          continue;
        }
        double sum = 0, size = 0;
        for (int l = 0; l < k; l++) {
          const double x = a[ta ? l + size_t(i) * lda : i + size_t(l) * lda];
          const double y = b[tb ? j + size_t(l) * ldb : l + size_t(j) * ldb];
          sum += x * y, size += std::fabs(x * y);
        }
        const double expected = alpha * sum + (beta == 0 ? 0 : beta * double(c[at]));
        const double bound = 0x1p-23 * (k + 4) * (std::fabs(alpha) * size + std::fabs(expected)) +
                             unit * std::fabs(expected) + 1e-7;
        CHECK_NOTE(std::fabs(got[at] - expected) <= bound,
                   "(%d, %d) is %g, not %g (m %d n %d k %d)", i, j, got[at], expected, m, n, k);
      }
  }
};

cublasHandle_t handle_on(CUstream stream) {
  cublasHandle_t handle;
  CHECK(cublasCreate_v2(&handle) == CUBLAS_STATUS_SUCCESS);
  CHECK(cublasSetStream_v2(handle, stream) == CUBLAS_STATUS_SUCCESS);
  return handle;
}

int sgemm(cublasHandle_t handle, const Case& t, const Array<float>& a, const Array<float>& b,
          const Array<float>& c, const float* alpha, const float* beta) {
  return cublasSgemm_v2(handle, t.ta, t.tb, t.m, t.n, t.k, alpha, a.get(), t.lda, b.get(), t.ldb,
                        beta, c.get(), t.ldc);
}

void test_products(CUstream stream) {
  Random random;
  cublasHandle_t handle = handle_on(stream);
  for (int round = 0; round < 200; round++) {
    const Case t(random, CUDA_R_32F, CUDA_R_32F, round < 190 ? 70 : 600);
    const Array<float> a(t.a), b(t.b), c(t.c);
    CHECK(sgemm(handle, t, a, b, c, &t.alpha, &t.beta) == CUBLAS_STATUS_SUCCESS);
    CHECK_CU(cuStreamSynchronize(stream));
    t.check(c.read());
  }
  for (int round = 0; round < 90; round++) {
    const int in = kTypes[round % 3], out = round % 2 ? in : CUDA_R_32F;
    const Case t(random, in, out);
    const Array<unsigned char> a(pack(t.a, in)), b(pack(t.b, in)), c(pack(t.c, out));
    CHECK(cublasGemmEx(handle, t.ta, t.tb, t.m, t.n, t.k, &t.alpha, a.get(), in, t.lda, b.get(), in,
                       t.ldb, &t.beta, c.get(), out, t.ldc, CUBLAS_COMPUTE_32F,
                       -1) == CUBLAS_STATUS_SUCCESS);
    CHECK_CU(cuStreamSynchronize(stream));
    t.check(unpack(c.read(), out), out);
  }
  CHECK(cublasDestroy_v2(handle) == CUBLAS_STATUS_SUCCESS);
}

// Large enough for several blocks and threads, and every K block.
void test_large(CUstream stream) {
  Random random;
  Case t(random);
  t.m = 431, t.n = 509, t.k = 777, t.ta = 1, t.tb = 0, t.alpha = 1, t.beta = 0;
  t.lda = 777, t.ldb = 780, t.ldc = 431;
  t.a = random.normals(size_t(t.lda) * t.m);
  t.b = random.normals(size_t(t.ldb) * t.n);
  t.c.assign(size_t(t.ldc) * t.n, NAN);
  cublasHandle_t handle = handle_on(stream);
  const Array<float> a(t.a), b(t.b), c(t.c);
  CHECK(sgemm(handle, t, a, b, c, &t.alpha, &t.beta) == CUBLAS_STATUS_SUCCESS);
  CHECK_CU(cuStreamSynchronize(stream));
  const std::vector<float> first = c.read();
  t.check(first);
  CHECK(sgemm(handle, t, a, b, c, &t.alpha, &t.beta) == CUBLAS_STATUS_SUCCESS);
  CHECK_CU(cuStreamSynchronize(stream));
  CHECK(std::memcmp(first.data(), c.read().data(), first.size() * 4) == 0);
  CHECK(cublasDestroy_v2(handle) == CUBLAS_STATUS_SUCCESS);
}

// Each item of a batch as a product of its own; A shared, B and C apart.
void test_batches(CUstream stream) {
  Random random;
  cublasHandle_t handle = handle_on(stream);
  for (int round = 0; round < 20; round++) {
    const Case t(random);
    const int batch = 1 + random.below(4);
    const size_t stride_b = t.b.size() + 3, stride_c = t.c.size() + 5;
    std::vector<float> bs(stride_b * batch, 7), cs(stride_c * batch, 7);
    std::vector<Case> items(batch, t);
    for (int i = 0; i < batch; i++) {
      items[i].b = random.normals(t.b.size());
      std::copy(items[i].b.begin(), items[i].b.end(), bs.begin() + i * stride_b);
      std::copy(items[i].c.begin(), items[i].c.end(), cs.begin() + i * stride_c);
    }
    const Array<float> a(t.a), b(bs), c(cs);
    CHECK(cublasSgemmStridedBatched(handle, t.ta, t.tb, t.m, t.n, t.k, &t.alpha, a.get(), t.lda, 0,
                                    b.get(), t.ldb, stride_b, &t.beta, c.get(), t.ldc, stride_c,
                                    batch) == CUBLAS_STATUS_SUCCESS);
    CHECK_CU(cuStreamSynchronize(stream));
    const std::vector<float> got = c.read();
    for (int i = 0; i < batch; i++)
      items[i].check({got.begin() + i * stride_c, got.begin() + i * stride_c + t.c.size()});
  }
  CHECK(cublasDestroy_v2(handle) == CUBLAS_STATUS_SUCCESS);
}

void test_geam(CUstream stream) {
  Random random;
  cublasHandle_t handle = handle_on(stream);
  for (int round = 0; round < 40; round++) {
    const int m = random.size(), n = random.size(), ta = random.below(2), tb = random.below(2);
    const int lda = (ta ? n : m) + 1, ldb = (tb ? n : m) + 2, ldc = m;
    const float alpha = random.scalar(), beta = random.scalar();
    const std::vector<float> a = random.normals(lda * (ta ? m : n));
    const std::vector<float> b = random.normals(ldb * (tb ? m : n));
    const Array<float> da(a), db(b), dc(size_t(ldc) * n);
    CHECK(cublasSgeam(handle, ta, tb, m, n, &alpha, da.get(), lda, &beta, db.get(), ldb, dc.get(),
                      ldc) == CUBLAS_STATUS_SUCCESS);
    CHECK_CU(cuStreamSynchronize(stream));
    const std::vector<float> got = dc.read();
    for (int j = 0; j < n; j++)
      for (int i = 0; i < m; i++) {
        const double expected = double(alpha) * a[ta ? j + i * lda : i + j * lda] +
                                double(beta) * b[tb ? j + i * ldb : i + j * ldb];
        CHECK(std::fabs(got[i + j * ldc] - expected) <= 1e-6 * (1 + std::fabs(expected)));
      }
  }
  CHECK(cublasDestroy_v2(handle) == CUBLAS_STATUS_SUCCESS);
}

void test_statuses(CUstream stream) {
  cublasHandle_t handle = handle_on(stream);
  const Array<float> x(std::vector<float>(64, 1.0f));
  const float one = 1;
  const auto gemm = [&](int ta, int tb, int m, int n, int k, int lda, int ldb, int ldc) {
    return cublasSgemm_v2(handle, ta, tb, m, n, k, &one, x.get(), lda, x.get(), ldb, &one, x.get(),
                          ldc);
  };
  CHECK(gemm(0, 0, -1, 2, 2, 4, 4, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(0, 0, 2, -1, 2, 4, 4, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(0, 0, 2, 2, -1, 4, 4, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(3, 0, 2, 2, 2, 4, 4, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(0, -1, 2, 2, 2, 4, 4, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(gemm(0, 0, 3, 2, 2, 2, 2, 3) == CUBLAS_STATUS_INVALID_VALUE);  // lda < m
  CHECK(gemm(1, 0, 2, 2, 3, 2, 3, 2) == CUBLAS_STATUS_INVALID_VALUE);  // lda < k
  CHECK(gemm(0, 0, 2, 2, 3, 2, 2, 2) == CUBLAS_STATUS_INVALID_VALUE);  // ldb < k
  CHECK(gemm(0, 1, 2, 3, 2, 2, 2, 2) == CUBLAS_STATUS_INVALID_VALUE);  // ldb < n
  CHECK(gemm(0, 0, 3, 2, 2, 3, 2, 2) == CUBLAS_STATUS_INVALID_VALUE);  // ldc < m
  CHECK(gemm(0, 0, 0, 2, 2, 1, 2, 1) == CUBLAS_STATUS_SUCCESS);
  CHECK(cublasSgemm_v2(handle, 0, 0, 2, 2, 2, nullptr, x.get(), 2, x.get(), 2, &one, x.get(), 2) ==
        CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasGemmEx(handle, 0, 0, 2, 2, 2, &one, x.get(), CUDA_R_16F, 2, x.get(), CUDA_R_32F, 2,
                     &one, x.get(), CUDA_R_32F, 2, CUBLAS_COMPUTE_32F,
                     -1) == CUBLAS_STATUS_NOT_SUPPORTED);
  CHECK(cublasSetPointerMode_v2(handle, 2) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasSetMathMode(handle, 4) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(cublasSetWorkspace_v2(handle, reinterpret_cast<char*>(x.get()) + 16, 64) ==
        CUBLAS_STATUS_INVALID_VALUE);
  int mode = -1;
  CHECK(cublasSetMathMode(handle, CUBLAS_TF32_TENSOR_OP_MATH) == CUBLAS_STATUS_SUCCESS);
  CHECK(cublasGetMathMode(handle, &mode) == CUBLAS_STATUS_SUCCESS &&
        mode == CUBLAS_TF32_TENSOR_OP_MATH);
  void* got = nullptr;
  CHECK(cublasGetStream_v2(handle, &got) == CUBLAS_STATUS_SUCCESS && got == stream);
  CHECK(cublasDestroy_v2(handle) == CUBLAS_STATUS_SUCCESS);
  CHECK(cublasDestroy_v2(handle) == CUBLAS_STATUS_NOT_INITIALIZED);
  CHECK(cublasSetStream_v2(handle, stream) == CUBLAS_STATUS_NOT_INITIALIZED);
}

// Host scalars are read at the call, device scalars when the work runs; nothing runs in a capture.
void test_scalars(CUstream stream) {
  Random random;
  Case t(random);
  while (t.k == 0) t = Case(random);
  cublasHandle_t handle = handle_on(stream);
  const Array<unsigned char> workspace(32 << 10);
  const Array<float> a(t.a), b(t.b), c(t.c), scalars(std::vector<float>{t.alpha, t.beta});
  CHECK(cublasSetWorkspace_v2(handle, workspace.get(), 32 << 10) == CUBLAS_STATUS_SUCCESS);

  float alpha = t.alpha, beta = t.beta;
  secateur_sim_counters counters;
  secateur_sim_counters_reset();
  CUgraphExec exec = capture(
      stream, [&] { CHECK(sgemm(handle, t, a, b, c, &alpha, &beta) == CUBLAS_STATUS_SUCCESS); });
  alpha = beta = NAN;
  for (int replay = 0; replay < 2; replay++) {
    c.set(t.c);
    CHECK_CU(cuGraphLaunch(exec, stream));
    CHECK_CU(cuStreamSynchronize(stream));
    t.check(c.read());
  }
  CHECK_CU(cuGraphExecDestroy(exec));
  secateur_sim_counters_get(&counters);
  CHECK(counters.launches == 0 && counters.library_calls >= 1);

  CHECK(cublasSetPointerMode_v2(handle, CUBLAS_POINTER_MODE_DEVICE) == CUBLAS_STATUS_SUCCESS);
  c.set(t.c);
  const float changed[2] = {0.75f, -2};
  CHECK_CU(cuMemcpyHtoDAsync_v2(reinterpret_cast<CUdeviceptr>(scalars.get()), changed, 8, stream));
  CHECK(sgemm(handle, t, a, b, c, scalars.get(), scalars.get() + 1) == CUBLAS_STATUS_SUCCESS);
  CHECK_CU(cuStreamSynchronize(stream));
  Case other = t;
  other.alpha = changed[0], other.beta = changed[1];
  if (t.beta != 0) other.check(c.read());
  CHECK(cublasDestroy_v2(handle) == CUBLAS_STATUS_SUCCESS);
}

// What must be found out, each in a process of its own; the call itself succeeds where the real one
// would, and the fault shows at the next synchronisation.
void test_faults() {
  const float one = 1, zero = 0;
  const std::vector<float> ones(64, 1.0f);
  const auto multiply = [&](cublasHandle_t handle, const float* a, const float* b, float* c) {
    return cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, a, 8, b, 8, &zero, c, 8);
  };
  CUstream stream = restart();
  {
    cublasHandle_t handle = handle_on(stream);
    const Array<float> a(std::vector<float>(63, 1.0f)), b(ones), c(64);
    CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
    check_fault(stream, "A");
    CHECK(multiply(handle, b.get(), b.get(), c.get()) == CUBLAS_STATUS_EXECUTION_FAILED);  // sticky
  }
  if (secateur_sim_checked()) {  // only there kernels mark what they write
    stream = restart();
    cublasHandle_t handle = handle_on(stream);
    const Array<float> a(64), b(ones), c(64);  // A never written
    CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
    check_fault(stream, "A");
  }
  stream = restart();
  {
    cublasHandle_t handle = handle_on(stream);
    const Array<float> a(ones), b(ones);
    CHECK(multiply(handle, a.get(), b.get(), a.get()) == CUBLAS_STATUS_SUCCESS);
    check_fault(stream, "overlap");
  }
  stream = restart();
  {
    cublasHandle_t handle = handle_on(stream);
    std::vector<float> host(ones);
    const Array<float> b(ones), c(64);
    CHECK(multiply(handle, host.data(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
    check_fault(stream, "A");
  }
  stream = restart();
  {  // the user's workspace holds something else
    cublasHandle_t handle = handle_on(stream);
    const Array<float> large(std::vector<float>(16 << 10, 1.0f)), b(ones), c(64);
    CHECK(cublasSetWorkspace_v2(handle, large.get(), 64 << 10) == CUBLAS_STATUS_SUCCESS);
    CHECK(multiply(handle, large.get(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
    check_fault(stream, "workspace");
  }
  stream = restart();
  {
    cublasHandle_t handle = handle_on(stream);
    const Array<float> a(ones), b(ones), c(64);
    CHECK(cublasSetWorkspace_v2(handle, nullptr, 0) == CUBLAS_STATUS_SUCCESS);
    CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_ALLOC_FAILED);
    // A capture needs the user's workspace, and a new stream takes it away.
    const Array<unsigned char> workspace(16 << 10);
    CHECK(cublasSetWorkspace_v2(handle, workspace.get(), 16 << 10) == CUBLAS_STATUS_SUCCESS);
    capture(stream, [&] {
      CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
      CHECK(cublasSetStream_v2(handle, stream) == CUBLAS_STATUS_SUCCESS);
      CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_INTERNAL_ERROR);
    });
    CHECK(std::strstr(secateur_sim_last_fault(), "cublasSetWorkspace"));
  }
  stream = restart();
  {  // two streams write C, and no event orders them
    cublasHandle_t handle = handle_on(stream);
    CUstream other;
    CHECK_CU(cuStreamCreate(&other, 0));
    const Array<float> a(ones), b(ones), c(64);
    CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
    CHECK(cublasSetStream_v2(handle, other) == CUBLAS_STATUS_SUCCESS);
    CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
    CHECK(cuStreamSynchronize(stream) != CUDA_SUCCESS ||
          cuStreamSynchronize(other) != CUDA_SUCCESS);
    CHECK_NOTE(std::strstr(secateur_sim_last_fault(), "no event orders"), "%s",
               secateur_sim_last_fault());
  }
  stream = restart();
  {  // the nth launch that fails on order may be a product
    cublasHandle_t handle = handle_on(stream);
    const Array<float> a(ones), b(ones), c(64);
    secateur_sim_fail(SECATEUR_SIM_LAUNCH, 2);
    CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
    CHECK_CU(cuStreamSynchronize(stream));
    CHECK(multiply(handle, a.get(), b.get(), c.get()) == CUBLAS_STATUS_SUCCESS);
    CHECK(cuStreamSynchronize(stream) != CUDA_SUCCESS);
  }
  restart();
  secateur_sim_fail(SECATEUR_SIM_ALLOCATION, 1);
  cublasHandle_t handle;
  CHECK(cublasCreate_v2(&handle) == CUBLAS_STATUS_ALLOC_FAILED && !handle);
  secateur_sim_restart();
}

// On a GPU with tensor cores for floats, TF32 where it is allowed and nowhere else.
void test_tf32(CUstream stream) {
  cublasHandle_t handle = handle_on(stream);
  const float one = 1, zero = 0;
  const float fine = 1 + 0x1p-11f + 0x1p-20f;  // rounds to 1 + 2^-10
  const Array<float> a(std::vector<float>{fine}), b(std::vector<float>{1}), c(1);
  const auto product = [&](int math) {
    CHECK(cublasSetMathMode(handle, math) == CUBLAS_STATUS_SUCCESS);
    CHECK(cublasSgemm_v2(handle, 0, 0, 1, 1, 1, &one, a.get(), 1, b.get(), 1, &zero, c.get(), 1) ==
          CUBLAS_STATUS_SUCCESS);
    CHECK_CU(cuStreamSynchronize(stream));
    return c.read()[0];
  };
  CHECK(product(CUBLAS_DEFAULT_MATH) == fine);
  CHECK(product(CUBLAS_TF32_TENSOR_OP_MATH) == 1 + 0x1p-10f);
  CHECK(product(CUBLAS_PEDANTIC_MATH) == fine);
  CHECK(cublasDestroy_v2(handle) == CUBLAS_STATUS_SUCCESS);
}

}  // namespace

int main() {
  CUstream stream = start();
  test_products(stream);
  test_large(stream);
  test_batches(stream);
  test_geam(stream);
  test_statuses(stream);
  test_scalars(stream);
  const char* capability = getenv("SECATEUR_SIM_CAPABILITY");
  if (capability && !strcmp(capability, "8.0")) test_tf32(stream);
  test_faults();
  return 0;
}
