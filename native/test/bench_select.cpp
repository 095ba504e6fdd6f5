// Times secateur_select against reading the scores once, on the same buffer in turns.
//   bench_select [log2 of the elements, 26] [threads, 1 and 2 ...]
//
// For each case: milliseconds of a selection, the best and the median of its runs; GB/s of scores
// and previous mask at the best; this in percent of the rate at which a plain AVX-512 sum of the
// scores runs (best against best, and median against median); the path taken and the bytes read.
// Buffers are in huge pages and were touched. As a plain peer: std::nth_element on a copy, then
// comparing.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "check.h"
#include "common/half.h"
#include "pool.h"

namespace {

using secateur::parallel_ranges;
namespace common = secateur::common;

constexpr int kRuns = 15;
constexpr int64_t kGrain = 65536;

secateur_device* device;

double ms(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

float sum_plain(const float* x, int64_t n) {
  float sums[16] = {};
  for (int64_t i = 0; i < n; i += 16) {
    for (int l = 0; l < 16; ++l) sums[l] += x[i + l];
  }
  float sum = 0;
  for (float s : sums) sum += s;
  return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float sum_avx512(const float* x, int64_t n) {
  __m512 sums[8];
  for (__m512& s : sums) s = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 128) {
    for (int v = 0; v < 8; ++v) sums[v] = _mm512_add_ps(sums[v], _mm512_loadu_ps(x + i + 16 * v));
  }
  float parts[16], sum = 0;
  for (const __m512& s : sums) {
    _mm512_storeu_ps(parts, s);
    for (float part : parts) sum += part;
  }
  return sum;
}
#endif

// Reads n floats, a multiple of 128.
void read_all(const float* x, int64_t n) {
  static std::atomic<float> sink;  // keeps the sums
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
      sink.store(sum_avx512(x + begin, end - begin), std::memory_order_relaxed);
      return;
    }
#endif
    sink.store(sum_plain(x + begin, end - begin), std::memory_order_relaxed);
  });
}

