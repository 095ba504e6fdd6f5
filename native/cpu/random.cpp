// Counter-based uniforms, dropout and hard-concrete gates: pure functions of (seed, counter, salt,
// i).
#include "common/philox.h"
#include "device.h"
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

}  // namespace

void CpuDevice::uniform(void*, const uint64_t* state, uint64_t salt, int64_t n, float* out) {
  const Kernels& table = kernels();
  const uint64_t counter = state[1], key = common::draw_key(state[0], salt);
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    table.uniform(key, counter, static_cast<uint64_t>(begin), end - begin, out + begin);
  });
}

void CpuDevice::dropout(void*, const uint64_t* state, uint64_t salt, float ratio, int64_t n,
                        const float* x, float* y) {
  for_uniforms(state, salt, n, [&](const Kernels& table, int64_t i, int64_t count, float* u) {
    table.dropout(count, u, ratio, x + i, y + i);
  });
}

void CpuDevice::hard_concrete(void*, const uint64_t* state, uint64_t salt, int64_t n,
                              const float* log_alpha, float* z) {
  for_uniforms(state, salt, n, [&](const Kernels& table, int64_t i, int64_t count, float* u) {
    table.gate_sample(count, u, log_alpha + i, z + i);
  });
}

void CpuDevice::hard_concrete_grad(void*, const uint64_t* state, uint64_t salt, int64_t n,
                                   const float* log_alpha, const float* dz, float* dlog_alpha) {
  for_uniforms(state, salt, n, [&](const Kernels& table, int64_t i, int64_t count, float* u) {
    table.gate_sample_grad(count, u, log_alpha + i, dz + i, dlog_alpha + i);
  });
}

}  // namespace secateur
