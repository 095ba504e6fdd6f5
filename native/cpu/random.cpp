// Counter-based uniforms, dropout and hard-concrete gates: pure functions of (seed, counter, salt,
// i).
#include "common/philox.h"
#include "device.h"
#include "abi/error.h"
#include "kernels.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 4096;  // elements a chunk for the pool
constexpr int64_t kBlock = 256;   // uniforms held on the stack at a time

// Calls body(begin, count, uniforms) over [0, n) in blocks, on the pool.
template <class Body>
void for_uniforms(const uint64_t* state, uint64_t salt, int64_t n, Body&& body) {
  const Kernels& table = kernels();
  const uint64_t counter = state[1], key = common::draw_key(state[0], salt);
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    alignas(64) float u[kBlock];
    for (int64_t i = begin; i < end; i += kBlock) {
      const int64_t count = end - i < kBlock ? end - i : kBlock;
      table.uniform(key, counter, static_cast<uint64_t>(i), count, u);
      body(table, i, count, u);
    }
  });
}

void require_draw(secateur_device* device, void* stream, const uint64_t* state, int64_t n) {
  require_cpu(device, stream);
  require_count(n, "n");
  require_pointer(state, n, "state");
}

}  // namespace
}  // namespace secateur

using namespace secateur;

secateur_status secateur_uniform(secateur_device* device, void* stream, const uint64_t* state,
                                 uint64_t salt, int64_t n, float* out) {
  return guard([&] {
    require_draw(device, stream, state, n);
    require_pointer(out, n, "out");
    if (n == 0) return;
    const Kernels& table = kernels();
    const uint64_t counter = state[1], key = common::draw_key(state[0], salt);
    parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
      table.uniform(key, counter, static_cast<uint64_t>(begin), end - begin, out + begin);
    });
  });
}

secateur_status secateur_dropout(secateur_device* device, void* stream, const uint64_t* state,
                                 uint64_t salt, float ratio, int64_t n, const float* x, float* y) {
  return guard([&] {
    require_draw(device, stream, state, n);
    SECATEUR_REQUIRE(ratio >= 0.0f && ratio < 1.0f,
                     "The dropout ratio is %g; it must be at least 0 and below 1.",
                     static_cast<double>(ratio));
    require_pointer(x, n, "x");
    require_pointer(y, n, "y");
    if (n == 0) return;
    for_uniforms(state, salt, n, [&](const Kernels& table, int64_t i, int64_t count, float* u) {
      table.dropout(count, u, ratio, x + i, y + i);
    });
  });
}

secateur_status secateur_hard_concrete(secateur_device* device, void* stream, const uint64_t* state,
                                       uint64_t salt, int64_t n, const float* log_alpha, float* z) {
  return guard([&] {
    require_draw(device, stream, state, n);
    require_pointer(log_alpha, n, "log_alpha");
    require_pointer(z, n, "z");
    if (n == 0) return;
    for_uniforms(state, salt, n, [&](const Kernels& table, int64_t i, int64_t count, float* u) {
      table.gate_sample(count, u, log_alpha + i, z + i);
    });
  });
}

secateur_status secateur_hard_concrete_grad(secateur_device* device, void* stream,
                                            const uint64_t* state, uint64_t salt, int64_t n,
                                            const float* log_alpha, const float* dz,
                                            float* dlog_alpha) {
  return guard([&] {
    require_draw(device, stream, state, n);
    require_pointer(log_alpha, n, "log_alpha");
    require_pointer(dz, n, "dz");
    require_pointer(dlog_alpha, n, "dlog_alpha");
    if (n == 0) return;
    for_uniforms(state, salt, n, [&](const Kernels& table, int64_t i, int64_t count, float* u) {
      table.gate_sample_grad(count, u, log_alpha + i, dz + i, dlog_alpha + i);
    });
  });
}