uint64_t hash(uint64_t z) {
  z = (z + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// A normal deviate by Box and Muller.
float normal(int64_t i) {
  const uint64_t z = hash(static_cast<uint64_t>(i));
  const float u = (static_cast<float>(z >> 40) + 0.5f) * 0x1p-24f;
  const float v = static_cast<float>(z & 0xffffff) * 0x1p-24f;
  return 0.05f * std::sqrt(-2 * std::log(u)) * std::cos(6.2831853f * v);
}

// What scores are made of, from a normal deviate; rows have 4096 columns.
struct Data {
  const char* name;
  float (*make)(float normal, int64_t i);
};

constexpr Data kData[] = {
    {"normal", [](float x, int64_t) { return x; }},
    {"rows scaled",
     [](float x, int64_t i) {
       return std::ldexp(x, static_cast<int>(hash(static_cast<uint64_t>(i >> 12)) % 17) - 8);
     }},
    {"columns scaled",
     [](float x, int64_t i) {
       return std::ldexp(x, static_cast<int>(hash(static_cast<uint64_t>(i & 4095)) % 17) - 8);
     }},
    {"columns rising",  // neighbours are alike
     [](float x, int64_t i) { return std::ldexp(x, static_cast<int>((i & 4095) / 241) - 8); }},
    {"60 % zeros",
     [](float x, int64_t i) { return hash(~static_cast<uint64_t>(i)) % 1000 < 600 ? 0.0f : x; }},
    {"all equal", [](float, int64_t) { return 0.5f; }},
};

struct Bench {
  int64_t n;
  const float* normals;
  void *scores, *mask, *previous;
  secateur_dtype dtype = SECATEUR_F32;

  int64_t score_bytes() const { return n * (dtype == SECATEUR_F32 ? 4 : 2); }

  void fill(const Data& data) const {
    parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float x = data.make(normals[i], i);
        if (dtype == SECATEUR_F32) {
          static_cast<float*>(scores)[i] = x;
        } else {
          static_cast<uint16_t*>(scores)[i] =
              dtype == SECATEUR_F16 ? common::float_to_f16(x) : common::float_to_bf16(x);
        }
      }
    });
  }

  void time(const char* name, secateur_key key, double sparsity, bool pruned_before) const {
    const int64_t k = std::llrint(sparsity * static_cast<double>(n));
    const secateur_segment segment = {scores,
                                      n,
                                      pruned_before ? static_cast<uint32_t*>(previous) : nullptr,
                                      static_cast<uint32_t*>(mask),
                                      0,
                                      0};
    secateur_select_result result;
    size_t bytes = 0;
    void* workspace = nullptr;
    const auto select = [&] {
      CHECK_OK(secateur_select(device, nullptr, dtype, key, 1, &segment, 1, &k, &result, workspace,
                               &bytes));
    };
    select();
    CHECK_OK(secateur_alloc(device, bytes, &workspace));
    CHECK_OK(secateur_zero(device, nullptr, workspace, bytes));
    std::vector<double> reads, times;
    for (int run = 0; run < kRuns; ++run) {
      reads.push_back(ms([&] { read_all(static_cast<float*>(scores), score_bytes() / 4); }));
      times.push_back(ms(select));
    }
    CHECK_OK(secateur_free(device, workspace));
    std::sort(reads.begin(), reads.end());
    std::sort(times.begin(), times.end());
    const auto all = static_cast<double>(score_bytes() + (pruned_before ? n / 8 : 0));
    const double more = all / static_cast<double>(score_bytes());
    const double best = times.front(), median = times[kRuns / 2];
    printf(
        "  %-14s %-6s %3.0f %% %-8s %8.3f %8.3f ms %6.1f GB/s  %5.1f %% %5.1f %% of read  path %d "
        "%.3fx bytes, scratch %.1f %%\n",
        name, key == SECATEUR_KEY_ABS ? "abs" : "signed", sparsity * 100,
        pruned_before ? "previous" : "", best, median, all / best / 1e6,
        100 * more * reads.front() / best, 100 * more * reads[kRuns / 2] / median, result.path,
        static_cast<double>(result.bytes_read) / all,
        100.0 * static_cast<double>(bytes) / static_cast<double>(score_bytes()));
    fflush(stdout);
  }

  // N:M on rows of 4096.
  void time_nm(int32_t n_of, int32_t m, int32_t axis, bool pruned_before) const {
    std::vector<double> times;
    int64_t nan;
    for (int run = 0; run < 5; ++run) {
      times.push_back(ms([&] {
        CHECK_OK(secateur_select_nm(device, nullptr, dtype, SECATEUR_KEY_ABS, n_of, m, axis, 1,
                                    n / 4096, 4096, scores,
                                    pruned_before ? static_cast<uint32_t*>(previous) : nullptr,
                                    static_cast<uint32_t*>(mask), &nan));
      }));
    }
    std::sort(times.begin(), times.end());
    printf("  %2d:%-2d axis %d %-8s %8.3f ms %6.1f GB/s %6.3f ns an element\n", n_of, m, axis,
           pruned_before ? "previous" : "", times[0],
           static_cast<double>(score_bytes()) / times[0] / 1e6,
           times[0] * 1e6 / static_cast<double>(n));
    fflush(stdout);
  }

  // The same by the standard library, on floats and one thread.
  void time_peer(double sparsity) const {
    std::vector<float> copy(static_cast<size_t>(n));
    const auto* x = static_cast<const float*>(scores);
    auto* words = static_cast<uint32_t*>(mask);
    double best = 1e30;
    for (int run = 0; run < 2; ++run) {
      best = std::min(best, ms([&] {
                        for (int64_t i = 0; i < n; ++i)
                          copy[static_cast<size_t>(i)] = std::fabs(x[i]);
                        const auto rank =
                            copy.begin() + std::llrint(sparsity * static_cast<double>(n)) - 1;
                        std::nth_element(copy.begin(), rank, copy.end());
                        for (int64_t i = 0; i < n; i += 32) {
                          uint32_t word = 0;
                          for (int l = 0; l < 32; ++l) {
                            word |= static_cast<uint32_t>(std::fabs(x[i + l]) > *rank) << l;
                          }
                          words[i / 32] = word;
                        }
                      }));
    }
    printf("  normal         std::nth_element, ties aside %3.0f %% %8.1f ms\n", sparsity * 100,
           best);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int64_t n = int64_t{1} << (argc > 1 ? atoi(argv[1]) : 26);
  CHECK(n >= 256);
  std::vector<int> thread_counts;
  for (int i = 2; i < argc; ++i) thread_counts.push_back(atoi(argv[i]));
  if (thread_counts.empty()) thread_counts = {1, 2};

  CHECK_OK(secateur_device_open(SECATEUR_CPU, 0, &device));
  const auto words = static_cast<size_t>(n) / 8;
  void *normals, *scores, *mask, *previous;
  CHECK_OK(secateur_alloc(device, static_cast<size_t>(n) * 4, &normals));
  CHECK_OK(secateur_alloc(device, static_cast<size_t>(n) * 4, &scores));
  CHECK_OK(secateur_alloc(device, words, &mask));
  CHECK_OK(secateur_alloc(device, words, &previous));
  CHECK_OK(secateur_zero(device, nullptr, mask, words));
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) static_cast<float*>(normals)[i] = normal(i);
    for (int64_t i = begin; i < end; i += 32) {  // 3 of 4 kept
      const uint64_t random = hash(static_cast<uint64_t>(i) + 0x123456789u);
      static_cast<uint32_t*>(previous)[i / 32] = static_cast<uint32_t>(random | random >> 32);
    }
  });
  Bench bench = {n, static_cast<float*>(normals), scores, mask, previous};
  printf("%lld elements, %s\n", static_cast<long long>(n), secateur_cpu_isa());
  for (const secateur_dtype dtype : {SECATEUR_F32, SECATEUR_F16, SECATEUR_BF16}) {
    bench.dtype = dtype;
    bool first = true;
    for (const Data& data : kData) {
      CHECK_OK(secateur_set_threads(0));
      bench.fill(data);
      for (const int threads : thread_counts) {
        CHECK_OK(secateur_set_threads(threads));
        const char* const name = dtype == SECATEUR_F32   ? "f32"
                                 : dtype == SECATEUR_F16 ? "f16"
                                                         : "bf16";
        if (first) {
          double read = 1e30;
          for (int run = 0; run < kRuns; ++run) {
            read = std::min(
                read, ms([&] { read_all(static_cast<float*>(scores), bench.score_bytes() / 4); }));
          }
          printf("%s, %d thread(s): read %.3f ms, %.1f GB/s\n", name, threads, read,
                 static_cast<double>(bench.score_bytes()) / read / 1e6);
        } else {
          printf("%s, %d thread(s)\n", name, threads);
        }
        if (!first) {
          for (double sparsity : {0.5, 0.9}) {
            bench.time(data.name, SECATEUR_KEY_ABS, sparsity, false);
          }
          continue;
        }
        for (secateur_key key : {SECATEUR_KEY_ABS, SECATEUR_KEY_SIGNED}) {
          for (bool pruned_before : {false, true}) {
            for (double sparsity : {0.5, 0.8, 0.9, 0.95}) {
              bench.time(data.name, key, sparsity, pruned_before);
            }
          }
        }
        if (threads == 1 && dtype == SECATEUR_F32) {
          bench.time_peer(0.9);
          CHECK_OK(secateur_select_force(2));
          bench.time("the fallback", SECATEUR_KEY_ABS, 0.9, false);
          CHECK_OK(secateur_select_force(0));
        }
        const int32_t patterns[][2] = {{2, 4}, {4, 8}, {1, 4}, {8, 16}, {16, 32}, {3, 5}};
        for (const auto& [n_of, m] : patterns) {
          if (n < 8192) break;
          for (const int32_t axis : {1, 0}) bench.time_nm(n_of, m, axis, false);
        }
        bench.time_nm(2, 4, 1, true);
      }
      first = false;
    }
  }
  for (void* pointer : {normals, scores, mask, previous}) {
    CHECK_OK(secateur_free(device, pointer));
  }
  CHECK_OK(secateur_device_close(device));
  return 0;
}
