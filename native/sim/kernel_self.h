// What kernels compiled for the host ask the engine: who am I, meet the others, spend time.
#pragma once

#include <cstdint>
#include <utility>

#include "kernel_types.h"

// Functions that kernels inline, except in the checked build: there they must not be checked
// themselves, so they stay apart from code that is.
#if SECATEUR_SIM_CHECKED
#define SECATEUR_SIM_INLINE inline __attribute__((noinline, no_sanitize("thread")))
#else
#define SECATEUR_SIM_INLINE inline __attribute__((always_inline))
#endif
// Where in the source a barrier or collective stands: threads meet only at the same one.
#define SECATEUR_SIM_HERE int line = __builtin_LINE(), const char *file = __builtin_FILE()

namespace sim {

struct BlockView {
  uint3 index{};
  dim3 block, grid;
};

// The part of a simulated thread that kernels see.
struct ThreadView {
  uint3 index{};
  int32_t spin = 0;  // what atomics and polls may cost until others get a turn
  const BlockView* block = nullptr;
};

// Of this OS thread; nullptr when none runs.
extern __thread ThreadView* self __attribute__((tls_model("initial-exec")));

// The first two read memory, yet for one simulated thread they are constants.
SECATEUR_SIM_INLINE __attribute__((const)) uint3 thread_index() { return self->index; }
SECATEUR_SIM_INLINE __attribute__((const)) uint3 block_index() { return self->block->index; }
SECATEUR_SIM_INLINE __attribute__((const)) dim3 block_size() { return self->block->block; }
SECATEUR_SIM_INLINE __attribute__((const)) dim3 grid_size() { return self->block->grid; }

// The block's shared memory.
void* shared_memory(uint64_t bytes, uint64_t alignment);

enum class Meeting : uint8_t {
  kNone,
  kBarrier,
  kBarrierOr,
  kBarrierAnd,
  kBarrierCount,
  kSyncWarp,
  kShfl,
  kShflUp,
  kShflDown,
  kShflXor,
  kBallot,
  kAny,
  kAll,
  kMatchAny,
  kActiveMask,
};
// Waits for all threads of the block; value is a predicate.
int barrier(Meeting meeting, int value, int line, const char* file);
// Waits for the lanes of the mask. A shuffle takes the lane, distance or lane mask and the width.
uint64_t collective(Meeting meeting, uint32_t mask, uint64_t value, uint32_t argument,
                    uint32_t width, int line, const char* file);
// What a shuffle from a lane that takes no part gives, in each half.
constexpr uint32_t kPoison = 0x7fc0deadu;

// The running thread has spent its spin: others get a turn; a thread that only spins faults.
void spun();
SECATEUR_SIM_INLINE void spend(int32_t cost) {
  if ((self->spin -= cost) < 0) spun();
}
[[noreturn]] void trap(const char* what);

// Checked build: an atomic operation or a word for other blocks, about to be touched.
enum class Access : uint8_t { kLoad, kStore, kUpdate };
void atomic_access(const void* address, unsigned bytes, Access how);
// The thread has drawn a ticket of last_block(): what its block did until now is known to the last.
void ticket_drawn(const void* ticket, bool last);

SECATEUR_SIM_INLINE void publish(unsigned long long* word, unsigned long long value) {
#if SECATEUR_SIM_CHECKED
  atomic_access(word, 8, Access::kStore);
#endif
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

SECATEUR_SIM_INLINE unsigned long long poll(const unsigned long long* word) {
  spend(8);
#if SECATEUR_SIM_CHECKED
  atomic_access(word, 8, Access::kLoad);
#endif
  return __atomic_load_n(word, __ATOMIC_RELAXED);
}

// ---- registration: SECATEUR_KERNEL says the most threads a block, SECATEUR_REGISTER then names
// the kernel; several of a file are matched in order.
struct MaxThreads {
  explicit MaxThreads(int threads);
};
struct Registration {
  Registration(const char* name, const uint32_t* sizes, size_t count, void (*invoke)(void* const*));
};

template <class Function, Function* function>
struct Invoker;

template <class... Params, void (*function)(Params...)>
struct Invoker<void(Params...), function> {
  static constexpr size_t kCount = sizeof...(Params);
  static constexpr uint32_t kSizes[kCount + 1] = {static_cast<uint32_t>(sizeof(Params))..., 0};

#if SECATEUR_SIM_CHECKED
  __attribute__((no_sanitize("thread")))
#endif
  static void
  invoke(void* const* params) {
    call(params, std::make_index_sequence<sizeof...(Params)>());
  }

 private:
  template <size_t... kIndex>
#if SECATEUR_SIM_CHECKED
  __attribute__((no_sanitize("thread")))
#endif
  static void
  call([[maybe_unused]] void* const* params, std::index_sequence<kIndex...>) {
    function(*static_cast<Params*>(params[kIndex])...);
  }
};

}  // namespace sim
