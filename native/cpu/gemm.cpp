// C = alpha op(A) op(B) + beta C: cut into pieces for the pool, each one call of a single-threaded
// BLAS. The pieces depend on the shape alone, so results do not depend on the number of threads.
//
// A library packs op(B) anew at every call. For a layer's product, whose B is a large matrix met by
// a batch of rows, that is dear: 13 times the product itself at 2048 x 2048 and one row, a third of
// it at 64. Where OpenBLAS multiplies small matrices without packing (AVX-512, and faster than it
// multiplies large ones), such products are taken in slices that small; elsewhere a few rows are
// taken as so many products of a matrix and a vector, in slices that stay in the cache for all.
#include <algorithm>
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

// What OpenBLAS 0.3 multiplies without packing: up to 10^6 multiplications and, where the sums are
// dot products of rows (A B^T), up to 1200 of them.
constexpr int64_t kUnpacked = 990000;
constexpr int64_t kUnpackedDots = 1200;
constexpr int64_t kSliceRows = 64;
constexpr int64_t kMostRows = 1024;

// Rows that are faster one by one.
constexpr int64_t kFewRows = 4;
constexpr int64_t kFewUnpackedRows = 2;    // where slices are not packed, and B is stored [k, n]
constexpr int64_t kVectorSlice = 1 << 16;  // elements of op(B): 256 KiB
constexpr int64_t kVectorColumns = 512;    // of a slice of B stored [k, n]

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

bool is_large(const secateur_gemm_args& args) {
  return static_cast<double>(args.m) * static_cast<double>(args.n) * static_cast<double>(args.k) >
         kUnpacked;
}

struct Slices {
  int64_t rows, cols, depth;
};

Slices slices(const secateur_gemm_args& args) {
  Slices s;
  s.rows = args.m < kSliceRows ? args.m : kSliceRows;
  if (args.trans_b && !args.trans_a) {
    s.cols = std::clamp<int64_t>(kUnpackedDots / s.rows / 16 * 16, 16, 64);
  } else {
    s.cols = s.rows <= 2 ? 512 : s.rows <= 32 ? 128 : 64;
  }
  s.depth = kUnpacked / (s.rows * s.cols) / 8 * 8;
  return s;
}

// Products of slices; those of the depth are added up in order.
void multiply_slices(CblasSgemm product, const secateur_gemm_args& args, const float* a,
                     const float* b, float* c) {
  const Slices s = slices(args);
  const auto run = [&](int64_t row, int64_t col, int64_t cols, int64_t k, int64_t depth) {
    const int64_t rows = args.m - row < s.rows ? args.m - row : s.rows;
    product(
        kCblasRowMajor, args.trans_a ? kCblasTrans : kCblasNoTrans,
        args.trans_b ? kCblasTrans : kCblasNoTrans, static_cast<int>(rows), static_cast<int>(cols),
        static_cast<int>(depth), args.alpha,
        args.trans_a ? a + k * args.lda + row : a + row * args.lda + k, static_cast<int>(args.lda),
        args.trans_b ? b + col * args.ldb + k : b + k * args.ldb + col, static_cast<int>(args.ldb),
        k == 0 ? args.beta : 1, c + row * args.ldc + col, static_cast<int>(args.ldc));
  };
  parallel_ranges(args.n, s.cols, [&](int64_t col, int64_t col_end) {
    for (int64_t k = 0; k < args.k; k += s.depth) {
      const int64_t depth = args.k - k < s.depth ? args.k - k : s.depth;
      for (int64_t row = 0; row < args.m; row += s.rows) run(row, col, col_end - col, k, depth);
    }
  });
}

int64_t few_rows(const secateur_gemm_args& args) {
  if (!cblas_has_small_products()) return kFewRows;
  return args.trans_b ? 0 : kFewUnpackedRows;
}

// Slices of op(B), each met by all rows of A.
void multiply_rows(CblasSgemv product, const secateur_gemm_args& args, const float* a,
                   const float* b, float* c) {
  const int64_t fitting = kVectorSlice / args.k < 4 ? 4 : kVectorSlice / args.k;
  const int64_t cols = args.trans_b ? fitting : kVectorColumns;
  const int64_t depth = args.trans_b ? args.k : kVectorSlice / kVectorColumns;
  const auto run = [&](int64_t row, int64_t col, int64_t count, int64_t k, int64_t deep) {
    const float* const slice = args.trans_b ? b + col * args.ldb + k : b + k * args.ldb + col;
    product(kCblasRowMajor, args.trans_b ? kCblasNoTrans : kCblasTrans,
            static_cast<int>(args.trans_b ? count : deep),
            static_cast<int>(args.trans_b ? deep : count), args.alpha, slice,
            static_cast<int>(args.ldb), a + row * args.lda + k, 1, k == 0 ? args.beta : 1,
            c + row * args.ldc + col, 1);
  };
  parallel_ranges(args.n, cols, [&](int64_t col, int64_t col_end) {
    for (int64_t k = 0; k < args.k; k += depth) {
      const int64_t deep = args.k - k < depth ? args.k - k : depth;
      for (int64_t row = 0; row < args.m; ++row) run(row, col, col_end - col, k, deep);
    }
  });
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
  if (is_large(args) && args.m <= few_rows(args) && !args.trans_a) {
    return multiply_rows(cblas_sgemv(), args, a, b, c);
  }
  if (is_large(args) && args.m <= kMostRows && cblas_has_small_products()) {
    return multiply_slices(product, args, a, b, c);
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
