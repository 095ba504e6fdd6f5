// Runs kernels on the CPU: the part of the simulator that knows threads, warps, blocks and their
// memory, and nothing of the driver API. driver/ calls it for each kernel of its queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sim {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};

// A kernel as SECATEUR_REGISTER made it known.
struct KernelInfo {
  const char* name;
  int max_threads;                      // of SECATEUR_KERNEL
  std::vector<uint32_t> sizes;          // bytes of each parameter
  void (*invoke)(void* const* params);  // calls it on the running simulated thread
};
const KernelInfo* find_kernel(const char* name);
std::vector<const KernelInfo*> kernels();

// Limits of the simulated GPU, by compute capability.
struct Limits {
  int major = 7, minor = 5;
  uint32_t threads_per_block = 1024;
  Dim3 max_block{1024, 1024, 64};
  Dim3 max_grid{0x7fffffff, 65535, 65535};
  size_t shared_per_block = 48 << 10;
  int multiprocessors = 4;
};

struct Launch {
  const KernelInfo* kernel;
  Dim3 grid, block;
  std::vector<std::vector<unsigned char>> params;  // one by one, as copied at the launch
};

struct Traffic {
  uint64_t read = 0, written = 0;  // bytes of device memory; 0 in the unchecked build
};

// What a kernel did wrong; empty when all was well.
struct Fault {
  std::string sentence;  // what, kernel, block, thread, address
  bool found() const { return !sentence.empty(); }
};

// Hears which device memory a kernel touches, in the checked build: every access, in any order and
// as often as it happens, one thread at a time. The driver finds with it work of two streams that
// touches the same bytes and that no event orders.
class AccessLog {
 public:
  virtual ~AccessLog() = default;
  virtual void touch(const void* address, size_t bytes, bool write) = 0;
};

// Runs all blocks of a launch to their end. seed 0: blocks in parallel on several OS threads; else
// one at a time, blocks and warps in an order that follows from the seed. The checked build runs
// one at a time always, for seed 0 in their natural order. Device memory must be open.
Fault run(const Launch& launch, const Limits& limits, uint64_t seed, Traffic* traffic,
          AccessLog* log = nullptr);

// True when kernels were compiled with checks of every access.
bool checked();

}  // namespace sim
