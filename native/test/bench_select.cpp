// Times secateur_select on 2^26 float32 weights (or 2^argv[1]) against reading them once.
//   bench_select [log2 elements] [threads ...]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "check.h"
#include "pool.h"

namespace {

double median_ms(const std::function<void()>& body) {
  std::vector<double> times;
  for (int run = 0; run < 15; ++run) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    if (run >= 2) times.push_back(time.count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// Reads every word, as wide as the compiler makes it.
uint64_t read_all(const float* x, int64_t n) {
  std::vector<uint64_t> sums(static_cast<size_t>((n >> 16) + 1));
  secateur::parallel_ranges(n, 65536, [&](int64_t begin, int64_t end) {
    const auto* words = reinterpret_cast<const uint64_t*>(x + begin);
    uint64_t sum[8] = {};
    for (int64_t i = 0; i + 8 <= (end - begin) / 2; i += 8) {
      for (int l = 0; l < 8; ++l) sum[l] |= words[i + l];
    }
    for (uint64_t s : sum) sums[static_cast<size_t>(begin >> 16)] |= s;
  });
  uint64_t all = 0;
  for (uint64_t s : sums) all |= s;
  return all;
}

// Normal deviates by Box and Muller from a counter, the same at any thread count.
void fill_normal(float* x, int64_t n) {
  secateur::parallel_ranges(n, 65536, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      uint64_t z = static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15u + 1;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
      z ^= z >> 31;
      const float u = (static_cast<float>(z >> 40) + 0.5f) * 0x1p-24f;
      const float v = static_cast<float>(z & 0xffffff) * 0x1p-24f;
      x[i] = 0.05f * std::sqrt(-2 * std::log(u)) * std::cos(6.2831853f * v);
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t n = int64_t{1} << (argc > 1 ? atoi(argv[1]) : 26);
  std::vector<int> thread_counts;
  for (int i = 2; i < argc; ++i) thread_counts.push_back(atoi(argv[i]));
  if (thread_counts.empty()) thread_counts = {1, 2};

  secateur_device* device;
  void *weights, *mask, *workspace;
  CHECK_OK(secateur_device_open(SECATEUR_CPU, 0, &device));
  CHECK_OK(secateur_alloc(device, static_cast<size_t>(n) * 4, &weights));
  CHECK_OK(secateur_alloc(device, static_cast<size_t>(n) / 8, &mask));
  const secateur_segment segment = {weights, n, nullptr, static_cast<uint32_t*>(mask), 0, 0};
  secateur_select_result result;
  const auto select = [&](int64_t k, size_t* bytes) {
    return secateur_select(device, nullptr, SECATEUR_F32, SECATEUR_KEY_ABS, 1, &segment, 1, &k,
                           &result, workspace, bytes);
  };
  size_t bytes = 0;
  workspace = nullptr;
  CHECK_OK(select(0, &bytes));
  CHECK_OK(secateur_alloc(device, bytes, &workspace));
  CHECK_OK(secateur_zero(device, nullptr, workspace, bytes));
  printf("%lld weights, %s, scratch %.2f %% of them\n", static_cast<long long>(n),
         secateur_cpu_isa(), 100.0 * static_cast<double>(bytes) / static_cast<double>(n * 4));

  auto* w = static_cast<float*>(weights);
  for (const int threads : thread_counts) {
    CHECK_OK(secateur_set_threads(threads));
    fill_normal(w, n);
    volatile uint64_t sink;
    const double read = median_ms([&] { sink = read_all(w, n); });
    (void)sink;
    const double gigabytes = static_cast<double>(n) * 4 / 1e6;
    printf("%d thread(s): read       %8.3f ms %6.1f GB/s\n", threads, read, gigabytes / read);
    const auto report = [&](const char* name, double sparsity) {
      const auto k = std::llrint(sparsity * static_cast<double>(n));
      const double time = median_ms([&] { CHECK_OK(select(k, &bytes)); });
      printf("  %-11s %4.0f %%  %8.3f ms %6.1f GB/s %5.1f %% of read, path %d, %.2fx bytes\n", name,
             sparsity * 100, time, gigabytes / time, 100 * read / time, result.path,
             static_cast<double>(result.bytes_read) / static_cast<double>(n * 4));
    };
    for (double sparsity : {0.5, 0.8, 0.9, 0.98}) report("normal", sparsity);
    CHECK_OK(secateur_select_force(2));
    report("fallback", 0.9);
    CHECK_OK(secateur_select_force(0));
    secateur::parallel_ranges(n, 65536, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) w[i] *= static_cast<float>(1 + (i >> 12) % 64);
    });
    report("row-scaled", 0.9);
    secateur::parallel_ranges(n, 65536, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) w[i] = i * 2654435761u % 1000 < 600 ? 0 : w[i];
    });
    report("60 % zeros", 0.5);
  }
  for (void* pointer : {weights, mask, workspace}) CHECK_OK(secateur_free(device, pointer));
  CHECK_OK(secateur_device_close(device));
  return 0;
}
