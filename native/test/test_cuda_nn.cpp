// The CUDA device's elementwise, reducing and training operations against the CPU device, bit for
// bit. Needs a GPU, or native/sim/with-simulator; skipped (77) without.
#include <algorithm>
#include <cinttypes>
#include <cstdarg>

#include "both.h"
#include "simulated.h"

namespace {

using test::check;
using test::Side;
using Floats = std::vector<float>;

// Elements from which a case is tried with aligned arrays alone, and neither in sanitized builds
// nor on the simulator where it goes slowly: they are there for what the host does.
constexpr int64_t kLarge = 1000000;
bool too_large(int64_t n) {
  return n >= kLarge && (SANITIZED || test::checked() || test::seed_given() != 0);
}
// Outputs from which a sum of a small tensor shows nothing new, and takes long.
constexpr int64_t kManySums = 4000;

const int64_t kSizes[] = {0, 1, 31, 32, 33, 4095, 4096, 4097, 100003};

test::Random rng(20);

std::string text(const char* format, ...) __attribute__((format(printf, 1, 2)));
std::string text(const char* format, ...) {
  char buffer[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

// Of many magnitudes, with zeros of both signs, denormals, infinities and NaN.
Floats specials(int64_t n) {
  static const float kSpecial[] = {0.0f,  -0.0f, 1e-45f,     -1e-45f,     1.17e-38f,
                                   -1.0f, 3e38f, test::kInf, -test::kInf, test::kNan};
  Floats x = rng.normals(n);
  for (float& v : x) {
    v *= std::pow(10.0f, static_cast<float>(rng.below(13) - 6));
    if (rng.below(10) == 0) v = kSpecial[rng.below(10)];
  }
  return x;
}

void elementwise() {
  for (int64_t n : kSizes) {
    check(text("fill of %" PRId64, n),
          [&](Side& s) { return secateur_fill(s.device(), nullptr, -1.5f, n, s.room<float>(n)); });
    for (int32_t op = SECATEUR_RELU; op <= SECATEUR_ABS; ++op) {
      const Floats x = specials(n), y = specials(n), dy = specials(n);
      check(text("operator %d of %" PRId64, op, n), [&](Side& s) {
        float* const at = s.put(x);
        CHECK_OK(secateur_unary(s.device(), nullptr, op, 0.1f, n, at, s.room<float>(n)));
        CHECK_OK(secateur_unary(s.device(), nullptr, op, 0.1f, n, at, at));
        return secateur_unary_grad(s.device(), nullptr, op, 0.1f, n, s.put(x), s.put(y), s.put(dy),
                                   s.room<float>(n));
      });
    }
  }
}

void binary(const secateur_broadcast& broadcast) {
  int64_t n = 1, a_size = 1, b_size = 1;
  for (int32_t d = 0; d < broadcast.rank; ++d) {
    n *= broadcast.shape[d];
    a_size += (broadcast.shape[d] - 1) * broadcast.a_strides[d];
    b_size += (broadcast.shape[d] - 1) * broadcast.b_strides[d];
  }
  if (n == 0) a_size = b_size = 0;
  for (int32_t op = SECATEUR_ADD; op <= SECATEUR_DIV; ++op) {
    const Floats a = specials(a_size), b = specials(b_size);
    check(text("binary operator %d of rank %d, %" PRId64 " elements", op, broadcast.rank, n),
          [&](Side& s) {
            return secateur_binary(s.device(), nullptr, op, &broadcast, s.put(a), s.put(b),
                                   s.room<float>(n));
          });
  }
}

void binaries() {
  binary({0, {}, {}, {}});
  for (int64_t n : kSizes) binary({1, {n}, {1}, {1}});
  for (int64_t n : {33, 5000}) {
    for (int64_t a : {0, 1, 2}) binary({1, {n}, {a}, {1}});
    for (int64_t b : {0, 3}) binary({1, {n}, {1}, {b}});
    binary({1, {n}, {0}, {0}});
  }
  for (int64_t rows : {2, 70}) {
    for (int64_t cols : {3, 64, 1000}) {
      binary({2, {rows, cols}, {cols, 1}, {0, 1}});
      binary({2, {rows, cols}, {0, 1}, {cols, 1}});
      binary({2, {rows, cols}, {cols, 1}, {1, 0}});
      binary({2, {rows, cols}, {1, 0}, {0, 1}});
      binary({2, {rows, cols}, {cols, 1}, {1, rows}});
      binary({3, {rows, 1, cols}, {cols, cols, 1}, {0, 0, 1}});
      binary({4, {3, rows, 2, cols}, {2 * rows * cols, 2 * cols, cols, 1}, {0, 1, 0, 0}});
    }
  }
  binary({8, {2, 3, 2, 3, 2, 3, 2, 5}, {0, 60, 0, 20, 0, 5, 0, 1}, {1, 2, 3, 4, 5, 6, 7, 8}});
}

void reduce(const std::vector<int64_t>& shape, uint32_t axes) {
  int64_t n = 1, outputs = 1;
  std::string name;
  for (size_t d = 0; d < shape.size(); ++d) {
    n *= shape[d];
    outputs *= (axes >> d & 1u) != 0 ? 1 : shape[d];
    name += text(" %" PRId64, shape[d]);
  }
  if (too_large(n) || (n < kLarge && outputs > kManySums)) return;
  const Floats x = rng.normals(n, 100);
  const auto sum = [&](Side& s) {
    return secateur_reduce_sum(s.device(), nullptr, static_cast<int32_t>(shape.size()),
                               shape.data(), axes, s.put(x), s.room<float>(outputs));
  };
  check(text("sum of%s over 0x%x", name.c_str(), axes), sum, n >= kLarge);
}

void reductions() {
  reduce({}, 0);
  for (int64_t n : kSizes) reduce({n}, 1);
  const std::vector<std::vector<int64_t>> shapes = {
      {1, 1},         {3, 0},          {33, 7},
      {4096, 9},      {4097, 3},       {3, 4097},
      {130, 300},     {5, 6, 7},       {2, 9000, 3},
      {9000, 2, 3},   {900, 2, 3},     {64, 1, 33},
      {40, 3, 5, 36}, {70, 8, 9, 9},   {3, 2, 5000},
      {3, 2, 900},    {2, 2, 2, 2, 2}, {3, 2, 2, 5, 2, 3, 5, 9}};
  for (const auto& shape : shapes) {
    for (uint32_t axes = 0; axes < 1u << shape.size(); ++axes) reduce(shape, axes);
  }
  reduce({4096 * 4097 + 3}, 1);  // three levels
  reduce({4097, 300, 1}, 1);
  reduce({4100, 600}, 2);
  reduce({70000, 50}, 2);  // many short rows
}

// More tile sums than the scratch holds at once.
void sliced_reductions() {
  reduce({600000, 4097}, 2);
  reduce({4097, 600001}, 1);
}

void transposes() {
  const std::vector<std::vector<int64_t>> shapes = {
      {0, 3}, {1, 1}, {100, 70}, {3, 500}, {500, 3}, {33, 1, 65}, {5, 33, 40}, {2, 3, 8, 12}};
  for (const auto& shape : shapes) {
    const auto rank = static_cast<int32_t>(shape.size());
    std::vector<int32_t> perm;
    int64_t n = 1;
    for (int32_t d = 0; d < rank; ++d) {
      perm.push_back(d);
      n *= shape[static_cast<size_t>(d)];
    }
    const Floats x = specials(n);
    do {
      check(text("transpose of rank %d, %" PRId64 " elements", rank, n), [&](Side& s) {
        return secateur_transpose(s.device(), nullptr, rank, shape.data(), perm.data(), s.put(x),
                                  s.room<float>(n));
      });
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
}

void softmaxes() {
  const int64_t shapes[][2] = {{0, 3},    {3, 0},    {1, 1},    {100, 10}, {5, 33},  {3, 1024},
                               {3, 1025}, {2, 4097}, {5, 8193}, {4097, 3}, {9000, 2}};
  for (const auto& [rows, cols] : shapes) {
    const int64_t n = rows * cols;
    Floats x = rng.normals(n, 5);
    const Floats dy = rng.normals(n);
    if (n > 100) x[7] = test::kNan;
    check(text("softmax of [%" PRId64 ", %" PRId64 "]", rows, cols), [&](Side& s) {
      float* const y = s.room<float>(n);
      CHECK_OK(secateur_softmax(s.device(), nullptr, rows, cols, s.put(x), y));
      return secateur_softmax_grad(s.device(), nullptr, rows, cols, y, s.put(dy), s.room<float>(n));
    });
  }
}

void cross_entropy(int64_t rows, int64_t cols) {
  if (too_large(rows * cols)) return;
  const Floats x = rng.normals(rows * cols, 5);
  std::vector<int32_t> labels;
  for (int64_t r = 0; r < rows; ++r) labels.push_back(static_cast<int32_t>(rng.below(cols)));
  const auto losses = [&](Side& s) {
    float* const p = s.room<float>(rows * cols);
    const int32_t* const at = s.put(labels);
    CHECK_OK(secateur_softmax_cross_entropy(s.device(), nullptr, rows, cols, s.put(x), at, p,
                                            s.room<float>(1)));
    return secateur_softmax_cross_entropy_grad(s.device(), nullptr, rows, cols, p, at,
                                               s.put(Floats{0.75f}), s.room<float>(rows * cols));
  };
  check(text("cross-entropy of [%" PRId64 ", %" PRId64 "]", rows, cols), losses,
        rows * cols >= kLarge);
}

// A wrong label makes the loss NaN on both devices; only the CPU can say so at once.
void wrong_label() {
  const Floats x = rng.normals(12);
  for (int32_t label : {-1, 3}) {
    Side s(test::cuda(), 0);
    float* const loss = s.room<float>(1);
    CHECK_OK(secateur_softmax_cross_entropy(s.device(), nullptr, 4, 3, s.put(x),
                                            s.put(std::vector<int32_t>{0, label, 2, 1}),
                                            s.room<float>(12), loss));
    float value = 0;
    CHECK_OK(secateur_download(s.device(), nullptr, loss, &value, sizeof value));
    CHECK_OK(secateur_synchronize(s.device(), nullptr));
    CHECK(value != value);
  }
}

void losses() {
  cross_entropy(1, 1);
  cross_entropy(100, 10);
  cross_entropy(4097, 3);
  cross_entropy(5, 1024);
  cross_entropy(5, 5000);
  cross_entropy(524288 + 4097, 2);  // more rows than wait in the scratch at once
  for (int64_t n : kSizes) {
    const Floats x = rng.normals(n), t = rng.normals(n);
    check(text("squared error of %" PRId64, n), [&](Side& s) {
      CHECK_OK(secateur_mse(s.device(), nullptr, n, s.put(x), s.put(t), s.room<float>(1)));
      return secateur_mse_grad(s.device(), nullptr, n, s.put(x), s.put(t), s.put(Floats{-1.25f}),
                               s.room<float>(n));
    });
  }
}

void draws() {
  const std::vector<uint64_t> state = {0x0123456789abcdef, (uint64_t{1} << 33) + 7};
  for (int64_t n : kSizes) {
    const Floats x = specials(n), gates = rng.normals(n, 4), dz = specials(n);
    check(text("draws of %" PRId64, n), [&](Side& s) {
      const uint64_t* const at = s.put(state, true);
      CHECK_OK(secateur_uniform(s.device(), nullptr, at, 9, n, s.room<float>(n)));
      CHECK_OK(secateur_dropout(s.device(), nullptr, at, 9, 0.3f, n, s.put(x), s.room<float>(n)));
      CHECK_OK(
          secateur_hard_concrete(s.device(), nullptr, at, 5, n, s.put(gates), s.room<float>(n)));
      return secateur_hard_concrete_grad(s.device(), nullptr, at, 5, n, s.put(gates), s.put(dz),
                                         s.room<float>(n));
    });
    check(text("gates of %" PRId64, n), [&](Side& s) {
      CHECK_OK(secateur_hard_concrete_eval(s.device(), nullptr, n, s.put(gates), s.room<float>(n)));
      CHECK_OK(secateur_hard_concrete_l0(s.device(), nullptr, n, s.put(gates), nullptr,
                                         s.room<float>(1), nullptr));
      return secateur_hard_concrete_l0(s.device(), nullptr, n, s.put(gates), s.put(Floats{0.5f}),
                                       s.room<float>(1), s.put(dz));
    });
  }
}

void gathers() {
  for (size_t row : {size_t{1}, size_t{4}, size_t{16}, size_t{36}, size_t{784 * 4}, size_t{30}}) {
    for (int64_t count : {0, 1, 33, 300}) {
      std::vector<unsigned char> source(50 * row);
      for (unsigned char& byte : source) byte = static_cast<unsigned char>(rng.below(256));
      std::vector<int32_t> indices;
      for (int64_t i = 0; i < count; ++i) indices.push_back(static_cast<int32_t>(rng.below(50)));
      check(text("gather of %" PRId64 " rows of %zu bytes", count, row), [&](Side& s) {
        return secateur_gather_rows(s.device(), nullptr, count, row, 50, s.put(source),
                                    s.put(indices),
                                    s.room<unsigned char>(count * static_cast<int64_t>(row)));
      });
    }
  }
}

void optimizers(int64_t n, bool masked, int32_t step) {
  const Floats w = specials(n), g = specials(n), m = specials(n);
  Floats v = specials(n);
  for (float& value : v) value = std::fabs(value);
  const std::vector<uint32_t> words = rng.mask(n, 0.4);
  const std::vector<secateur_sgd_params> sgd = {{0.1f, 0.9f, 0.01f, step & 1, step}};
  const std::vector<secateur_sgd_params> plain = {{0.1f, 0.0f, 0.01f, 0, step}};
  const std::vector<secateur_adam_params> adam = {
      {0.1f, 0.9f, 0.999f, 1e-8f, 0.01f, step & 1, 0.19f, 0.0447f}};
  check(text("optimizer steps of %" PRId64 " weights, masked %d, step %d", n, masked, step),
        [&](Side& s) {
          const uint32_t* const mask = masked ? s.put(words, true) : nullptr;
          CHECK_OK(secateur_sgd_step(s.device(), nullptr, n, s.put(sgd, true), s.put(w), s.put(g),
                                     s.put(m), mask));
          CHECK_OK(secateur_sgd_step(s.device(), nullptr, n, s.put(plain, true), s.put(w), s.put(g),
                                     nullptr, mask));
          float* const weights = s.put(w);
          float* const second = s.put(v);
          const secateur_adam_params* const params = s.put(adam, true);
          CHECK_OK(secateur_adam_step(s.device(), nullptr, n, params, weights, s.put(g), s.put(m),
                                      second, mask));
          CHECK_OK(secateur_soft_threshold_adam(s.device(), nullptr, n, params, s.put(Floats{0.2f}),
                                                second, weights, mask));
          return secateur_soft_threshold(s.device(), nullptr, n, s.put(Floats{0.3f}), weights,
                                         mask);
        });
}

void all_optimizers() {
  for (int64_t n : kSizes) {
    for (bool masked : {false, true}) {
      for (int32_t step : {1, 2}) optimizers(n, masked, step);
    }
  }
}

// Sums and losses of several tiles and launches, whatever order blocks run in.
void schedules() {
  if (!test::simulated()) return;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    test::seed(1000 * test::seed_given() + seed);
    for (const int64_t n : {33, 4097, 100003}) reduce({n}, 1);
    for (const uint32_t axes : {1u, 2u, 3u}) reduce({4097, 9}, axes);
    for (const uint32_t axes : {2u, 5u, 6u, 7u}) reduce({2, 9000, 3}, axes);
    cross_entropy(4097, 3);
    cross_entropy(3, 5000);
    const int64_t n = 9001;
    const Floats x = rng.normals(n), t = rng.normals(n);
    check(text("losses of %" PRId64 ", seed %" PRIu64, n, seed), [&](Side& s) {
      CHECK_OK(secateur_mse(s.device(), nullptr, n, s.put(x), s.put(t), s.room<float>(1)));
      return secateur_hard_concrete_l0(s.device(), nullptr, n, s.put(x), s.put(Floats{0.5f}),
                                       s.room<float>(1), s.put(t));
    });
  }
  test::seed(test::seed_given());
}

struct Topic {
  const char* name;
  void (*run)();
  bool large;  // takes gigabytes and minutes: run only when named
};

const Topic kTopics[] = {{"elementwise", elementwise, false},
                         {"binary", binaries, false},
                         {"reduce", reductions, false},
                         {"sliced", sliced_reductions, true},
                         {"transpose", transposes, false},
                         {"softmax", softmaxes, false},
                         {"loss", losses, false},
                         {"wrong_label", wrong_label, false},
                         {"draw", draws, false},
                         {"gather", gathers, false},
                         {"optimizer", all_optimizers, false},
                         {"schedule", schedules, false}};

}  // namespace

// Runs the topics named, or all but the large ones.
int main(int argc, char** argv) {
  if (test::cuda() == nullptr) return 77;
  for (const Topic& topic : kTopics) {
    bool wanted = argc == 1 && !topic.large;
    for (int i = 1; i < argc; ++i) wanted = wanted || strcmp(argv[i], topic.name) == 0;
    if (wanted) topic.run();
  }
  CHECK_OK(secateur_device_close(test::cuda()));
  return 0;
}
