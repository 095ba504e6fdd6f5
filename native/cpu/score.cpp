// Scores of weights and of units.
#include "score.h"

#include "device.h"
#include "isa.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = int64_t{1} << 16;

using common::gradient_score;
using common::load_float;
using common::magnitude_score;
using common::with_type;

// Loops for a kind known when they are compiled, so that they vectorise.
template <int32_t kNorm, class Type>
void score_run(int64_t begin, int64_t end, const typename Type::Storage* w, float* scores) {
  for (int64_t i = begin; i < end; ++i) {
    scores[i] = magnitude_score(kNorm, load_float<Type>(w, i));
  }
}

template <int32_t kKind, class Type>
void gradient_run(bool accumulate, int64_t begin, int64_t end, const typename Type::Storage* w,
                  const typename Type::Storage* g, float* scores) {
  const auto score = [=](int64_t i) {
    // Fisher's score reads no weight: there may be none.
    const float weight = kKind == SECATEUR_FISHER ? 0.0f : load_float<Type>(w, i);
    return gradient_score(kKind, weight, load_float<Type>(g, i));
  };
  if (accumulate) {
    for (int64_t i = begin; i < end; ++i) scores[i] += score(i);
  } else {
    for (int64_t i = begin; i < end; ++i) scores[i] = score(i);
  }
}

ScoreUnits score_units_kernel() {
#if SECATEUR_X86
  switch (isa()) {
    case Isa::kAvx512:
      return score_units_avx512;
    case Isa::kAvx2:
      return score_units_avx2;
    case Isa::kPlain:
      break;
  }
#endif
  return score_units_plain;
}

}  // namespace

void CpuDevice::score_magnitude(void*, int32_t norm, secateur_dtype dtype, int64_t n, const void* w,
                                float* scores) {
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* x = static_cast<const typename Type::Storage*>(w);
    const auto run =
        norm == SECATEUR_L1 ? score_run<SECATEUR_L1, Type> : score_run<SECATEUR_L2, Type>;
    parallel_ranges(n, kGrain, [=](int64_t begin, int64_t end) { run(begin, end, x, scores); });
  });
}

void CpuDevice::score_gradient(void*, int32_t kind, int32_t accumulate, secateur_dtype dtype,
                               int64_t n, const void* w, const void* g, float* scores) {
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* weights = static_cast<const typename Type::Storage*>(w);
    const auto* gradients = static_cast<const typename Type::Storage*>(g);
    const auto run = kind == SECATEUR_TAYLOR     ? gradient_run<SECATEUR_TAYLOR, Type>
                     : kind == SECATEUR_MOVEMENT ? gradient_run<SECATEUR_MOVEMENT, Type>
                                                 : gradient_run<SECATEUR_FISHER, Type>;
    parallel_ranges(n, kGrain, [=](int64_t begin, int64_t end) {
      run(accumulate != 0, begin, end, weights, gradients, scores);
    });
  });
}

void CpuDevice::score_units(void*, int32_t norm, int32_t axis, secateur_dtype dtype, int64_t rows,
                            int64_t cols, const void* w, float* scores) {
  score_units_kernel()(norm, axis, dtype, rows, cols, w, scores);
}

}  // namespace secateur
