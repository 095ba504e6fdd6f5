// The CBLAS library behind secateur_gemm on the CPU device, loaded at run time.
#pragma once

namespace secateur {

// Row-major single-precision product as CBLAS declares it.
using CblasSgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                            const float* a, int lda, const float* b, int ldb, float beta, float* c,
                            int ldc);

constexpr int kCblasRowMajor = 101;
constexpr int kCblasNoTrans = 111;
constexpr int kCblasTrans = 112;

// The loaded library's product, or NULL.
CblasSgemm cblas_sgemm() noexcept;

}  // namespace secateur
