// A blocked product: for each block of C [kRows, kColumns] the panels of op(A) and op(B) are packed
// to float, kDepth deep, and multiplied by a kernel that holds 2 vectors x 6 columns of C in
// registers. Threads share out blocks of C, so that the result does not depend on their number.
#include "gemm.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "../library/half.h"

namespace sim::cublas {

size_t size_of(Type type) { return type == Type::f32 ? 4 : 2; }

namespace {

constexpr int64_t kRows = 192, kColumns = 240, kDepth = 256;  // of a block
constexpr int kTileColumns = 6;
constexpr int kMaxLanes = 16;

// Nearest number with 10 bits of mantissa, ties to even: what tensor cores keep of a float.
float to_tf32(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if ((bits & 0x7f800000) == 0x7f800000) return x;
  bits += 0xfff + ((bits >> 13) & 1);
  bits &= ~0x1fffu;
  std::memcpy(&x, &bits, 4);
  return x;
}

float load(const void* data, Type type, int64_t at) {
  if (type == Type::f32) return static_cast<const float*>(data)[at];
  const uint16_t bits = static_cast<const uint16_t*>(data)[at];
  return type == Type::f16 ? f16_to_float(bits) : bf16_to_float(bits);
}

void store(void* data, Type type, int64_t at, float value) {
  if (type == Type::f32)
    static_cast<float*>(data)[at] = value;
  else
    static_cast<uint16_t*>(data)[at] =
        type == Type::f16 ? float_to_f16(value) : float_to_bf16(value);
}

// Packs `lines` lines of a matrix, `depth` numbers deep, for the kernel: groups of `width` lines,
// packed[group][d][line], missing lines 0. Line l, depth d lies at data[start + l line + d step].
void pack(const Operand& matrix, int64_t start, int64_t line, int64_t step, int64_t lines,
          int64_t depth, int width, bool tf32, float* packed) {
  for (int64_t group = 0; group < lines; group += width) {
    const int64_t filled = std::min<int64_t>(width, lines - group);
    for (int64_t d = 0; d < depth; d++, packed += width) {
      const int64_t at = start + group * line + d * step;
      if (matrix.type == Type::f32) {
        const float* from = static_cast<const float*>(matrix.data) + at;
        for (int64_t l = 0; l < filled; l++) packed[l] = from[l * line];
      } else {
        for (int64_t l = 0; l < filled; l++)
          packed[l] = load(matrix.data, matrix.type, at + l * line);
      }
      if (tf32)
        for (int64_t l = 0; l < filled; l++) packed[l] = to_tf32(packed[l]);
      for (int64_t l = filled; l < width; l++) packed[l] = 0;
    }
  }
}

// sums [columns of 6][rows of 2 vectors] += packed A x packed B, depth terms. Column j of a tile
// starts at sums + j kRows.
template <int kLanes>
__attribute__((always_inline)) inline void tile(const float* a, const float* b, int64_t depth,
                                                float* sums) {
  typedef float Vector __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
  Vector sum[kTileColumns][2] = {};
  for (int64_t d = 0; d < depth; d++, a += 2 * kLanes, b += kTileColumns) {
    const Vector low = *reinterpret_cast<const Vector*>(a);
    const Vector high = *reinterpret_cast<const Vector*>(a + kLanes);
#pragma GCC unroll 6
    for (int j = 0; j < kTileColumns; j++) {
      sum[j][0] += low * b[j];
      sum[j][1] += high * b[j];
    }
  }
#pragma GCC unroll 6
  for (int j = 0; j < kTileColumns; j++) {
    *reinterpret_cast<Vector*>(sums + j * kRows) += sum[j][0];
    *reinterpret_cast<Vector*>(sums + j * kRows + kLanes) += sum[j][1];
  }
}

template <int kLanes>
__attribute__((always_inline)) inline void tiles(const float* a, const float* b, int64_t rows,
                                                 int64_t columns, int64_t depth, float* sums) {
  for (int64_t j = 0; j < columns; j += kTileColumns)
    for (int64_t i = 0; i < rows; i += 2 * kLanes)
      tile<kLanes>(a + i * depth, b + j * depth, depth, sums + j * kRows + i);
}

using Tiles = void (*)(const float*, const float*, int64_t, int64_t, int64_t, float*);

void tiles_plain(const float* a, const float* b, int64_t rows, int64_t columns, int64_t depth,
                 float* sums) {
  tiles<4>(a, b, rows, columns, depth, sums);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) void tiles_avx2(const float* a, const float* b, int64_t rows,
                                                int64_t columns, int64_t depth, float* sums) {
  tiles<8>(a, b, rows, columns, depth, sums);
}

__attribute__((target("avx512f"))) void tiles_avx512(const float* a, const float* b, int64_t rows,
                                                     int64_t columns, int64_t depth, float* sums) {
  tiles<16>(a, b, rows, columns, depth, sums);
}
#endif

struct Kernel {
  Tiles run;
  int lanes;
};

Kernel best_kernel() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return {tiles_avx512, 16};
  if (__builtin_cpu_supports("avx2")) return {tiles_avx2, 8};
#endif
  return {tiles_plain, 4};
}

// Kept between calls: making it costs more than a small product.
struct Scratch {
  std::vector<float> a = std::vector<float>(kRows * kDepth);
  std::vector<float> b = std::vector<float>(kColumns * kDepth);
  std::vector<float> sums = std::vector<float>(kRows * kColumns);
};

// One block of C: rows [i, i + rows), columns [j, j + columns).
void block(const Product& p, const Kernel& kernel, int64_t i, int64_t rows, int64_t j,
           int64_t columns, Scratch* scratch) {
  const int64_t tiled = (columns + kTileColumns - 1) / kTileColumns * kTileColumns;
  std::fill_n(scratch->sums.begin(), tiled * kRows, 0.0f);
  const int64_t depth = p.alpha == 0 ? 0 : p.k;
  const int64_t a_line = p.a.transposed ? p.a.ld : 1, a_step = p.a.transposed ? 1 : p.a.ld;
  const int64_t b_line = p.b.transposed ? 1 : p.b.ld, b_step = p.b.transposed ? p.b.ld : 1;
  for (int64_t d = 0; d < depth; d += kDepth) {
    const int64_t deep = std::min(kDepth, depth - d);
    pack(p.a, i * a_line + d * a_step, a_line, a_step, rows, deep, 2 * kernel.lanes, p.tf32,
         scratch->a.data());
    pack(p.b, j * b_line + d * b_step, b_line, b_step, columns, deep, kTileColumns, p.tf32,
         scratch->b.data());
    kernel.run(scratch->a.data(), scratch->b.data(), rows, columns, deep, scratch->sums.data());
  }
  for (int64_t column = 0; column < columns; column++) {
    const float* sums = scratch->sums.data() + column * kRows;
    const int64_t at = i + (j + column) * p.ldc;
    for (int64_t row = 0; row < rows; row++) {
      float value = depth == 0 ? 0.0f : p.alpha * sums[row];
      if (p.beta != 0) value += p.beta * load(p.c, p.c_type, at + row);
      store(p.c, p.c_type, at + row, value);
    }
  }
}

}  // namespace

void gemm(const Product& p) {
  static_assert(kRows % (2 * kMaxLanes) == 0 && kColumns % kTileColumns == 0, "whole tiles");
  static const Kernel kernel = best_kernel();
  const int64_t down = (p.m + kRows - 1) / kRows, across = (p.n + kColumns - 1) / kColumns;
  std::atomic<int64_t> next{0};
  const auto work = [&] {
    thread_local Scratch scratch;
    for (int64_t b; (b = next++) < down * across;) {
      const int64_t i = b % down * kRows, j = b / down * kColumns;
      block(p, kernel, i, std::min(kRows, p.m - i), j, std::min(kColumns, p.n - j), &scratch);
    }
  };
  const bool large = static_cast<double>(p.m) * p.n * p.k > 4e6;
  const int64_t processors = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (int64_t t = 1; large && t < std::min<int64_t>(processors, down * across); t++)
    threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace sim::cublas
