// Packing and the sparse product against a double-precision loop, row by row within 1e-5 of |W|
// |x|.
#include <algorithm>

#include "harness.h"

namespace {

using test::Guarded;

struct Case {
  int64_t out, in, batch;
  double density;
  bool transposed, masked, biased;
};

constexpr uint64_t kGuard = 0xa5a5a5a5a5a5a5a5u;

struct Packed {
  std::vector<uint64_t> words;
  size_t bytes = 0;

  void* data() { return test::aligned(words.data(), 64); }
  const void* data() const { return const_cast<Packed*>(this)->data(); }
};

Packed pack(const Case& shape, const std::vector<float>& w, const std::vector<uint32_t>& mask) {
  Packed packed;
  const secateur_sparse_format format = {SECATEUR_SPARSE_ROWS, 0, 0, 0};
  const secateur_sparse_weight weight = {shape.out, shape.in, shape.transposed, w.data(),
                                         shape.masked ? mask.data() : nullptr};
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, nullptr, &packed.bytes));
  packed.words.assign(packed.bytes / 8 + 10, kGuard);
  CHECK_OK(
      secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, packed.data(), &packed.bytes));
  CHECK(packed.words.back() == kGuard);
  return packed;
}

std::vector<float> product(const Case& shape, const Packed& packed, const std::vector<float>& x,
                           const std::vector<float>& bias) {
  Guarded<float> in(x), y(shape.batch * shape.out, test::kNan);
  size_t bytes = 0;
  const secateur_epilogue epilogue = {shape.biased ? bias.data() : nullptr, SECATEUR_IDENTITY, 0};
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, shape.batch, packed.data(), nullptr, &epilogue,
                         nullptr, nullptr, &bytes));
  Guarded<unsigned char> workspace(static_cast<int64_t>(bytes), 0xff);
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, shape.batch, packed.data(), in.data(), &epilogue,
                         y.data(), workspace.data(), &bytes));
  workspace.take();
  return y.take();
}

void check(const Case& shape) {
  test::Random random(51);
  std::vector<float> w = random.normals(shape.out * shape.in);
  const std::vector<uint32_t> dense = random.mask(shape.out * shape.in, shape.density);
  const std::vector<uint32_t> mask = random.mask(shape.out * shape.in, 0.5);
  for (int64_t i = 0; i < shape.out * shape.in; ++i) {
    if (!test::kept(dense, i)) w[i] = i % 2 ? 0.0f : -0.0f;
    if (shape.masked && !test::kept(mask, i) && i % 3 == 0) w[i] = test::kNan;  // must not be read
  }
  const std::vector<float> x = random.normals(shape.batch * shape.in);
  const std::vector<float> bias = random.normals(shape.out);
  const auto weight = [&](int64_t row, int64_t col) -> double {
    const int64_t i = shape.transposed ? col * shape.out + row : row * shape.in + col;
    return shape.masked && !test::kept(mask, i) ? 0 : w[i];
  };
  std::vector<double> want(shape.batch * shape.out), size(want.size());
  int64_t nonzeros = 0;
  for (int64_t r = 0; r < shape.out; ++r) {
    for (int64_t b = 0; b < shape.batch; ++b) {
      want[b * shape.out + r] = shape.biased ? bias[r] : 0;
      size[b * shape.out + r] = std::fabs(want[b * shape.out + r]);
    }
    for (int64_t c = 0; c < shape.in; ++c) {
      const double value = weight(r, c);
      if (value == 0) continue;
      ++nonzeros;
      for (int64_t b = 0; b < shape.batch; ++b) {
        want[b * shape.out + r] += value * x[b * shape.in + c];
        size[b * shape.out + r] += std::fabs(value * x[b * shape.in + c]);
      }
    }
  }
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    std::vector<float> first;
    for (int32_t threads : {1, 2, 3}) {
      CHECK_OK(secateur_set_threads(threads));
      const Packed packed = pack(shape, w, mask);
      int64_t out, in, count;
      CHECK_OK(secateur_sparse_info(test::cpu(), packed.data(), &out, &in, &count));
      CHECK(out == shape.out && in == shape.in && count == nonzeros);
      const std::vector<float> y = product(shape, packed, x, bias);
      if (threads == 1) first = y;
      CHECK(y.empty() || memcmp(y.data(), first.data(), y.size() * sizeof(float)) == 0);
    }
    for (int64_t i = 0; i < shape.batch * shape.out; ++i) {
      CHECK_NOTE(std::fabs(first[i] - want[i]) <= 1e-5 * size[i],
                 "%s, [%d, %d] x %d: element %d is %g, not %g", isa, static_cast<int>(shape.out),
                 static_cast<int>(shape.in), static_cast<int>(shape.batch), static_cast<int>(i),
                 first[i], want[i]);
    }
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
  CHECK_OK(secateur_set_threads(0));
}

