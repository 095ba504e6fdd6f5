// C = alpha op(A) op(B) + beta C on the host, for the cuBLAS stand-in. Everything is column-major:
// op(A) [m, k], op(B) [k, n], C [m, n]; element (i, j) of a matrix lies at data[i + j ld].
#pragma once

#include <cstddef>
#include <cstdint>

namespace sim::cublas {

enum class Type { f32, f16, bf16 };
size_t size_of(Type type);

struct Operand {
  const void* data;
  Type type;
  int64_t ld;
  bool transposed;
};

struct Product {
  int64_t m, n, k;
  float alpha, beta;
  Operand a, b;
  void* c;
  Type c_type;
  int64_t ldc;
  bool tf32;  // round A and B to 10 bits of mantissa, as tensor cores do where that is allowed
};

// Sums in float, 256 terms at a time, in an order of its own: no two devices owe each other the
// bits of a product. beta 0 does not read C; alpha 0 or k 0 reads neither A nor B.
void gemm(const Product& product);

}  // namespace sim::cublas
