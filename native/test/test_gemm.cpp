// The dense product through a CBLAS library, named by SECATEUR_TEST_BLAS (skipped without it),
// against a double-precision loop: transposes, leading dimensions, alpha and beta, pieces, several
// callers.
#include <thread>

#include "harness.h"

namespace {

using test::Guarded;

void check(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, float alpha, float beta,
           int64_t gap) {
  secateur_gemm_args args = {};
  args.trans_a = trans_a;
  args.trans_b = trans_b;
  args.m = m;
  args.n = n;
  args.k = k;
  args.alpha = alpha;
  args.beta = beta;
  args.lda = (trans_a ? m : k) + gap;
  args.ldb = (trans_b ? k : n) + gap;
  args.ldc = n + gap;
  test::Random random(61);
  const std::vector<float> a = random.normals((trans_a ? k : m) * args.lda);
  const std::vector<float> b = random.normals((trans_b ? n : k) * args.ldb);
  // beta = 0 must not read C.
  const std::vector<float> c =
      beta == 0 ? std::vector<float>(m * args.ldc, test::kNan) : random.normals(m * args.ldc);
  std::vector<float> first;
  for (int32_t threads : {1, 2, 3}) {
    CHECK_OK(secateur_set_threads(threads));
    Guarded<float> x(a), y(b), z(c);
    CHECK_OK(secateur_gemm(test::cpu(), nullptr, &args, x.data(), y.data(), z.data()));
    const std::vector<float> got = z.take();
    if (threads == 1) first = got;
    for (size_t i = 0; i < got.size(); ++i) CHECK(test::same(got[i], first[i]));
  }
  CHECK_OK(secateur_set_threads(0));
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < args.ldc; ++j) {
      const float got = first[i * args.ldc + j];
      if (j >= n) {
        CHECK(test::same(got, c[i * args.ldc + j]));
        continue;
      }
      double sum = 0, size = 0;
      for (int64_t l = 0; l < k; ++l) {
        const double term = double{a[trans_a ? l * args.lda + i : i * args.lda + l]} *
                            b[trans_b ? j * args.ldb + l : l * args.ldb + j];
        sum += term;
        size += std::fabs(term);
      }
      double want = alpha * sum;
      size = std::fabs(alpha) * size;
      if (beta != 0) {
        want += double{beta} * c[i * args.ldc + j];
        size += std::fabs(double{beta} * c[i * args.ldc + j]);
      }
      CHECK_NOTE(std::fabs(got - want) <= 1e-5 * size, "[%d, %d] x %d: %g, not %g",
                 static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), got, want);
    }
  }
}

void products() {
  for (int transposes = 0; transposes < 4; ++transposes) {
    const bool ta = transposes & 1, tb = transposes & 2;
    check(ta, tb, 1, 1, 1, 1, 0, 0);
    check(ta, tb, 3, 5, 7, 2, -1, 3);
    check(ta, tb, 100, 300, 784, 1, 0, 0);
    check(ta, tb, 300, 784, 100, 1, 0, 0);
    check(ta, tb, 1, 300, 784, 1, 0, 0);
    check(ta, tb, 300, 1, 784, 1, 1, 0);
    check(ta, tb, 100, 10, 100, 1, 0, 1);
    check(ta, tb, 257, 129, 65, 0.5f, 1, 5);
    check(ta, tb, 33, 2047, 31, 1, 1, 0);
    check(ta, tb, 2047, 9, 61, 1, 0, 0);
    check(ta, tb, 64, 64, 64, 1, 0, 0);
    check(ta, tb, 1, 2048, 2048, 1, 0, 0);  // few rows of a large matrix
    check(ta, tb, 3, 1100, 1003, 2, -1, 3);
    check(ta, tb, 8, 513, 1537, 1, 1, 1);
    check(ta, tb, 64, 200, 1537, 1, 1, 1);
    check(ta, tb, 33, 1000, 100, 2, 0, 0);
    check(ta, tb, 7, 5, 100003, 1, 0, 0);
    check(ta, tb, 2, 100003, 17, 1, 0.5f, 2);
  }
  check(false, false, 0, 5, 5, 1, 0, 0);
  check(false, false, 5, 0, 5, 1, 0, 0);
  check(false, false, 5, 5, 0, 1, 0, 2);
  check(false, false, 5, 5, 0, 1, 0.5f, 0);
}

// Products from several threads at once, each with the result it has alone.
void serves_several_callers() {
  test::Random random(62);
  const int64_t size = 150;
  const std::vector<float> a = random.normals(size * size), b = random.normals(size * size);
  const secateur_gemm_args args = {0, 1, size, size, size, 1, 0, size, size, size};
  std::vector<float> alone(size * size);
  CHECK_OK(secateur_gemm(test::cpu(), nullptr, &args, a.data(), b.data(), alone.data()));
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      std::vector<float> c(size * size);
      for (int round = 0; round < 20; ++round) {
        CHECK_OK(secateur_gemm(test::cpu(), nullptr, &args, a.data(), b.data(), c.data()));
        CHECK(memcmp(c.data(), alone.data(), c.size() * sizeof(float)) == 0);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

void refuses() {
  float x[4] = {};
  secateur_gemm_args args = {0, 0, 2, 2, 2, 1, 0, 1, 2, 2};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_gemm(test::cpu(), nullptr, &args, x, x, x));
  CHECK(strstr(secateur_last_error(), "lda") != nullptr);
  args.lda = 2;
  args.m = int64_t{1} << 32;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_gemm(test::cpu(), nullptr, &args, x, x, x));
  args.m = 2;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_gemm(test::cpu(), nullptr, &args, nullptr, x, x));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_gemm(test::cpu(), nullptr, nullptr, x, x, x));
}

void without_library() {
  const secateur_gemm_args args = {0, 0, 1, 1, 1, 1, 0, 1, 1, 1};
  float x = 1;
  CHECK(strcmp(secateur_blas_config(), "") == 0 && strcmp(secateur_blas_core(), "") == 0);
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_gemm(test::cpu(), nullptr, &args, &x, &x, &x));
  CHECK(strstr(secateur_last_error(), "secateur_blas_load") != nullptr);
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_blas_load("/nonexistent/libopenblas.so.0"));
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_blas_load("libm.so.6"));
  CHECK(strstr(secateur_last_error(), "cblas_sgemm") != nullptr);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_blas_load(nullptr));
}

}  // namespace

int main() {
  without_library();
  const char* const path = getenv("SECATEUR_TEST_BLAS");
  if (path == nullptr) {
    puts("SECATEUR_TEST_BLAS names no CBLAS library: products not tested");
    return 77;
  }
  CHECK_OK(secateur_blas_load(path));
  printf("%s (%s)\n", secateur_blas_config(), secateur_blas_core());
  products();
  serves_several_callers();
  refuses();
  return 0;
}
