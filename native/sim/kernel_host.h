// kernels/common/kernel.h for the C++ compiler: the part of CUDA C++ that kernel files use, on the
// simulator's engine. A kernel file includes nothing else of native/sim.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <utility>

#ifndef SECATEUR_SIM_CHECKED
#define SECATEUR_SIM_CHECKED 0
#endif

#include "kernel_self.h"
#include "kernel_types.h"

#define SECATEUR_SIM_JOIN2(a, b) a##b
#define SECATEUR_SIM_JOIN(a, b) SECATEUR_SIM_JOIN2(a, b)

#define SECATEUR_KERNEL(threads)                                                                 \
  static const ::sim::MaxThreads SECATEUR_SIM_JOIN(secateur_sim_threads_, __COUNTER__)(threads); \
  extern "C" __attribute__((visibility("hidden"))) void
#define SECATEUR_REGISTER(name)                                \
  static const ::sim::Registration secateur_sim_kernel_##name( \
      #name, ::sim::Invoker<decltype(name), name>::kSizes,     \
      ::sim::Invoker<decltype(name), name>::kCount, ::sim::Invoker<decltype(name), name>::invoke)
#define SECATEUR_SHARED(Type, name) \
  Type& name = *static_cast<Type*>(::sim::shared_memory(sizeof(Type), alignof(Type)))

#define __device__
#define __host__
#define __global__
#define __constant__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(bytes) alignas(bytes)

#define threadIdx (::sim::thread_index())
#define blockIdx (::sim::block_index())
#define blockDim (::sim::block_size())
#define gridDim (::sim::grid_size())
constexpr int warpSize = 32;

// ---- barriers and fences

inline void __syncthreads(SECATEUR_SIM_HERE) {
  ::sim::barrier(::sim::Meeting::kBarrier, 0, line, file);
}
inline int __syncthreads_or(int predicate, SECATEUR_SIM_HERE) {
  return ::sim::barrier(::sim::Meeting::kBarrierOr, predicate, line, file);
}
inline int __syncthreads_and(int predicate, SECATEUR_SIM_HERE) {
  return ::sim::barrier(::sim::Meeting::kBarrierAnd, predicate, line, file);
}
inline int __syncthreads_count(int predicate, SECATEUR_SIM_HERE) {
  return ::sim::barrier(::sim::Meeting::kBarrierCount, predicate, line, file);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, SECATEUR_SIM_HERE) {
  ::sim::collective(::sim::Meeting::kSyncWarp, mask, 0, 0, 0, line, file);
}

SECATEUR_SIM_INLINE void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
SECATEUR_SIM_INLINE void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __nanosleep(unsigned) { ::sim::spun(); }
[[noreturn]] inline void __trap() { ::sim::trap("__trap()"); }

// ---- warp collectives

inline unsigned __ballot_sync(unsigned mask, int predicate, SECATEUR_SIM_HERE) {
  return static_cast<unsigned>(
      ::sim::collective(::sim::Meeting::kBallot, mask, predicate != 0, 0, 0, line, file));
}
inline int __any_sync(unsigned mask, int predicate, SECATEUR_SIM_HERE) {
  return static_cast<int>(
      ::sim::collective(::sim::Meeting::kAny, mask, predicate != 0, 0, 0, line, file));
}
inline int __all_sync(unsigned mask, int predicate, SECATEUR_SIM_HERE) {
  return static_cast<int>(
      ::sim::collective(::sim::Meeting::kAll, mask, predicate != 0, 0, 0, line, file));
}
inline unsigned __activemask(SECATEUR_SIM_HERE) {
  return static_cast<unsigned>(
      ::sim::collective(::sim::Meeting::kActiveMask, 0, 0, 0, 0, line, file));
}

