// Kernels by name, as the static objects of their files made them known.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "engine.h"
#include "kernel_self.h"

namespace sim {

namespace {

// Of the file whose static objects are just being constructed: kernels without a name yet.
std::deque<int>& nameless() {
  static std::deque<int> threads;
  return threads;
}

// Never destroyed: queues may outlive static objects.
std::vector<const KernelInfo*>& registry() {
  static std::vector<const KernelInfo*>& kernels = *new std::vector<const KernelInfo*>;
  return kernels;
}

[[noreturn]] void fail(const char* name, const char* why) {
  fprintf(stderr, "simulated CUDA device: kernel %s %s\n", name, why);
  abort();
}

}  // namespace

MaxThreads::MaxThreads(int threads) { nameless().push_back(threads); }

Registration::Registration(const char* name, const uint32_t* sizes, size_t count,
                           void (*invoke)(void* const*)) {
  if (nameless().empty()) fail(name, "has a SECATEUR_REGISTER without a SECATEUR_KERNEL");
  if (find_kernel(name) != nullptr) fail(name, "is registered twice");
  registry().push_back(new KernelInfo{name, nameless().front(), {sizes, sizes + count}, invoke});
  nameless().pop_front();
}

const KernelInfo* find_kernel(const char* name) {
  for (const KernelInfo* kernel : registry()) {
    if (strcmp(kernel->name, name) == 0) return kernel;
  }
  return nullptr;
}

std::vector<const KernelInfo*> kernels() { return registry(); }

}  // namespace sim
