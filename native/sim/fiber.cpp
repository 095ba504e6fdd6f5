#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace sim {

namespace {

constexpr size_t kStackBytes = 128 << 10;
constexpr size_t kStacksPerChunk = 32;
// Stack tops at one offset of their pages would share a few sets of the first-level cache.
constexpr size_t kColours = 32, kColourBytes = 128;

#if defined(__SANITIZE_ADDRESS__)
__thread Fiber* previous;
#endif

}  // namespace

#if defined(__x86_64__)

extern "C" void secateur_sim_switch(void** save, void* load);

// Callee-saved registers go to the stack, the stack pointer to *save, and the other way round.
asm(R"(
    .text
    .p2align 4
    .hidden secateur_sim_switch
    .globl secateur_sim_switch
    .type secateur_sim_switch, @function
secateur_sim_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size secateur_sim_switch, . - secateur_sim_switch
)");

#endif

void Fiber::reset(char* low, size_t bytes, void (*entry)()) {
  low_ = low;
  bytes_ = bytes;
  fake_ = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(low, bytes);
#endif
#if defined(__x86_64__)
  // What a switch pops: six registers, then the entry as return address, at a multiple of 16.
  uintptr_t top = (reinterpret_cast<uintptr_t>(low) + bytes - 64) & ~uintptr_t{15};
  auto** const frame = reinterpret_cast<void**>(top);
  frame[0] = reinterpret_cast<void*>(entry);
  frame[1] = nullptr;
  for (int i = 1; i <= 6; ++i) frame[-i] = nullptr;
  stack_pointer_ = frame - 6;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = low;
  context_.uc_stack.ss_size = bytes;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
#endif
}

void Fiber::switch_to(Fiber& from, Fiber& to) {
#if defined(__SANITIZE_ADDRESS__)
  previous = &from;
  __sanitizer_start_switch_fiber(&from.fake_, to.low_, to.bytes_);
#endif
#if defined(__x86_64__)
  secateur_sim_switch(&from.stack_pointer_, to.stack_pointer_);
#else
  swapcontext(&from.context_, &to.context_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake_, nullptr, nullptr);
#endif
}

void Fiber::entered() {
#if defined(__SANITIZE_ADDRESS__)
  const void* low;
  size_t bytes;
  __sanitizer_finish_switch_fiber(nullptr, &low, &bytes);
  if (previous->low_ == nullptr) {  // the OS thread's own stack, known from now on
    previous->low_ = static_cast<char*>(const_cast<void*>(low));
    previous->bytes_ = bytes;
  }
#endif
}

Stacks::~Stacks() {
  for (Fiber* fiber : all_) delete fiber;
  for (char* chunk : chunks_) munmap(chunk, kStacksPerChunk * kStackBytes);
}

void Stacks::prepare(size_t index) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  char* const low = chunks_[index / kStacksPerChunk] + index % kStacksPerChunk * kStackBytes;
  const size_t colour = index % kColours * kColourBytes;
  all_[index]->reset(low + page, kStackBytes - page - colour, entry_);
}

Fiber* Stacks::take() {
  if (idle_.empty()) {
    const size_t index = all_.size();
    if (index % kStacksPerChunk == 0) {
      void* const chunk = mmap(nullptr, kStacksPerChunk * kStackBytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
      if (chunk == MAP_FAILED) {
        perror("simulated CUDA device: no memory for the stacks of threads");
        abort();
      }
      chunks_.push_back(static_cast<char*>(chunk));
      const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
      for (size_t i = 0; i < kStacksPerChunk; ++i) {
        mprotect(static_cast<char*>(chunk) + i * kStackBytes, page, PROT_NONE);
      }
    }
    all_.push_back(new Fiber);
    prepare(index);
    return all_.back();
  }
  Fiber* const fiber = idle_.back();
  idle_.pop_back();
  return fiber;
}

void Stacks::reset() {
  idle_.clear();
  for (size_t i = all_.size(); i-- > 0;) {
    prepare(i);
    idle_.push_back(all_[i]);
  }
}

}  // namespace sim
