// One block of threads at work on one OS thread.
//
// A worker runs its blocks one after another. Each simulated thread runs on a fiber, but a fiber
// whose thread has ended goes on with the next thread of the block, so a kernel that never waits
// needs one. A thread that must wait for others registers what for (a barrier: engine_block.cpp; a
// warp collective: engine_warp.cpp) and calls suspend(), which runs other threads until it is ready
// again. When nobody can run and not all have ended, the block is stuck and somebody is to blame.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine.h"
#include "fiber.h"
#include "kernel_self.h"

namespace sim {

constexpr uint32_t kWarpSize = 32;
constexpr uint32_t kMaxThreads = 1024;
constexpr size_t kSharedBytes = 48 << 10;

enum class State : uint8_t { kUnstarted, kReady, kRunning, kWaiting, kExited };

struct Site {
  const char* file = nullptr;
  int line = 0;
  bool operator==(const Site& other) const { return line == other.line && file == other.file; }
};

struct Thread : ThreadView {
  uint32_t id = 0;  // within the block, x fastest
  State state = State::kUnstarted;
  Meeting meeting = Meeting::kNone;  // what it waits for
  uint32_t mask = 0;
  Site site;
  uint64_t value = 0;  // brought to the meeting, then what the meeting gave it
  uint32_t argument = 0, width = 0;
  Fiber* fiber = nullptr;

  uint32_t lane() const { return id % kWarpSize; }
  uint32_t warp() const { return id / kWarpSize; }
};

// Lanes that have come to one collective.
struct Group {
  Meeting meeting;
  uint32_t mask, arrived;
  Site site;
};

struct Warp {
  uint32_t lanes = 0;  // that it has
  uint32_t live = 0;   // that have not exited
  uint32_t groups = 0;
  Group group[kWarpSize];

  // For the race checks. Times are those of Block::clock; what lane m did until known[l][m] is
  // ordered before what lane l does now, and what any lane did until all_known before all.
  uint32_t all_known = 0;
  uint32_t known[kWarpSize][kWarpSize] = {};
};

// What all workers of one launch share.
struct Run;

class Worker {
 public:
  Worker();
  ~Worker();

  // Runs one block to its end; false when it was ended by a fault.
  bool run_block(Run& run, uint64_t block);

  // ---- called on a simulated thread of the running block
  int barrier(Meeting meeting, int value, Site site);
  uint64_t collective(Meeting meeting, uint32_t mask, uint64_t value, uint32_t argument,
                      uint32_t width, Site site);
  void spun();
  void* shared_memory(uint64_t bytes, uint64_t alignment);
  // Ends the block; "<what>: kernel ..., block ..., thread ..." becomes the launch's fault.
  [[noreturn]] void fault(const std::string& what) { fault(*current, what); }
  [[noreturn]] void fault(const Thread& thread, const std::string& what);

  const Fiber& stack() const { return *running_; }

  Thread* current = nullptr;
  Run* run = nullptr;
  BlockView block;
  uint64_t block_number = 0;
  uint32_t threads = 0;
  Thread* thread = nullptr;  // [kMaxThreads]
  Warp* warp = nullptr;      // [kMaxThreads / kWarpSize]

  // Shared memory: the last bytes before and all bytes around it are never accessible.
  char* shared_window = nullptr;
  char* shared = nullptr;
  uint64_t shared_bytes = 0;  // as the kernel declared, 0 until then
  static constexpr size_t kSharedWindow = 16 << 20;

  // For the race checks: the count of barriers and collectives so far, and its value at the last
  // barrier of the block.
  uint32_t clock = 0, barrier_time = 0;
  uint64_t accesses = 0;  // of device memory since the thread began or waited

 private:
  static void fiber_main();
  void start(uint64_t number);
  Thread* next_unstarted();
  Thread* next_ready();
  void make_ready(Thread& which);
  void make_ready_first(Thread& which);
  void go(Fiber& to);
  bool prefers_fresh();
  Fiber& choose();
  void suspend(bool gives_way);
  void after_meeting();
  void exited(Thread& which);
  bool settle_active_masks();
  void complete(uint32_t of_warp, Group group);
  void order_lanes(Warp& in, uint32_t mask);
  [[noreturn]] void stuck();
  uint32_t random(uint32_t below);

  Fiber home_;  // the OS thread's own stack
  Fiber* running_ = &home_;
  Stacks stacks_;
  bool failed_ = false;
  std::vector<uint32_t> order_;
  uint32_t started_ = 0, exited_ = 0, waiting_ = 0;
  Thread* ready_[kMaxThreads];
  uint32_t ready_head_ = 0, ready_count_ = 0;
  uint64_t random_state_ = 0;
  uint64_t spent_ = 0;  // on spinning, since a thread ended

  Meeting barrier_meeting_ = Meeting::kNone;  // of the threads that wait at one
  Site barrier_site_;
  uint32_t barrier_count_ = 0;  // of those, predicates that hold
};

// Of this OS thread.
extern __thread Worker* worker __attribute__((tls_model("initial-exec")));

std::string hex(uint64_t number);
// "(3, 0, 0)"
std::string text(const uint3& index);
// "select.cu:120"
std::string text(const Site& site);
const char* text(Meeting meeting);

}  // namespace sim
