// A region opens a gate, workers that come in time go through it and draw chunks from a counter,
// and the caller, out of chunks, shuts the gate and waits for those inside. A worker still asleep
// is never waited for, so a small region costs no more than its chunks.
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "abi/error.h"
#include "isa.h"
#include "secateur.h"

namespace secateur {
namespace {

// How long an idle worker spins before it sleeps: longer than the pause between the operations of a
// training step, far shorter than what a waiting user would notice on the bill.
constexpr std::chrono::microseconds kSpin{100};

constexpr int kMaxThreads = 1024;

int processors() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  const unsigned all = std::thread::hardware_concurrency();
  return all == 0 ? 1 : static_cast<int>(all);
}

void relax() noexcept {
#if SECATEUR_X86
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Workers leave signals to the host program's own threads, faults of their own excepted.
void block_signals() noexcept {
  sigset_t set;
  sigfillset(&set);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&set, fault);
  pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

class Pool {
 public:
  // Never destroyed: at exit, threads of the host program may still be in a region.
  static Pool& instance() {
    static Pool* const pool = new Pool;
    return *pool;
  }

  int threads() const noexcept { return threads_.load(std::memory_order_relaxed); }

  void set_threads(int count) {
    SECATEUR_REQUIRE(count >= 0 && count <= kMaxThreads,
                     "%d threads asked for; give 1 to %d, or 0 for all processors.", count,
                     kMaxThreads);
    if (busy_.exchange(true, std::memory_order_acquire)) {
      fail(SECATEUR_INVALID_ARGUMENT,
           "The number of threads cannot change while an operation runs.");
    }
    stop_workers();
    threads_.store(count == 0 ? processors() : count, std::memory_order_relaxed);
    busy_.store(false, std::memory_order_release);
  }

  void run(int64_t count, void (*body)(void*, int64_t), void* context) {
    if (count <= 1 || threads() == 1 || busy_.exchange(true, std::memory_order_acquire)) {
      for (int64_t chunk = 0; chunk < count; ++chunk) body(context, chunk);
      return;
    }
    start_workers();
    leave_processor();
    body_ = body;
    context_ = context;
    count_ = count;
    next_.store(0, std::memory_order_relaxed);
    open_gate(count - 1);
    draw_chunks();
    shut_gate();
    const std::exception_ptr failure = std::exchange(failure_, nullptr);
    busy_.store(false, std::memory_order_release);
    if (failure) std::rethrow_exception(failure);
  }

 private:
  // The gate: region number in the high half, then whether it is open, then workers inside.
  static constexpr uint64_t kRegion = uint64_t{1} << 32;
  static constexpr uint64_t kOpen = uint64_t{1} << 31;
  static constexpr uint64_t kInside = kOpen - 1;

  Pool() : threads_(processors()) {}

  void start_workers() {
    const int wanted = threads() - 1;
    if (static_cast<int>(workers_.size()) == wanted) return;
    stopping_ = false;
    spinning_ = threads() <= processors();
    workers_.reserve(wanted);
    try {
      while (static_cast<int>(workers_.size()) < wanted) {
        const int number = static_cast<int>(workers_.size()) + 1;
        const uint64_t seen = gate_.load(std::memory_order_relaxed) / kRegion;
        workers_.emplace_back([this, number, seen] { work(number, seen); });
      }
    } catch (const std::system_error&) {
      // The system gives no more threads: go on with those we have; results do not depend on it.
      threads_.store(static_cast<int>(workers_.size()) + 1, std::memory_order_relaxed);
    }
  }

  // Keeps workers off the processor that the caller runs on. Else the scheduler may wake one there,
  // where it waits for the caller to finish the whole region alone, time after time. Costs a look
  // at the processor's number, and a call of the system when that has changed.
  void leave_processor() noexcept {
    if (!spinning_ || workers_.empty()) return;
    const int here = sched_getcpu();
    if (here < 0 || here == left_) return;
    left_ = here;
    cpu_set_t others;
    if (sched_getaffinity(0, sizeof others, &others) != 0 || CPU_COUNT(&others) < 2) return;
    CPU_CLR(here, &others);
    for (std::thread& worker : workers_) {
      pthread_setaffinity_np(worker.native_handle(), sizeof others, &others);
    }
  }

  void stop_workers() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    left_ = -1;
  }

  void open_gate(int64_t helpers) {
    // Sequentially consistent, as is the count of sleepers in sleep(): either the worker sees the
    // gate open or we see the sleeper.
    gate_.fetch_add(kRegion | kOpen);
    const int64_t sleepers = sleepers_.load();
    if (sleepers == 0) return;
    { std::lock_guard<std::mutex> lock(mutex_); }
    if (helpers >= sleepers) {
      wake_.notify_all();
    } else {
      for (int64_t i = 0; i < helpers; ++i) wake_.notify_one();
    }
  }

  void shut_gate() noexcept {
    gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (int spins = 0; (gate_.load(std::memory_order_acquire) & kInside) != 0; ++spins) {
      if (spins < 4096) {
        relax();
      } else {
        std::this_thread::yield();
      }
    }
  }

  void draw_chunks() noexcept {
    try {
      for (;;) {
        const int64_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= count_) return;
        body_(context_, chunk);
      }
    } catch (...) {
      next_.store(count_, std::memory_order_relaxed);
      std::lock_guard<std::mutex> lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  bool is_new(uint64_t gate, uint64_t seen) const noexcept {
    return (gate & kOpen) != 0 && gate / kRegion != seen;
  }

  // Goes through the gate if it is open for a region not yet seen.
  bool enter(uint64_t* seen) noexcept {
    uint64_t gate = gate_.load(std::memory_order_relaxed);
    while (is_new(gate, *seen)) {
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire)) {
        *seen = gate / kRegion;
        return true;
      }
    }
    return false;
  }