void chosen_shapes() {
  for (int64_t batch : {0, 1, 2, 7, 8, 9, 15, 16, 17, 32, 33, 48, 49, 63, 64, 65, 100, 129}) {
    check({37, 150, batch, 0.1, false, false, true});
  }
  check({0, 5, 3, 0.5, false, false, true});
  check({5, 0, 3, 0.5, false, false, true});
  check({1, 1, 1, 1, false, false, false});
  for (double density : {0.0, 0.01, 1.0}) {
    check({129, 257, 20, density, false, false, true});
    check({129, 257, 20, density, true, true, false});
  }
  check({300, 784, 100, 0.1, true, true, true});
  check({10, 100, 100, 0.26, false, true, true});
  check({1025, 128, 3, 0.05, false, false, false});
  check({127, 129, 64, 0.5, true, false, true});
}

void random_shapes() {
  test::Random random(52);
  for (int i = 0; i < 40; ++i) {
    check({1 + random.below(300), 1 + random.below(300), 1 + random.below(300),
           static_cast<double>(random.below(101)) / 100, random.below(2) == 1, random.below(2) == 1,
           random.below(2) == 1});
  }
}

// Every activation gives the bits of the product followed by the single operations.
void epilogues() {
  const Case shape = {75, 130, 70, 0.2, false, false, false};
  test::Random random(53);
  std::vector<float> w = random.normals(shape.out * shape.in);
  for (size_t i = 0; i < w.size(); ++i) w[i] = i % 5 == 0 ? w[i] : 0.0f;
  const std::vector<float> x = random.normals(shape.batch * shape.in);
  const std::vector<float> bias = random.normals(shape.out);
  const Packed packed = pack(shape, w, {});
  const std::vector<float> sums = product(shape, packed, x, {});
  size_t bytes = 0;
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, shape.batch, packed.data(), nullptr, nullptr,
                         nullptr, nullptr, &bytes));
  std::vector<unsigned char> workspace(bytes);
  for (int32_t op = SECATEUR_IDENTITY; op <= SECATEUR_ABS; ++op) {
    for (const float* terms : {static_cast<const float*>(nullptr), bias.data()}) {
      std::vector<float> want = sums, y(sums.size(), test::kNan);
      for (size_t i = 0; terms != nullptr && i < want.size(); ++i) want[i] += terms[i % shape.out];
      if (op != SECATEUR_IDENTITY) {
        CHECK_OK(secateur_unary(test::cpu(), nullptr, op, 0.1f, static_cast<int64_t>(want.size()),
                                want.data(), want.data()));
      }
      const secateur_epilogue epilogue = {terms, op, 0.1f};
      CHECK_OK(secateur_spmm(test::cpu(), nullptr, shape.batch, packed.data(), x.data(), &epilogue,
                             y.data(), workspace.data(), &bytes));
      for (size_t i = 0; i < y.size(); ++i) CHECK(test::same(y[i], want[i]));
    }
  }
}

void keeps_special_values() {
  const Case shape = {2, 3, 1, 1, false, false, false};
  const std::vector<float> w = {test::kNan, 0, 0, 0, test::kInf, 0};
  const Packed packed = pack(shape, w, {});
  const std::vector<float> y = product(shape, packed, {1, 2, test::kNan}, {});
  CHECK(std::isnan(y[0]) && y[1] == test::kInf);  // a NaN activation meets no weight
}

void refuses() {
  const Case shape = {2, 3, 1, 1, false, false, false};
  Packed packed = pack(shape, {1, 2, 3, 4, 5, 6}, {});
  size_t few = packed.bytes - 1;
  const float w[6] = {1, 2, 3, 4, 5, 6};
  const secateur_sparse_format rows = {SECATEUR_SPARSE_ROWS, 0, 0, 0};
  const secateur_sparse_weight weight = {2, 3, 0, w, nullptr}, negative = {-2, 3, 0, w, nullptr};
  const auto refused = [&](const secateur_sparse_format& f, const secateur_sparse_weight& weight,
                           void* place, size_t bytes) {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_sparse_pack(test::cpu(), nullptr, &f, &weight, place, &bytes));
  };
  refused(rows, weight, packed.data(), few);
  refused(rows, negative, nullptr, few);
  refused({9, 0, 0, 0}, weight, nullptr, few);
  refused({SECATEUR_SPARSE_BLOCK, 1, 1, 0}, weight, nullptr, few);
  refused({SECATEUR_SPARSE_BLOCK, 4, 17, 0}, weight, nullptr, few);
  refused({SECATEUR_SPARSE_NM, 4, 4, 0}, weight, nullptr, few);
  refused({SECATEUR_SPARSE_GATHER, 0, 0, 1}, weight, nullptr, few);
  float x[3] = {}, y[2] = {7, 7};
  size_t none = 0;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_spmm(test::cpu(), nullptr, 1, packed.data(), x, nullptr, y, y, &none));
  alignas(64) const uint64_t other[16] = {};
  size_t bytes;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_spmm(test::cpu(), nullptr, 1, other, x, nullptr, y, nullptr, &bytes));
  const secateur_epilogue unknown = {nullptr, 12, 0};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_spmm(test::cpu(), nullptr, 1, packed.data(), x,
                                                        &unknown, y, nullptr, &bytes));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sparse_refresh(test::cpu(), nullptr, w, packed.data()));
  int64_t out, in, count;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sparse_info(test::cpu(), nullptr, &out, &in, &count));
  CHECK(y[0] == 7 && y[1] == 7);
}

}  // namespace

int main() {
  chosen_shapes();
  random_shapes();
  epilogues();
  keeps_special_values();
  refuses();
  return 0;
}
