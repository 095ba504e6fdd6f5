// The order of summation of kernels/common/reduce.h against its definition, bit for bit.
#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"
#include "sum.h"

namespace {

using secateur::common::kSumColumns;

// The definition, word for word.
template <class T>
T defined_sum(const std::vector<T>& x) {
  if (x.size() <= 4096) {
    std::vector<T> lane(32, T(0));
    for (size_t i = 0; i < x.size(); ++i) lane[i % 32] = lane[i % 32] + x[i];
    for (size_t half : {16, 8, 4, 2, 1}) {
      for (size_t l = 0; l < half; ++l) lane[l] = lane[l] + lane[l + half];
    }
    return lane[0];
  }
  std::vector<T> tiles;
  for (size_t begin = 0; begin < x.size(); begin += 4096) {
    const size_t end = std::min(x.size(), begin + 4096);
    tiles.push_back(defined_sum(std::vector<T>(x.begin() + static_cast<int64_t>(begin),
                                               x.begin() + static_cast<int64_t>(end))));
  }
  return defined_sum(tiles);
}

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class T>
void sums_in_order() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (int64_t n : {0, 1, 2, 31, 32, 33, 63, 64, 65, 1000, 4095, 4096, 4097, 8192, 12289, 131072,
                    131073, 4096 * 512 + 1}) {
    std::vector<T> x(static_cast<size_t>(n));
    for (T& v : x) v = normal(random);
    const T expected = defined_sum(x);
    const auto value = [&](int64_t i) { return x[static_cast<size_t>(i)]; };
    CHECK(same_bits(expected, secateur::common::sum<T>(n, value)));
    for (int threads : {1, 3}) {
      secateur::set_threads(threads);
      CHECK(same_bits(expected, secateur::common::parallel_sum<T>(n, [&](int64_t b, int64_t e) {
                        return secateur::common::sum_tile<T>(b, e, value);
                      })));
    }
  }
  CHECK(same_bits(T(0), secateur::common::sum<T>(1, [](int64_t) { return T(-0.0); })));
}

// Three full levels would take 2^36 elements; tile sums themselves can be counted off sooner.
void folds_many_tiles() {
  for (int64_t tiles : {1, 2, 4095, 4096, 4097, SANITIZED ? 8192 : 4096 * 4096 + 4097}) {
    secateur::common::TileSums<double> sums;
    for (int64_t t = 0; t < tiles; ++t) sums.add(1.0);
    CHECK(sums.total() == static_cast<double>(tiles));
  }
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (size_t tiles : {4096, 4097, 8192, 50000}) {
    std::vector<float> x(tiles);
    secateur::common::TileSums<float> sums;
    for (float& v : x) sums.add(v = normal(random));
    CHECK(same_bits(defined_sum(x), sums.total()));
  }
}

template <class T>
void sums_columns() {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (int64_t rows : {0, 1, 5, 31, 32, 33, 100, 4096, 4097, 9000}) {
    for (int columns : {1, 3, 16, kSumColumns<T>}) {
      std::vector<T> x(static_cast<size_t>(rows * columns));
      for (T& v : x) v = normal(random);
      T out[kSumColumns<T>];
      secateur::common::column_sums<T>(
          rows, columns,
          [&](int64_t row, int64_t column) {
            return x[static_cast<size_t>(row * columns + column)];
          },
          out);
      for (int c = 0; c < columns; ++c) {
        std::vector<T> column;
        for (int64_t row = 0; row < rows; ++row) {
          column.push_back(x[static_cast<size_t>(row * columns + c)]);
        }
        CHECK(same_bits(defined_sum(column), out[c]));
      }
    }
  }
}

}  // namespace

int main() {
  sums_in_order<float>();
  sums_in_order<double>();
  folds_many_tiles();
  sums_columns<float>();
  sums_columns<double>();
  return 0;
}
