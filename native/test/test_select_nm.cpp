// N:M selection against a sort of every group.
#include <algorithm>
#include <cmath>

#include "common/half.h"
#include "harness.h"

namespace {

using namespace secateur::common;
using test::cpu;
using test::Guarded;
using test::Random;

struct Case {
  int32_t n, m, axis;
  int64_t rows, cols;
  int64_t outer = 1;  // matrices
};

// The definition: of each group's elements not pruned before, sorted by score and among equals the
// last first, as many go as are still missing from those to be pruned.
template <class Type>
std::vector<bool> sort_out(const Case& c, secateur_key key,
                           const std::vector<typename Type::Storage>& scores,
                           const std::vector<uint32_t>* previous) {
  std::vector<bool> kept(scores.size());
  const int64_t lines = c.axis == 0 ? c.cols : c.rows, extent = c.axis == 0 ? c.rows : c.cols;
  for (int64_t l = 0; l < c.outer * lines; ++l) {
    const int64_t line = l % lines, matrix = l / lines * c.rows * c.cols;
    for (int64_t begin = 0; begin < extent; begin += c.m) {
      const int64_t r = std::min<int64_t>(c.m, extent - begin);
      std::vector<std::pair<double, int64_t>> live;  // value, and the negated index
      for (int64_t i = begin; i < begin + r; ++i) {
        const int64_t at = matrix + (c.axis == 0 ? i * c.cols + line : line * c.cols + i);
        if (previous != nullptr && !test::kept(*previous, at)) continue;
        const double x = static_cast<double>(Type::to_float(scores[static_cast<size_t>(at)]));
        live.emplace_back(key == SECATEUR_KEY_ABS ? std::fabs(x) : x, -at);
      }
      std::sort(live.begin(), live.end());
      const auto keep = static_cast<int64_t>(std::ceil(static_cast<double>(r * c.n) / c.m));
      const auto dead = r - static_cast<int64_t>(live.size());
      const auto gone = static_cast<size_t>(std::max<int64_t>(0, r - keep - dead));
      for (size_t i = gone; i < live.size(); ++i) kept[static_cast<size_t>(-live[i].second)] = true;
    }
  }
  return kept;
}

template <class Type>
void check_case(const Case& c, secateur_key key, const std::vector<typename Type::Storage>& scores,
                const std::vector<uint32_t>* previous) {
  const int64_t n = c.outer * c.rows * c.cols;
  const std::vector<bool> expected = sort_out<Type>(c, key, scores, previous);
  Guarded<typename Type::Storage> x(scores);
  const auto run = [&](const char* isa, int threads, bool in_place) {
    CHECK_OK(secateur_set_threads(threads));
    Guarded<uint32_t> mask(SECATEUR_MASK_WORDS(n), 0xdeadbeef);
    if (in_place) {
      for (int64_t i = 0; i < SECATEUR_MASK_WORDS(n); ++i) {
        mask[i] = (*previous)[static_cast<size_t>(i)];
      }
    }
    int64_t nan = 7;
    const uint32_t* before =
        in_place ? mask.data() : (previous == nullptr ? nullptr : previous->data());
    CHECK_OK(secateur_select_nm(cpu(), nullptr, static_cast<secateur_dtype>(Type::kDtype), key, c.n,
                                c.m, c.axis, c.outer, c.rows, c.cols, x.data(), before, mask.data(),
                                &nan));
    CHECK(nan == -1);
    const std::vector<uint32_t> got = mask.take();
    for (int64_t i = 0; i < n; ++i) {
      CHECK_NOTE(test::kept(got, i) == expected[static_cast<size_t>(i)],
                 "%d:%d along axis %d of [%lld, %lld], key %d, dtype %d, %s, element %lld", c.n,
                 c.m, c.axis, static_cast<long long>(c.rows), static_cast<long long>(c.cols),
                 static_cast<int>(key), Type::kDtype, isa, static_cast<long long>(i));
    }
    CHECK(n % 32 == 0 || got.back() >> (n % 32) == 0);
  };
  static int turn = 0;
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    ++turn;
    run(isa, turn % 2 == 0 ? 1 : 3, previous != nullptr && turn / 2 % 2 == 0);
  }
  CHECK_OK(secateur_cpu_set_isa(nullptr));
}

