// out = a op b with broadcasting, for the operators of secateur_binary_op.
//
// The launcher merges axes along which both inputs go on evenly and picks the kernel:
//
//   secateur_binary          one axis, each input dense or one number  12 n bytes (8 n)
//   secateur_binary_bias     [rows, cols] op [cols] or the reverse     8 n + 4 cols bytes
//   secateur_binary_strided  anything else, up to 8 axes               up to 12 n bytes
//
// One launch, each array read and written once, the floor (a repeated input is read from the
// cache). The first two use 16-byte vectors where they fit; neighbouring threads write neighbouring
// elements in all three. No kernel divides but to find a thread's first element. Any grid of 256
// threads, grid-stride. out may be an input that is dense. Tested against secateur_binary of the
// CPU device.
#include "common/binary.h"
#include "common/grid.h"
#include "common/strides.h"

using namespace secateur::common;

// a_dense, b_dense: 1 where the input has n elements, 0 where it is one number.
SECATEUR_KERNEL(256)
secateur_binary(int32_t op, int64_t n, const float* a, int32_t a_dense, const float* b,
                int32_t b_dense, float* out) {
  with_binary(op, [=](const auto& f) {
    if (a_dense && b_dense) {
      zip_elements(n, a, b, out, f);
    } else if (a_dense) {
      const float right = *b;
      map_elements(n, a, out, [=](float left) { return f(left, right); });
    } else if (b_dense) {
      const float left = *a;
      map_elements(n, b, out, [=](float right) { return f(left, right); });
    } else {
      fill_elements(n, f(*a, *b), out);
    }
  });
}
SECATEUR_REGISTER(secateur_binary);

// out = matrix op vector, or vector op matrix with vector_first; n = rows * cols.
SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_binary_bias(int32_t op, int64_t n, int64_t cols, const float* matrix, const float* vector,
                     int32_t vector_first, float* out) {
  with_binary(op, [=](const auto& f) {
    const Vectors vectors = vectors_of(n, matrix, out);
    const int64_t first = grid_thread(), step = grid_threads();
    MatrixWalk at(cols, vectors.head + 4 * first, 4 * step);
    for (int64_t k = first; k < vectors.count; k += step, at.advance()) {
      const int64_t i = vectors.head + 4 * k;
      float v[4];
      load(v, matrix + i);
      MatrixWalk element = at;
      SECATEUR_UNROLL(4)
      for (int j = 0; j < 4; ++j, element.next()) {
        const float other = vector[element.col];
        v[j] = vector_first ? f(other, v[j]) : f(v[j], other);
      }
      store(out + i, v);
    }
    for (int64_t k = first; k < n - 4 * vectors.count; k += step) {
      const int64_t i = k < vectors.head ? k : k + 4 * vectors.count;
      const float other = vector[i % cols];
      out[i] = vector_first ? f(other, matrix[i]) : f(matrix[i], other);
    }
  });
}
SECATEUR_REGISTER(secateur_binary_bias);

// axes: the strides of a and b, with the step of the whole grid.
SECATEUR_KERNEL(256)
secateur_binary_strided(int32_t op, int64_t n, Strides<2, 8> axes, const float* a, const float* b,
                        float* out) {
  with_binary(op, [&](const auto& f) {
    const int64_t step = grid_threads();
    StridedWalk<2, 8> at(axes, grid_thread());
    for (int64_t i = grid_thread(); i < n; i += step, at.advance(axes)) {
      out[i] = f(a[at.offset[0]], b[at.offset[1]]);
    }
  });
}
SECATEUR_REGISTER(secateur_binary_strided);
