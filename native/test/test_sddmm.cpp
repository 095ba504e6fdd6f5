// Trainable matrices: what the mask keeps is stored, zeros too; new values; the sampled gradient
// against a double-precision loop, each element within 1e-5 of |dY|^T |X|.
#include <algorithm>

#include "harness.h"

namespace {

using test::Guarded;

struct Case {
  int64_t out, in, batch;
  double density;
  bool transposed, masked;

  int64_t place(int64_t o, int64_t i) const { return transposed ? i * out + o : o * in + i; }
};

constexpr uint64_t kGuard = 0xa5a5a5a5a5a5a5a5u;

struct Packed {
  std::vector<uint64_t> words;

  void* data() { return test::aligned(words.data(), 64); }
};

Packed pack(const Case& c, const std::vector<float>& w, const std::vector<uint32_t>& mask) {
  const secateur_sparse_format format = {SECATEUR_SPARSE_ROWS, 0, 0, 1};
  const secateur_sparse_weight weight = {c.out, c.in, c.transposed, w.data(),
                                         c.masked ? mask.data() : nullptr};
  size_t bytes = 0;
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, nullptr, &bytes));
  Packed packed;
  packed.words.assign(bytes / 8 + 10, kGuard);
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, packed.data(), &bytes));
  CHECK(packed.words.back() == kGuard);
  return packed;
}

std::vector<float> gradient(const Case& c, Packed& packed, const std::vector<float>& x,
                            const std::vector<float>& dy) {
  Guarded<float> in(x), out(dy), result(c.out * c.in, test::kNan);
  size_t bytes = 0;
  CHECK_OK(secateur_sddmm(test::cpu(), nullptr, c.batch, packed.data(), nullptr, nullptr, nullptr,
                          nullptr, &bytes));
  Guarded<unsigned char> workspace(static_cast<int64_t>(bytes), 0xff);
  CHECK_OK(secateur_sddmm(test::cpu(), nullptr, c.batch, packed.data(), in.data(), out.data(),
                          result.data(), workspace.data(), &bytes));
  workspace.take();
  return result.take();
}

std::vector<float> product(const Case& c, Packed& packed, const std::vector<float>& x) {
  Guarded<float> y(c.batch * c.out, test::kNan);
  size_t bytes = 0;
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, c.batch, packed.data(), nullptr, nullptr, nullptr,
                         nullptr, &bytes));
  Guarded<unsigned char> workspace(static_cast<int64_t>(bytes), 0xff);
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, c.batch, packed.data(), x.data(), nullptr, y.data(),
                         workspace.data(), &bytes));
  return y.take();
}

// A weight under its mask: NaN where it is pruned, which must not be read; zeros of both signs.
struct Layer {
  std::vector<float> w;
  std::vector<uint32_t> mask;

  Layer(const Case& c, test::Random& random)
      : w(random.normals(c.out * c.in)), mask(random.mask(c.out * c.in, c.density)) {
    for (int64_t i = 0; i < c.out * c.in; ++i) {
      if (!test::kept(mask, i)) {
        w[i] = c.masked ? test::kNan : i % 2 ? 0.0f : -0.0f;
      } else if (c.masked && i % 7 == 3) {
        w[i] = i % 2 ? 0.0f : -0.0f;
      }
    }
  }
};

void check_gradient(const Case& c, const char* isa, const Layer& layer, const std::vector<float>& x,
                    const std::vector<float>& dy, const std::vector<float>& got) {
  for (int64_t o = 0; o < c.out; ++o) {
    for (int64_t i = 0; i < c.in; ++i) {
      const float value = got[c.place(o, i)];
      if (!test::kept(layer.mask, c.place(o, i))) {
        CHECK_NOTE(test::bits(value) == 0, "%s: nothing is stored at [%d, %d], but it is %g", isa,
                   static_cast<int>(o), static_cast<int>(i), value);
        continue;
      }
      double sum = 0, size = 0;
      for (int64_t b = 0; b < c.batch; ++b) {
        const double term = static_cast<double>(dy[b * c.out + o]) * x[b * c.in + i];
        sum += term;
        size += std::fabs(term);
      }
      CHECK_NOTE(std::fabs(value - sum) <= 1e-5 * size,
                 "%s, [%d, %d] x %d: gradient [%d, %d] is %g, not %g", isa, static_cast<int>(c.out),
                 static_cast<int>(c.in), static_cast<int>(c.batch), static_cast<int>(o),
                 static_cast<int>(i), value, sum);
    }
  }
}

void check_product(const Case& c, const char* isa, const Layer& layer, const std::vector<float>& x,
                   const std::vector<float>& got) {
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t o = 0; o < c.out; ++o) {
      double sum = 0, size = 0;
      for (int64_t i = 0; i < c.in; ++i) {
        if (!test::kept(layer.mask, c.place(o, i))) continue;
        const double term = static_cast<double>(layer.w[c.place(o, i)]) * x[b * c.in + i];
        sum += term;
        size += std::fabs(term);
      }
      CHECK_NOTE(std::fabs(got[b * c.out + o] - sum) <= 1e-5 * size,
                 "%s, [%d, %d] x %d: y [%d, %d] is %g, not %g", isa, static_cast<int>(c.out),
                 static_cast<int>(c.in), static_cast<int>(c.batch), static_cast<int>(b),
                 static_cast<int>(o), got[b * c.out + o], sum);
    }
  }
}

