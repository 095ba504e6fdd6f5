// Magnitude scores of weights and of units.
#include "score.h"

#include <cinttypes>
#include <cstring>

#include "device.h"
#include "abi/error.h"
#include "isa.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = int64_t{1} << 16;

void require_norm(int32_t norm) {
  SECATEUR_REQUIRE(norm == SECATEUR_L1 || norm == SECATEUR_L2, "Unknown norm %d; use 1 or 2.",
                   norm);
}

void score_magnitude(int32_t norm, int64_t n, const float* w, float* scores) {
  parallel_ranges(n, kGrain, [=](int64_t begin, int64_t end) {
    if (norm == SECATEUR_L1) {
      for (int64_t i = begin; i < end; ++i) scores[i] = __builtin_fabsf(w[i]);
    } else {
      for (int64_t i = begin; i < end; ++i) scores[i] = w[i] * w[i];
    }
  });
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
}  // namespace secateur

secateur_status secateur_score_magnitude(secateur_device* device, void* stream, int32_t norm,
                                         int64_t n, const float* w, float* scores) {
  return secateur::guard([&] {
    secateur::require_cpu(device, stream);
    secateur::require_norm(norm);
    secateur::require_count(n, "n");
    secateur::require_pointer(w, n, "w");
    secateur::require_pointer(scores, n, "scores");
    secateur::score_magnitude(norm, n, w, scores);
  });
}

secateur_status secateur_score_units(secateur_device* device, void* stream, int32_t norm,
                                     int32_t axis, int64_t rows, int64_t cols, const float* w,
                                     float* scores) {
  return secateur::guard([&] {
    secateur::require_cpu(device, stream);
    secateur::require_norm(norm);
    SECATEUR_REQUIRE(axis == 0 || axis == 1, "Axis %d of a matrix does not exist; use 0 or 1.",
                     axis);
    secateur::require_matrix(rows, cols);
    secateur::require_pointer(w, rows * cols, "w");
    secateur::require_pointer(scores, axis == 0 ? rows : cols, "scores");
    secateur::score_units_kernel()(norm, axis, rows, cols, w, scores);
  });
}
