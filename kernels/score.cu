// Importance scores of weights and of units; formulas in common/score.h.
//
//   secateur_score_magnitude   scores [n] = |w| or w^2
//   secateur_score_gradient    scores [n] = f(w, g), or scores + f(w, g)
//   secateur_score_rows        scores [rows] = norm of each row of w [rows, cols]
//   secateur_score_columns     scores [cols] = norm of each column
//
// w and g are f32, f16 or bf16 (dtype); scores are float. One launch that reads each operand once
// and writes each score once, the floor: 8 n bytes for magnitudes of f32, 6 n of 16-bit weights,
// 12 n for f32 gradients (16 n accumulated), 4 n for norms. Four elements a load where the
// alignment of both sides allows. NaN stays NaN.
//
// Norms are summed in double in the order of common/reduce.h. Rows: a warp a row, its threads are
// the lanes. Columns: a block takes kColumns of them, a thread one lane of one column, so that a
// row's neighbours are read together; then a warp a column takes the tree. Any grid of 256 threads.
//
// Tested against secateur_score_magnitude, _gradient and _units of the CPU device, bit for bit.
#include "common/grid.h"
#include "common/half.h"
#include "common/score.h"
#include "common/warp_sum.h"

using namespace secateur::common;

namespace {

SECATEUR_DEVICE void load4(F32, float (&to)[4], const float* from) { load(to, from); }
template <class Half>
SECATEUR_DEVICE void load4(Half, float (&to)[4], const uint16_t* from) {
  const uint2 pairs = *reinterpret_cast<const uint2*>(from);
  to[0] = Half::to_float(static_cast<uint16_t>(pairs.x));
  to[1] = Half::to_float(static_cast<uint16_t>(pairs.x >> 16));
  to[2] = Half::to_float(static_cast<uint16_t>(pairs.y));
  to[3] = Half::to_float(static_cast<uint16_t>(pairs.y >> 16));
}

template <class Type>
SECATEUR_DEVICE void load_typed(Type, float (&to)[1], const typename Type::Storage* from) {
  to[0] = Type::to_float(from[0]);
}
template <class Type>
SECATEUR_DEVICE void load_typed(Type type, float (&to)[4], const typename Type::Storage* from) {
  load4(type, to, from);
}

// Whether element `head` of x begins a vector of four.
template <class Storage>
SECATEUR_DEVICE bool vector_at(const Storage* x, int64_t head) {
  return (reinterpret_cast<uintptr_t>(x + head) & (4 * sizeof(Storage) - 1)) == 0;
}

}  // namespace

SECATEUR_KERNEL(256)
secateur_score_magnitude(int32_t norm, int32_t dtype, int64_t n, const void* w, float* scores) {
  with_type(dtype, [=](auto type) {
    using Storage = typename decltype(type)::Storage;
    const Storage* const x = static_cast<const Storage*>(w);
    Vectors vectors = vectors_of(n, scores);
    if (!vector_at(x, vectors.head)) vectors = {n, 0};
    for_elements(n, vectors, [=](int64_t i, auto width) {
      constexpr int kWidth = decltype(width)::count;
      float v[kWidth];
      load_typed(type, v, x + i);
      SECATEUR_UNROLL(4)
      for (int j = 0; j < kWidth; ++j) v[j] = magnitude_score(norm, v[j]);
      store(scores + i, v);
    });
  });
}
SECATEUR_REGISTER(secateur_score_magnitude);

SECATEUR_KERNEL(256)
secateur_score_gradient(int32_t kind, int32_t accumulate, int32_t dtype, int64_t n, const void* w,
                        const void* g, float* scores) {
  with_type(dtype, [=](auto type) {
    using Storage = typename decltype(type)::Storage;
    // Fisher's score reads no weight, and there may be none.
    const Storage* const gradients = static_cast<const Storage*>(g);
    const Storage* const weights = kind == 2 ? gradients : static_cast<const Storage*>(w);
    Vectors vectors = vectors_of(n, scores);
    if (!vector_at(weights, vectors.head) || !vector_at(gradients, vectors.head)) vectors = {n, 0};
    for_elements(n, vectors, [=](int64_t i, auto width) {
      constexpr int kWidth = decltype(width)::count;
      float weight[kWidth], gradient[kWidth], before[kWidth];
      load_typed(type, gradient, gradients + i);
      if (kind != 2) {
        load_typed(type, weight, weights + i);
      } else {
        SECATEUR_UNROLL(4)
        for (float& value : weight) value = 0.0f;
      }
      if (accumulate != 0) load(before, scores + i);
      SECATEUR_UNROLL(4)
      for (int j = 0; j < kWidth; ++j) {
        const float score = gradient_score(kind, weight[j], gradient[j]);
        gradient[j] = accumulate != 0 ? before[j] + score : score;
      }
      store(scores + i, gradient);
    });
  });
}
SECATEUR_REGISTER(secateur_score_gradient);