void check(const Case& c) {
  test::Random random(61);
  const Layer layer(c, random);
  Layer next = layer;  // zeros may grow, others may become zero; the pruned ones are not read
  for (int64_t i = 0; i < c.out * c.in; ++i) {
    if (test::kept(layer.mask, i)) next.w[i] = i % 5 == 0 ? 0 : random.normal();
  }
  const std::vector<float> x = random.normals(c.batch * c.in);
  const std::vector<float> dy = random.normals(c.batch * c.out);
  int64_t kept = 0;
  for (int64_t i = 0; i < c.out * c.in; ++i) kept += test::kept(layer.mask, i);
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    std::vector<float> first;
    for (int32_t threads : {1, 2, 3}) {
      CHECK_OK(secateur_set_threads(threads));
      Packed packed = pack(c, layer.w, layer.mask);
      int64_t out, in, stored;
      CHECK_OK(secateur_sparse_info(test::cpu(), packed.data(), &out, &in, &stored));
      CHECK(out == c.out && in == c.in && stored == kept);
      const std::vector<float> got = gradient(c, packed, x, dy);
      if (threads == 1) first = got;
      CHECK(got.empty() || memcmp(got.data(), first.data(), got.size() * sizeof(float)) == 0);
      if (threads == 2) {
        check_product(c, isa, layer, x, product(c, packed, x));
        CHECK_OK(secateur_sparse_refresh(test::cpu(), nullptr, next.w.data(), packed.data()));
        check_product(c, isa, next, x, product(c, packed, x));
      }
    }
    check_gradient(c, isa, layer, x, dy, first);
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
  CHECK_OK(secateur_set_threads(0));
}

void chosen_shapes() {
  for (int64_t batch : {0, 1, 15, 16, 17, 32, 33, 48, 49, 64, 65, 100, 129}) {
    check({37, 150, batch, 0.1, batch % 2 == 0, true});
  }
  check({0, 5, 3, 0.5, false, true});
  check({5, 0, 3, 0.5, false, true});
  check({1, 1, 1, 1, false, false});
  for (double density : {0.0, 0.01, 1.0}) {
    check({129, 257, 20, density, false, true});
    check({129, 257, 20, density, true, false});
  }
}

void random_shapes() {
  test::Random random(62);
  for (int i = 0; i < 25; ++i) {
    const double densities[] = {0.02, 0.1, 0.3, 0.9};
    check({1 + random.below(300), 1 + random.below(300), 1 + random.below(150),
           densities[random.below(4)], i % 2 == 0, i % 3 != 0});
  }
}

// Rows of all and of no elements beside each other, and a pattern of whole columns.
void uneven_rows() {
  const Case c = {200, 130, 40, 1, false, true};
  test::Random random(63);
  Layer layer(c, random);
  for (int64_t i = 0; i < c.out * c.in; ++i) {
    const int64_t o = i / c.in, k = i % c.in;
    const bool keep = o % 50 == 7 || (o % 3 == 0 && k % 64 == 63);
    layer.mask[i / 32] = (layer.mask[i / 32] & ~(1u << i % 32)) | uint32_t{keep} << i % 32;
  }
  const std::vector<float> x = random.normals(c.batch * c.in);
  const std::vector<float> dy = random.normals(c.batch * c.out);
  Packed packed = pack(c, layer.w, layer.mask);
  check_gradient(c, secateur_cpu_isa(), layer, x, dy, gradient(c, packed, x, dy));
}

void refusals() {
  const std::vector<float> w(6, 1);
  const secateur_sparse_format format = {SECATEUR_SPARSE_ROWS, 0, 0, 0};
  const secateur_sparse_weight weight = {2, 3, 0, w.data(), nullptr};
  size_t bytes = 0;
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, nullptr, &bytes));
  std::vector<uint64_t> words(bytes / 8 + 10);
  void* const packed = test::aligned(words.data(), 64);
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, packed, &bytes));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_sddmm(test::cpu(), nullptr, 1, packed, w.data(),
                                                         w.data(), nullptr, nullptr, &bytes));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sparse_refresh(test::cpu(), nullptr, w.data(), packed));
  const secateur_sparse_format gather = {SECATEUR_SPARSE_GATHER, 0, 0, 1};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sparse_pack(test::cpu(), nullptr, &gather, &weight, nullptr, &bytes));
  Packed trainable = pack({2, 3, 1, 1, false, false}, w, {});
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sddmm(test::cpu(), nullptr, -1, trainable.data(), w.data(), w.data(),
                              nullptr, nullptr, &bytes));
}

}  // namespace

int main() {
  chosen_shapes();
  random_shapes();
  uneven_rows();
  refusals();
  return 0;
}
