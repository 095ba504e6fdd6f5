// SECATEUR_SPARSE_GATHER against a double-precision loop, element by element within 1e-5 of
// |W| |x| + |bias|, under each instruction set; the same bits with 1, 2 and 3 threads; and every
// epilogue against the sums followed by a separate addition and secateur_unary.
#include <algorithm>

#include "harness.h"

namespace {

using test::Guarded;

const secateur_sparse_format kGather = {SECATEUR_SPARSE_GATHER, 0, 0, 0};
const secateur_epilogue kNothing = {nullptr, SECATEUR_IDENTITY, 0};

struct Case {
  int64_t out, in, batch;
  double density;
  bool transposed, masked;
};

// W as stored, its mask, activations, and the matrix packed.
struct Data {
  explicit Data(const Case& shape);
  double weight(int64_t row, int64_t col) const;
  void pack();

  Case shape;
  std::vector<float> w, x;
  std::vector<uint32_t> mask;
  Guarded<unsigned char> packed{0};
};

// Rows are empty, dense or in between; zeros have both signs; some masked elements are NaN.
Data::Data(const Case& shape) : shape(shape) {
  test::Random random(61);
  const int64_t n = shape.out * shape.in;
  w = random.normals(n);
  x = random.normals(shape.batch * shape.in);
  mask = random.mask(n, 0.5);
  const std::vector<uint32_t> dense = random.mask(n, shape.density);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t row = shape.transposed ? i % shape.out : i / shape.in;
    const bool uneven = shape.density > 0 && shape.density < 1;
    const bool full = uneven && row % 19 == 3, empty = uneven && row % 7 == 5;
    if (empty || (!full && !test::kept(dense, i))) w[i] = i % 2 ? 0.0f : -0.0f;
    if (shape.masked && !test::kept(mask, i) && i % 3 == 0) w[i] = test::kNan;
  }
}

double Data::weight(int64_t row, int64_t col) const {
  const int64_t i = shape.transposed ? col * shape.out + row : row * shape.in + col;
  return shape.masked && !test::kept(mask, i) ? 0 : w[i];
}

// A place of `bytes` between guards, aligned as the contract asks: a Guarded's data is at 68 bytes.
unsigned char* place(Guarded<unsigned char>& guarded) {
  return static_cast<unsigned char*>(test::aligned(guarded.data(), 64));
}

void Data::pack() {
  const secateur_sparse_weight weight = {shape.out, shape.in, shape.transposed, w.data(),
                                         shape.masked ? mask.data() : nullptr};
  size_t bytes = 0;
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &kGather, &weight, nullptr, &bytes));
  packed = Guarded<unsigned char>(static_cast<int64_t>(bytes) + 64, 0xa5);
  unsigned char* const start = place(packed);
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &kGather, &weight, start, &bytes));
  packed.take();
  for (unsigned char* p = start + bytes; p < packed.data() + bytes + 64; ++p) CHECK(*p == 0xa5);
}

std::vector<float> product(Data& data, const secateur_epilogue& epilogue) {
  const Case& shape = data.shape;
  Guarded<float> x(data.x), y(shape.batch * shape.out, test::kNan);
  size_t bytes = 0;
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, shape.batch, place(data.packed), nullptr, &epilogue,
                         nullptr, nullptr, &bytes));
  Guarded<unsigned char> workspace(static_cast<int64_t>(bytes), 0xff);  // NaN where not written
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, shape.batch, place(data.packed), x.data(), &epilogue,
                         y.data(), workspace.data(), &bytes));
  workspace.take();
  return y.take();
}

bool equal(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// Calls body(instruction set) under each one.
template <class Body>
void each_isa(Body&& body) {
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) == SECATEUR_OK) body(isa);
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
  CHECK_OK(secateur_set_threads(0));
}

void check(const Case& shape) {
  Data data(shape);
  std::vector<double> want(shape.batch * shape.out), size(want.size());
  int64_t nonzeros = 0;
  for (int64_t r = 0; r < shape.out; ++r) {
    for (int64_t c = 0; c < shape.in; ++c) {
      const double value = data.weight(r, c);
      if (value == 0) continue;
      ++nonzeros;
      for (int64_t b = 0; b < shape.batch; ++b) {
        want[b * shape.out + r] += value * data.x[b * shape.in + c];
        size[b * shape.out + r] += std::fabs(value * data.x[b * shape.in + c]);
      }
    }
  }
  each_isa([&](const char* isa) {
    std::vector<float> first;
    for (int32_t threads : {1, 2, 3}) {
      CHECK_OK(secateur_set_threads(threads));
      data.pack();
      int64_t out, in, count;
      CHECK_OK(secateur_sparse_info(test::cpu(), place(data.packed), &out, &in, &count));
      CHECK(out == shape.out && in == shape.in && count == nonzeros);
      const std::vector<float> y = product(data, kNothing);
      if (threads == 1) first = y;
      CHECK(equal(y, first));
    }
    for (int64_t i = 0; i < shape.batch * shape.out; ++i) {
      CHECK_NOTE(std::fabs(first[i] - want[i]) <= 1e-5 * size[i],
                 "%s, [%d, %d] x %d, density %g: element %d is %g, not %g", isa,
                 static_cast<int>(shape.out), static_cast<int>(shape.in),
                 static_cast<int>(shape.batch), shape.density, static_cast<int>(i), first[i],
                 want[i]);
    }
  });
}

