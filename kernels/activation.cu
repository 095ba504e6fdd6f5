// Statistics of a layer's activations over calibration batches, and scores of its units from them;
// formulas in common/score.h.
//
//   secateur_activation_accumulate  accumulators [4, units] double += sums over the rows of
//                                   x [rows, units]: x, |x|, x^2, nonzeros
//   secateur_activation_scores      scores [units] from one row of the accumulators
//
// One launch that reads x (f32, f16, bf16) once, the floor, and 64 bytes a unit more. Sums in
// double in the order of common/reduce.h: a block takes kColumns units, a thread one lane of one
// unit, so that a row's neighbours are read together; then a warp a unit takes the four trees.
// Blocks of 256 threads, any grid. NaN makes the sums NaN and counts as a nonzero.
//
// Tested against secateur_activation_accumulate and _scores of the CPU device, bit for bit.
#include "common/grid.h"
#include "common/half.h"
#include "common/score.h"
#include "common/warp_sum.h"

using namespace secateur::common;

namespace {

constexpr int kColumns = 8;  // of a block of 256 threads: 32 lanes each

struct UnitLanes {
  double lane[kActivationRows][kColumns][33];  // 32 and a pad against bank conflicts
};

template <class Type>
SECATEUR_DEVICE void accumulate(int64_t rows, int64_t units, const typename Type::Storage* x,
                                double* accumulators, UnitLanes& shared) {
  const int lane = threadIdx.x / kColumns, column = threadIdx.x % kColumns;
  const int warp = threadIdx.x / 32, warp_lane = threadIdx.x & 31;
  for (int64_t first = int64_t{blockIdx.x} * kColumns; first < units;
       first += int64_t{gridDim.x} * kColumns) {
    WarpTileSums<double> tiles[kActivationRows];  // of unit first + warp
    double total[kActivationRows];
    for (int64_t begin = 0; begin < rows; begin += kSumTile) {
      const int64_t end = rows - begin < kSumTile ? rows : begin + kSumTile;
      double sum[kActivationRows] = {0.0, 0.0, 0.0, 0.0};
      if (first + column < units) {
        SECATEUR_UNROLL(4)
        for (int64_t row = begin + lane; row < end; row += kSumLanes) {
          const float value = Type::to_float(x[row * units + first + column]);
          SECATEUR_UNROLL(4)
          for (int s = 0; s < kActivationRows; ++s) sum[s] += activation_term(s, value);
        }
      }
      SECATEUR_UNROLL(4)
      for (int s = 0; s < kActivationRows; ++s) shared.lane[s][column][lane] = sum[s];
      __syncthreads();
      SECATEUR_UNROLL(4)
      for (int s = 0; s < kActivationRows; ++s) {
        total[s] = warp_tree(shared.lane[s][warp][warp_lane]);
        if (rows > kSumTile) tiles[s].add(total[s]);
      }
      __syncthreads();
    }
    SECATEUR_UNROLL(4)
    for (int s = 0; s < kActivationRows; ++s) {
      if (rows > kSumTile) total[s] = tiles[s].total();
      if (warp_lane == 0 && first + warp < units) {
        accumulators[s * units + first + warp] += total[s];
      }
    }
  }
}

}  // namespace

SECATEUR_KERNEL(256)
secateur_activation_accumulate(int32_t dtype, int64_t rows, int64_t units, const void* x,
                               double* accumulators) {
  SECATEUR_SHARED(UnitLanes, shared);
  UnitLanes* const lanes = &shared;
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    accumulate<Type>(rows, units, static_cast<const typename Type::Storage*>(x), accumulators,
                     *lanes);
  });
}
SECATEUR_REGISTER(secateur_activation_accumulate);

SECATEUR_KERNEL(256)
secateur_activation_scores(int32_t statistic, int64_t count, int64_t units,
                           const double* accumulators, float* scores) {
  const double* const row = accumulators + statistic * units;
  for (int64_t unit = grid_thread(); unit < units; unit += grid_threads()) {
    scores[unit] = activation_score(statistic, row[unit], static_cast<double>(count));
  }
}
SECATEUR_REGISTER(secateur_activation_scores);
