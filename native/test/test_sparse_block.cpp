// SECATEUR_SPARSE_BLOCK: packing and the product against double-precision loops, within 1e-5 of
// |W| |x|, over shapes, blocks, batches, instruction sets and numbers of threads; the epilogue
// against single operations, bit for bit.
#include "packed.h"

namespace {

using test::PackedCase;

secateur_sparse_format blocks(int64_t rows, int64_t cols) {
  return {SECATEUR_SPARSE_BLOCK, static_cast<int32_t>(rows), static_cast<int32_t>(cols), 0};
}

// Weights of which about `density` of the blocks have elements, and of those `fill`.
std::vector<float> weights(const PackedCase& shape, double density, double fill) {
  test::Random random(61);
  const int64_t rows = shape.format.rows, cols = shape.format.cols;
  const int64_t across = (shape.in + cols - 1) / cols, down = (shape.out + rows - 1) / rows;
  const std::vector<uint32_t> kept = random.mask(across * down, density);
  const std::vector<uint32_t> filled = random.mask(shape.out * shape.in, fill);
  std::vector<float> w = random.normals(shape.out * shape.in);
  for (int64_t r = 0; r < shape.out; ++r) {
    for (int64_t c = 0; c < shape.in; ++c) {
      const int64_t i = shape.index(r, c);
      if (!test::kept(kept, r / rows * across + c / cols) || !test::kept(filled, i)) {
        w[i] = i % 2 ? 0.0f : -0.0f;
      }
    }
  }
  return w;
}

// Elements of stored blocks that lie in the matrix.
int64_t stored(const PackedCase& shape, const std::vector<float>& w) {
  const int64_t rows = shape.format.rows, cols = shape.format.cols;
  int64_t count = 0;
  for (int64_t r = 0; r < shape.out; r += rows) {
    for (int64_t c = 0; c < shape.in; c += cols) {
      bool any = false;
      const int64_t r_end = std::min(r + rows, shape.out), c_end = std::min(c + cols, shape.in);
      for (int64_t i = r; i < r_end; ++i) {
        for (int64_t j = c; j < c_end; ++j) any = any || shape.weight(w, i, j) != 0;
      }
      if (any) count += (r_end - r) * (c_end - c);
    }
  }
  return count;
}

void check(PackedCase shape, double density, double fill) {
  const std::vector<float> w = test::poison(shape, weights(shape, density, fill));
  test::check_product(shape, w, stored(shape, w));
}

void chosen() {
  for (int64_t batch : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49, 64, 65, 129}) {
    check({blocks(4, 1), 37, 150, batch, false, false}, 0.2, 1);
    check({blocks(1, 6), 37, 150, batch, false, true}, 0.2, 1);
    check({blocks(16, 16), 50, 150, batch, true, false}, 0.5, 0.5);
  }
  check({blocks(4, 4), 0, 5, 3, false, false}, 1, 1);
  check({blocks(4, 4), 5, 0, 3, false, false}, 1, 1);
  check({blocks(16, 2), 1, 1, 70, false, false}, 1, 1);
  check({blocks(1, 4), 5, 0, 3, false, false}, 1, 1);
  for (double density : {0.0, 0.01, 1.0}) {
    for (bool transposed : {false, true}) {
      check({blocks(4, 1), 129, 1300, 20, transposed, !transposed}, density, 1);
      check({blocks(3, 5), 129, 257, 6, transposed, transposed}, density, 0.9);
      check({blocks(1, 16), 129, 257, 2, transposed, transposed}, density, 0.9);
    }
  }
  check({blocks(8, 1), 300, 784, 100, true, true}, 0.1, 1);
  check({blocks(16, 1), 1025, 128, 3, false, false}, 0.05, 1);
  check({blocks(2, 1), 64, 3000, 33, false, true}, 0.1, 1);
}

// Every extent of a block in turn.
void extents() {
  for (int64_t rows = 1; rows <= 16; ++rows) {
    for (int64_t cols = 1; cols <= 16; cols += SANITIZED ? 5 : 1) {
      if (rows * cols == 1) continue;
      const int64_t batch = (rows * 16 + cols) % 5 == 0 ? 70 : (rows + cols) % 9;
      check({blocks(rows, cols), 67, 83, batch, rows % 2 == 0, cols % 2 == 0}, 0.4, 0.6);
    }
  }
}

void random_shapes() {
  test::Random random(62);
  for (int i = 0; i < (SANITIZED ? 25 : 100); ++i) {
    int64_t rows = 1 + random.below(16), cols = 1 + random.below(16);
    if (rows * cols == 1) rows = 4;
    check({blocks(rows, cols), 1 + random.below(300), 1 + random.below(300),
           random.below(2) ? 1 + random.below(12) : 1 + random.below(130), random.below(2) == 1,
           random.below(2) == 1},
          static_cast<double>(random.below(101)) / 100,
          1 - static_cast<double>(random.below(90)) / 100);
  }
}

// A block row without blocks, and one between full ones; NaN and infinity of activations and
// weights stay with the sums that they belong to.
void special_values() {
  PackedCase shape = {blocks(4, 2), 12, 6, 1, false, false};
  std::vector<float> w(72);
  w[0 * 6 + 0] = 1;           // block row 0: inputs 0 and 1
  w[9 * 6 + 4] = test::kInf;  // block row 2: inputs 4 and 5
  for (int64_t batch : {1, 3, 12, 40}) {
    shape.batch = batch;
    std::vector<float> x(static_cast<size_t>(batch * 6), 1);
    for (int64_t b = 0; b < batch; ++b) x[b * 6 + 3] = test::kNan;  // meets no block
    const std::vector<float> y = test::product(shape, test::pack(shape, w), x, nullptr);
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t r = 0; r < 12; ++r) {
        CHECK(y[b * 12 + r] == (r == 0 ? 1 : r == 9 ? test::kInf : 0));
      }
    }
  }
}

void epilogues() {
  for (int64_t batch : {1, 4, 7, 16, 65}) {
    for (auto format : {blocks(4, 1), blocks(16, 2), blocks(1, 8)}) {
      PackedCase shape = {format, 70, 90, batch, false, false};
      test::check_epilogues(shape, weights(shape, 0.3, 1));
    }
  }
}

}  // namespace

int main() {
  chosen();
  extents();
  random_shapes();
  special_values();
  epilogues();
  return 0;
}
