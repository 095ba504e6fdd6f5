// w = sign(w) max(|w| - t, 0), the proximal step of an L1 penalty, where t is one number or, in the
// metric of Adam, t_i = lr lambda / (sqrt(v_i) / correction2_sqrt + epsilon).
//
//   secateur_soft_threshold        8 n bytes
//   secateur_soft_threshold_adam  12 n bytes
//
// w, v [n], and n/8 bytes of mask words, each passing once, the floor; mask may be null. threshold,
// lambda and params are device memory, so a captured step follows them; neither may be negative.
// One launch of any grid of 256 threads, 16-byte vectors where they fit. NaN stays NaN; what
// vanishes or is pruned becomes +0. Yun, Lozano & Yang 2021 (arXiv 2003.07336), section 4. Tested
// against the functions of the same names of the CPU device.
#include "common/grid.h"
#include "common/optimizer.h"

using namespace secateur::common;

SECATEUR_KERNEL(256)
secateur_soft_threshold(int64_t n, const float* threshold, float* w, const uint32_t* mask) {
  const float level = *threshold;
  for_elements(n, vectors_of(n, w), [=](int64_t i, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float weight[kWidth];
    load(weight, w + i);
    const uint32_t kept = kept_bits<kWidth>(mask, i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) {
      const float next = soft_threshold(weight[j], level);
      weight[j] = kept >> j & 1 ? next : 0.0f;
    }
    store(w + i, weight);
  });
}
SECATEUR_REGISTER(secateur_soft_threshold);

SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_soft_threshold_adam(int64_t n, const AdamParams* params, const float* lambda,
                             const float* v, float* w, const uint32_t* mask) {
  const float scaled = params->lr * *lambda, root = params->correction2_sqrt;
  const float epsilon = params->epsilon;
  for_elements(n, vectors_of(n, w, v), [=](int64_t i, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float weight[kWidth], second[kWidth];
    load(weight, w + i);
    load(second, v + i);
    const uint32_t kept = kept_bits<kWidth>(mask, i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) {
      const float next =
          soft_threshold(weight[j], adam_threshold(second[j], scaled, root, epsilon));
      weight[j] = kept >> j & 1 ? next : 0.0f;
    }
    store(w + i, weight);
  });
}
SECATEUR_REGISTER(secateur_soft_threshold_adam);
