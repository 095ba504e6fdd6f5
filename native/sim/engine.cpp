#include "engine.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>

#include "check.h"
#include "engine_block.h"
#include "engine_run.h"

namespace sim {

namespace {

// Less work than this is done before another OS thread has woken up.
constexpr uint64_t kParallelThreads = 8192;

// Runs blocks of one launch at a time: the caller and this many others.
class Pool {
 public:
  explicit Pool(unsigned others) {
    for (unsigned i = 0; i < others; ++i) std::thread([this] { loop(); }).detach();
    others_ = others;
  }

  unsigned others() const { return others_; }

  // Calls work() here and on every other thread.
  void run(const std::function<void()>& work) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      busy_ = others_;
      ++round_;
    }
    wake_.notify_all();
    work();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void loop() {
    uint64_t round = 0;
    for (;;) {
      const std::function<void()>* work;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return round_ != round; });
        round = round_;
        work = work_;
      }
      (*work)();
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  unsigned others_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void()>* work_ = nullptr;
  unsigned busy_ = 0;
  uint64_t round_ = 0;
};

// Never destroyed: its threads live until the process ends.
Pool& pool() {
  static Pool* const pool = [] {
    const char* const wanted = getenv("SECATEUR_SIM_THREADS");
    const int threads = wanted != nullptr && atoi(wanted) > 0
                            ? atoi(wanted)
                            : static_cast<int>(std::thread::hardware_concurrency());
    return new Pool(static_cast<unsigned>(std::max(threads, 1) - 1));
  }();
  return *pool;
}

Worker& own_worker() {
  thread_local const std::unique_ptr<Worker> own(new Worker);
  return *own;
}

// Block numbers in the order of a seed: n -> (step n + offset) mod blocks, step coprime to blocks.
struct BlockOrder {
  uint64_t blocks, step = 1, offset = 0;

  BlockOrder(uint64_t of, uint64_t seed) : blocks(of) {
    if (seed == 0 || blocks < 2) return;
    uint64_t z = seed * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 29) * 0xbf58476d1ce4e5b9u;
    z ^= z >> 32;
    offset = z % blocks;
    step = (z >> 17) % blocks;
    while (step == 0 || std::gcd(step, blocks) != 1) ++step;
  }
  uint64_t operator()(uint64_t n) const {
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<uint64_t>((static_cast<Wide>(n) * step + offset) % blocks);
  }
};

std::string text(const Dim3& size) {
  return "(" + std::to_string(size.x) + ", " + std::to_string(size.y) + ", " +
         std::to_string(size.z) + ")";
}

bool exceeds(const Dim3& size, const Dim3& most) {
  return size.x > most.x || size.y > most.y || size.z > most.z;
}

// "" or which limit the geometry breaks.
std::string broken_limit(const Launch& launch, const Limits& limits) {
  const Dim3 grid = launch.grid, block = launch.block;
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (uint64_t{grid.x} * grid.y * grid.z == 0 || threads == 0) {
    return "nothing to run: grid " + text(grid) + ", block " + text(block);
  }
  if (exceeds(grid, limits.max_grid)) {
    return "grid too big: " + text(grid) + ", at most " + text(limits.max_grid);
  }
  const uint64_t most = std::min(limits.threads_per_block, kMaxThreads);
  if (exceeds(block, limits.max_block) || threads > most) {
    return "block too big: " + text(block) + ", at most " + text(limits.max_block) + " and " +
           std::to_string(most) + " threads";
  }
  if (threads > static_cast<uint64_t>(launch.kernel->max_threads)) {
    return "block too big: " + std::to_string(threads) + " threads, its SECATEUR_KERNEL allows " +
           std::to_string(launch.kernel->max_threads);
  }
  const std::vector<uint32_t>& sizes = launch.kernel->sizes;
  if (launch.params.size() != sizes.size()) {
    return std::to_string(launch.params.size()) + " parameters given, " +
           std::to_string(sizes.size()) + " wanted";
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (launch.params[i].size() != sizes[i]) {
      return "parameter " + std::to_string(i) + " has " + std::to_string(launch.params[i].size()) +
             " bytes, not " + std::to_string(sizes[i]);
    }
  }
  return "";
}

}  // namespace

Fault run(const Launch& launch, const Limits& limits, uint64_t seed, Traffic* traffic,
          AccessLog* log) {
  const std::string broken = broken_limit(launch, limits);
  if (!broken.empty()) return {std::string("kernel ") + launch.kernel->name + ": " + broken};

  // The pool and the checks' tables serve one launch at a time, whatever threads launch.
  static std::mutex& one_at_a_time = *new std::mutex;
  const std::lock_guard<std::mutex> lock(one_at_a_time);

  Run run;
  run.launch = &launch;
  run.limits = &limits;
  run.seed = seed;
  run.begin = std::chrono::steady_clock::now();
  run.blocks = uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  // Parameters at their alignment: the vectors' storage has that of any type.
  for (const std::vector<unsigned char>& param : launch.params) {
    run.params.push_back(const_cast<unsigned char*>(param.data()));
  }
  const uint64_t threads = uint64_t{launch.block.x} * launch.block.y * launch.block.z;
  run.parallel = seed == 0 && !checked() && run.blocks > 1 &&
                 run.blocks * threads >= kParallelThreads && pool().others() > 0;

  check::launch_begins(run.blocks, log);
  const BlockOrder order(run.blocks, seed);
  const uint64_t workers = run.parallel ? pool().others() + 1 : 1;
  const uint64_t chunk = std::max<uint64_t>(1, std::min<uint64_t>(16, run.blocks / (8 * workers)));
  const std::function<void()> work = [&] {
    Worker& own = own_worker();
    while (!run.stop.load(std::memory_order_relaxed)) {
      const uint64_t begin = run.next_block.fetch_add(chunk, std::memory_order_relaxed);
      if (begin >= run.blocks) return;
      const uint64_t end = std::min(begin + chunk, run.blocks);
      for (uint64_t n = begin; n < end; ++n) {
        if (!own.run_block(run, order(n))) return;
      }
    }
  };
  if (run.parallel) {
    pool().run(work);
  } else {
    work();
  }
  const Traffic moved = check::launch_ended();
  if (traffic != nullptr) *traffic = moved;
  return {run.fault};
}

bool checked() { return SECATEUR_SIM_CHECKED; }

}  // namespace sim
