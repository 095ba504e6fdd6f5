// What the tests of sparse layouts share: a case, its weight as stored and packed, the product, and
// the checks of both against double-precision loops.
#pragma once

#include <algorithm>

#include "harness.h"

namespace test {

// A weight [out, in] times a batch; masked elements, if any, are drawn by poison().
struct PackedCase {
  secateur_sparse_format format;
  int64_t out, in, batch;
  bool transposed, masked;
  std::vector<uint32_t> mask = {};

  int64_t index(int64_t r, int64_t c) const { return transposed ? c * out + r : r * in + c; }
  double weight(const std::vector<float>& w, int64_t r, int64_t c) const {
    const int64_t i = index(r, c);
    return masked && !kept(mask, i) ? 0 : w[i];
  }
  secateur_sparse_weight stored(const std::vector<float>& w) const {
    return {out, in, transposed, w.data(), masked ? mask.data() : nullptr};
  }
};

// Masks a third of w, and puts NaN into some of what is masked: it must not matter.
inline std::vector<float> poison(PackedCase& shape, std::vector<float> w) {
  if (!shape.masked) return w;
  Random random(71);
  shape.mask = random.mask(shape.out * shape.in, 0.67);
  for (int64_t i = 0; i < shape.out * shape.in; ++i) {
    if (!kept(shape.mask, i) && i % 3 != 0) w[i] = kNan;
  }
  return w;
}

// A packed matrix between guards.
struct Packed {
  static constexpr uint64_t kMark = 0xa5a5a5a5a5a5a5a5u;
  std::vector<uint64_t> words;
  size_t bytes = 0;

  void* data() { return aligned(words.data(), 64); }
  const void* data() const { return const_cast<Packed*>(this)->data(); }
  bool guarded() const {
    const auto* const end = static_cast<const unsigned char*>(data()) + bytes;
    const auto* const last = reinterpret_cast<const unsigned char*>(words.data() + words.size());
    return std::all_of(end, last, [](unsigned char byte) { return byte == 0xa5; });
  }
};

inline Packed pack(const PackedCase& shape, const std::vector<float>& w) {
  Packed packed;
  const secateur_sparse_weight weight = shape.stored(w);
  CHECK_OK(secateur_sparse_pack(cpu(), nullptr, &shape.format, &weight, nullptr, &packed.bytes));
  packed.words.assign(packed.bytes / 8 + 10, Packed::kMark);
  CHECK_OK(
      secateur_sparse_pack(cpu(), nullptr, &shape.format, &weight, packed.data(), &packed.bytes));
  CHECK(packed.guarded());
  return packed;
}

inline std::vector<float> product(const PackedCase& shape, const Packed& packed,
                                  const std::vector<float>& x, const secateur_epilogue* epilogue) {
  Guarded<float> in(x), y(shape.batch * shape.out, kNan);
  size_t bytes = 0;
  CHECK_OK(secateur_spmm(cpu(), nullptr, shape.batch, packed.data(), nullptr, epilogue, nullptr,
                         nullptr, &bytes));
  Guarded<unsigned char> workspace(static_cast<int64_t>(bytes), 0xff);  // NaN where not written
  CHECK_OK(secateur_spmm(cpu(), nullptr, shape.batch, packed.data(), in.data(), epilogue, y.data(),
                         workspace.data(), &bytes));
  workspace.take();
  return y.take();
}

// Calls run() under every instruction set and 1, 2 and 3 threads; of one set all results must have
// the same bits.
template <class Run, class Check>
void each_isa(Run&& run, Check&& check) {
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    std::vector<float> first;
    for (int32_t threads : {1, 2, 3}) {
      CHECK_OK(secateur_set_threads(threads));
      const std::vector<float> y = run();
      if (threads == 1) first = y;
      CHECK(y.size() == first.size());
      CHECK(y.empty() || memcmp(y.data(), first.data(), y.size() * sizeof(float)) == 0);
    }
    check(isa, first);
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
  CHECK_OK(secateur_set_threads(0));
}

// The product with a bias against double-precision loops, within 1e-5 of |W| |x| + |bias|; out, in
// and stored as the packed matrix tells them.
inline void check_product(const PackedCase& shape, const std::vector<float>& w, int64_t stored) {
  Random random(72);
  const std::vector<float> x = random.normals(shape.batch * shape.in);
  const std::vector<float> bias = random.normals(shape.out);
  const secateur_epilogue epilogue = {bias.data(), SECATEUR_IDENTITY, 0};
  std::vector<double> want(static_cast<size_t>(shape.batch * shape.out)), size(want.size());
  for (int64_t r = 0; r < shape.out; ++r) {
    for (int64_t b = 0; b < shape.batch; ++b) {
      want[b * shape.out + r] = bias[r];
      size[b * shape.out + r] = std::fabs(bias[r]);
    }
    for (int64_t c = 0; c < shape.in; ++c) {
      const double value = shape.weight(w, r, c);
      if (value == 0) continue;
      for (int64_t b = 0; b < shape.batch; ++b) {
        want[b * shape.out + r] += value * x[b * shape.in + c];
        size[b * shape.out + r] += std::fabs(value * x[b * shape.in + c]);
      }
    }
  }
  each_isa(
      [&] {
        const Packed packed = pack(shape, w);
        int64_t out, in, count;
        CHECK_OK(secateur_sparse_info(cpu(), packed.data(), &out, &in, &count));
        CHECK(out == shape.out && in == shape.in);
        CHECK_NOTE(count == stored, "%d stored, not %d", static_cast<int>(count),
                   static_cast<int>(stored));
        return product(shape, packed, x, &epilogue);
      },
      [&](const char* isa, const std::vector<float>& y) {
        for (int64_t i = 0; i < shape.batch * shape.out; ++i) {
          CHECK_NOTE(std::fabs(y[i] - want[i]) <= 1e-5 * size[i],
                     "%s, %d x %d of [%d, %d] x %d: element %d is %g, not %g", isa,
                     shape.format.rows, shape.format.cols, static_cast<int>(shape.out),
                     static_cast<int>(shape.in), static_cast<int>(shape.batch), static_cast<int>(i),
                     y[i], want[i]);
        }
      });
}

// Every activation, with and without bias: the bits of the sums, an addition and secateur_unary.
inline void check_epilogues(const PackedCase& shape, const std::vector<float>& w) {
  Random random(73);
  const std::vector<float> x = random.normals(shape.batch * shape.in);
  const std::vector<float> bias = random.normals(shape.out);
  const Packed packed = pack(shape, w);
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    const std::vector<float> sums = product(shape, packed, x, nullptr);
    for (int32_t op = SECATEUR_IDENTITY; op <= SECATEUR_ABS; ++op) {
      for (const float* b : {static_cast<const float*>(nullptr), bias.data()}) {
        std::vector<float> want = sums;
        for (size_t i = 0; b != nullptr && i < want.size(); ++i) want[i] += b[i % bias.size()];
        if (op != SECATEUR_IDENTITY) {
          CHECK_OK(secateur_unary(cpu(), nullptr, op, 0.3f, static_cast<int64_t>(want.size()),
                                  want.data(), want.data()));
        }
        const secateur_epilogue epilogue = {b, op, 0.3f};
        const std::vector<float> y = product(shape, packed, x, &epilogue);
        for (size_t i = 0; i < want.size(); ++i) CHECK(same(y[i], want[i]));
      }
    }
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
}

}  // namespace test
