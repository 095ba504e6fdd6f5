// SECATEUR_SPARSE_NM: packing and the product against double-precision loops, within 1e-5 of
// |W| |x|, over shapes, patterns, batches, instruction sets and numbers of threads; the epilogue
// against single operations, bit for bit; and patterns that do not fit.
#include <string>

#include "packed.h"

namespace {

using test::PackedCase;

secateur_sparse_format pattern(int64_t n, int64_t m) {
  return {SECATEUR_SPARSE_NM, static_cast<int32_t>(n), static_cast<int32_t>(m), 0};
}

// Weights with N random elements in every group, of which a share `density` is not zero.
std::vector<float> weights(const PackedCase& shape, double density) {
  test::Random random(81);
  std::vector<float> w(static_cast<size_t>(shape.out * shape.in));
  for (size_t i = 0; i < w.size(); ++i) w[i] = i % 2 ? 0.0f : -0.0f;
  for (int64_t r = 0; r < shape.out; ++r) {
    for (int64_t begin = 0; begin < shape.in; begin += shape.format.cols) {
      int64_t left = shape.format.rows;
      const int64_t end = std::min<int64_t>(begin + shape.format.cols, shape.in);
      for (int64_t c = begin; c < end && left > 0; ++c) {
        if (random.below(end - c) >= left) continue;
        --left;
        if (static_cast<double>(random.below(1000)) < 1000 * density) {
          w[shape.index(r, c)] = random.normal();
        }
      }
    }
  }
  return w;
}

void check(PackedCase shape, double density) {
  const std::vector<float> w = test::poison(shape, weights(shape, density));
  int64_t stored = 0;
  for (int64_t r = 0; r < shape.out; ++r) {
    for (int64_t c = 0; c < shape.in; ++c) stored += shape.weight(w, r, c) != 0;
  }
  test::check_product(shape, w, stored);
}

void chosen() {
  for (int64_t batch : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49, 64, 65, 129}) {
    check({pattern(2, 4), 37, 150, batch, false, false}, 1);
    check({pattern(3, 7), 37, 150, batch, true, true}, 0.9);
    check({pattern(5, 23), 37, 150, batch, false, true}, 0.8);
  }
  check({pattern(2, 4), 0, 5, 3, false, false}, 1);
  check({pattern(2, 4), 5, 0, 3, false, false}, 1);
  check({pattern(2, 4), 5, 0, 70, false, false}, 1);
  check({pattern(1, 32), 1, 1, 70, false, false}, 1);
  for (double density : {0.0, 0.01, 1.0}) {
    for (bool transposed : {false, true}) {
      check({pattern(4, 8), 129, 1300, 20, transposed, !transposed}, density);
      check({pattern(1, 4), 129, 257, 6, transposed, transposed}, density);
      check({pattern(31, 32), 129, 257, 66, transposed, transposed}, density);
    }
  }
  check({pattern(1, 2), 300, 784, 100, true, true}, 1);
  check({pattern(2, 4), 1025, 128, 3, false, false}, 1);
  check({pattern(1, 32), 64, 3000, 33, false, true}, 1);
}

void patterns() {
  for (int64_t m = 2; m <= 32; ++m) {
    for (int64_t n = 1; n < m; n += SANITIZED ? 9 : 3) {
      const int64_t batch = (m + n) % 5 == 0 ? 70 : (n + 3 * m) % 20;
      check({pattern(n, m), 35, 131, batch, n % 2 == 0, m % 2 == 0}, 0.9);
    }
  }
}

void random_shapes() {
  test::Random random(82);
  for (int i = 0; i < (SANITIZED ? 25 : 100); ++i) {
    const int64_t m = 2 + random.below(31), n = 1 + random.below(m - 1);
    check({pattern(n, m), 1 + random.below(300), 1 + random.below(300),
           random.below(2) ? 1 + random.below(12) : 1 + random.below(130), random.below(2) == 1,
           random.below(2) == 1},
          static_cast<double>(random.below(101)) / 100);
  }
}

