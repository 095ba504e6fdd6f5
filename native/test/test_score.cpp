// Scores of weights, units and activations: hand-written tables, and double-precision loops.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "common/half.h"
#include "common/reduce.h"

namespace {

secateur_device* device;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<float> random_floats(int64_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<size_t>(n));
  for (float& v : x) v = normal(random);
  return x;
}

bool same_bits(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

void scores_magnitudes() {
  const float w[] = {0.0f, -0.0f, 1.5f, -2.0f, kInf, -kInf, 1e-40f, -3e30f, -kNan};
  const float l1[] = {0.0f, 0.0f, 1.5f, 2.0f, kInf, kInf, 1e-40f, 3e30f};
  const float l2[] = {0.0f, 0.0f, 2.25f, 4.0f, kInf, kInf, 0.0f, kInf};
  float scores[9];
  CHECK_OK(secateur_score_magnitude(device, nullptr, SECATEUR_L1, SECATEUR_F32, 9, w, scores));
  for (int i = 0; i < 8; ++i) CHECK(same_bits(scores[i], l1[i]));
  CHECK(std::isnan(scores[8]));
  CHECK_OK(secateur_score_magnitude(device, nullptr, SECATEUR_L2, SECATEUR_F32, 9, w, scores));
  for (int i = 0; i < 8; ++i) CHECK(same_bits(scores[i], l2[i]));
  CHECK(std::isnan(scores[8]));
  const std::vector<float> x = random_floats(200003, 1);
  std::vector<float> y(x.size());
  CHECK_OK(secateur_score_magnitude(device, nullptr, SECATEUR_L2, SECATEUR_F32, 200003, x.data(),
                                    y.data()));
  for (size_t i = 0; i < x.size(); ++i) CHECK(same_bits(y[i], x[i] * x[i]));
  CHECK_OK(
      secateur_score_magnitude(device, nullptr, SECATEUR_L1, SECATEUR_F32, 0, nullptr, nullptr));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_score_magnitude(device, nullptr, 3, SECATEUR_F32, 9, w, scores));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_score_magnitude(device, nullptr, SECATEUR_L1, SECATEUR_F32, -1, w, scores));
  CHECK_STATUS(
      SECATEUR_INVALID_ARGUMENT,
      secateur_score_magnitude(device, nullptr, SECATEUR_L1, SECATEUR_F32, 9, nullptr, scores));
}

void scores_units_by_hand() {
  const float w[] = {3, -4, 0, 0, 1, -2};  // [2, 3]
  float scores[3];
  CHECK_OK(secateur_score_units(device, nullptr, SECATEUR_L1, 0, SECATEUR_F32, 2, 3, w, scores));
  CHECK(scores[0] == 7 && scores[1] == 3);
  CHECK_OK(secateur_score_units(device, nullptr, SECATEUR_L2, 0, SECATEUR_F32, 2, 3, w, scores));
  CHECK(scores[0] == 5 && scores[1] == std::sqrt(5.0f));
  CHECK_OK(secateur_score_units(device, nullptr, SECATEUR_L1, 1, SECATEUR_F32, 2, 3, w, scores));
  CHECK(scores[0] == 3 && scores[1] == 5 && scores[2] == 2);
  // Neither overflow nor underflow of the squares.
  const float extreme[] = {3e30f, 4e30f, 3e-40f, 4e-40f};
  CHECK_OK(
      secateur_score_units(device, nullptr, SECATEUR_L2, 0, SECATEUR_F32, 2, 2, extreme, scores));
  CHECK(std::fabs(scores[0] / 5e30f - 1) < 1e-6f && std::fabs(scores[1] / 5e-40f - 1) < 1e-4f);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_score_units(device, nullptr, SECATEUR_L1, 2,
                                                               SECATEUR_F32, 2, 3, w, scores));
  CHECK_STATUS(
      SECATEUR_INVALID_ARGUMENT,
      secateur_score_units(device, nullptr, SECATEUR_L1, 0, SECATEUR_F32, INT64_MAX, 3, w, scores));
}

// The same bits for every instruction set and number of threads, and the sum that reduce.h defines.
void scores_units_alike_everywhere() {
  const int64_t shapes[][2] = {{1, 1}, {7, 33}, {100, 300}, {3, 5000}, {5000, 3}, {65, 130}};
  for (const auto& [rows, cols] : shapes) {
    const std::vector<float> w = random_floats(rows * cols, 2);
    for (int32_t axis : {0, 1}) {
      const int64_t units = axis == 0 ? rows : cols;
      const int64_t length = axis == 0 ? cols : rows;
      for (int32_t norm : {SECATEUR_L1, SECATEUR_L2}) {
        for (const char* isa : {"plain", "avx2", "avx512"}) {
          if (secateur_cpu_set_isa(isa) == SECATEUR_UNAVAILABLE) continue;
          for (int threads : {1, 3}) {
            CHECK_OK(secateur_set_threads(threads));
            std::vector<float> scores(static_cast<size_t>(units) + 1, -7);
            CHECK_OK(secateur_score_units(device, nullptr, norm, axis, SECATEUR_F32, rows, cols,
                                          w.data(), scores.data()));
            CHECK(scores.back() == -7);
            for (int64_t unit = 0; unit < units; ++unit) {
              const double sum = secateur::common::sum<double>(length, [&](int64_t i) {
                const double v =
                    w[static_cast<size_t>(axis == 0 ? unit * cols + i : i * cols + unit)];
                return norm == SECATEUR_L1 ? std::fabs(v) : v * v;
              });
              const double score = norm == SECATEUR_L1 ? sum : std::sqrt(sum);
              CHECK(same_bits(scores[static_cast<size_t>(unit)], static_cast<float>(score)));
            }
          }
        }
      }
    }
  }
  CHECK_OK(secateur_cpu_set_isa(nullptr));
}

