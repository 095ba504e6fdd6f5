// The engine's own test: each kernel of engine_kernels.cu that is right gives the same right result
// under 20 seeds and in parallel, and each that is wrong is caught with a sentence that says so.
//
// Built twice: against the plain engine, which finds what needs no look at single accesses, and
// against the checked one (SECATEUR_SIM_CHECKED), which must find all.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "../../test/check.h"
#include "sim/engine.h"
#include "sim/memory.h"

namespace {

constexpr bool kChecked = SECATEUR_SIM_CHECKED;

// An array in device memory, written by the host unless it stays uninitialised.
template <class T>
class Array {
 public:
  explicit Array(size_t n) : n_(n), data_(static_cast<T*>(sim::memory::allocate(n * sizeof(T)))) {
    CHECK(data_ != nullptr);
  }
  Array(size_t n, T value) : Array(n) {
    for (size_t i = 0; i < n; ++i) data_[i] = value;
    sim::memory::mark_written(data_, n * sizeof(T));
  }
  explicit Array(const std::vector<T>& values) : Array(values.size()) {
    memcpy(data_, values.data(), values.size() * sizeof(T));
    sim::memory::mark_written(data_, values.size() * sizeof(T));
  }
  ~Array() { sim::memory::release(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T* get() const { return data_; }
  std::vector<T> values() const { return std::vector<T>(data_, data_ + n_); }

 private:
  size_t n_;
  T* data_;
};

struct alignas(16) float4_bytes {
  float values[4] = {};
};

sim::Traffic traffic;
sim::AccessLog* access_log;

template <class... Params>
std::string launch(const char* name, sim::Dim3 grid, sim::Dim3 block, uint64_t seed,
                   Params... params) {
  sim::Launch launch;
  launch.kernel = sim::find_kernel(name);
  CHECK_NOTE(launch.kernel != nullptr, "%s", name);
  launch.grid = grid;
  launch.block = block;
  [[maybe_unused]] const auto add = [&launch](const void* data, size_t bytes) {
    const auto* const first = static_cast<const unsigned char*>(data);
    launch.params.emplace_back(first, first + bytes);
  };
  (add(&params, sizeof params), ...);
  return sim::run(launch, sim::Limits(), seed, &traffic, access_log).sentence;
}

void expect_clean(const std::string& fault) { CHECK_NOTE(fault.empty(), "%s", fault.c_str()); }

// The sentence names kernel, block, thread and the given words.
void expect_fault(const std::string& fault, const char* kernel, std::vector<const char*> words) {
  CHECK_NOTE(!fault.empty(), "%s: nothing found", kernel);
  words.push_back(kernel);
  words.push_back("block (");
  words.push_back("thread (");
  for (const char* word : words) {
    CHECK_NOTE(fault.find(word) != std::string::npos, "no \"%s\" in \"%s\"", word, fault.c_str());
  }
  if (getenv("SECATEUR_TEST_SHOW") != nullptr) printf("%s\n", fault.c_str());
}

// Under every seed; 0 is the parallel run of the plain engine.
template <class Test>
void every_seed(const Test& test) {
  for (uint64_t seed = 0; seed <= 20; ++seed) test(seed);
}

// Some seeds: a wrong kernel must be caught however it is scheduled.
template <class Test>
void some_seeds(const Test& test) {
  for (uint64_t seed = 0; seed <= 4; ++seed) test(seed);
}

std::vector<uint32_t> numbers(size_t n) {
  std::vector<uint32_t> x(n);
  for (size_t i = 0; i < n; ++i) x[i] = static_cast<uint32_t>(i * 2654435761u >> 7);
  return x;
}

void test_histograms() {
  constexpr int kN = 5000;
  const std::vector<uint32_t> x = numbers(kN);
  std::vector<uint32_t> expected(32, 0);
  for (uint32_t value : x) ++expected[value % 32];
  const Array<uint32_t> in(x);
  for (const char* kernel : {"test_histogram", "test_histogram_shared"}) {
    every_seed([&](uint64_t seed) {
      const Array<uint32_t> out(32, 0u);
      expect_clean(launch(kernel, {20}, {256}, seed, 0, kN, in.get(), out.get()));
      CHECK(out.values() == expected);
    });
  }
  if (!kChecked) return;
  const Array<uint32_t> out(32, 0u);
  some_seeds([&](uint64_t seed) {
    expect_fault(launch("test_histogram", {1}, {256}, seed, 1, 256, in.get(), out.get()),
                 "test_histogram", {"race", "of 4 bytes", "__syncwarp", "block of 128 bytes"});
    expect_fault(launch("test_histogram", {20}, {32}, seed, 1, 640, in.get(), out.get()),
                 "test_histogram", {"race", "of 4 bytes"});
    expect_fault(launch("test_histogram_shared", {1}, {256}, seed, 1, 256, in.get(), out.get()),
                 "test_histogram_shared", {"race", "shared memory"});
    expect_fault(launch("test_histogram_shared", {1}, {256}, seed, 3, 256, in.get(), out.get()),
                 "test_histogram_shared", {"race", "shared memory", "no barrier"});
    const std::string missing =
        launch("test_histogram_shared", {1}, {256}, seed, 2, 256, in.get(), out.get());
    expect_fault(missing, "test_histogram_shared", {"shared memory"});
    CHECK(missing.find("race") != std::string::npos ||
          missing.find("uninitialised") != std::string::npos);
  });
}

void test_barriers() {
  std::vector<float> x(1024);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const Array<float> in(x);
  std::vector<float> reversed(1024), rotated(64);
  for (size_t i = 0; i < 1024; ++i) reversed[i] = x[i / 256 * 256 + 255 - i % 256];
  for (size_t i = 0; i < 64; ++i) rotated[i] = x[i / 32 * 32 + (i + 2) % 32];
  every_seed([&](uint64_t seed) {
    const Array<float> out(1024), warps(64), half(32);
    expect_clean(launch("test_reverse", {4}, {256}, seed, 0, in.get(), out.get()));
    CHECK(out.values() == reversed);
    expect_clean(launch("test_rotate", {1}, {64}, seed, 0, in.get(), warps.get()));
    CHECK(warps.values() == rotated);
    expect_clean(launch("test_half_warps", {1}, {32}, seed, 0, half.get()));
    for (size_t i = 0; i < 32; ++i) {
      CHECK(half.values()[i] == static_cast<float>(i / 16 * 16 + 15 - i % 16));
    }
    const Array<int> good(1, 0);
    expect_clean(launch("test_barrier", {3}, {256}, seed, 0, good.get()));
    CHECK(good.values()[0] == 1);
  });

  const Array<int> good(1, 0);
  some_seeds([&](uint64_t seed) {
    for (const int way : {1, 2}) {
      expect_fault(launch("test_barrier", {1}, {256}, seed, way, good.get()), "test_barrier",
                   {"divergent barrier", "__syncthreads", "engine_kernels.cu:"});
    }
    expect_fault(launch("test_barrier", {1}, {256}, seed, 3, good.get()), "test_barrier",
                 {"__syncwarp", "names lane", "waits at __syncthreads"});
    if (!kChecked) return;
    const Array<float> out(256);
    for (const int way : {1, 2}) {
      const std::string missing = launch("test_rotate", {1}, {64}, seed, way, in.get(), out.get());
      expect_fault(missing, "test_rotate", {"shared memory"});
      CHECK(missing.find("race") != std::string::npos ||
            (way == 1 && missing.find("uninitialised") != std::string::npos));
    }
    for (const char* kernel : {"test_reverse"}) {
      const std::string missing = launch(kernel, {1}, {256}, seed, 1, in.get(), out.get());
      expect_fault(missing, kernel, {"shared memory"});
      CHECK(missing.find("race") != std::string::npos ||
            missing.find("uninitialised") != std::string::npos);
    }
    for (const int way : {1, 2}) {
      const std::string missing = launch("test_half_warps", {1}, {32}, seed, way, out.get());
      expect_fault(missing, "test_half_warps", {"shared memory"});
      CHECK(way == 2 || missing.find("race") != std::string::npos);
    }
  });
}

void test_warps() {
  every_seed([&](uint64_t seed) {
    const Array<uint32_t> out(288, 0u);
    expect_clean(launch("test_collectives", {1}, {32}, seed, 0, out.get()));
    const std::vector<uint32_t> got = out.values();
    for (uint32_t lane = 0; lane < 32; ++lane) {
      uint32_t threes = 0, peers = 0;
      for (uint32_t l = 0; l < 32; ++l) {
        threes |= l % 3 == 0 ? 1u << l : 0;
        peers |= l / 5 == lane / 5 ? 1u << l : 0;
      }
      CHECK(got[lane] == threes);
      CHECK(got[32 + lane] == 3);
      CHECK(got[64 + lane] == peers);
      CHECK(got[96 + lane] == 70);
      CHECK(got[128 + lane] == (lane < 3 ? lane : lane - 3));
      CHECK(got[160 + lane] == (lane % 8 + 3 > 7 ? lane : lane + 3));
      CHECK(got[192 + lane] == (lane ^ 5));
      CHECK(got[224 + lane] == static_cast<uint32_t>((1ull << (lane ^ 1)) >> 1));
      CHECK(got[256 + lane] == (lane == 31 ? 31 : lane + 1));
    }
    const Array<uint32_t> count(1, 0u), list(512, 0u);
    expect_clean(launch("test_active", {2}, {256}, seed, count.get(), list.get()));
    CHECK(count.values()[0] == 342);
    uint64_t sum = 0, expected = 0;
    for (uint32_t value : list.values()) sum += value;
    for (uint32_t i = 0; i < 256; ++i) expected += i % 3 == 1 ? 0 : 2 * i;
    CHECK(sum == expected);

    // Lanes that take no part give a NaN that nobody can overlook.
    const Array<float> total(1);
    expect_clean(launch("test_inactive", {1}, {32}, seed, 0, 20, total.get()));
    CHECK(total.values()[0] == 20);
    expect_clean(launch("test_inactive", {1}, {32}, seed, 1, 20, total.get()));
    const float poisoned = total.values()[0];
    CHECK(poisoned != poisoned);
  });
  const Array<uint32_t> out(288, 0u);
  some_seeds([&](uint64_t seed) {
    expect_fault(launch("test_collectives", {1}, {32}, seed, 1, out.get()), "test_collectives",
                 {"__ballot_sync", "mask 0xffffffff", "lane 5, which has exited"});
    expect_fault(launch("test_collectives", {1}, {32}, seed, 2, out.get()), "test_collectives",
                 {"names lane", "which waits at"});
    expect_fault(launch("test_collectives", {1}, {32}, seed, 3, out.get()), "test_collectives",
                 {"does not name its own lane 5", "thread (5, 0, 0)"});
    expect_fault(launch("test_collectives", {1}, {32}, seed, 4, out.get()), "test_collectives",
                 {"__any_sync", "names lane", "which waits at __any_sync with mask"});
    expect_fault(launch("test_collectives", {1}, {16}, seed, 0, out.get()), "test_collectives",
                 {"lane 16, which the block does not have"});
  });
}

void test_bounds() {
  const Array<float> in(1000, 2.0f);
  const Array<float> out(1000);
  every_seed([&](uint64_t seed) {
    const Array<float> copy(1000);
    expect_clean(
        launch("test_copy", {4}, {256}, seed, int64_t{0}, int64_t{1000}, in.get(), copy.get()));
    CHECK(copy.values() == std::vector<float>(1000, 2.0f));
    if (kChecked) CHECK(traffic.read == 4000 && traffic.written == 4000);
    const Array<unsigned char> bytes(256);
    const Array<uint16_t> halves(256);
    expect_clean(launch("test_bytes", {1}, {256}, seed, bytes.get(), halves.get()));
    for (size_t i = 0; i < 256; ++i) {
      CHECK(bytes.values()[i] == static_cast<unsigned char>(3 * i) &&
            halves.values()[i] == 255 - i);
    }
  });
  if (!kChecked) return;
  const auto* const stale = [] {
    const Array<float> freed(1000, 1.0f);
    return freed.get();
  }();
  const Array<float4_bytes> vectors(257, float4_bytes{});
  std::vector<float> host(1000, 1.0f);
  some_seeds([&](uint64_t seed) {
    const int64_t all = 1000, mega = 1 << 20;
    const auto copy = [&](int64_t offset, int64_t n, const float* from, float* to) {
      return launch("test_copy", {4}, {256}, seed, offset, n, from, to);
    };
    expect_fault(copy(1, all, in.get(), out.get()), "test_copy",
                 {"out of bounds: read of 4 bytes", "4 bytes beyond the end", "4000 bytes"});
    expect_fault(copy(-1, all, in.get(), out.get()), "test_copy", {"out of bounds: read of 4"});
    expect_fault(copy(mega / 4, all, in.get(), out.get()), "test_copy",
                 {"out of bounds: read of 4 bytes", "beyond the end of a block"});
    expect_fault(launch("test_store", {1}, {256}, seed, int64_t{745}, out.get()), "test_store",
                 {"out of bounds: write of 4 bytes", "thread (255, 0, 0)", "4 bytes beyond"});
    expect_fault(launch("test_store", {1}, {256}, seed, mega, out.get()), "test_store",
                 {"out of bounds: write of 4 bytes"});
    expect_fault(copy(0, all, stale, out.get()), "test_copy",
                 {"use after free: read", "4000 bytes that was freed"});
    const Array<float> raw(1000);
    expect_fault(copy(0, all, raw.get(), out.get()), "test_copy",
                 {"uninitialised: read of 4 bytes", "byte ", "of a block of 4000 bytes"});
    expect_fault(copy(0, all, host.data(), out.get()), "test_copy", {"host memory: read of 4"});
    expect_fault(copy(0, all, in.get(), host.data()), "test_copy", {"host memory: write of 4"});

    const auto* const x = reinterpret_cast<const char*>(vectors.get());
    const Array<float4_bytes> to(256);
    const Array<double> doubles(256);
    expect_clean(launch("test_copy_vectors", {1}, {256}, seed, x + 16, to.get()));
    expect_fault(launch("test_copy_vectors", {1}, {256}, seed, x + 4, to.get()),
                 "test_copy_vectors", {"misaligned vector of 16 bytes"});
    expect_clean(launch("test_load_double", {1}, {256}, seed, x + 8, doubles.get()));
    expect_fault(launch("test_load_double", {1}, {256}, seed, x + 4, doubles.get()),
                 "test_load_double", {"misaligned read of 8 bytes"});

    const Array<float> some(32);
    const auto shared_read = [&](int64_t index) {
      return launch("test_shared_read", {1}, {32}, seed, index, some.get());
    };
    expect_clean(shared_read(31));
    expect_fault(shared_read(32), "test_shared_read", {"uninitialised: read", "of shared memory"});
    expect_fault(shared_read(320), "test_shared_read",
                 {"out of bounds: read of 4 bytes, 4 bytes beyond the 1408 bytes of shared"});
    expect_fault(shared_read(-33), "test_shared_read",
                 {"out of bounds: read of 4 bytes, 4 bytes before the start of shared memory"});
    expect_fault(shared_read(mega / 4), "test_shared_read", {"out of bounds: read of 4 bytes"});
    const auto shared_write = [&](int64_t index) {
      return launch("test_shared_write", {1}, {32}, seed, index);
    };
    expect_clean(shared_write(224));
    expect_fault(shared_write(225), "test_shared_write",
                 {"out of bounds: write of 1 bytes, 1 bytes beyond", "thread (31, 0, 0)"});
    expect_fault(shared_write(mega), "test_shared_write", {"out of bounds: write of 1 bytes"});
  });
}

void test_blocks() {
  constexpr uint32_t kBlocks = 150;
  std::vector<uint32_t> sums(kBlocks);
  const std::vector<uint32_t> x = numbers(kBlocks);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < kBlocks; ++i) sums[i] = sum += x[i] % 1024;
  std::vector<uint32_t> small = x;
  for (uint32_t& value : small) value %= 1024;
  const Array<uint32_t> in(small);
  every_seed([&](uint64_t seed) {
    const Array<uint32_t> ticket(1, 0u), out(kBlocks);
    const Array<unsigned long long> state(kBlocks, 0ull);
    expect_clean(launch("test_look_back", {kBlocks}, {32}, seed, 0, ticket.get(), state.get(),
                        in.get(), out.get()));
    CHECK(out.values() == sums);
    const Array<float> partial(kBlocks), total(1);
    ticket.get()[0] = 0;
    for (int again = 0; again < 2; ++again) {
      expect_clean(launch("test_last_block", {kBlocks}, {64}, seed, 0, ticket.get(), partial.get(),
                          total.get()));
      CHECK(total.values()[0] == kBlocks * (kBlocks - 1) / 2 && ticket.values()[0] == 0);
    }
    const Array<float> apart(kBlocks * 64);
    expect_clean(launch("test_overlap", {kBlocks}, {64}, seed, 0, apart.get()));
    const Array<unsigned long long> flag(1, 0ull);
    expect_clean(launch("test_spin", {1}, {256}, seed, 0, flag.get()));
    struct {
      int64_t factor[2];
      double offset;
    } pair{{1000, 1000}, 5};
    const Array<uint32_t> indices(24 * 10);
    expect_clean(launch("test_indices", {3, 2}, {8, 5}, seed, pair, indices.get()));
    const uint32_t table[4] = {3, 1, 4, 1};
    for (uint32_t i = 0; i < 240; ++i) {
      CHECK(indices.values()[i] == 1000 * (i / 24) + 5 + table[i % 24 & 3]);
    }
    expect_clean(launch("test_trap", {2}, {64}, seed, 0));
  });

  const Array<uint32_t> ticket(1, 0u), out(kBlocks);
  const Array<unsigned long long> state(kBlocks, 0ull), flag(1, 0ull);
  for (const int way : {1, 3}) {
    expect_fault(launch("test_spin", {1}, {256}, 1, way, flag.get()), "test_spin",
                 {"endless spin"});
  }
  expect_fault(
      launch("test_look_back", {4}, {32}, 0, 1, ticket.get(), state.get(), in.get(), out.get()),
      "test_look_back", {"endless spin", "a block that runs later"});
  expect_fault(launch("test_trap", {2}, {64}, 3, 1), "test_trap", {"__trap()", "(33, 0, 0)"});
  if (!kChecked) return;
  expect_fault(launch("test_spin", {1}, {256}, 1, 2, flag.get()), "test_spin", {"endless loop"});
  some_seeds([&](uint64_t seed) {
    const Array<float> partial(kBlocks, 0.0f), total(1), overlap(kBlocks * 64);
    for (const int way : {1, 2}) {
      ticket.get()[0] = 0;
      expect_fault(launch("test_last_block", {kBlocks}, {64}, seed, way, ticket.get(),
                          partial.get(), total.get()),
                   "test_last_block", {"race", "of block (", "last_block()"});
    }
    expect_fault(launch("test_overlap", {kBlocks}, {64}, seed, 1, overlap.get()), "test_overlap",
                 {"race: write of 4 bytes", "a write by thread", "of block ("});
  });
}

void test_limits() {
  const Array<float> y(4096);
  const auto store = [&](sim::Dim3 grid, sim::Dim3 block) {
    return launch("test_store", grid, block, 1, int64_t{0}, y.get());
  };
  const auto expect = [](const std::string& fault, const char* words) {
    CHECK_NOTE(fault.find("kernel test_store: ") == 0 && fault.find(words) != std::string::npos,
               "%s", fault.c_str());
  };
  expect_clean(store({1}, {256}));
  expect(store({1}, {257}), "block too big: 257 threads, its SECATEUR_KERNEL allows 256");
  expect(store({1}, {1025}), "block too big");
  expect(store({1}, {1, 1, 65}), "block too big");
  expect(store({0x80000000u}, {256}), "grid too big");
  expect(store({1, 65536}, {256}), "grid too big");
  expect(store({0}, {256}), "nothing to run");
  expect(launch("test_store", {1}, {32}, 1, int64_t{0}), "1 parameters given, 2 wanted");
  expect(launch("test_store", {1}, {32}, 1, 0, y.get()), "parameter 0 has 4 bytes, not 8");
  expect_fault(launch("test_shared_big", {1}, {32}, 1), "test_shared_big",
               {"too much shared memory: 49156 bytes declared, 49152 there"});
  CHECK(sim::find_kernel("test_nothing") == nullptr);
  CHECK(sim::find_kernel("test_store")->max_threads == 256);
  CHECK(sim::find_kernel("test_trap")->max_threads == 64);
  CHECK(sim::find_kernel("test_store")->sizes == (std::vector<uint32_t>{8, 8}));
  CHECK(sim::checked() == kChecked);
}

// The log hears of each byte, writes apart.
void test_log() {
  struct Log final : sim::AccessLog {
    uint64_t bytes[2] = {};
    const char* low[2] = {};
    void touch(const void* address, size_t size, bool write) override {
      bytes[write] += size;
      const auto* const at = static_cast<const char*>(address);
      if (low[write] == nullptr || at < low[write]) low[write] = at;
    }
  } log;
  const Array<float> in(1000, 2.0f), out(1000);
  access_log = &log;
  expect_clean(launch("test_copy", {4}, {256}, 0, int64_t{0}, int64_t{1000}, in.get(), out.get()));
  access_log = nullptr;
  if (!kChecked) return;
  CHECK(log.bytes[0] == 4000 && log.bytes[1] == 4000);
  CHECK(log.low[0] == reinterpret_cast<const char*>(in.get()));
  CHECK(log.low[1] == reinterpret_cast<const char*>(out.get()));
}

}  // namespace

int main() {
  sim::memory::reserve(size_t{256} << 20);
  sim::memory::open();
  test_histograms();
  test_barriers();
  test_warps();
  test_bounds();
  test_blocks();
  test_limits();
  test_log();
  CHECK(sim::memory::live_allocations() == 0);
  sim::memory::close();
  return 0;
}
