// What the tests of operations share: buffers with guard bytes, random data, and a run under every
// instruction set and several numbers of threads, which must all give the same bits.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "secateur.h"

namespace test {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

inline secateur_device* cpu() {
  static secateur_device* const device = [] {
    secateur_device* opened = nullptr;
    CHECK_OK(secateur_device_open(SECATEUR_CPU, 0, &opened));
    return opened;
  }();
  return device;
}

// The first address from `pointer` on that is a multiple of `alignment`.
inline void* aligned(void* pointer, uintptr_t alignment) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
  return reinterpret_cast<void*>((address + alignment - 1) / alignment * alignment);
}

// Elements between guard bytes, at an address that is a multiple of 4 only.
template <class T>
class Guarded {
 public:
  explicit Guarded(int64_t n, T fill = T()) : bytes_(2 * kGuard + n * sizeof(T), kMark), n_(n) {
    for (int64_t i = 0; i < n; ++i) data()[i] = fill;
  }
  explicit Guarded(const std::vector<T>& values) : Guarded(static_cast<int64_t>(values.size())) {
    for (int64_t i = 0; i < n_; ++i) data()[i] = values[static_cast<size_t>(i)];
  }

  T* data() { return reinterpret_cast<T*>(bytes_.data() + kGuard); }
  T& operator[](int64_t i) { return data()[i]; }

  // The elements, after the guards were found whole.
  std::vector<T> take() {
    for (size_t i = 0; i < kGuard; ++i) {
      CHECK(bytes_[i] == kMark);
      CHECK(bytes_[bytes_.size() - 1 - i] == kMark);
    }
    return std::vector<T>(data(), data() + n_);
  }

 private:
  static constexpr size_t kGuard = 68;
  static constexpr unsigned char kMark = 0xa5;
  std::vector<unsigned char> bytes_;
  int64_t n_;
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  float normal() { return std::normal_distribution<float>()(engine_); }
  int64_t below(int64_t n) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n)); }

  std::vector<float> normals(int64_t n, float scale = 1) {
    std::vector<float> values(static_cast<size_t>(n));
    for (float& value : values) value = scale * normal();
    return values;
  }

  std::vector<uint32_t> mask(int64_t n, double keep) {
    std::vector<uint32_t> words(static_cast<size_t>(SECATEUR_MASK_WORDS(n)));
    for (int64_t i = 0; i < n; ++i) {
      if (static_cast<double>(engine_()) < keep * 0x1p64) {
        words[static_cast<size_t>(i / 32)] |= 1u << (i % 32);
      }
    }
    return words;
  }

 private:
  std::mt19937_64 engine_;
};

inline bool kept(const std::vector<uint32_t>& mask, int64_t i) {
  return (mask[static_cast<size_t>(i / 32)] >> (i % 32) & 1u) != 0;
}

inline uint32_t bits(float x) {
  uint32_t word;
  memcpy(&word, &x, sizeof word);
  return word;
}

// The same bits, or both NaN.
inline bool same(float a, float b) { return bits(a) == bits(b) || (a != a && b != b); }

// Distance of `got` from `want` in units in the last place of a float of want's size; 0 for equal
// infinities and two NaN, infinite when only one is finite.
inline double ulps(float got, double want) {
  if (want != want || got != got) return want != want && got != got ? 0 : kInf;
  const auto rounded = static_cast<float>(want);
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : kInf;
  int exponent;
  std::frexp(want, &exponent);
  return std::fabs(got - want) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

// Calls run() under each instruction set and 1, 2, 3 threads; all results must have the same bits.
template <class Run>
std::vector<float> everywhere(Run&& run) {
  std::vector<float> first;
  bool started = false;
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    for (int32_t threads : {1, 2, 3}) {
      CHECK_OK(secateur_set_threads(threads));
      const std::vector<float> result = run();
      if (!started) {
        first = result;
        started = true;
      }
      CHECK(result.size() == first.size());
      for (size_t i = 0; i < result.size(); ++i) {
        CHECK_NOTE(same(result[i], first[i]), "%s, %d threads, element %zu: %a, not %a", isa,
                   threads, i, result[i], first[i]);
      }
    }
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
  CHECK_OK(secateur_set_threads(0));
  CHECK(started);
  return first;
}

}  // namespace test
