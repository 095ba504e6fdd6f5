// Optimizer steps and the proximal step of an L1 penalty, weight by weight under an optional mask.
#include "abi/error.h"
#include "device.h"
#include "kernels.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 8192;  // weights a chunk; a multiple of the 32 bits of a mask word

const uint32_t* words_from(const uint32_t* mask, int64_t begin) {
  return mask == nullptr ? nullptr : mask + begin / 32;
}

float* from(float* state, int64_t begin) { return state == nullptr ? nullptr : state + begin; }

}  // namespace

void CpuDevice::sgd_step(void*, int64_t n, const secateur_sgd_params* params, float* w,
                         const float* g, float* buf, const uint32_t* mask) {
  SECATEUR_REQUIRE(buf != nullptr || params->momentum == 0.0f,
                   "SGD with momentum %g needs a buffer, but buf is NULL.",
                   static_cast<double>(params->momentum));
  const secateur_sgd_params step = *params;
  const auto run = kernels().sgd;
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    run(end - begin, step, w + begin, g + begin, from(buf, begin), words_from(mask, begin));
  });
}

void CpuDevice::adam_step(void*, int64_t n, const secateur_adam_params* params, float* w,
                          const float* g, float* m, float* v, const uint32_t* mask) {
  const secateur_adam_params step = *params;
  const auto run = kernels().adam;
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    run(end - begin, step, w + begin, g + begin, m + begin, v + begin, words_from(mask, begin));
  });
}

void CpuDevice::soft_threshold(void*, int64_t n, const float* threshold, float* w,
                               const uint32_t* mask) {
  SECATEUR_REQUIRE(*threshold >= 0.0f, "The soft threshold is %g; it must not be negative.",
                   static_cast<double>(*threshold));
  const float level = *threshold;
  const auto run = kernels().soft_threshold;
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    run(end - begin, level, w + begin, words_from(mask, begin));
  });
}

void CpuDevice::soft_threshold_adam(void*, int64_t n, const secateur_adam_params* params,
                                    const float* lambda, const float* v, float* w,
                                    const uint32_t* mask) {
  SECATEUR_REQUIRE(*lambda >= 0.0f, "The weight of the penalty is %g; it must not be negative.",
                   static_cast<double>(*lambda));
  const secateur_adam_params step = *params;
  const float weight = *lambda;
  const auto run = kernels().soft_threshold_adam;
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    run(end - begin, step, weight, v + begin, w + begin, words_from(mask, begin));
  });
}

}  // namespace secateur