namespace sim {

template <class To, class From>
inline __attribute__((always_inline)) To bits_as(From from) {
  To to{};
  __builtin_memcpy(&to, &from, sizeof(To) < sizeof(From) ? sizeof(To) : sizeof(From));
  return to;
}

template <class T>
inline T shuffle(Meeting meeting, unsigned mask, T value, unsigned argument, int width, int line,
                 const char* file) {
  return bits_as<T>(collective(meeting, mask, bits_as<uint64_t>(value), argument,
                               static_cast<uint32_t>(width), line, file));
}

}  // namespace sim

#define SECATEUR_SIM_SHUFFLES(T)                                                                   \
  inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32, SECATEUR_SIM_HERE) {      \
    return ::sim::shuffle(::sim::Meeting::kShfl, mask, value, static_cast<unsigned>(lane), width,  \
                          line, file);                                                             \
  }                                                                                                \
  inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,                  \
                          SECATEUR_SIM_HERE) {                                                     \
    return ::sim::shuffle(::sim::Meeting::kShflUp, mask, value, delta, width, line, file);         \
  }                                                                                                \
  inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,                \
                            SECATEUR_SIM_HERE) {                                                   \
    return ::sim::shuffle(::sim::Meeting::kShflDown, mask, value, delta, width, line, file);       \
  }                                                                                                \
  inline T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, SECATEUR_SIM_HERE) { \
    return ::sim::shuffle(::sim::Meeting::kShflXor, mask, value, static_cast<unsigned>(lanes),     \
                          width, line, file);                                                      \
  }
#define SECATEUR_SIM_MATCH(T)                                                                 \
  inline unsigned __match_any_sync(unsigned mask, T value, SECATEUR_SIM_HERE) {               \
    return static_cast<unsigned>(::sim::collective(                                           \
        ::sim::Meeting::kMatchAny, mask, ::sim::bits_as<uint64_t>(value), 0, 0, line, file)); \
  }
#define SECATEUR_SIM_NUMBERS(MACRO) \
  MACRO(int)                        \
  MACRO(unsigned)                   \
  MACRO(long)                       \
  MACRO(unsigned long) MACRO(long long) MACRO(unsigned long long) MACRO(float) MACRO(double)
SECATEUR_SIM_NUMBERS(SECATEUR_SIM_SHUFFLES)
SECATEUR_SIM_NUMBERS(SECATEUR_SIM_MATCH)

// ---- atomics: the old value, as CUDA's; on the types that CUDA has and the engine allows

namespace sim {

template <class T>
SECATEUR_SIM_INLINE void begin_atomic([[maybe_unused]] T* address) {
  spend(1);
#if SECATEUR_SIM_CHECKED
  atomic_access(address, sizeof(T), Access::kUpdate);
#endif
}

// Replaces the value by what is next(old).
template <class T, class Next>
SECATEUR_SIM_INLINE T atomic_replace(T* address, const Next& next) {
  begin_atomic(address);
  T old = __atomic_load_n(address, __ATOMIC_RELAXED);
  for (;;) {
    const T wanted = next(old);
    if (wanted == old || __atomic_compare_exchange_n(address, &old, wanted, true, __ATOMIC_RELAXED,
                                                     __ATOMIC_RELAXED)) {
      return old;
    }
  }
}

}  // namespace sim

#define SECATEUR_SIM_FETCH(name, T, operation)          \
  SECATEUR_SIM_INLINE T name(T* address, T value) {     \
    ::sim::begin_atomic(address);                       \
    return operation(address, value, __ATOMIC_RELAXED); \
  }
#define SECATEUR_SIM_LESS(name, T, compare)                                                   \
  SECATEUR_SIM_INLINE T name(T* address, T value) {                                           \
    return ::sim::atomic_replace(address,                                                     \
                                 [value](T old) { return value compare old ? value : old; }); \
  }
