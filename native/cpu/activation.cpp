// Statistics of a layer's activations over calibration batches, and scores of its units from them.
#include <cinttypes>
#include <cmath>

#include "device.h"
#include "abi/error.h"
#include "pool.h"
#include "sum.h"

namespace secateur {
namespace {

using common::column_sums;

enum Row { kSum = 0, kSumAbs = 1, kSumSquares = 2, kNonzeros = 3 };

// accumulators [4, units] += sums over x [rows, units], a block of units a chunk.
void accumulate(int64_t rows, int64_t units, const float* x, double* accumulators) {
  constexpr int kColumns = common::kSumColumns<double>;
  parallel_ranges(units, kColumns, [=](int64_t begin, int64_t end) {
    const int columns = static_cast<int>(end - begin);
    const auto add = [&](Row statistic, auto&& term) {
      double sums[kColumns];
      column_sums<double>(
          rows, columns,
          [&](int64_t row, int column) {
            return term(static_cast<double>(x[row * units + begin + column]));
          },
          sums);
      double* out = accumulators + statistic * units + begin;
      for (int c = 0; c < columns; ++c) out[c] += sums[c];
    };
    add(kSum, [](double v) { return v; });
    add(kSumAbs, [](double v) { return std::fabs(v); });
    add(kSumSquares, [](double v) { return v * v; });
    add(kNonzeros, [](double v) { return v != 0 ? 1.0 : 0.0; });
  });
}

float score(int32_t statistic, double count, int64_t units, const double* accumulators,
            int64_t unit) {
  const auto mean = [&](Row row) { return accumulators[row * units + unit] / count; };
  switch (statistic) {
    case SECATEUR_MEAN:
      return static_cast<float>(mean(kSum));
    case SECATEUR_MEAN_ABS:
      return static_cast<float>(mean(kSumAbs));
    case SECATEUR_RMS:
      return static_cast<float>(std::sqrt(mean(kSumSquares)));
    case SECATEUR_ONE_MINUS_APOZ:
      return static_cast<float>(mean(kNonzeros));
  }
  fail(SECATEUR_INVALID_ARGUMENT, "Unknown activation statistic %d; use 0 to 3.", statistic);
}

}  // namespace
}  // namespace secateur

secateur_status secateur_activation_accumulate(secateur_device* device, void* stream, int64_t rows,
                                               int64_t units, const float* x,
                                               double* accumulators) {
  return secateur::guard([&] {
    secateur::require_cpu(device, stream);
    secateur::require_matrix(rows, units);
    secateur::require_pointer(x, rows * units, "x");
    secateur::require_pointer(accumulators, units, "accumulators");
    secateur::accumulate(rows, units, x, accumulators);
  });
}

secateur_status secateur_activation_scores(secateur_device* device, void* stream, int32_t statistic,
                                           int64_t count, int64_t units, const double* accumulators,
                                           float* scores) {
  return secateur::guard([&] {
    secateur::require_cpu(device, stream);
    SECATEUR_REQUIRE(count > 0, "Scores over %" PRId64 " samples do not exist; accumulate some.",
                     count);
    secateur::require_count(units, "units");
    secateur::require_pointer(accumulators, units, "accumulators");
    secateur::require_pointer(scores, units, "scores");
    for (int64_t unit = 0; unit < units; ++unit) {
      scores[unit] =
          secateur::score(statistic, static_cast<double>(count), units, accumulators, unit);
    }
  });
}
