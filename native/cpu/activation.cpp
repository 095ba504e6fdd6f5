// Statistics of a layer's activations over calibration batches, and scores of its units from them.
#include "common/half.h"
#include "common/score.h"
#include "device.h"
#include "pool.h"
#include "sum.h"

namespace secateur {
namespace {

// Row kRow of the accumulators += sums over x [rows, units], for units begin .. end.
template <int kRow, class Type>
void add_sums(int64_t rows, int64_t units, int64_t begin, int64_t end,
              const typename Type::Storage* x, double* accumulators) {
  double sums[common::kSumColumns<double>];
  const int columns = static_cast<int>(end - begin);
  common::column_sums<double>(
      rows, columns,
      [=](int64_t row, int column) {
        return common::activation_term(kRow,
                                       common::load_float<Type>(x, row * units + begin + column));
      },
      sums);
  double* const out = accumulators + kRow * units + begin;
  for (int c = 0; c < columns; ++c) out[c] += sums[c];
}

}  // namespace

void CpuDevice::activation_accumulate(void*, secateur_dtype dtype, int64_t rows, int64_t units,
                                      const void* x, double* accumulators) {
  common::with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* values = static_cast<const typename Type::Storage*>(x);
    parallel_ranges(units, common::kSumColumns<double>, [=](int64_t begin, int64_t end) {
      add_sums<0, Type>(rows, units, begin, end, values, accumulators);
      add_sums<1, Type>(rows, units, begin, end, values, accumulators);
      add_sums<2, Type>(rows, units, begin, end, values, accumulators);
      add_sums<3, Type>(rows, units, begin, end, values, accumulators);
    });
  });
}

void CpuDevice::activation_scores(void*, int32_t statistic, int64_t count, int64_t units,
                                  const double* accumulators, float* scores) {
  const double* const row = accumulators + statistic * units;
  for (int64_t unit = 0; unit < units; ++unit) {
    scores[unit] = common::activation_score(statistic, row[unit], static_cast<double>(count));
  }
}

}  // namespace secateur