#define SECATEUR_SIM_ATOMICS(T)                                                    \
  SECATEUR_SIM_FETCH(atomicAdd, T, __atomic_fetch_add)                             \
  SECATEUR_SIM_FETCH(atomicOr, T, __atomic_fetch_or)                               \
  SECATEUR_SIM_FETCH(atomicAnd, T, __atomic_fetch_and)                             \
  SECATEUR_SIM_FETCH(atomicXor, T, __atomic_fetch_xor)                             \
  SECATEUR_SIM_FETCH(atomicExch, T, __atomic_exchange_n)                           \
  SECATEUR_SIM_LESS(atomicMin, T, <)                                               \
  SECATEUR_SIM_LESS(atomicMax, T, >)                                               \
  SECATEUR_SIM_INLINE T atomicCAS(T* address, T compare, T value) {                \
    ::sim::begin_atomic(address);                                                  \
    __atomic_compare_exchange_n(address, &compare, value, false, __ATOMIC_RELAXED, \
                                __ATOMIC_RELAXED);                                 \
    return compare;                                                                \
  }
SECATEUR_SIM_ATOMICS(int)
SECATEUR_SIM_ATOMICS(unsigned)
SECATEUR_SIM_ATOMICS(unsigned long long)
SECATEUR_SIM_LESS(atomicMin, long long, <)
SECATEUR_SIM_LESS(atomicMax, long long, >)
SECATEUR_SIM_FETCH(atomicSub, int, __atomic_fetch_sub)
SECATEUR_SIM_FETCH(atomicSub, unsigned, __atomic_fetch_sub)

SECATEUR_SIM_INLINE unsigned atomicInc(unsigned* address, unsigned limit) {
  return ::sim::atomic_replace(address,
                               [limit](unsigned old) { return old >= limit ? 0u : old + 1u; });
}

// ---- integers and bits

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __clzll(long long x) {
  return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x));
}
inline unsigned __brev(unsigned x) {
  x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
  x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
  x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
  return __builtin_bswap32(x);
}
inline unsigned long long __brevll(unsigned long long x) {
  return static_cast<unsigned long long>(__brev(static_cast<unsigned>(x))) << 32 |
         __brev(static_cast<unsigned>(x >> 32));
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ typedef unsigned __int128 Wide;
  return static_cast<unsigned long long>(static_cast<Wide>(a) * b >> 64);
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((static_cast<uint64_t>(high) << 32 | low) << (shift & 31) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((static_cast<uint64_t>(high) << 32 | low) >> (shift & 31));
}

inline unsigned __float_as_uint(float x) { return ::sim::bits_as<unsigned>(x); }
inline int __float_as_int(float x) { return ::sim::bits_as<int>(x); }
inline float __uint_as_float(unsigned x) { return ::sim::bits_as<float>(x); }
inline float __int_as_float(int x) { return ::sim::bits_as<float>(x); }
inline long long __double_as_longlong(double x) { return ::sim::bits_as<long long>(x); }
inline double __longlong_as_double(long long x) { return ::sim::bits_as<double>(x); }

#define SECATEUR_SIM_MIN_MAX(T)                    \
  inline T min(T a, T b) { return b < a ? b : a; } \
  inline T max(T a, T b) { return a < b ? b : a; }
SECATEUR_SIM_MIN_MAX(int)
SECATEUR_SIM_MIN_MAX(unsigned)
SECATEUR_SIM_MIN_MAX(long)
SECATEUR_SIM_MIN_MAX(unsigned long)
SECATEUR_SIM_MIN_MAX(long long)
SECATEUR_SIM_MIN_MAX(unsigned long long)
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

// ---- loads and stores with cache hints

#define SECATEUR_SIM_LOAD(name)     \
  template <class T>                \
  inline T name(const T* address) { \
    return *address;                \
  }
#define SECATEUR_SIM_STORE(name)          \
  template <class T>                      \
  inline void name(T* address, T value) { \
    *address = value;                     \
  }
SECATEUR_SIM_LOAD(__ldg)
SECATEUR_SIM_LOAD(__ldcg)
SECATEUR_SIM_LOAD(__ldca)
SECATEUR_SIM_LOAD(__ldcs)
SECATEUR_SIM_LOAD(__ldlu)
SECATEUR_SIM_STORE(__stcg)
SECATEUR_SIM_STORE(__stcs)
SECATEUR_SIM_STORE(__stwb)
SECATEUR_SIM_STORE(__stwt)
