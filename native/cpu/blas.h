// The CBLAS library behind secateur_gemm on the CPU device, loaded at run time.
#pragma once

namespace secateur {

// Row-major single-precision product as CBLAS declares it.
using CblasSgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                            const float* a, int lda, const float* b, int ldb, float beta, float* c,
                            int ldc);

// Row-major single-precision matrix times vector as CBLAS declares it.
using CblasSgemv = void (*)(int order, int trans, int m, int n, float alpha, const float* a,
                            int lda, const float* x, int incx, float beta, float* y, int incy);

constexpr int kCblasRowMajor = 101;
constexpr int kCblasNoTrans = 111;
constexpr int kCblasTrans = 112;

// The loaded library's products, or NULL.
CblasSgemm cblas_sgemm() noexcept;
CblasSgemv cblas_sgemv() noexcept;

// Whether it multiplies small matrices without packing them first: OpenBLAS on AVX-512.
bool cblas_has_small_products() noexcept;

}  // namespace secateur
