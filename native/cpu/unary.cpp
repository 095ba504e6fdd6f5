// y = f(x) elementwise, and its gradient.
#include "device.h"
#include "abi/error.h"
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

void require_op(int32_t op) {
  SECATEUR_REQUIRE(op >= SECATEUR_RELU && op <= SECATEUR_ABS,
                   "Unknown unary operator %d; see secateur_unary_op.", op);
}

}  // namespace
}  // namespace secateur

using namespace secateur;

secateur_status secateur_unary(secateur_device* device, void* stream, int32_t op, float alpha,
                               int64_t n, const float* x, float* y) {
  return guard([&] {
    require_cpu(device, stream);
    require_op(op);
    require_count(n, "n");
    require_pointer(x, n, "x");
    require_pointer(y, n, "y");
    const auto run = kernels().unary;
    parallel_ranges(n, grain(op), [&](int64_t begin, int64_t end) {
      run(op, alpha, end - begin, x + begin, y + begin);
    });
  });
}

secateur_status secateur_unary_grad(secateur_device* device, void* stream, int32_t op, float alpha,
                                    int64_t n, const float* x, const float* y, const float* dy,
                                    float* dx) {
  return guard([&] {
    require_cpu(device, stream);
    require_op(op);
    require_count(n, "n");
    require_pointer(x, n, "x");
    require_pointer(y, n, "y");
    require_pointer(dy, n, "dy");
    require_pointer(dx, n, "dx");
    const auto run = kernels().unary_grad;
    parallel_ranges(n, grain(op), [&](int64_t begin, int64_t end) {
      run(op, alpha, end - begin, x + begin, y + begin, dy + begin, dx + begin);
    });
  });
}
