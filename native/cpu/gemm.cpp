// C = alpha op(A) op(B) + beta C: cut into pieces for the pool, each one call of a single-threaded
// BLAS. The pieces depend on the shape alone, so results do not depend on the number of threads.
#include <cinttypes>
#include <climits>

#include "abi/error.h"
#include "blas.h"
#include "device.h"
#include "pool.h"

namespace secateur {
namespace {

// A library packs op(A) and op(B) anew in every piece, so pieces must not be small; below kInline
// multiplications the pool costs more than it saves. Products of up to kFew are cut into at most
// four pieces, larger ones into pieces of about kPiece.
constexpr double kInline = 1 << 18;
constexpr double kFew = 1 << 25;
constexpr double kPiece = 1 << 23;
constexpr int64_t kMostPieces = 256;
constexpr int64_t kColumnUnit = 16;  // piece bounds fall on the library's register tiles
constexpr int64_t kRowUnit = 4;

struct Pieces {
  int64_t rows, cols;  // of a piece of C
};

int64_t half(int64_t length, int64_t unit) { return ((length + 1) / 2 + unit - 1) / unit * unit; }

// Halves C's columns, or its rows once they are twice as many (cutting columns repacks the rows of
// op(A) only, the smaller operand in a network's layers).
Pieces cut(int64_t m, int64_t n, int64_t k) {
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  double wanted = work < kInline ? 1 : work < 4 * kInline ? 2 : work < kFew ? 4 : work / kPiece;
  if (wanted > kMostPieces) wanted = kMostPieces;
  Pieces piece{m, n};
  for (int64_t count = 1; 2 * count <= wanted; count *= 2) {
    const bool columns = 2 * piece.cols >= piece.rows;
    int64_t& length = columns ? piece.cols : piece.rows;
    const int64_t unit = columns ? kColumnUnit : kRowUnit;
    if (length < 2 * unit) break;
    length = half(length, unit);
  }
  return piece;
}

// k = 0: C = beta C.
void scale(const secateur_gemm_args& args, float* c) {
  for (int64_t i = 0; i < args.m; ++i) {
    float* const row = c + i * args.ldc;
    for (int64_t j = 0; j < args.n; ++j) row[j] = args.beta == 0.0f ? 0.0f : args.beta * row[j];
  }
}

}  // namespace

void CpuDevice::gemm(void*, const secateur_gemm_args& args, const float* a, const float* b,
                     float* c) {
  if (args.k == 0) return scale(args, c);
  const CblasSgemm product = cblas_sgemm();
  if (product == nullptr) {
    fail(SECATEUR_UNAVAILABLE,
         "No BLAS library is loaded; call secateur_blas_load with the path of OpenBLAS.");
  }
  const Pieces piece = cut(args.m, args.n, args.k);
  const int64_t down = (args.m + piece.rows - 1) / piece.rows;
  const int64_t across = (args.n + piece.cols - 1) / piece.cols;
  parallel_for(down * across, [&](int64_t index) {
    const int64_t row = index / across * piece.rows, col = index % across * piece.cols;
    const int64_t rows = args.m - row < piece.rows ? args.m - row : piece.rows;
    const int64_t cols = args.n - col < piece.cols ? args.n - col : piece.cols;
    product(kCblasRowMajor, args.trans_a ? kCblasTrans : kCblasNoTrans,
            args.trans_b ? kCblasTrans : kCblasNoTrans, static_cast<int>(rows),
            static_cast<int>(cols), static_cast<int>(args.k), args.alpha,
            a + (args.trans_a ? row : row * args.lda), static_cast<int>(args.lda),
            b + (args.trans_b ? col * args.ldb : col), static_cast<int>(args.ldb), args.beta,
            c + row * args.ldc + col, static_cast<int>(args.ldc));
  });
}

}  // namespace secateur
