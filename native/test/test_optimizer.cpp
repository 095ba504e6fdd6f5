// SGD and Adam over several steps against double precision, masks, and the soft threshold.
#include "harness.h"

namespace {

using test::everywhere;
using test::Guarded;

constexpr int kSteps = 7;
const int64_t kSizes[] = {0, 1, 31, 32, 33, 63, 64, 65, 997, 20011};

std::vector<float> join(const std::vector<std::vector<float>>& parts) {
  std::vector<float> all;
  for (const std::vector<float>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

void check_sgd(int64_t n, float momentum, bool nesterov, float decay, bool masked) {
  test::Random random(41);
  const std::vector<float> start = random.normals(n);
  const std::vector<uint32_t> mask = random.mask(n, 0.5);
  std::vector<std::vector<float>> gradients;
  for (int step = 0; step < kSteps; ++step) gradients.push_back(random.normals(n));
  const std::vector<float> got = everywhere([&] {
    Guarded<float> w(start), buf(n, test::kNan);  // the first step must not read the buffer
    Guarded<uint32_t> bits(mask);
    for (int step = 1; step <= kSteps; ++step) {
      const secateur_sgd_params params = {0.1f, momentum, decay, nesterov, step};
      Guarded<float> g(gradients[step - 1]);
      CHECK_OK(secateur_sgd_step(test::cpu(), nullptr, n, &params, w.data(), g.data(),
                                 momentum == 0 ? nullptr : buf.data(),
                                 masked ? bits.data() : nullptr));
    }
    return momentum == 0 ? w.take() : join({w.take(), buf.take()});
  });
  for (int64_t i = 0; i < n; ++i) {
    double w = start[i], buffer = 0;
    for (int step = 1; step <= kSteps; ++step) {
      const double g = gradients[step - 1][i] + double{decay} * w;
      buffer = step == 1 ? g : double{momentum} * buffer + g;
      w -= double{0.1f} * (momentum == 0 ? g : nesterov ? g + double{momentum} * buffer : buffer);
      if (masked && !test::kept(mask, i)) w = buffer = 0;
    }
    if (masked && !test::kept(mask, i)) {
      CHECK(test::bits(got[i]) == 0);
      if (momentum != 0) CHECK(test::bits(got[n + i]) == 0);
    } else {
      CHECK(std::fabs(got[i] - w) < 2e-6 * (1 + std::fabs(w)));
      if (momentum != 0) CHECK(std::fabs(got[n + i] - buffer) < 2e-6 * (1 + std::fabs(buffer)));
    }
  }
}

void check_adam(int64_t n, bool decoupled, float decay, bool masked) {
  test::Random random(42);
  const std::vector<float> start = random.normals(n);
  const std::vector<uint32_t> mask = random.mask(n, 0.3);
  std::vector<std::vector<float>> gradients;
  for (int step = 0; step < kSteps; ++step) gradients.push_back(random.normals(n));
  const float lr = 1e-2f, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
  const std::vector<float> got = everywhere([&] {
    Guarded<float> w(start), m(n), v(n);
    Guarded<uint32_t> bits(mask);
    for (int step = 1; step <= kSteps; ++step) {
      const secateur_adam_params params = {
          lr,
          beta1,
          beta2,
          epsilon,
          decay,
          decoupled,
          static_cast<float>(1 - std::pow(double{beta1}, step)),
          static_cast<float>(std::sqrt(1 - std::pow(double{beta2}, step)))};
      Guarded<float> g(gradients[step - 1]);
      CHECK_OK(secateur_adam_step(test::cpu(), nullptr, n, &params, w.data(), g.data(), m.data(),
                                  v.data(), masked ? bits.data() : nullptr));
    }
    return join({w.take(), m.take(), v.take()});
  });
  for (int64_t i = 0; i < n; ++i) {
    double w = start[i], m = 0, v = 0;
    for (int step = 1; step <= kSteps; ++step) {
      const double g = gradients[step - 1][i] + (decoupled ? 0 : double{decay} * w);
      m = double{beta1} * m + (1 - double{beta1}) * g;
      v = double{beta2} * v + (1 - double{beta2}) * g * g;
      const double m_hat = m / (1 - std::pow(double{beta1}, step));
      const double v_hat = v / (1 - std::pow(double{beta2}, step));
      if (decoupled) w -= double{lr} * decay * w;
      w -= double{lr} * m_hat / (std::sqrt(v_hat) + double{epsilon});
    }
    if (masked && !test::kept(mask, i)) {
      for (int part = 0; part < 3; ++part) CHECK(test::bits(got[part * n + i]) == 0);
    } else {
      CHECK(std::fabs(got[i] - w) < 2e-6 * (1 + std::fabs(w)));
      CHECK(std::fabs(got[n + i] - m) < 2e-6 * (1 + std::fabs(m)));
      CHECK(std::fabs(got[2 * n + i] - v) < 2e-6 * (1 + v));
    }
  }
}

// Whatever a pruned weight, its gradient and its state hold, +0 comes out; kept neighbours are
// untouched by it.
void masks_overrule_everything() {
  const float poison[] = {test::kNan, test::kInf, -test::kInf, -0.0f, -1e-45f, 3e38f};
  for (float value : poison) {
    const int64_t n = 70;
    std::vector<uint32_t> mask(3, 0);
    mask[1] = 1u << 5;  // element 37 is kept
    std::vector<float> start(n, value), gradient(n, value);
    start[37] = 1;
    gradient[37] = 1;
    Guarded<float> w(start), g(gradient), m(n, value), v(n, value);
    m[37] = v[37] = 0;
    const secateur_adam_params adam = {0.5f, 0.0f, 0.0f, 0.0f, 0.0f, 0, 1.0f, 1.0f};
    CHECK_OK(secateur_adam_step(test::cpu(), nullptr, n, &adam, w.data(), g.data(), m.data(),
                                v.data(), mask.data()));
    for (int64_t i = 0; i < n; ++i) {
      if (i == 37) continue;
      CHECK(test::bits(w[i]) == 0 && test::bits(m[i]) == 0 && test::bits(v[i]) == 0);
    }
    CHECK(w[37] == 0.5f && m[37] == 1 && v[37] == 1);

    Guarded<float> again(start), buf(n, value);
    const secateur_sgd_params sgd = {0.5f, 0.9f, 0.1f, 1, 2};
    CHECK_OK(secateur_sgd_step(test::cpu(), nullptr, n, &sgd, again.data(), g.data(), buf.data(),
                               mask.data()));
    for (int64_t i = 0; i < n; ++i) {
      if (i != 37) CHECK(test::bits(again[i]) == 0 && test::bits(buf[i]) == 0);
    }
    Guarded<float> shrunk(start);
    const float threshold = 0.25f;
    CHECK_OK(
        secateur_soft_threshold(test::cpu(), nullptr, n, &threshold, shrunk.data(), mask.data()));
    for (int64_t i = 0; i < n; ++i)
      CHECK(test::bits(shrunk[i]) == (i == 37 ? test::bits(0.75f) : 0));

    Guarded<float> metric(start), second(n, value);
    second[37] = 4;
    const float lambda = 1;  // threshold 0.5 * 1 / (sqrt(4) / 1 + 0)
    CHECK_OK(secateur_soft_threshold_adam(test::cpu(), nullptr, n, &adam, &lambda, second.data(),
                                          metric.data(), mask.data()));
    for (int64_t i = 0; i < n; ++i)
      CHECK(test::bits(metric[i]) == (i == 37 ? test::bits(0.75f) : 0));
  }
}

void soft_thresholds() {
  test::Random random(43);
  for (int64_t n : kSizes) {
    std::vector<float> start = random.normals(n);
    for (size_t i = 0; i < start.size(); i += 5) start[i] = i % 2 ? 0.5f : -0.5f;
    if (n > 3) start[3] = test::kNan;
    const float threshold = 0.5f;
    const std::vector<float> got = everywhere([&] {
      Guarded<float> w(start);
      CHECK_OK(secateur_soft_threshold(test::cpu(), nullptr, n, &threshold, w.data(), nullptr));
      return w.take();
    });
    for (int64_t i = 0; i < n; ++i) {
      const float size = std::fabs(start[i]) - 0.5f;
      const float want = size <= 0 ? 0.0f : std::copysign(size, start[i]);
      CHECK(test::same(got[i], want));
    }
  }
  float w = 1, negative = -1;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_soft_threshold(test::cpu(), nullptr, 1, &negative, &w, nullptr));
}

// Weights within a rounding error of their threshold may fall on either side of it.
void soft_thresholds_in_adams_metric() {
  test::Random random(44);
  const secateur_adam_params params = {1e-2f, 0.9f, 0.999f, 1e-3f, 0, 0, 0.5f, 0.3f};
  const float lambda = 20;
  for (int64_t n : kSizes) {
    std::vector<float> start = random.normals(n);
    std::vector<float> v = random.normals(n);
    for (float& x : v) x *= x;
    if (n > 4) {
      v[1] = 0;  // the threshold is then 200: nothing holds against it
      start[3] = test::kNan;
      v[4] = test::kInf;  // the threshold is then 0
    }
    const std::vector<uint32_t> mask = random.mask(n, 0.3);
    const std::vector<float> got = everywhere([&] {
      Guarded<float> free(start), masked(start), second(v);
      Guarded<uint32_t> bits(mask);
      CHECK_OK(secateur_soft_threshold_adam(test::cpu(), nullptr, n, &params, &lambda,
                                            second.data(), free.data(), nullptr));
      CHECK_OK(secateur_soft_threshold_adam(test::cpu(), nullptr, n, &params, &lambda,
                                            second.data(), masked.data(), bits.data()));
      return join({free.take(), masked.take(), second.take()});
    });
    for (int64_t i = 0; i < n; ++i) {
      const double threshold = double{params.lr} * lambda /
                               (std::sqrt(double{v[i]}) / params.correction2_sqrt + params.epsilon);
      const double size = std::fabs(double{start[i]}) - threshold;
      const double want = size > 0 ? std::copysign(size, start[i]) : 0;
      CHECK(std::isnan(start[i]) ? std::isnan(got[i])
                                 : std::fabs(got[i] - want) < 1e-6 * (1 + threshold));
      CHECK(got[i] != 0 || test::bits(got[i]) == 0);
      CHECK(test::same(got[n + i], test::kept(mask, i) ? got[i] : 0.0f));
      CHECK(test::same(got[2 * n + i], v[i]));
    }
    if (n > 4) CHECK(got[1] == 0 && got[4] == start[4]);
  }
  float w = 1, v = 1, negative = -1;
  CHECK_STATUS(
      SECATEUR_INVALID_ARGUMENT,
      secateur_soft_threshold_adam(test::cpu(), nullptr, 1, &params, &negative, &v, &w, nullptr));
  CHECK_STATUS(
      SECATEUR_INVALID_ARGUMENT,
      secateur_soft_threshold_adam(test::cpu(), nullptr, 1, nullptr, &lambda, &v, &w, nullptr));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_soft_threshold_adam(test::cpu(), nullptr, 1, &params, &lambda, nullptr, &w,
                                            nullptr));
}

void refuses() {
  float x[4] = {};
  const secateur_sgd_params sgd = {0.1f, 0.9f, 0, 0, 1};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sgd_step(test::cpu(), nullptr, 4, &sgd, x, x, nullptr, nullptr));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sgd_step(test::cpu(), nullptr, 4, nullptr, x, x, x, nullptr));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_adam_step(test::cpu(), nullptr, -4, nullptr, x, x, x, x, nullptr));
}

}  // namespace

int main() {
  for (int64_t n : kSizes) {
    for (bool masked : {false, true}) {
      check_sgd(n, 0, false, 0.01f, masked);
      check_sgd(n, 0.9f, false, 0, masked);
      check_sgd(n, 0.9f, true, 0.01f, masked);
      check_adam(n, false, 0.01f, masked);
      check_adam(n, true, 0.01f, masked);
    }
  }
  masks_overrule_everything();
  soft_thresholds();
  soft_thresholds_in_adams_metric();
  refuses();
  return 0;
}
