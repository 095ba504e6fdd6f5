// Philox against its published vectors; uniforms, dropout and hard-concrete gates as pure functions
// of (seed, counter, salt, index).
#include "common/hard_concrete.h"
#include "common/philox.h"
#include "harness.h"

namespace {

using test::everywhere;
using test::Guarded;

// Known answers of Random123's kat_vectors file, philox4x32 with 10 rounds.
void philox_known_answers() {
  const struct {
    uint32_t counter[4], key[2], answer[4];
  } table[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& row : table) {
    const auto block = secateur::common::philox4x32_10(
        row.counter[0], row.counter[1], row.counter[2], row.counter[3], row.key[0], row.key[1]);
    for (int i = 0; i < 4; ++i) CHECK(block.word[i] == row.answer[i]);
  }
}

std::vector<float> draw(uint64_t seed, uint64_t counter, uint64_t salt, int64_t n) {
  const uint64_t state[] = {seed, counter};
  Guarded<float> u(n, 7);
  CHECK_OK(secateur_uniform(test::cpu(), nullptr, state, salt, n, u.data()));
  return u.take();
}

void uniforms_are_blocks_in_order() {
  for (int64_t n : {0, 1, 3, 4, 5, 31, 33, 1000, 10007}) {
    const std::vector<float> u = everywhere([&] { return draw(42, 7, 3, n); });
    const uint64_t key = secateur::common::draw_key(42, 3);
    for (int64_t i = 0; i < n; ++i) {
      const auto block = secateur::common::draw_block(key, 7, static_cast<uint64_t>(i / 4));
      CHECK(u[i] == secateur::common::uniform_float(block.word[i % 4]));
    }
  }
  // The first block of seed 0, counter 0, salt 0 is the first known answer.
  const double first = ((0x6627e8d5 >> 8) + 0.5) * 0x1p-24;
  CHECK(std::fabs(draw(0, 0, 0, 1)[0] - first) < 0x1p-25);
}

void uniforms_are_inside_and_even() {
  CHECK(secateur::common::uniform_float(0) == 0x1p-25f);
  CHECK(secateur::common::uniform_float(~0u) == 1 - 0x1p-24f);
  const int64_t n = 1 << 20;
  const std::vector<float> u = draw(1, 2, 3, n);
  int64_t bins[64] = {};
  double sum = 0, lag = 0;
  for (int64_t i = 0; i < n; ++i) {
    CHECK(u[i] > 0 && u[i] < 1);
    bins[static_cast<int>(u[i] * 64)]++;
    sum += u[i];
    lag += (u[i] - 0.5) * (u[(i + 1) % n] - 0.5);
  }
  double chi = 0;
  for (int64_t bin : bins) chi += std::pow(static_cast<double>(bin) - n / 64.0, 2) / (n / 64.0);
  CHECK(chi > 25 && chi < 120);  // 63 degrees of freedom
  CHECK(std::fabs(sum / n - 0.5) < 6 * std::sqrt(1 / 12.0 / n));
  CHECK(std::fabs(lag / n) < 6 / 12.0 / std::sqrt(n));
}

void draws_differ() {
  const std::vector<float> base = draw(1, 1, 1, 64);
  for (const std::vector<float>& other :
       {draw(2, 1, 1, 64), draw(1, 2, 1, 64), draw(1, 1, 2, 64), draw(1, 1 + (1ull << 32), 1, 64),
        draw(1 + (1ull << 32), 1, 1, 64), draw(1, 1, 1 + (1ull << 40), 64)}) {
    int equal = 0;
    for (size_t i = 0; i < base.size(); ++i) equal += base[i] == other[i];
    CHECK(equal < 3);
  }
}

void dropouts() {
  const uint64_t state[] = {5, 6};
  test::Random random(31);
  for (int64_t n : {0, 1, 33, 9001}) {
    for (float ratio : {0.0f, 0.25f, 0.5f, 0.9f}) {
      const std::vector<float> x = random.normals(n), u = draw(5, 6, 77, n);
      const std::vector<float> y = everywhere([&] {
        Guarded<float> at(x);
        CHECK_OK(secateur_dropout(test::cpu(), nullptr, state, 77, ratio, n, at.data(), at.data()));
        return at.take();
      });
      for (int64_t i = 0; i < n; ++i) CHECK(y[i] == (u[i] < ratio ? 0 : x[i] / (1 - ratio)));
    }
  }
  float x = 1;
  for (float ratio : {-0.1f, 1.0f, test::kNan}) {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_dropout(test::cpu(), nullptr, state, 0, ratio, 1, &x, &x));
  }
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

void gates() {
  const uint64_t state[] = {8, 9};
  const int64_t n = 9001;
  test::Random random(32);
  const std::vector<float> log_alpha = random.normals(n, 3), dz = random.normals(n);
  const std::vector<float> u = draw(8, 9, 4, n);
  const std::vector<float> z = everywhere([&] {
    Guarded<float> in(log_alpha), out(n);
    CHECK_OK(secateur_hard_concrete(test::cpu(), nullptr, state, 4, n, in.data(), out.data()));
    return out.take();
  });
  const std::vector<float> gradient = everywhere([&] {
    Guarded<float> in(log_alpha), at(dz);
    CHECK_OK(secateur_hard_concrete_grad(test::cpu(), nullptr, state, 4, n, in.data(), at.data(),
                                         at.data()));
    return at.take();
  });
  int64_t closed = 0, open = 0;
  for (int64_t i = 0; i < n; ++i) {
    const auto stretch = [&](double alpha) {
      const double v = u[i];
      return sigmoid((std::log(v) - std::log1p(-v) + alpha) * 1.5) * 1.2 - 0.1;
    };
    const double s = stretch(log_alpha[i]), want = std::min(std::max(s, 0.0), 1.0);
    CHECK(std::fabs(z[i] - want) < 2e-6);
    closed += z[i] == 0;
    open += z[i] == 1;
    if (s < -1e-5 || s > 1 + 1e-5) {
      CHECK(z[i] == (s < 0 ? 0 : 1));
      CHECK(gradient[i] == 0);
    } else if (s > 1e-5 && s < 1 - 1e-5) {
      const double h = 1e-5,
                   slope = (stretch(log_alpha[i] + h) - stretch(log_alpha[i] - h)) / (2 * h);
      CHECK(std::fabs(gradient[i] - dz[i] * slope) < 1e-5 * (1 + std::fabs(dz[i])));
    }
  }
  CHECK(closed > n / 10 && open > n / 10);
}

void gates_without_noise() {
  const int64_t n = 9001;
  test::Random random(33);
  std::vector<float> log_alpha = random.normals(n, 3);
  log_alpha[0] = 100;
  log_alpha[1] = -100;
  const std::vector<float> before = random.normals(n);
  const float scale = 0.5f;
  const std::vector<float> got = everywhere([&] {
    Guarded<float> in(log_alpha), z(n), gradient(before), expected(1);
    CHECK_OK(secateur_hard_concrete_eval(test::cpu(), nullptr, n, in.data(), z.data()));
    CHECK_OK(secateur_hard_concrete_l0(test::cpu(), nullptr, n, in.data(), &scale, expected.data(),
                                       gradient.data()));
    float alone;
    CHECK_OK(
        secateur_hard_concrete_l0(test::cpu(), nullptr, n, in.data(), nullptr, &alone, nullptr));
    CHECK(alone == expected[0]);
    std::vector<float> result = z.take();
    const std::vector<float> rest = gradient.take();
    result.insert(result.end(), rest.begin(), rest.end());
    result.push_back(expected.take()[0]);
    return result;
  });
  CHECK(got[0] == 1 && got[1] == 0);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double z = sigmoid(log_alpha[i]) * 1.2 - 0.1;
    CHECK(std::fabs(got[i] - std::min(std::max(z, 0.0), 1.0)) < 1e-6);
    const double p = sigmoid(log_alpha[i] - 2.0 / 3 * std::log(0.1 / 1.1));
    sum += p;
    CHECK(std::fabs(got[n + i] - (before[i] + scale * p * (1 - p))) < 1e-6);
  }
  CHECK(std::fabs(got[2 * n] - sum) < 1e-5 * sum);
}

}  // namespace

int main() {
  philox_known_answers();
  uniforms_are_blocks_in_order();
  uniforms_are_inside_and_even();
  draws_differ();
  dropouts();
  gates();
  gates_without_noise();
  return 0;
}