template <class Type>
void keeps_n_of_m() {
  Random random(1);
  const int32_t patterns[][2] = {{1, 1}, {1, 2}, {2, 4}, {4, 4}, {3, 5}, {4, 8}, {1, 32}, {31, 32}};
  const int64_t shapes[][2] = {{1, 1},    {1, 4},    {4, 1},   {1, 33},   {33, 1},   {3, 7},
                               {31, 31},  {32, 32},  {33, 65}, {64, 127}, {1, 2051}, {2051, 1},
                               {5, 1009}, {1009, 5}, {0, 4},   {4, 0}};
  for (const auto& [n, m] : patterns) {
    for (const auto& [rows, cols] : shapes) {
      if (SANITIZED && (rows * cols > 1100 || m == 5)) continue;
      for (int32_t axis : {0, 1}) {
        for (int kind : {0, 1, 2}) {
          std::vector<typename Type::Storage> scores;
          for (int64_t i = 0; i < rows * cols; ++i) {
            const float special[] = {0.0f, -0.0f, 1, -1, test::kInf, -test::kInf, 1e-7f};
            const float x = kind == 0 ? random.normal() : kind == 1 ? special[random.below(7)] : -2;
            scores.push_back(Type::from_float(x));
          }
          for (secateur_key key : {SECATEUR_KEY_ABS, SECATEUR_KEY_SIGNED}) {
            check_case<Type>({n, m, axis, rows, cols}, key, scores, nullptr);
            const std::vector<uint32_t> previous = random.mask(rows * cols, 0.7);
            check_case<Type>({n, m, axis, rows, cols}, key, scores, &previous);
          }
        }
      }
    }
  }
}

// Any shape and pattern; ties, denormals, and NaN where elements were pruned before.
template <class Type>
void keeps_n_of_m_in_any_shape() {
  Random random(4);
  for (int round = 0; round < (SANITIZED ? 40 : 400); ++round) {
    const auto m = static_cast<int32_t>(1 + random.below(32));
    const auto n = static_cast<int32_t>(1 + random.below(m));
    const int64_t rows = 1 + random.below(round % 4 == 0 ? 300 : 40);
    const int64_t most = SANITIZED ? 60 : 300;
    const int64_t cols =
        round % 3 == 0 ? m * (1 + random.below(most / m + 1)) : 1 + random.below(most);
    const int64_t outer = round % 5 == 0 ? 1 + random.below(9) : 1, all = outer * rows * cols;
    const std::vector<uint32_t> previous = random.mask(all, 0.6);
    std::vector<typename Type::Storage> scores;
    for (int64_t i = 0; i < all; ++i) {
      const float special[] = {0.0f, -0.0f, 1, -1, test::kInf, -test::kInf, 1e-41f, -6e-8f};
      const bool common = random.below(3) == 0;
      scores.push_back(Type::from_float(common ? special[random.below(8)] : random.normal()));
    }
    const secateur_key key = round % 2 == 0 ? SECATEUR_KEY_ABS : SECATEUR_KEY_SIGNED;
    const auto axis = static_cast<int32_t>(random.below(2));
    check_case<Type>({n, m, axis, rows, cols, outer}, key, scores, nullptr);
    for (int64_t i = 0; i < all; ++i) {
      if (!test::kept(previous, i) && i % 3 == 0) {
        scores[static_cast<size_t>(i)] = Type::from_float(i % 2 == 0 ? test::kNan : -test::kNan);
      }
    }
    check_case<Type>({n, m, axis, rows, cols, outer}, key, scores, &previous);
  }
}

