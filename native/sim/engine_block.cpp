#include "engine_block.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "check.h"
#include "engine_run.h"

namespace sim {

__thread ThreadView* self = nullptr;
__thread Worker* worker = nullptr;

namespace {

// Atomics and polls of a thread until others get a turn, and of a block, without any other
// progress, until it is said to spin for nothing: less than a second of them. Parallel blocks may
// wait for one that has no processor at the time.
constexpr int32_t kTurn = 64;
constexpr uint64_t kSpinLimit = uint64_t{1} << 27;
constexpr std::chrono::seconds kParallelPatience{20};

// Takes the running fiber back to its beginning when its block has failed.
struct BlockEnds {};

}  // namespace

std::string text(const uint3& index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
         std::to_string(index.z) + ")";
}

std::string hex(uint64_t number) {
  char digits[20];
  snprintf(digits, sizeof digits, "0x%llx", static_cast<unsigned long long>(number));
  return digits;
}

std::string text(const Site& site) {
  const char* const slash = site.file == nullptr ? nullptr : strrchr(site.file, '/');
  return std::string(slash == nullptr ? site.file : slash + 1) + ":" + std::to_string(site.line);
}

const char* text(Meeting meeting) {
  switch (meeting) {
    case Meeting::kBarrier:
      return "__syncthreads";
    case Meeting::kBarrierOr:
      return "__syncthreads_or";
    case Meeting::kBarrierAnd:
      return "__syncthreads_and";
    case Meeting::kBarrierCount:
      return "__syncthreads_count";
    case Meeting::kSyncWarp:
      return "__syncwarp";
    case Meeting::kShfl:
      return "__shfl_sync";
    case Meeting::kShflUp:
      return "__shfl_up_sync";
    case Meeting::kShflDown:
      return "__shfl_down_sync";
    case Meeting::kShflXor:
      return "__shfl_xor_sync";
    case Meeting::kBallot:
      return "__ballot_sync";
    case Meeting::kAny:
      return "__any_sync";
    case Meeting::kAll:
      return "__all_sync";
    case Meeting::kMatchAny:
      return "__match_any_sync";
    case Meeting::kActiveMask:
      return "__activemask";
    case Meeting::kNone:
      break;
  }
  return "nothing";
}

Worker::Worker() : stacks_(fiber_main) {
  thread = new Thread[kMaxThreads];
  warp = new Warp[kMaxThreads / kWarpSize];
  void* const window =
      mmap(nullptr, kSharedWindow, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (window == MAP_FAILED) {
    perror("simulated CUDA device: no memory for shared memory");
    abort();
  }
  shared_window = static_cast<char*>(window);
  shared = shared_window + kSharedWindow / 2;
  mprotect(shared, kSharedBytes, PROT_READ | PROT_WRITE);
}

Worker::~Worker() {
  munmap(shared_window, kSharedWindow);
  delete[] warp;
  delete[] thread;
}

// splitmix64
uint32_t Worker::random(uint32_t below) {
  uint64_t z = random_state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return static_cast<uint32_t>(((z ^ z >> 31) >> 32) * below >> 32);
}

void Worker::start(uint64_t number) {
  const Dim3 grid = run->launch->grid, size = run->launch->block;
  block_number = number;
  block.grid = {grid.x, grid.y, grid.z};
  block.block = {size.x, size.y, size.z};
  block.index = {static_cast<unsigned>(number % grid.x),
                 static_cast<unsigned>(number / grid.x % grid.y),
                 static_cast<unsigned>(number / grid.x / grid.y)};
  threads = size.x * size.y * size.z;
  started_ = exited_ = waiting_ = ready_head_ = ready_count_ = 0;
  shared_bytes = 0;
  failed_ = false;
  spent_ = 0;
  barrier_time = clock++;
  for (uint32_t w = 0; w * kWarpSize < threads; ++w) {
    const uint32_t lanes = threads - w * kWarpSize;
    warp[w].live = warp[w].lanes = lanes >= kWarpSize ? 0xffffffffu : (1u << lanes) - 1;
    warp[w].groups = 0;
    warp[w].all_known = 0;
  }
  for (uint32_t id = 0; id < threads; ++id) thread[id].state = State::kUnstarted;
  check::block_begins(*this);
  if (run->seed != 0) {
    random_state_ = run->seed * 0xd1342543de82ef95u + number;
    order_.resize(threads);
    for (uint32_t i = 0; i < threads; ++i) {
      const uint32_t j = random(i + 1);
      order_[i] = order_[j];
      order_[j] = i;
    }
  }
}

bool Worker::run_block(Run& of, uint64_t number) {
  run = &of;
  start(number);
  worker = this;
  running_ = &home_;
  go(*stacks_.take());
  self = nullptr;
  current = nullptr;
  if (failed_) stacks_.reset();
  return !failed_;
}

Thread* Worker::next_unstarted() {
  if (started_ == threads) return nullptr;
  const uint32_t id = run->seed == 0 ? started_ : order_[started_];
  ++started_;
  Thread& next = thread[id];
  const Dim3 size = run->launch->block;
  next.id = id;
  if (size.y == 1 && size.z == 1) {
    next.index = {id, 0, 0};
  } else {
    next.index = {id % size.x, id / size.x % size.y, id / size.x / size.y};
  }
  next.spin = kTurn;
  accesses = 0;
  next.block = &block;
  next.state = State::kRunning;
  return &next;
}

Thread* Worker::next_ready() {
  if (ready_count_ == 0) return nullptr;
  if (run->seed != 0) {  // any of them
    Thread*& chosen = ready_[(ready_head_ + random(ready_count_)) % kMaxThreads];
    std::swap(chosen, ready_[ready_head_]);
  }
  Thread* const next = ready_[ready_head_];
  ready_head_ = (ready_head_ + 1) % kMaxThreads;
  --ready_count_;
  return next;
}

void Worker::make_ready(Thread& which) {
  which.state = State::kReady;
  ready_[(ready_head_ + ready_count_++) % kMaxThreads] = &which;
}

// Before all others: lanes that have met go on together, while their stacks are in the cache.
void Worker::make_ready_first(Thread& which) {
  which.state = State::kReady;
  ready_head_ = (ready_head_ + kMaxThreads - 1) % kMaxThreads;
  ready_[ready_head_] = &which;
  ++ready_count_;
}

// The life of a fiber: threads that have not started, one after another. When others are ready
// instead it goes idle until it is taken again; the last one goes home.
void Worker::fiber_main() {
  Fiber::entered();
  for (;;) {
    Worker& w = *worker;
    try {
      Thread* const next = w.next_unstarted();
      if (next != nullptr) {
        w.current = next;
        self = next;
        w.run->launch->kernel->invoke(w.run->params.data());
        w.exited(*w.current);
      }
      if (w.exited_ == w.threads) {
        w.stacks_.give(w.running_);
        w.go(w.home_);
      } else if (!w.prefers_fresh()) {
        w.stacks_.give(w.running_);
        w.go(w.choose());
      }
    } catch (const BlockEnds&) {
      w.failed_ = true;  // the other fibers are left as they are; this one is clean
      w.go(w.home_);
    }
  }
}

void Worker::go(Fiber& to) {
  if (&to == running_) return;
  Fiber& from = *running_;
  running_ = &to;
  Fiber::switch_to(from, to);
}

// Threads that wait no more go first: their stacks are in the cache. A seeded run takes any.
bool Worker::prefers_fresh() {
  if (started_ == threads) return false;
  return ready_count_ == 0 || (run->seed != 0 && random(ready_count_ + 1) == 0);
}

Fiber& Worker::choose() {
  if (prefers_fresh()) return *stacks_.take();
  if (ready_count_ == 0 && !settle_active_masks()) stuck();
  return *next_ready()->fiber;
}

// The current thread waits, or is ready and gives way to others, to those not started first: what
// it spins for may be theirs to do.
void Worker::suspend(bool gives_way) {
  Thread& me = *current;
  me.fiber = running_;
  go(gives_way && started_ < threads ? *stacks_.take() : choose());
  me.state = State::kRunning;
  current = &me;
  self = &me;
  accesses = 0;
}

// After a meeting the last to come goes on, or, in a seeded run, anybody.
void Worker::after_meeting() {
  if (run->seed == 0) return;
  make_ready(*current);
  suspend(false);
}

void Worker::exited(Thread& which) {
  which.state = State::kExited;
  ++exited_;
  spent_ = 0;
  warp[which.warp()].live &= ~(1u << which.lane());
  if (waiting_ > 0) {
    fault(which, "divergent barrier: the thread returned while others of its block wait at " +
                     std::string(text(barrier_meeting_)) + " (" + text(barrier_site_) + ")");
  }
}

int Worker::barrier(Meeting meeting, int value, Site site) {
  Thread& me = *current;
  if (exited_ > 0) {
    fault("divergent barrier: " + std::to_string(exited_) +
          " threads of the block returned before " + text(meeting) + " (" + text(site) + ")");
  }
  if (waiting_ == 0) {
    barrier_meeting_ = meeting;
    barrier_site_ = site;
    barrier_count_ = 0;
  } else if (meeting != barrier_meeting_ || !(site == barrier_site_)) {
    fault("divergent barrier: the thread is at " + std::string(text(meeting)) + " (" + text(site) +
          "), others of its block wait at " + text(barrier_meeting_) + " (" + text(barrier_site_) +
          ")");
  }
  barrier_count_ += value != 0;
  if (++waiting_ < threads) {
    me.meeting = meeting;
    me.state = State::kWaiting;
    suspend(false);
    return static_cast<int>(me.value);
  }

  int result = 0;
  if (meeting == Meeting::kBarrierOr) result = barrier_count_ > 0;
  if (meeting == Meeting::kBarrierAnd) result = barrier_count_ == threads;
  if (meeting == Meeting::kBarrierCount) result = static_cast<int>(barrier_count_);
  waiting_ = 0;
  barrier_time = clock++;
  for (uint32_t id = 0; id < threads; ++id) {
    if (id == me.id) continue;
    thread[id].value = static_cast<uint64_t>(result);
    make_ready(thread[id]);
  }
  after_meeting();
  return result;
}

void Worker::spun() {
  Thread& me = *current;
  spent_ += kTurn;
  me.spin = run->seed == 0 ? kTurn : static_cast<int32_t>(random(kTurn));
  if (run->stop.load(std::memory_order_relaxed)) {
    throw BlockEnds();
  }
  if (spent_ > kSpinLimit &&
      (!run->parallel || std::chrono::steady_clock::now() - run->begin > kParallelPatience)) {
    fault("endless spin: the thread polls or repeats atomics without an end" +
          std::string(run->parallel ? "" : "; what it waits for may be a block that runs later"));
  }
  if (ready_count_ > 0 || started_ < threads) {
    make_ready(me);
    suspend(true);
  } else if (run->parallel) {
    sched_yield();
  }
}

void* Worker::shared_memory(uint64_t bytes, uint64_t alignment) {
  const size_t most = std::min(run->limits->shared_per_block, kSharedBytes);
  if (bytes > most) {
    fault("too much shared memory: " + std::to_string(bytes) + " bytes declared, " +
          std::to_string(most) + " there");
  }
  if (alignment > 512) fault("shared memory declared with an alignment of more than 512 bytes");
  if (shared_bytes == 0) {
    shared_bytes = bytes;
    memset(shared, 0xa5, bytes);  // of the block before it nothing is left
    check::shared_declared(*this);
  } else if (shared_bytes != bytes) {
    fault("two declarations of shared memory in one kernel");
  }
  return shared;
}

// Nobody can run. Whoever waits for a lane that has exited is to blame, else whoever waits for one
// that waits elsewhere.
void Worker::stuck() {
  for (const bool exits : {true, false}) {
    for (uint32_t w = 0; w * kWarpSize < threads; ++w) {
      for (uint32_t g = 0; g < warp[w].groups; ++g) {
        const Group& group = warp[w].group[g];
        const uint32_t missing = group.mask & ~group.arrived;
        const uint32_t absent = exits ? missing & ~warp[w].live : missing & warp[w].live;
        if (absent == 0) continue;
        const auto lane = static_cast<uint32_t>(__builtin_ctz(absent));
        const uint32_t other = w * kWarpSize + lane;
        const Thread& caller = thread[w * kWarpSize + __builtin_ctz(group.arrived)];
        std::string what = std::string(text(group.meeting)) + " (" + text(group.site) +
                           "): its mask " + hex(group.mask) + " names lane " + std::to_string(lane);
        if (other >= threads) {
          what += ", which the block does not have";
        } else if (exits) {
          what += ", which has exited";
        } else {
          what += ", which waits at " + std::string(text(thread[other].meeting));
          if (thread[other].mask != group.mask) what += " with mask " + hex(thread[other].mask);
        }
        fault(caller, what);
      }
    }
  }
  fault(thread[0], "the block is stuck");  // not reached: somebody waits for somebody
}

void Worker::fault(const Thread& which, const std::string& what) {
  {
    const std::lock_guard<std::mutex> lock(run->mutex);
    if (run->fault.empty()) {
      run->fault = std::string("kernel ") + run->launch->kernel->name + ", block " +
                   text(block.index) + ", thread " + text(which.index) + ": " + what;
    }
    run->stop = true;
  }
  throw BlockEnds();
}

// ---- what kernels call

int barrier(Meeting meeting, int value, int line, const char* file) {
  return worker->barrier(meeting, value, {file, line});
}

uint64_t collective(Meeting meeting, uint32_t mask, uint64_t value, uint32_t argument,
                    uint32_t width, int line, const char* file) {
  return worker->collective(meeting, mask, value, argument, width, {file, line});
}

void spun() { worker->spun(); }
void* shared_memory(uint64_t bytes, uint64_t alignment) {
  return worker->shared_memory(bytes, alignment);
}
void trap(const char* what) { worker->fault(what); }

}  // namespace sim
