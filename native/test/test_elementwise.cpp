// Elementary functions against double precision, their monotonicity, and unary operations with
// their gradients through the ABI.
#include <functional>

#include "common/elementwise.h"
#include "harness.h"

namespace {

using test::everywhere;
using test::Guarded;
using test::kInf;
using test::kNan;

constexpr float kAlpha = 0.01f;

struct Function {
  int32_t op;
  double bound;   // ulps
  bool monotone;  // increasing
  std::function<double(double)> exact;
};

// Values through the ABI, so that what is tested is what runs.
std::vector<float> unary(int32_t op, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  CHECK_OK(secateur_unary(test::cpu(), nullptr, op, kAlpha, static_cast<int64_t>(x.size()),
                          x.data(), y.data()));
  return y;
}

// Every `stride`-th float from -inf to +inf, in order.
void sweep(const Function& function, uint32_t stride) {
  double worst = 0;
  std::vector<float> x;
  float previous = -kInf, before = 0;
  const auto check = [&] {
    const std::vector<float> y = unary(function.op, x);
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = function.exact(x[i]);
      const double off = test::ulps(y[i], exact);
      CHECK_NOTE(off <= function.bound, "operator %d at %a: %a, not %a: %g ulp", function.op, x[i],
                 y[i], exact, off);
      worst = off > worst ? off : worst;
      if (function.monotone && y[i] == y[i]) {
        CHECK_NOTE(y[i] >= previous, "operator %d falls from %a at %a to %a at %a", function.op,
                   previous, before, y[i], x[i]);
        previous = y[i];
        before = x[i];
      }
    }
    x.clear();
  };
  const int64_t top = 0x7f800000;  // bits of infinity
  for (int64_t key = -top; key <= top; key += stride) {
    const uint32_t magnitude = static_cast<uint32_t>(key < 0 ? -key : key);
    x.push_back(secateur::common::bits_float(key < 0 ? magnitude | 0x80000000u : magnitude));
    if (x.size() == 65536) check();
  }
  x.push_back(kInf);
  check();
  printf("operator %2d: at most %.3f ulp\n", function.op, worst);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

void functions_are_accurate(uint32_t stride) {
  const Function functions[] = {
      {SECATEUR_EXP, 1.0, true, [](double x) { return std::exp(x); }},
      {SECATEUR_LOG, 1.0, true, [](double x) { return std::log(x); }},
      {SECATEUR_SIGMOID, 2.5, true, sigmoid},
      {SECATEUR_TANH, 1.5, true, [](double x) { return std::tanh(x); }},
      {SECATEUR_ERF, 1.6, false, [](double x) { return std::erf(x); }},
      {SECATEUR_SQRT, 0.5, true, [](double x) { return std::sqrt(x); }},
      {SECATEUR_ABS, 0, false, [](double x) { return std::fabs(x); }},
      {SECATEUR_NEG, 0, false, [](double x) { return -x; }},
      {SECATEUR_RELU, 0, true, [](double x) { return x < 0 ? 0 : x; }},
      {SECATEUR_LEAKY_RELU, 0.5, true, [](double x) { return x < 0 ? double{kAlpha} * x : x; }},
  };
  for (const Function& function : functions) sweep(function, stride);
}

// GELU is a difference near zero left of the origin: its error is bounded by that of x.
void gelu_is_accurate() {
  const double root = std::sqrt(0.5), inner = std::sqrt(2 / M_PI);
  std::vector<float> x;
  for (int i = -12000; i <= 12000; ++i) x.push_back(static_cast<float>(i) * 0.00101f);
  const std::vector<float> y = unary(SECATEUR_GELU, x), z = unary(SECATEUR_GELU_TANH, x);
  for (size_t i = 0; i < x.size(); ++i) {
    const double v = x[i];
    CHECK(std::fabs(y[i] - v / 2 * (1 + std::erf(v * root))) <= 2e-7 * std::fabs(v));
    const double t = std::tanh(inner * (v + 0.044715 * v * v * v));
    CHECK(std::fabs(z[i] - v / 2 * (1 + t)) <= 2e-7 * std::fabs(v));
  }
}

void limits() {
  const struct {
    int32_t op;
    float x, y;
  } table[] = {
      {SECATEUR_RELU, -0.0f, -0.0f},      {SECATEUR_RELU, -kInf, 0.0f},
      {SECATEUR_EXP, -kInf, 0.0f},        {SECATEUR_EXP, kInf, kInf},
      {SECATEUR_EXP, 0.0f, 1.0f},         {SECATEUR_LOG, 0.0f, -kInf},
      {SECATEUR_LOG, -0.0f, -kInf},       {SECATEUR_LOG, -1.0f, kNan},
      {SECATEUR_LOG, 1.0f, 0.0f},         {SECATEUR_SIGMOID, 0.0f, 0.5f},
      {SECATEUR_SIGMOID, -kInf, 0.0f},    {SECATEUR_SIGMOID, kInf, 1.0f},
      {SECATEUR_TANH, -0.0f, -0.0f},      {SECATEUR_TANH, -kInf, -1.0f},
      {SECATEUR_ERF, -0.0f, -0.0f},       {SECATEUR_ERF, kInf, 1.0f},
      {SECATEUR_GELU, -kInf, -0.0f},      {SECATEUR_GELU, kInf, kInf},
      {SECATEUR_GELU_TANH, -kInf, -0.0f}, {SECATEUR_GELU_TANH, kInf, kInf},
      {SECATEUR_GELU_TANH, 1e20f, 1e20f}, {SECATEUR_GELU_TANH, -1e20f, -0.0f},
      {SECATEUR_SQRT, -0.0f, -0.0f},      {SECATEUR_SQRT, -1.0f, kNan},
      {SECATEUR_ABS, -0.0f, 0.0f},        {SECATEUR_NEG, 0.0f, -0.0f},
  };
  for (const auto& row : table) {
    const float y = unary(row.op, {row.x})[0];
    CHECK_NOTE(test::same(y, row.y), "operator %d at %g: %g, not %g", row.op, row.x, y, row.y);
  }
  for (int32_t op = SECATEUR_RELU; op <= SECATEUR_ABS; ++op)
    CHECK(std::isnan(unary(op, {kNan})[0]));
}

// f'(x) from the library against central differences of the library's own f in double precision.
void gradients_match_differences() {
  const double root = std::sqrt(0.5), inner = std::sqrt(2 / M_PI);
  const std::function<double(double)> functions[] = {
      [](double x) { return x < 0 ? 0 : x; },
      [](double x) { return x < 0 ? double{kAlpha} * x : x; },
      sigmoid,
      [](double x) { return std::tanh(x); },
      [=](double x) { return x / 2 * (1 + std::erf(x * root)); },
      [=](double x) { return x / 2 * (1 + std::tanh(inner * (x + 0.044715 * x * x * x))); },
      [](double x) { return -x; },
      [](double x) { return std::exp(x); },
      [](double x) { return std::log(x); },
      [](double x) { return std::sqrt(x); },
      [](double x) { return std::erf(x); },
      [](double x) { return std::fabs(x); },
  };
  test::Random random(3);
  for (int32_t op = SECATEUR_RELU; op <= SECATEUR_ABS; ++op) {
    const auto& f = functions[op];
    for (int64_t n : {0, 1, 31, 33, 65, 5003}) {
      std::vector<float> x = random.normals(n, 2);
      for (float& v : x) {
        if (op == SECATEUR_LOG || op == SECATEUR_SQRT) v = std::fabs(v) + 0.1f;
        if (std::fabs(v) < 1e-3f) v = 0.5f;  // away from kinks
      }
      const std::vector<float> dy = random.normals(n), y = unary(op, x);
      const std::vector<float> got = everywhere([&] {
        Guarded<float> in(x), out(y), d(dy);
        CHECK_OK(secateur_unary_grad(test::cpu(), nullptr, op, kAlpha, n, in.data(), out.data(),
                                     d.data(), d.data()));  // in place
        return d.take();
      });
      for (size_t i = 0; i < got.size(); ++i) {
        const double h = 1e-5, v = x[i], slope = (f(v + h) - f(v - h)) / (2 * h);
        CHECK_NOTE(std::fabs(got[i] - dy[i] * slope) <= 2e-6 * (1 + std::fabs(dy[i] * slope)),
                   "operator %d at %g: %g, not %g", op, x[i], got[i], dy[i] * slope);
      }
    }
  }
  const float x[] = {0.0f, -0.0f, -kInf, kInf, 200.0f, -200.0f}, dy[] = {1, 1, 1, 1, 1, 1};
  float dx[6];
  CHECK_OK(secateur_unary_grad(test::cpu(), nullptr, SECATEUR_RELU, 0, 2, x, x, dy, dx));
  CHECK(dx[0] == 0 && dx[1] == 0);
  CHECK_OK(secateur_unary_grad(test::cpu(), nullptr, SECATEUR_LEAKY_RELU, 0.25f, 2, x, x, dy, dx));
  CHECK(dx[0] == 0.25f && dx[1] == 0.25f);
  CHECK_OK(secateur_unary_grad(test::cpu(), nullptr, SECATEUR_ABS, 0, 2, x, x, dy, dx));
  CHECK(dx[0] == 0 && dx[1] == 0);
  for (int32_t op : {SECATEUR_GELU, SECATEUR_GELU_TANH}) {
    CHECK_OK(secateur_unary_grad(test::cpu(), nullptr, op, 0, 6, x, x, dy, dx));
    CHECK(dx[0] == 0.5f && dx[2] == 0 && dx[3] == 1 && dx[4] == 1 && dx[5] == 0);
  }
}

void runs_everywhere_and_in_place() {
  test::Random random(4);
  for (int32_t op = SECATEUR_RELU; op <= SECATEUR_ABS; ++op) {
    for (int64_t n : {0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 997, 40009}) {
      std::vector<float> x = random.normals(n, 3);
      for (size_t i = 0; i < x.size(); i += 7) x[i] = i % 2 ? kNan : 1e-41f;
      const std::vector<float> apart = everywhere([&] {
        Guarded<float> in(x), out(n, 9);
        CHECK_OK(secateur_unary(test::cpu(), nullptr, op, kAlpha, n, in.data(), out.data()));
        CHECK(n == 0 || memcmp(in.take().data(), x.data(), x.size() * sizeof(float)) == 0);
        return out.take();
      });
      Guarded<float> in(x);
      CHECK_OK(secateur_unary(test::cpu(), nullptr, op, kAlpha, n, in.data(), in.data()));
      const std::vector<float> placed = in.take();
      for (size_t i = 0; i < placed.size(); ++i) CHECK(test::same(placed[i], apart[i]));
    }
  }
}

void refuses() {
  float x = 0;
  CHECK_OK(secateur_unary(test::cpu(), nullptr, SECATEUR_EXP, 0, 0, nullptr, nullptr));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_unary(test::cpu(), nullptr, SECATEUR_ABS + 1, 0, 1, &x, &x));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_unary(test::cpu(), nullptr, -1, 0, 1, &x, &x));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_unary(test::cpu(), nullptr, SECATEUR_EXP, 0, -1, &x, &x));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_unary(test::cpu(), nullptr, SECATEUR_EXP, 0, 1, nullptr, &x));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_unary(nullptr, nullptr, SECATEUR_EXP, 0, 1, &x, &x));
}

}  // namespace

// With an argument: the stride of the sweeps through all floats; 1 takes every one (minutes).
int main(int argc, char** argv) {
  functions_are_accurate(argc > 1 ? static_cast<uint32_t>(atol(argv[1])) : 4099);
  gelu_is_accurate();
  limits();
  gradients_match_differences();
  runs_everywhere_and_in_place();
  refuses();
  return 0;
}