// Many chunks of work.
void keeps_n_of_m_in_a_large_matrix() {
  Random random(2);
  const int64_t rows = SANITIZED ? 301 : 1001, cols = 515;
  const std::vector<float> scores = random.normals(rows * cols);
  const std::vector<uint32_t> previous = random.mask(rows * cols, 0.8);
  for (int32_t axis : {0, 1}) {
    check_case<F32>({2, 4, axis, rows, cols}, SECATEUR_KEY_ABS, scores, &previous);
    check_case<F32>({3, 7, axis, rows, cols}, SECATEUR_KEY_SIGNED, scores, nullptr);
  }
}

template <class Type>
void refuses_nan() {
  Random random(3);
  const int64_t rows = 37, cols = 5003, n = rows * cols;
  std::vector<typename Type::Storage> scores;
  for (float x : random.normals(n)) scores.push_back(Type::from_float(x));
  const auto dtype = static_cast<secateur_dtype>(Type::kDtype);
  const std::vector<uint32_t> previous = random.mask(n, 0.5);
  int64_t first = 70001, dead = 5000;
  while (!test::kept(previous, first)) ++first;
  while (test::kept(previous, dead)) ++dead;
  const auto nan = Type::from_float(-test::kNan);
  for (int64_t i : {dead, first, first + 1, n - 1}) scores[static_cast<size_t>(i)] = nan;
  std::vector<uint32_t> mask(previous.size(), 0xdeadbeef);
  for (int threads : {1, 3}) {
    CHECK_OK(secateur_set_threads(threads));
    for (int32_t axis : {0, 1}) {
      int64_t found = 0;
      CHECK_STATUS(SECATEUR_NAN_SCORE,
                   secateur_select_nm(cpu(), nullptr, dtype, SECATEUR_KEY_ABS, 2, 4, axis, 1, rows,
                                      cols, scores.data(), previous.data(), mask.data(), &found));
      CHECK(found == first);
      CHECK_STATUS(SECATEUR_NAN_SCORE,
                   secateur_select_nm(cpu(), nullptr, dtype, SECATEUR_KEY_ABS, 2, 4, axis, 1, rows,
                                      cols, scores.data(), nullptr, mask.data(), &found));
      CHECK(found == dead);
      for (uint32_t word : mask) CHECK(word == 0xdeadbeef);
    }
  }
}

void refuses_wrong_arguments() {
  const float x[4] = {1, 2, 3, 4};
  uint32_t mask = 0;
  int64_t nan = 0;
  const auto refused = [&](int dtype, int key, int32_t n, int32_t m, int32_t axis, int64_t rows,
                           const void* scores, uint32_t* to, int64_t* place) {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_select_nm(cpu(), nullptr, static_cast<secateur_dtype>(dtype),
                                    static_cast<secateur_key>(key), n, m, axis, 1, rows, 4, scores,
                                    nullptr, to, place));
  };
  refused(3, 0, 2, 4, 1, 1, x, &mask, &nan);
  refused(0, 2, 2, 4, 1, 1, x, &mask, &nan);
  refused(0, 0, 0, 4, 1, 1, x, &mask, &nan);
  refused(0, 0, 5, 4, 1, 1, x, &mask, &nan);
  refused(0, 0, 2, 33, 1, 1, x, &mask, &nan);
  refused(0, 0, 2, 4, 2, 1, x, &mask, &nan);
  refused(0, 0, 2, 4, 1, -1, x, &mask, &nan);
  refused(0, 0, 2, 4, 1, 1, nullptr, &mask, &nan);
  refused(0, 0, 2, 4, 1, 1, reinterpret_cast<const char*>(x) + 2, &mask, &nan);
  refused(0, 0, 2, 4, 1, 1, x, nullptr, &nan);
  refused(0, 0, 2, 4, 1, 1, x, &mask, nullptr);
}

}  // namespace

int main() {
  keeps_n_of_m<F32>();
  keeps_n_of_m<F16>();
  keeps_n_of_m<BF16>();
  keeps_n_of_m_in_any_shape<F32>();
  keeps_n_of_m_in_any_shape<F16>();
  keeps_n_of_m_in_any_shape<BF16>();
  keeps_n_of_m_in_a_large_matrix();
  refuses_nan<F32>();
  refuses_nan<F16>();
  refuses_nan<BF16>();
  refuses_wrong_arguments();
  return 0;
}
