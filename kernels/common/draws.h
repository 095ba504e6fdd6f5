// Loops of a grid over the uniforms of a draw (philox.h), a block of four a step.
#pragma once

#include "common/grid.h"
#include "common/philox.h"

SECATEUR_COMMON_BEGIN

// Calls body(i, u, Width<4>) for four elements at once, their uniforms in u, or where the arrays
// are not aligned to 16 bytes and at the end, body(i, u, Width<1>) for one. state: {seed, counter}.
template <class Body>
SECATEUR_DEVICE void for_draws(const uint64_t* state, uint64_t salt, int64_t n, bool aligned,
                               const Body& body) {
  const uint64_t key = draw_key(state[0], salt), counter = state[1];
  const int64_t blocks = (n + 3) / 4, step = grid_threads();
  for (int64_t b = grid_thread(); b < blocks; b += step) {
    const PhiloxBlock block = draw_block(key, counter, static_cast<uint64_t>(b));
    if (aligned && 4 * b + 4 <= n) {
      float u[4];
      SECATEUR_UNROLL(4)
      for (int j = 0; j < 4; ++j) u[j] = uniform_float(block.word[j]);
      body(4 * b, u, Width<4>());
    } else {
      SECATEUR_UNROLL(4)
      for (int j = 0; j < 4; ++j) {
        const float u[1] = {uniform_float(block.word[j])};
        if (4 * b + j < n) body(4 * b + j, u, Width<1>());
      }
    }
  }
}

SECATEUR_COMMON_END