  // Waits for a region; false when the pool stops.
  bool wait(uint64_t* seen) {
    if (spinning_) {
      const auto end = std::chrono::steady_clock::now() + kSpin;
      do {
        for (int i = 0; i < 64; ++i) {
          if (enter(seen)) return true;
          relax();
        }
      } while (std::chrono::steady_clock::now() < end);
    }
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      sleepers_.fetch_add(1);
      const bool ready = stopping_ || is_new(gate_.load(), *seen);
      if (!ready) wake_.wait(lock);
      sleepers_.fetch_sub(1);
      if (stopping_) return false;
      if (enter(seen)) return true;
    }
  }

  void work(int number, uint64_t seen) {
    block_signals();
    char name[16];
    std::snprintf(name, sizeof name, "secateur-%d", number);
    pthread_setname_np(pthread_self(), name);
    while (wait(&seen)) {
      draw_chunks();
      gate_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::atomic<int> threads_;
  std::atomic<bool> busy_{false};  // held by the thread whose region has the pool

  // The region: written by its caller while no worker is inside.
  void (*body_)(void*, int64_t) = nullptr;
  void* context_ = nullptr;
  int64_t count_ = 0;
  std::exception_ptr failure_;
  std::mutex failure_mutex_;

  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint64_t> gate_{0};
  alignas(64) std::atomic<int64_t> sleepers_{0};

  std::mutex mutex_;  // guards stopping_ and the wake-up
  std::condition_variable wake_;
  bool stopping_ = false;
  bool spinning_ = true;  // set before the workers start
  std::vector<std::thread> workers_;
  int left_ = -1;  // the processor that workers keep off
};

}  // namespace

int threads() noexcept { return Pool::instance().threads(); }

void set_threads(int count) { Pool::instance().set_threads(count); }

namespace detail {

void run_chunks(int64_t count, void (*body)(void*, int64_t), void* context) {
  Pool::instance().run(count, body, context);
}

}  // namespace detail
}  // namespace secateur

secateur_status secateur_set_threads(int32_t threads) {
  return secateur::guard([&] { secateur::set_threads(threads); });
}

int32_t secateur_threads(void) { return secateur::threads(); }
