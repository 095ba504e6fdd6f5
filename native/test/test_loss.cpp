// Softmax, cross-entropy and squared error against double precision, their gradients, wrong labels.
#include <algorithm>

#include "harness.h"

namespace {

using test::everywhere;
using test::Guarded;

// Relative error of a softmax: x - max, up to 64 here, is rounded to half of 2^-18 before its
// exponential.
constexpr double kRounded = 4e-6;

struct Case {
  int64_t rows, cols;
};

const Case kCases[] = {{1, 1},  {1, 2},   {100, 10}, {3, 31},   {2, 32},
                       {5, 33}, {64, 64}, {7, 65},   {2, 5003}, {5000, 10}};

std::vector<double> softmax(const std::vector<float>& x, int64_t cols, std::vector<double>* lse) {
  std::vector<double> p(x.size());
  for (size_t begin = 0; begin < x.size(); begin += static_cast<size_t>(cols)) {
    const size_t end = begin + static_cast<size_t>(cols);
    const double max = *std::max_element(x.begin() + begin, x.begin() + end);
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += p[i] = std::exp(x[i] - max);
    for (size_t i = begin; i < end; ++i) p[i] /= sum;
    if (lse != nullptr) lse->push_back(max + std::log(sum));
  }
  return p;
}

void softmaxes() {
  test::Random random(21);
  for (const Case& shape : kCases) {
    const int64_t n = shape.rows * shape.cols;
    const std::vector<float> x = random.normals(n, 5), dy = random.normals(n);
    const std::vector<float> y = everywhere([&] {
      Guarded<float> at(x);
      CHECK_OK(
          secateur_softmax(test::cpu(), nullptr, shape.rows, shape.cols, at.data(), at.data()));
      return at.take();
    });
    const std::vector<double> want = softmax(x, shape.cols, nullptr);
    for (size_t i = 0; i < y.size(); ++i) CHECK(std::fabs(y[i] - want[i]) <= kRounded * want[i]);

    const std::vector<float> dx = everywhere([&] {
      Guarded<float> from(y), at(dy);
      CHECK_OK(secateur_softmax_grad(test::cpu(), nullptr, shape.rows, shape.cols, from.data(),
                                     at.data(), at.data()));
      return at.take();
    });
    for (int64_t r = 0; r < shape.rows; ++r) {
      double dot = 0;
      for (int64_t c = r * shape.cols; c < (r + 1) * shape.cols; ++c) dot += double{dy[c]} * y[c];
      for (int64_t c = r * shape.cols; c < (r + 1) * shape.cols; ++c) {
        CHECK(std::fabs(dx[c] - y[c] * (dy[c] - dot)) <= 1e-5 * y[c] * (1 + std::fabs(dot)));
      }
    }
  }
}

void cross_entropies() {
  test::Random random(22);
  for (const Case& shape : kCases) {
    const int64_t n = shape.rows * shape.cols;
    const std::vector<float> x = random.normals(n, 5);
    std::vector<int32_t> labels;
    for (int64_t r = 0; r < shape.rows; ++r) {
      labels.push_back(static_cast<int32_t>(random.below(shape.cols)));
    }
    std::vector<double> lse;
    const std::vector<double> p = softmax(x, shape.cols, &lse);
    double loss = 0;
    for (int64_t r = 0; r < shape.rows; ++r) loss += lse[r] - x[r * shape.cols + labels[r]];
    loss /= static_cast<double>(shape.rows);
    const float dloss = 0.75f;
    const std::vector<float> got = everywhere([&] {
      Guarded<float> in(x), out(n), value(1);
      CHECK_OK(secateur_softmax_cross_entropy(test::cpu(), nullptr, shape.rows, shape.cols,
                                              in.data(), labels.data(), out.data(), value.data()));
      std::vector<float> result = value.take();
      const std::vector<float> probabilities = out.take();
      result.insert(result.end(), probabilities.begin(), probabilities.end());
      CHECK_OK(secateur_softmax_cross_entropy_grad(test::cpu(), nullptr, shape.rows, shape.cols,
                                                   out.data(), labels.data(), &dloss, out.data()));
      const std::vector<float> gradient = out.take();
      result.insert(result.end(), gradient.begin(), gradient.end());
      return result;
    });
    CHECK(std::fabs(got[0] - loss) <= 2e-6 * (1 + std::fabs(loss)));
    for (int64_t i = 0; i < n; ++i) {
      CHECK(std::fabs(got[1 + i] - p[i]) <= kRounded * p[i]);
      const double hot = labels[i / shape.cols] == i % shape.cols ? 1 : 0;
      const double want = dloss / static_cast<double>(shape.rows) * (p[i] - hot);
      CHECK(std::fabs(got[1 + n + i] - want) <= 2e-6 / static_cast<double>(shape.rows));
    }
  }
}

// The gradient of the loss by central differences of the loss, a path of its own.
void cross_entropy_gradient_matches_differences() {
  test::Random random(23);
  const int64_t rows = 3, cols = 5;
  std::vector<float> x = random.normals(rows * cols), p(x.size()), dx(x.size());
  const int32_t labels[] = {4, 0, 2};
  const auto loss_at = [&] {
    float loss;
    CHECK_OK(secateur_softmax_cross_entropy(test::cpu(), nullptr, rows, cols, x.data(), labels,
                                            p.data(), &loss));
    return loss;
  };
  const float one = 1;
  loss_at();
  CHECK_OK(secateur_softmax_cross_entropy_grad(test::cpu(), nullptr, rows, cols, p.data(), labels,
                                               &one, dx.data()));
  for (size_t i = 0; i < x.size(); ++i) {
    const float saved = x[i], h = 0.0078125f;
    x[i] = saved + h;
    const float up = loss_at();
    x[i] = saved - h;
    const float down = loss_at();
    x[i] = saved;
    CHECK(std::fabs((up - down) / (2 * h) - dx[i]) < 1e-4);
  }
}

void extremes() {
  const float x[] = {1000, -1000, 0, -test::kInf, 3, 3, test::kNan, 1, 2};
  float y[9];
  CHECK_OK(secateur_softmax(test::cpu(), nullptr, 3, 3, x, y));
  CHECK(y[0] == 1 && y[1] == 0 && y[2] == 0 && y[3] == 0 && y[4] == 0.5f && y[5] == 0.5f);
  for (int i = 6; i < 9; ++i) CHECK(std::isnan(y[i]));
  const int32_t label = 1;
  float p[3], loss;
  CHECK_OK(secateur_softmax_cross_entropy(test::cpu(), nullptr, 1, 3, x, &label, p, &loss));
  CHECK(loss == 2000);
}

void refuses_labels() {
  const float x[] = {1, 2, 3, 4, 5, 6};
  for (int32_t wrong : {-1, 3, 1 << 30}) {
    const int32_t labels[] = {0, wrong};
    float p[6] = {9, 9, 9, 9, 9, 9}, loss = 1;
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_softmax_cross_entropy(test::cpu(), nullptr, 2, 3, x, labels, p, &loss));
    CHECK(strstr(secateur_last_error(), "row 1") != nullptr);
    CHECK(std::isnan(loss));
    for (float value : p) CHECK(value == 9);
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_softmax_cross_entropy_grad(test::cpu(), nullptr, 2, 3, x, labels, x, p));
  }
}

