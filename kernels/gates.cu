// Hard-concrete gates (Louizos, Welling & Kingma 2018, arXiv 1712.01312); formulas in
// common/hard_concrete.h.
//
//   secateur_hard_concrete       z, from uniforms drawn as secateur_uniform does       8 n bytes
//   secateur_hard_concrete_grad  dlog_alpha = dz * dz/dlog_alpha of the same draw     12 n bytes
//   secateur_hard_concrete_eval  z without noise                                       8 n bytes
//   secateur_hard_concrete_l0    sums of the probabilities that gates are open, and    4 n or 12 n
//                                dlog_alpha += scale * their derivative                bytes
//
// All arrays [n], each passing once, the floor, in one launch of any grid of 256 threads (l0: 128).
// The sum of l0 has the order of common/reduce.h: a warp a tile of 4096 writes sums[tile], for n <=
// 4096 the sum itself; secateur_sum_rows sums the tiles in a second launch. z and dlog_alpha may be
// the input that they replace. NaN in gives NaN out. Tested against the CPU device's functions of
// the same names.
#include "common/draws.h"
#include "common/hard_concrete.h"
#include "common/warp_sum.h"

using namespace secateur::common;

SECATEUR_KERNEL(256)
secateur_hard_concrete(const uint64_t* state, uint64_t salt, int64_t n, const float* log_alpha,
                       float* z) {
  const bool aligned = misalignment(log_alpha) == 0 && misalignment(z) == 0;
  for_draws(state, salt, n, aligned, [=](int64_t i, const auto& u, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float v[kWidth];
    load(v, log_alpha + i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) v[j] = gate_sample(u[j], v[j]);
    store(z + i, v);
  });
}
SECATEUR_REGISTER(secateur_hard_concrete);

SECATEUR_KERNEL(256)
secateur_hard_concrete_grad(const uint64_t* state, uint64_t salt, int64_t n, const float* log_alpha,
                            const float* dz, float* dlog_alpha) {
  const bool aligned =
      misalignment(log_alpha) == 0 && misalignment(dz) == 0 && misalignment(dlog_alpha) == 0;
  for_draws(state, salt, n, aligned, [=](int64_t i, const auto& u, auto width) {
    constexpr int kWidth = decltype(width)::count;
    float v[kWidth], d[kWidth];
    load(v, log_alpha + i);
    load(d, dz + i);
    SECATEUR_UNROLL(4)
    for (int j = 0; j < kWidth; ++j) d[j] = d[j] * gate_sample_derivative(u[j], v[j]);
    store(dlog_alpha + i, d);
  });
}
SECATEUR_REGISTER(secateur_hard_concrete_grad);

SECATEUR_KERNEL(256)
secateur_hard_concrete_eval(int64_t n, const float* log_alpha, float* z) {
  map_elements(n, log_alpha, z, [](float v) { return gate_eval(v); });
}
SECATEUR_REGISTER(secateur_hard_concrete_eval);

// dlog_alpha may be null, and then scale too; scale: device scalar.
SECATEUR_KERNEL_BLOCKS(128, 8)
secateur_hard_concrete_l0(int64_t n, const float* log_alpha, const float* scale, float* dlog_alpha,
                          float* sums) {
  const int64_t tiles = (n + kSumTile - 1) / kSumTile;
  const float factor = dlog_alpha != nullptr ? *scale : 0.0f;
  for (int64_t tile = grid_thread() / 32; tile < tiles; tile += grid_threads() / 32) {
    const int64_t begin = tile * kSumTile, end = n - begin < kSumTile ? n : begin + kSumTile;
    const float sum = warp_sum_tile<float>(begin, end, [=](int64_t i) {
      const float open = gate_open(log_alpha[i]);
      if (dlog_alpha != nullptr) dlog_alpha[i] += factor * (open * (1.0f - open));
      return open;
    });
    if ((threadIdx.x & 31) == 0) sums[tile] = sum;
  }
}
SECATEUR_REGISTER(secateur_hard_concrete_l0);
