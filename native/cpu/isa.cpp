#include "isa.h"

#include <atomic>
#include <cstring>

#include "abi/error.h"
#include "secateur.h"

namespace secateur {
namespace {

constexpr const char* kNames[] = {"plain", "avx2", "avx512"};

Isa detect() noexcept {
#if SECATEUR_X86
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("popcnt");
  if (!avx2) return Isa::kPlain;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx512 ? Isa::kAvx512 : Isa::kAvx2;
#else
  return Isa::kPlain;
#endif
}

Isa detected() noexcept {
  static const Isa value = detect();
  return value;
}

// The restricted set as int, or -1 for what was detected.
std::atomic<int> restricted{-1};

void set_isa(const char* name) {
  if (name == nullptr || std::strcmp(name, "auto") == 0) {
    restricted.store(-1, std::memory_order_relaxed);
    return;
  }
  for (int i = 0; i < 3; ++i) {
    if (std::strcmp(name, kNames[i]) != 0) continue;
    if (i > static_cast<int>(detected())) {
      fail(SECATEUR_UNAVAILABLE, "This processor has no %s; the best it has is %s.", name,
           kNames[static_cast<int>(detected())]);
    }
    restricted.store(i, std::memory_order_relaxed);
    return;
  }
  fail(SECATEUR_INVALID_ARGUMENT, "Unknown instruction set '%s'; use avx512, avx2, plain or auto.",
       name);
}

}  // namespace

Isa isa() noexcept {
  const int value = restricted.load(std::memory_order_relaxed);
  return value < 0 ? detected() : static_cast<Isa>(value);
}

}  // namespace secateur

const char* secateur_cpu_isa(void) { return secateur::kNames[static_cast<int>(secateur::isa())]; }

secateur_status secateur_cpu_set_isa(const char* isa) {
  return secateur::guard([&] { secateur::set_isa(isa); });
}
