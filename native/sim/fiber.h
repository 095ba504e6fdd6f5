// Stacks that a simulated thread runs on, and the switch from one to another: a dozen instructions
// on x86-64, swapcontext elsewhere. The address sanitizer is told of each switch.
#pragma once

#include <cstddef>
#include <vector>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace sim {

class Fiber {
 public:
  Fiber() = default;  // the stack that the OS thread brought along
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Stack [low, low + bytes); the next switch to this fiber calls entry, which never returns.
  void reset(char* low, size_t bytes, void (*entry)());

  // Suspends the running fiber, which is `from`, until somebody switches back to it.
  static void switch_to(Fiber& from, Fiber& to);
  // First statement of an entry.
  static void entered();

  const char* low() const { return low_; }
  size_t bytes() const { return bytes_; }

 private:
  char* low_ = nullptr;
  size_t bytes_ = 0;
  void* fake_ = nullptr;  // of the address sanitizer
#if defined(__x86_64__)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_{};
#endif
};

// Stacks of equal size, each with a guard page below, taken from the system as they are needed.
class Stacks {
 public:
  explicit Stacks(void (*entry)()) : entry_(entry) {}
  ~Stacks();

  Fiber* take();
  void give(Fiber* fiber) { idle_.push_back(fiber); }
  void reset();  // all idle again, whatever they were doing

 private:
  void prepare(size_t index);

  void (*entry_)();
  std::vector<char*> chunks_;
  std::vector<Fiber*> all_, idle_;
};

}  // namespace sim