void scores_activations() {
  const float batch1[] = {1, 0, -2, 3, 0, 2};  // [2, 3]
  const float batch2[] = {-1, 0, 2};           // [1, 3]
  double accumulators[12] = {};
  CHECK_OK(
      secateur_activation_accumulate(device, nullptr, SECATEUR_F32, 2, 3, batch1, accumulators));
  CHECK_OK(
      secateur_activation_accumulate(device, nullptr, SECATEUR_F32, 1, 3, batch2, accumulators));
  const double expected[] = {3, 0, 2, 5, 0, 6, 11, 0, 12, 3, 0, 3};
  for (int i = 0; i < 12; ++i) CHECK(accumulators[i] == expected[i]);
  const float tables[4][3] = {{1, 0, static_cast<float>(2.0 / 3)},
                              {static_cast<float>(5.0 / 3), 0, 2},
                              {static_cast<float>(std::sqrt(11.0 / 3)), 0, 2},
                              {1, 0, 1}};
  float scores[3];
  for (int32_t statistic = 0; statistic < 4; ++statistic) {
    CHECK_OK(secateur_activation_scores(device, nullptr, statistic, 3, 3, accumulators, scores));
    for (int unit = 0; unit < 3; ++unit) CHECK(scores[unit] == tables[statistic][unit]);
  }
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_activation_scores(device, nullptr, 4, 3, 3, accumulators, scores));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_activation_scores(device, nullptr, 0, 0, 3, accumulators, scores));

  const int64_t rows = 257, units = 101;
  const std::vector<float> x = random_floats(rows * units, 3);
  std::vector<double> sums(static_cast<size_t>(4 * units), 1.0);
  CHECK_OK(secateur_activation_accumulate(device, nullptr, SECATEUR_F32, rows, units, x.data(),
                                          sums.data()));
  for (int64_t unit = 0; unit < units; ++unit) {
    const auto at = [&](int64_t row) {
      return static_cast<double>(x[static_cast<size_t>(row * units + unit)]);
    };
    const auto sum = [&](auto term) { return 1 + secateur::common::sum<double>(rows, term); };
    const auto got = [&](int64_t row) { return sums[static_cast<size_t>(row * units + unit)]; };
    CHECK(got(0) == sum(at));
    CHECK(got(1) == sum([&](int64_t row) { return std::fabs(at(row)); }));
    CHECK(got(2) == sum([&](int64_t row) { return at(row) * at(row); }));
    CHECK(got(3) == 1.0 + static_cast<double>(rows));
  }
}

using secateur::common::BF16;
using secateur::common::F16;
using secateur::common::F32;

template <class Type>
constexpr auto kDtype = static_cast<secateur_dtype>(Type::kDtype);

const int64_t kSizes[] = {0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 1009, 65536, 65537, 200003};
const float kSpecial[] = {0.0f, -0.0f, 1e-40f, -6e-8f, kInf, -kInf, kNan, 300.0f};

// Normals with special values among them, rounded to the type.
template <class Type>
std::vector<typename Type::Storage> scores_of(int64_t n, unsigned seed) {
  std::vector<typename Type::Storage> x;
  for (float v : random_floats(n, seed)) {
    const size_t i = x.size();
    x.push_back(Type::from_float(i % 7 == 3 ? kSpecial[i / 7 % 8] : v));
  }
  return x;
}

bool same(float a, float b) { return same_bits(a, b) || (std::isnan(a) && std::isnan(b)); }

