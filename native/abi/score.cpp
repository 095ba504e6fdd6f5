// Entries of importance scores: of weights, of units, and of activations.
#include "abi/check.h"

using namespace secateur;

namespace {

void require_norm(int32_t norm) {
  SECATEUR_REQUIRE(norm == SECATEUR_L1 || norm == SECATEUR_L2,
                   "Unknown norm %" PRId32 "; use 1 or 2.", norm);
}

}  // namespace

secateur_status secateur_score_magnitude(secateur_device* device, void* stream, int32_t norm,
                                         secateur_dtype dtype, int64_t n, const void* w,
                                         float* scores) {
  return guard([&] {
    require_device(device, stream);
    require_norm(norm);
    require_dtype(dtype);
    require_count(n, "n");
    require_pointer(w, n, "w");
    require_pointer(scores, n, "scores");
    if (n != 0) device->score_magnitude(stream, norm, dtype, n, w, scores);
  });
}

secateur_status secateur_score_gradient(secateur_device* device, void* stream, int32_t kind,
                                        int32_t accumulate, secateur_dtype dtype, int64_t n,
                                        const void* w, const void* g, float* scores) {
  return guard([&] {
    require_device(device, stream);
    SECATEUR_REQUIRE(kind >= SECATEUR_TAYLOR && kind <= SECATEUR_FISHER,
                     "Unknown gradient score %" PRId32 "; use 0 to 2.", kind);
    SECATEUR_REQUIRE(accumulate == 0 || accumulate == 1, "accumulate is %" PRId32 "; use 0 or 1.",
                     accumulate);
    require_dtype(dtype);
    require_count(n, "n");
    if (kind != SECATEUR_FISHER) require_pointer(w, n, "w");
    require_pointer(g, n, "g");
    require_pointer(scores, n, "scores");
    if (n != 0) device->score_gradient(stream, kind, accumulate, dtype, n, w, g, scores);
  });
}

secateur_status secateur_score_units(secateur_device* device, void* stream, int32_t norm,
                                     int32_t axis, secateur_dtype dtype, int64_t rows, int64_t cols,
                                     const void* w, float* scores) {
  return guard([&] {
    require_device(device, stream);
    require_norm(norm);
    require_axis(axis);
    require_dtype(dtype);
    const int64_t n = require_matrix(rows, cols), units = axis == 0 ? rows : cols;
    require_pointer(w, n, "w");
    require_pointer(scores, units, "scores");
    if (n != 0) {
      device->score_units(stream, norm, axis, dtype, rows, cols, w, scores);
    } else if (units != 0) {
      device->fill(stream, 0.0f, units, scores);
    }
  });
}

secateur_status secateur_activation_accumulate(secateur_device* device, void* stream,
                                               secateur_dtype dtype, int64_t rows, int64_t units,
                                               const void* x, double* accumulators) {
  return guard([&] {
    require_device(device, stream);
    require_dtype(dtype);
    const int64_t n = require_matrix(rows, units);
    require_pointer(x, n, "x");
    require_pointer(accumulators, n, "accumulators");
    if (n != 0) device->activation_accumulate(stream, dtype, rows, units, x, accumulators);
  });
}

secateur_status secateur_activation_scores(secateur_device* device, void* stream, int32_t statistic,
                                           int64_t count, int64_t units, const double* accumulators,
                                           float* scores) {
  return guard([&] {
    require_device(device, stream);
    SECATEUR_REQUIRE(statistic >= SECATEUR_MEAN && statistic <= SECATEUR_ONE_MINUS_APOZ,
                     "Unknown activation statistic %" PRId32 "; use 0 to 3.", statistic);
    SECATEUR_REQUIRE(count > 0, "Scores over %" PRId64 " samples do not exist; accumulate some.",
                     count);
    require_count(units, "units");
    require_pointer(accumulators, units, "accumulators");
    require_pointer(scores, units, "scores");
    if (units != 0)
      device->activation_scores(stream, statistic, count, units, accumulators, scores);
  });
}
