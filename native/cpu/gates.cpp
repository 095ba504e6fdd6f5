// Hard-concrete gates without noise: the evaluation gate and the expected number of open gates.
#include "device.h"
#include "abi/error.h"
#include "kernels.h"
#include "pool.h"
#include "sum.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 4096;  // gates a chunk

}  // namespace
}  // namespace secateur

using namespace secateur;

secateur_status secateur_hard_concrete_eval(secateur_device* device, void* stream, int64_t n,
                                            const float* log_alpha, float* z) {
  return guard([&] {
    require_cpu(device, stream);
    require_count(n, "n");
    require_pointer(log_alpha, n, "log_alpha");
    require_pointer(z, n, "z");
    const auto run = kernels().gate_eval;
    parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
      run(end - begin, log_alpha + begin, z + begin);
    });
  });
}

secateur_status secateur_hard_concrete_l0(secateur_device* device, void* stream, int64_t n,
                                          const float* log_alpha, const float* scale,
                                          float* expected, float* dlog_alpha) {
  return guard([&] {
    require_cpu(device, stream);
    require_count(n, "n");
    if (n == 0) return;
    require_pointer(log_alpha, n, "log_alpha");
    require_pointer(expected, n, "expected");
    if (dlog_alpha != nullptr) require_pointer(scale, n, "scale");
    const Kernels& table = kernels();
    *expected = common::parallel_sum<float>(n, [&](int64_t begin, int64_t end) {
      float open[common::kSumTile];
      table.gate_open(end - begin, log_alpha + begin, open);
      if (dlog_alpha != nullptr) {
        table.gate_open_grad(end - begin, open, *scale, dlog_alpha + begin);
      }
      return table.sum_tile(end - begin, open);
    });
  });
}