namespace {

// The sum of term(i) over [0, n) by a whole warp; lane 0 holds it.
template <class Term>
SECATEUR_DEVICE double warp_sum(int64_t n, const Term& term) {
  if (n <= kSumTile) return warp_sum_tile<double>(0, n, term);
  WarpTileSums<double> tiles;
  for (int64_t begin = 0; begin < n; begin += kSumTile) {
    tiles.add(warp_sum_tile<double>(begin, n - begin < kSumTile ? n : begin + kSumTile, term));
  }
  return tiles.total();
}

template <class Norm, class Type>
SECATEUR_DEVICE void row_norms(int64_t rows, int64_t cols, const typename Type::Storage* w,
                               float* scores) {
  const int64_t warps = grid_threads() / 32;
  for (int64_t row = grid_thread() / 32; row < rows; row += warps) {
    const typename Type::Storage* const x = w + row * cols;
    const double total =
        warp_sum(cols, [x](int64_t i) { return Norm::term(Type::to_float(x[i])); });
    if ((threadIdx.x & 31) == 0) scores[row] = Norm::finish(total);
  }
}

constexpr int kColumns = 8;  // of a block of 256 threads: 32 lanes each

struct ColumnLanes {
  double lane[kColumns][33];  // 32 and a pad against bank conflicts
};

template <class Norm, class Type>
SECATEUR_DEVICE void column_norms(int64_t rows, int64_t cols, const typename Type::Storage* w,
                                  float* scores, ColumnLanes& shared) {
  const int lane = threadIdx.x / kColumns, column = threadIdx.x % kColumns;
  const int warp = threadIdx.x / 32, warp_lane = threadIdx.x & 31;
  for (int64_t first = int64_t{blockIdx.x} * kColumns; first < cols;
       first += int64_t{gridDim.x} * kColumns) {
    WarpTileSums<double> tiles;  // of column first + warp
    double total = 0.0;
    for (int64_t begin = 0; begin < rows || begin == 0; begin += kSumTile) {
      const int64_t end = rows - begin < kSumTile ? rows : begin + kSumTile;
      double sum = 0.0;
      if (first + column < cols) {
        SECATEUR_UNROLL(8)
        for (int64_t row = begin + lane; row < end; row += kSumLanes) {
          sum += Norm::term(Type::to_float(w[row * cols + first + column]));
        }
      }
      shared.lane[column][lane] = sum;
      __syncthreads();
      total = warp_tree(shared.lane[warp][warp_lane]);
      if (rows > kSumTile) tiles.add(total);
      __syncthreads();
    }
    if (rows > kSumTile) total = tiles.total();
    if (warp_lane == 0 && first + warp < cols) scores[first + warp] = Norm::finish(total);
  }
}

}  // namespace

SECATEUR_KERNEL(256)
secateur_score_rows(int32_t norm, int32_t dtype, int64_t rows, int64_t cols, const void* w,
                    float* scores) {
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* const x = static_cast<const typename Type::Storage*>(w);
    if (norm == 1) {
      row_norms<L1Norm, Type>(rows, cols, x, scores);
    } else {
      row_norms<L2Norm, Type>(rows, cols, x, scores);
    }
  });
}
SECATEUR_REGISTER(secateur_score_rows);

SECATEUR_KERNEL(256)
secateur_score_columns(int32_t norm, int32_t dtype, int64_t rows, int64_t cols, const void* w,
                       float* scores) {
  SECATEUR_SHARED(ColumnLanes, shared);
  ColumnLanes* const lanes = &shared;
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* const x = static_cast<const typename Type::Storage*>(w);
    if (norm == 1) {
      column_norms<L1Norm, Type>(rows, cols, x, scores, *lanes);
    } else {
      column_norms<L2Norm, Type>(rows, cols, x, scores, *lanes);
    }
  });
}
SECATEUR_REGISTER(secateur_score_columns);
