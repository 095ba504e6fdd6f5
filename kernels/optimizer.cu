// SGD with momentum and Adam, the mask applied in the same pass; formulas in common/optimizer.h.
//
//   secateur_sgd_step   w, g, buf     20 n bytes (12 n without buf)
//   secateur_adam_step  w, g, m, v    28 n bytes
//
// All arrays [n], and n/8 bytes of mask words, each read and written once, the floor; mask may be
// null. One launch of any grid of 256 threads, 16-byte vectors where they fit. The parameters are
// read from device memory, so a captured step follows a changed learning rate. A pruned weight and
// its state become +0 whatever they held, NaN too: selected, not multiplied. Sutskever et al. 2013,
// Kingma & Ba 2015, Loshchilov & Hutter 2019. Tested against secateur_sgd_step and
// secateur_adam_step of the CPU device.
#include "common/grid.h"
#include "common/optimizer.h"

using namespace secateur::common;

// buf may be null: no momentum.
SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_sgd_step(int64_t n, const SgdParams* params, float* w, const float* g, float* buf,
                  const uint32_t* mask) {
  const SgdParams p = *params;
  const bool nesterov = p.nesterov != 0, first = p.step == 1;
  const Vectors vectors = buf == nullptr ? vectors_of(n, w, g) : vectors_of(n, w, g, buf);
  for_elements(n, vectors, [=](int64_t i, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float weight[kWidth], gradient[kWidth], running[kWidth] = {};
    load(weight, w + i);
    load(gradient, g + i);
    if (buf != nullptr) load(running, buf + i);
    const uint32_t kept = kept_bits<kWidth>(mask, i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) {
      const float next = buf == nullptr
                             ? sgd_plain_step(weight[j], gradient[j], p.lr, p.weight_decay)
                             : sgd_momentum_step(weight[j], gradient[j], &running[j], p.lr,
                                                 p.momentum, p.weight_decay, nesterov, first);
      weight[j] = kept >> j & 1 ? next : 0.0f;
      running[j] = kept >> j & 1 ? running[j] : 0.0f;
    }
    store(w + i, weight);
    if (buf != nullptr) store(buf + i, running);
  });
}
SECATEUR_REGISTER(secateur_sgd_step);

SECATEUR_KERNEL_BLOCKS(256, 4)
secateur_adam_step(int64_t n, const AdamParams* params, float* w, const float* g, float* m,
                   float* v, const uint32_t* mask) {
  const AdamStep step = adam_step_of(*params);
  for_elements(n, vectors_of(n, w, g, m, v), [=](int64_t i, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float weight[kWidth], gradient[kWidth], first[kWidth], second[kWidth];
    load(weight, w + i);
    load(gradient, g + i);
    load(first, m + i);
    load(second, v + i);
    const uint32_t kept = kept_bits<kWidth>(mask, i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) {
      const float next = adam_step(weight[j], gradient[j], &first[j], &second[j], step);
      weight[j] = kept >> j & 1 ? next : 0.0f;
      first[j] = kept >> j & 1 ? first[j] : 0.0f;
      second[j] = kept >> j & 1 ? second[j] : 0.0f;
    }
    store(w + i, weight);
    store(m + i, first);
    store(v + i, second);
  });
}
SECATEUR_REGISTER(secateur_adam_step);