void chosen_shapes() {
  for (int64_t batch = 0; batch <= 20; ++batch) check({37, 150, batch, 0.2, false, false});
  check({0, 5, 3, 0.5, false, false});
  check({5, 0, 3, 0.5, false, false});
  check({1, 1, 1, 1, true, true});
  for (int64_t in : {30, 31, 32, 61, 62, 63}) {
    check({16, in, 2, 0.7, false, false});
    check({17, in, 2, 1, true, false});
  }
  for (double density : {0.0, 0.001, 0.02, 1.0}) {
    check({129, 257, 8, density, false, false});
    check({129, 257, 9, density, true, true});
  }
  for (int64_t batch : {1, 3, 8}) {
    check({1, 5000, batch, 0.1, false, true});
    check({5000, 1, batch, 0.1, true, false});
    check({300, 784, batch, 0.05, true, false});
  }
  check({3, 200000, 2, 0.01, false, false});
}

void random_shapes() {
  test::Random random(62);
  for (int i = 0; i < 60; ++i) {
    check({1 + random.below(300), 1 + random.below(300), random.below(21),
           static_cast<double>(random.below(101)) / 100, random.below(2) == 1,
           random.below(2) == 1});
  }
}

// Work for several threads, few slices, and few slices with many activations.
void large_products() {
  check({1000, 1500, 1, 0.3, false, false});
  check({20, 3000, 8, 0.5, false, false});
  check({20, 300, SANITIZED ? 100 : 1000, 0.5, true, false});
}

void epilogues() {
  for (const Case& shape : {Case{300, 100, 1, 0.2, false, false}, Case{45, 70, 11, 0.3, true, true},
                            Case{1024, 512, 3, 0.5, false, false}}) {
    Data data(shape);
    test::Random random(63);
    Guarded<float> bias(random.normals(shape.out));
    each_isa([&](const char* isa) {
      data.pack();
      const std::vector<float> sums = product(data, kNothing);
      for (int32_t op = SECATEUR_IDENTITY; op <= SECATEUR_ABS; ++op) {
        for (bool biased : {false, true}) {
          std::vector<float> want = sums;
          if (biased) {
            for (size_t i = 0; i < want.size(); ++i) {
              want[i] += bias[static_cast<int64_t>(i) % shape.out];
            }
          }
          if (op != SECATEUR_IDENTITY) {
            CHECK_OK(secateur_unary(test::cpu(), nullptr, op, 0.3f,
                                    static_cast<int64_t>(want.size()), want.data(), want.data()));
          }
          for (int32_t threads : {1, 2}) {
            CHECK_OK(secateur_set_threads(threads));
            const std::vector<float> got =
                product(data, {biased ? bias.data() : nullptr, op, 0.3f});
            for (size_t i = 0; i < want.size(); ++i) {
              CHECK_NOTE(test::same(got[i], want[i]), "%s, op %d: element %zu is %a, not %a", isa,
                         op, i, got[i], want[i]);
            }
          }
        }
      }
    });
  }
}

// A matrix packed under one instruction set is multiplied under any other; infinities and NaN reach
// the outputs that have a weight for them, and no others.
void special_values() {
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    Data data({40, 64, 9, 0, false, false});
    for (int64_t r = 0; r < 40; r += 2) data.w[r * 64 + r] = r == 6 ? test::kNan : 2.0f;
    data.pack();
    for (int64_t i = 0; i < 9 * 64; ++i) {
      data.x[i] = i % 64 == 4 || i % 64 == 31 ? test::kInf : i % 64 == 8 ? test::kNan : 1.0f;
      if (i % 2 == 1) data.x[i] = test::kNan;
    }
    each_isa([&](const char*) {
      const std::vector<float> y = product(data, kNothing);
      for (int64_t i = 0; i < 9 * 40; ++i) {
        const int64_t r = i % 40;
        const float want = r % 2 == 1         ? 0.0f
                           : r == 4           ? test::kInf
                           : r == 6 || r == 8 ? test::kNan
                                              : 2.0f;
        CHECK_NOTE(test::same(y[i], want), "output %d is %g", static_cast<int>(r), y[i]);
      }
    });
  }
}

void refuses() {
  Data data({3, 4, 1, 1, false, false});
  data.pack();
  const secateur_sparse_weight weight = {3, 4, 0, data.w.data(), nullptr};
  size_t few = 128;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_sparse_pack(test::cpu(), nullptr, &kGather,
                                                               &weight, place(data.packed), &few));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sparse_refresh(test::cpu(), nullptr, data.w.data(), place(data.packed)));
}

}  // namespace

int main() {
  chosen_shapes();
  random_shapes();
  large_products();
  epilogues();
  special_values();
  refuses();
  return 0;
}
