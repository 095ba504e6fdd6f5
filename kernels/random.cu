// Uniforms and dropout: pure functions of (seed, counter, salt, element), see common/philox.h.
//
//   secateur_uniform  out_i = u_i in (0, 1)                               4 n bytes
//   secateur_dropout  y_i = u_i < ratio ? 0 : x_i / (1 - ratio)           8 n bytes
//
// All arrays [n]; state is a device block {seed, counter}. A thread makes a Philox block, four
// elements, and stores it as 16 bytes where the arrays are so aligned: each array passes once, the
// floor; uniforms are never stored. One launch of any grid of 256 threads. y may be x; a dropped
// NaN becomes 0. Salmon, Moraes, Dror & Shaw 2011. Tested against secateur_uniform and
// secateur_dropout of the CPU device.
#include "common/draws.h"

using namespace secateur::common;

SECATEUR_KERNEL(256)
secateur_uniform(const uint64_t* state, uint64_t salt, int64_t n, float* out) {
  for_draws(state, salt, n, misalignment(out) == 0,
            [out](int64_t i, const auto& u, auto) { store(out + i, u); });
}
SECATEUR_REGISTER(secateur_uniform);

SECATEUR_KERNEL(256)
secateur_dropout(const uint64_t* state, uint64_t salt, float ratio, int64_t n, const float* x,
                 float* y) {
  const float keep = 1.0f - ratio;
  const bool aligned = misalignment(x) == 0 && misalignment(y) == 0;
  for_draws(state, salt, n, aligned, [=](int64_t i, const auto& u, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float v[kWidth];
    load(v, x + i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) v[j] = dropout_float(u[j], ratio, keep, v[j]);
    store(y + i, v);
  });
}
SECATEUR_REGISTER(secateur_dropout);