// Packing must refuse these weights with just this sentence, and leave no packed matrix behind.
void refused(const PackedCase& shape, const std::vector<float>& w, const std::string& sentence) {
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    const secateur_sparse_weight weight = shape.stored(w);
    size_t bytes = 0;
    CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &shape.format, &weight, nullptr, &bytes));
    std::vector<uint64_t> place(bytes / 8 + 10);
    void* const packed = test::aligned(place.data(), 64);
    CHECK_STATUS(
        SECATEUR_INVALID_ARGUMENT,
        secateur_sparse_pack(test::cpu(), nullptr, &shape.format, &weight, packed, &bytes));
    CHECK_NOTE(sentence == secateur_last_error(), "%s", secateur_last_error());
    int64_t out, in, stored;
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_sparse_info(test::cpu(), packed, &out, &in, &stored));
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
}

// The first group with too many, in the order of outputs, is named.
void refuses() {
  for (bool transposed : {false, true}) {
    PackedCase shape = {pattern(2, 4), 200, 300, 1, transposed, false};
    std::vector<float> w = weights(shape, 1);
    const auto fill = [&](int64_t r, int64_t begin, int64_t count) {
      for (int64_t c = 0; c < 4; ++c) w[shape.index(r, begin + c)] = c < count ? 1.0f : 0.0f;
    };
    fill(150, 8, 4);
    fill(71, 200, 3);
    fill(71, 280, 4);
    refused(shape, w,
            "Row 71 has 3 nonzeros in group 50 (inputs 200 to 203), more than 2:4 allows; prune it "
            "to that pattern or choose another format.");
    shape.masked = true;  // of the three, one is masked: then the next group is the first
    shape.mask.assign(static_cast<size_t>(SECATEUR_MASK_WORDS(200 * 300)), ~0u);
    const int64_t hidden = shape.index(71, 201);
    shape.mask[static_cast<size_t>(hidden / 32)] &= ~(1u << (hidden % 32));
    refused(shape, w,
            "Row 71 has 4 nonzeros in group 70 (inputs 280 to 283), more than 2:4 allows; prune it "
            "to that pattern or choose another format.");
  }
  // A group cut off by the last input.
  PackedCase shape = {pattern(1, 32), 3, 34, 1, false, false};
  std::vector<float> w(3 * 34);
  w[2 * 34 + 32] = w[2 * 34 + 33] = 1;
  refused(shape, w,
          "Row 2 has 2 nonzeros in group 1 (inputs 32 to 33), more than 1:32 allows; prune it to "
          "that pattern or choose another format.");
}

// A NaN weight is an element; a NaN activation reaches only outputs of its group of inputs.
void special_values() {
  PackedCase shape = {pattern(1, 4), 20, 9, 1, false, false};
  std::vector<float> w(180);
  w[3 * 9 + 1] = test::kNan;
  for (int64_t r = 4; r < 20; ++r) w[r * 9 + 2] = w[r * 9 + 5] = w[r * 9 + 8] = 1;
  for (int64_t batch : {1, 3, 12, 40}) {
    shape.batch = batch;
    std::vector<float> x(static_cast<size_t>(batch * 9), 2);
    for (int64_t b = 0; b < batch; ++b) x[b * 9 + 3] = test::kNan;  // meets no weight
    const std::vector<float> y = test::product(shape, test::pack(shape, w), x, nullptr);
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t r = 0; r < 20; ++r) {
        const float got = y[b * 20 + r];
        CHECK(r == 3 ? std::isnan(got) : got == (r < 4 ? 0 : 6));
      }
    }
  }
}

void epilogues() {
  for (int64_t batch : {1, 4, 7, 16, 65}) {
    for (auto format : {pattern(2, 4), pattern(5, 19)}) {
      const PackedCase shape = {format, 70, 90, batch, false, false};
      test::check_epilogues(shape, weights(shape, 1));
    }
  }
}

}  // namespace

int main() {
  chosen();
  patterns();
  random_shapes();
  refuses();
  special_values();
  epilogues();
  return 0;
}
