// Elementwise loops of a one-dimensional grid over arrays of floats, by 16-byte vectors where it
// can be.
//
// Float pointers are only 4-byte aligned. Arrays that are misaligned alike are taken as up to three
// loose elements, then vectors, then up to three loose elements; arrays misaligned differently
// are all loose. Threads step by the whole grid, so any grid covers any n.
#pragma once

#include "common/kernel.h"

SECATEUR_COMMON_BEGIN

SECATEUR_DEVICE int64_t grid_thread() { return int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
SECATEUR_DEVICE int64_t grid_threads() { return int64_t{gridDim.x} * blockDim.x; }

// Says at compile time how many elements a loop's body takes.
template <int kCount>
struct Width {
  static constexpr int count = kCount;
};

SECATEUR_DEVICE void load(float (&to)[1], const float* from) { to[0] = from[0]; }
SECATEUR_DEVICE void load(float (&to)[4], const float* from) {
  const float4 vector = *reinterpret_cast<const float4*>(from);
  to[0] = vector.x;
  to[1] = vector.y;
  to[2] = vector.z;
  to[3] = vector.w;
}

SECATEUR_DEVICE void store(float* to, const float (&from)[1]) { to[0] = from[0]; }
SECATEUR_DEVICE void store(float* to, const float (&from)[4]) {
  *reinterpret_cast<float4*>(to) = make_float4(from[0], from[1], from[2], from[3]);
}

// Floats past the last 16-byte boundary.
SECATEUR_DEVICE int misalignment(const float* p) {
  return static_cast<int>(reinterpret_cast<uintptr_t>(p) >> 2 & 3);
}

// The vectors of some arrays of n elements: vector k begins at element head + 4 k.
struct Vectors {
  int64_t head, count;
};

SECATEUR_DEVICE bool aligned_like(int) { return true; }
template <class... Rest>
SECATEUR_DEVICE bool aligned_like(int misaligned, const float* p, Rest... rest) {
  return misalignment(p) == misaligned && aligned_like(misaligned, rest...);
}

template <class... Rest>
SECATEUR_DEVICE Vectors vectors_of(int64_t n, const float* p, Rest... rest) {
  const int misaligned = misalignment(p), head = (4 - misaligned) & 3;
  if (n <= head || !aligned_like(misaligned, rest...)) return {n, 0};
  return {head, (n - head) / 4};
}

// Calls body(i, Width<4>) for the vector of elements i .. i + 3 and body(i, Width<1>) for each
// loose element i.
template <class Body>
SECATEUR_DEVICE void for_elements(int64_t n, Vectors vectors, const Body& body) {
  const int64_t first = grid_thread(), step = grid_threads();
  for (int64_t k = first; k < vectors.count; k += step) {
    body(vectors.head + 4 * k, Width<4>());
  }
  const int64_t loose = n - 4 * vectors.count;
  for (int64_t k = first; k < loose; k += step) {
    body(k < vectors.head ? k : k + 4 * vectors.count, Width<1>());
  }
}

// y = value.
SECATEUR_DEVICE void fill_elements(int64_t n, float value, float* y) {
  for_elements(n, vectors_of(n, y), [=](int64_t i, auto width) {
    float v[decltype(width)::count];
    SECATEUR_UNROLL(4)
    for (float& element : v) element = value;
    store(y + i, v);
  });
}

// y = f(x). y may be x.
template <class F>
SECATEUR_DEVICE void map_elements(int64_t n, const float* x, float* y, const F& f) {
  for_elements(n, vectors_of(n, x, y), [=](int64_t i, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float v[kWidth];
    load(v, x + i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) v[j] = f(v[j]);
    store(y + i, v);
  });
}

// out = f(a, b). out may be a or b.
template <class F>
SECATEUR_DEVICE void zip_elements(int64_t n, const float* a, const float* b, float* out,
                                  const F& f) {
  for_elements(n, vectors_of(n, a, b, out), [=](int64_t i, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float left[kWidth], right[kWidth];
    load(left, a + i);
    load(right, b + i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) left[j] = f(left[j], right[j]);
    store(out + i, left);
  });
}

// Bits i .. i + kWidth - 1 of a mask, all 1 without one; those elements must exist.
template <int kWidth>
SECATEUR_DEVICE uint32_t kept_bits(const uint32_t* mask, int64_t i) {
  if (mask == nullptr) return 0xfu;
  const int shift = static_cast<int>(i & 31);
  uint32_t bits = mask[i >> 5] >> shift;
  if (shift + kWidth > 32) bits |= mask[(i >> 5) + 1] << (32 - shift);
  return bits;
}

// Row and column of an element of a dense matrix, walked by equal steps without dividing again.
class MatrixWalk {
 public:
  SECATEUR_DEVICE MatrixWalk(int64_t cols, int64_t element, int64_t step)
      : row(element / cols),
        col(element - row * cols),
        cols_(cols),
        row_step_(step / cols),
        col_step_(step - row_step_ * cols) {}

  SECATEUR_DEVICE void advance() {
    row += row_step_;
    col += col_step_;
    wrap();
  }
  SECATEUR_DEVICE void next() {
    ++col;
    wrap();
  }

  int64_t row, col;

 private:
  SECATEUR_DEVICE void wrap() {
    if (col >= cols_) {
      col -= cols_;
      ++row;
    }
  }

  int64_t cols_, row_step_, col_step_;
};

SECATEUR_COMMON_END
