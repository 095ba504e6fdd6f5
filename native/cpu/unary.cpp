// y = f(x) elementwise, and its gradient; clipping.
#include "device.h"
#include "kernels.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kCheapGrain = 16384;  // elements a chunk where memory is the limit
constexpr int64_t kCostlyGrain = 4096;  // where exp, log or a division is

int64_t grain(int32_t op) {
  switch (op) {
    case SECATEUR_RELU:
    case SECATEUR_LEAKY_RELU:
    case SECATEUR_NEG:
    case SECATEUR_ABS:
      return kCheapGrain;
    default:
      return kCostlyGrain;
  }
}

}  // namespace

void CpuDevice::unary(void*, int32_t op, float alpha, int64_t n, const float* x, float* y) {
  const auto run = kernels().unary;
  parallel_ranges(n, grain(op), [&](int64_t begin, int64_t end) {
    run(op, alpha, end - begin, x + begin, y + begin);
  });
}

void CpuDevice::unary_grad(void*, int32_t op, float alpha, int64_t n, const float* x,
                           const float* y, const float* dy, float* dx) {
  const auto run = kernels().unary_grad;
  parallel_ranges(n, grain(op), [&](int64_t begin, int64_t end) {
    run(op, alpha, end - begin, x + begin, y + begin, dy + begin, dx + begin);
  });
}

void CpuDevice::clip(void*, float low, float high, int64_t n, const float* x, float* y) {
  const auto run = kernels().clip;
  parallel_ranges(n, kCheapGrain, [&](int64_t begin, int64_t end) {
    run(low, high, end - begin, x + begin, y + begin);
  });
}

void CpuDevice::clip_grad(void*, float low, float high, int64_t n, const float* x, const float* dy,
                          float* dx) {
  const auto run = kernels().clip_grad;
  parallel_ranges(n, kCheapGrain, [&](int64_t begin, int64_t end) {
    run(low, high, end - begin, x + begin, dy + begin, dx + begin);
  });
}

}  // namespace secateur