void squared_errors() {
  test::Random random(24);
  for (int64_t n : {1, 2, 31, 33, 65, 4096, 4097, 50021}) {
    const std::vector<float> x = random.normals(n), t = random.normals(n);
    const float dloss = -1.5f;
    const std::vector<float> got = everywhere([&] {
      Guarded<float> a(x), b(t), loss(1), dx(n);
      CHECK_OK(secateur_mse(test::cpu(), nullptr, n, a.data(), b.data(), loss.data()));
      CHECK_OK(secateur_mse_grad(test::cpu(), nullptr, n, a.data(), b.data(), &dloss, dx.data()));
      std::vector<float> result = dx.take();
      result.push_back(loss.take()[0]);
      return result;
    });
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double difference = double{x[i]} - t[i];
      sum += difference * difference;
      const double want = dloss * 2 * difference / static_cast<double>(n);
      CHECK(std::fabs(got[i] - want) <= 3e-7 * std::fabs(want));
    }
    CHECK(std::fabs(got[n] - sum / static_cast<double>(n)) <= 2e-6 * sum / static_cast<double>(n));
  }
  float loss = 5;
  CHECK_OK(secateur_mse(test::cpu(), nullptr, 0, nullptr, nullptr, &loss));
  CHECK(loss == 5);
}

}  // namespace

int main() {
  softmaxes();
  cross_entropies();
  cross_entropy_gradient_matches_differences();
  extremes();
  refuses_labels();
  squared_errors();
  return 0;
}