template <class Type>
void scores_weights_of_any_type() {
  for (int threads : {1, 3}) {
    CHECK_OK(secateur_set_threads(threads));
    for (int64_t n : kSizes) {
      const auto w = scores_of<Type>(n, 4), g = scores_of<Type>(n, 5);
      const auto at = [](const auto& x, int64_t i) {
        return static_cast<double>(Type::to_float(x[static_cast<size_t>(i)]));
      };
      std::vector<float> scores(static_cast<size_t>(n) + 1, -7);
      for (int32_t norm : {SECATEUR_L1, SECATEUR_L2}) {
        CHECK_OK(secateur_score_magnitude(device, nullptr, norm, kDtype<Type>, n, w.data(),
                                          scores.data()));
        for (int64_t i = 0; i < n; ++i) {
          const double x = at(w, i), score = norm == SECATEUR_L1 ? std::fabs(x) : x * x;
          CHECK(same(scores[static_cast<size_t>(i)], static_cast<float>(score)));
        }
      }
      for (int32_t kind : {SECATEUR_TAYLOR, SECATEUR_MOVEMENT, SECATEUR_FISHER}) {
        // A product of floats is exact in double, and a sum of floats rounds as if once.
        const void* weights = kind == SECATEUR_FISHER ? nullptr : w.data();
        const std::vector<float> before = random_floats(n, 6);
        for (int32_t accumulate : {0, 1}) {
          std::copy(before.begin(), before.end(), scores.begin());
          CHECK_OK(secateur_score_gradient(device, nullptr, kind, accumulate, kDtype<Type>, n,
                                           weights, g.data(), scores.data()));
          for (int64_t i = 0; i < n; ++i) {
            const double x = at(w, i), dx = at(g, i);
            const auto score = static_cast<float>(kind == SECATEUR_TAYLOR     ? std::fabs(x * dx)
                                                  : kind == SECATEUR_MOVEMENT ? -x * dx
                                                                              : dx * dx);
            const auto start = static_cast<double>(before[static_cast<size_t>(i)]);
            const auto sum = static_cast<float>(start + static_cast<double>(score));
            CHECK_NOTE(same(scores[static_cast<size_t>(i)], accumulate ? sum : score),
                       "kind %d, element %lld of %lld: %a", kind, static_cast<long long>(i),
                       static_cast<long long>(n),
                       static_cast<double>(scores[static_cast<size_t>(i)]));
          }
        }
      }
      CHECK(scores.back() == -7);
    }
  }
}

void refuses_wrong_gradient_scores() {
  float x[2] = {1, 2};
  const auto refused = [&](int32_t kind, int32_t accumulate, int dtype, int64_t n, const void* w,
                           const void* g, float* scores) {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_score_gradient(device, nullptr, kind, accumulate,
                                         static_cast<secateur_dtype>(dtype), n, w, g, scores));
  };
  refused(-1, 0, 0, 1, x, x, x + 1);
  refused(3, 0, 0, 1, x, x, x + 1);
  refused(0, 2, 0, 1, x, x, x + 1);
  refused(0, 0, 3, 1, x, x, x + 1);
  refused(0, 0, 0, -1, x, x, x + 1);
  refused(0, 0, 0, 1, nullptr, x, x + 1);
  refused(SECATEUR_FISHER, 0, 0, 1, x, nullptr, x + 1);
  refused(0, 0, 0, 1, x, x, nullptr);
}

// A 16-bit matrix has the scores of the same numbers as floats.
template <class Type>
void scores_units_of_half_types() {
  const int64_t shapes[][2] = {{1, 1}, {7, 33}, {100, 300}, {3, 5000}, {5000, 3}, {0, 3}, {3, 0}};
  for (const auto& [rows, cols] : shapes) {
    std::vector<uint16_t> half;
    std::vector<float> full;
    for (float v : random_floats(rows * cols, 7)) {
      half.push_back(Type::from_float(v));
      full.push_back(Type::to_float(half.back()));
    }
    for (const char* isa : {"plain", "avx2", "avx512"}) {
      if (secateur_cpu_set_isa(isa) == SECATEUR_UNAVAILABLE) continue;
      for (int32_t axis : {0, 1}) {
        const auto units = static_cast<size_t>(axis == 0 ? rows : cols);
        for (int32_t norm : {SECATEUR_L1, SECATEUR_L2}) {
          std::vector<float> got(units + 1, -7), want(units + 1, -7);
          CHECK_OK(secateur_score_units(device, nullptr, norm, axis, kDtype<Type>, rows, cols,
                                        half.data(), got.data()));
          CHECK_OK(secateur_score_units(device, nullptr, norm, axis, SECATEUR_F32, rows, cols,
                                        full.data(), want.data()));
          for (size_t i = 0; i <= units; ++i) CHECK(same_bits(got[i], want[i]));
          if (rows * cols == 0) {
            for (size_t i = 0; i < units; ++i) CHECK(same_bits(got[i], 0.0f));
          }
        }
      }
    }
    const int64_t units = cols;
    std::vector<double> got(static_cast<size_t>(4 * units), 0.5), want = got;
    CHECK_OK(secateur_activation_accumulate(device, nullptr, kDtype<Type>, rows, units, half.data(),
                                            got.data()));
    CHECK_OK(secateur_activation_accumulate(device, nullptr, SECATEUR_F32, rows, units, full.data(),
                                            want.data()));
    CHECK(got == want);
  }
  CHECK_OK(secateur_cpu_set_isa(nullptr));
}

}  // namespace

int main() {
  CHECK_OK(secateur_device_open(SECATEUR_CPU, 0, &device));
  scores_magnitudes();
  scores_units_by_hand();
  scores_units_alike_everywhere();
  scores_activations();
  scores_weights_of_any_type<F32>();
  scores_weights_of_any_type<F16>();
  scores_weights_of_any_type<BF16>();
  scores_units_of_half_types<F16>();
  scores_units_of_half_types<BF16>();
  refuses_wrong_gradient_scores();
  CHECK_OK(secateur_device_close(device));
  return 0;
}
