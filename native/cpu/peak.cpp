// What this processor can do, measured with the pool's threads: every thread runs the same short
// bursts, the best of a series counts, because whatever disturbs a burst only slows it down.
#include <algorithm>
#include <atomic>
#include <chrono>

#include "abi/error.h"
#include "device.h"
#include "kernels.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int kRounds = 24;
constexpr int64_t kBurst = 400000;                 // rounds of multiply-adds: about 2 ms
constexpr int64_t kReadGrain = int64_t{1} << 18;   // floats a chunk of a read: 1 MiB
constexpr size_t kLeastMemory = size_t{64} << 20;  // past the caches

// The most of `work` (as body returns it) a second, over several rounds.
template <class Body>
double best_rate(Body&& body) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    const double work = body();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, work / seconds.count());
  }
  return best;
}

}  // namespace

void CpuDevice::peak(double* flops, double* read_bytes, const void* workspace, size_t bytes) {
  SECATEUR_REQUIRE(bytes >= kLeastMemory,
                   "A read of %zu bytes stays in the caches; give a workspace of %zu at least.",
                   bytes, kLeastMemory);
  const Kernels& run = kernels();
  const int64_t count = threads();
  std::atomic<int> sink{0};  // the results are used, or the compiler would drop the work
  *flops = best_rate([&] {
    std::atomic<int64_t> done{0};
    parallel_for(count, [&](int64_t) {
      float sum;
      done += run.multiply_adds(kBurst, &sum);
      sink += sum > 0;
    });
    return 2.0 * static_cast<double>(done.load());
  });
  const auto* x = static_cast<const float*>(workspace);
  const int64_t chunks = static_cast<int64_t>(bytes / sizeof(float)) / kReadGrain;
  *read_bytes = best_rate([&] {
    parallel_for(chunks,
                 [&](int64_t chunk) { sink += run.read(kReadGrain, x + chunk * kReadGrain) > 0; });
    return static_cast<double>(chunks * kReadGrain) * sizeof(float);
  });
}

}  // namespace secateur
