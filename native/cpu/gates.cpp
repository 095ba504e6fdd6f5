// Hard-concrete gates without noise: the evaluation gate and the expected number of open gates.
#include "device.h"
#include "kernels.h"
#include "pool.h"
#include "sum.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 4096;  // gates a chunk

}  // namespace

void CpuDevice::hard_concrete_eval(void*, int64_t n, const float* log_alpha, float* z) {
  const auto run = kernels().gate_eval;
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    run(end - begin, log_alpha + begin, z + begin);
  });
}

void CpuDevice::hard_concrete_l0(void*, int64_t n, const float* log_alpha, const float* scale,
                                 float* expected, float* dlog_alpha) {
  const Kernels& table = kernels();
  *expected = common::parallel_sum<float>(n, [&](int64_t begin, int64_t end) {
    float open[common::kSumTile];
    table.gate_open(end - begin, log_alpha + begin, open);
    if (dlog_alpha != nullptr) {
      table.gate_open_grad(end - begin, open, *scale, dlog_alpha + begin);
    }
    return table.sum_tile(end - begin, open);
  });
}

}  // namespace secateur
