// The thread pool: each chunk once, writes visible, exceptions, nesting, several callers, churn.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"
#include "pool.h"

namespace {

void runs_each_chunk_once() {
  for (int threads : {1, 2, 3, 5}) {
    secateur::set_threads(threads);
    for (int64_t count : {0, 1, 2, 3, 7, 64, 1000}) {
      std::vector<int> runs(static_cast<size_t>(count));
      secateur::parallel_for(count, [&](int64_t chunk) { runs[static_cast<size_t>(chunk)]++; });
      for (int n : runs) CHECK(n == 1);
    }
    for (int64_t n : {0, 1, 9, 10, 11, 1003}) {
      std::vector<int> runs(static_cast<size_t>(n));
      secateur::parallel_ranges(n, 10, [&](int64_t begin, int64_t end) {
        CHECK(begin % 10 == 0 && begin < end && end - begin <= 10 && end <= n);
        for (int64_t i = begin; i < end; ++i) runs[static_cast<size_t>(i)]++;
      });
      for (int count : runs) CHECK(count == 1);
    }
  }
}

void rethrows_and_goes_on() {
  secateur::set_threads(3);
  for (int round = 0; round < 100; ++round) {
    bool thrown = false;
    try {
      secateur::parallel_for(50, [&](int64_t chunk) {
        if (chunk % 20 == 7) throw std::runtime_error("chunk");
      });
    } catch (const std::runtime_error& error) {
      thrown = strcmp(error.what(), "chunk") == 0;
    }
    CHECK(thrown);
    std::atomic<int> ran{0};
    secateur::parallel_for(50, [&](int64_t) { ran++; });
    CHECK(ran == 50);
  }
}

void nests() {
  secateur::set_threads(3);
  std::atomic<int> ran{0};
  secateur::parallel_for(10, [&](int64_t) { secateur::parallel_for(10, [&](int64_t) { ran++; }); });
  CHECK(ran == 100);
}

void serves_several_callers() {
  secateur::set_threads(3);
  std::vector<std::thread> callers;
  std::atomic<int64_t> total{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        int64_t parts[16] = {};
        secateur::parallel_for(16, [&](int64_t chunk) { parts[chunk] = chunk; });
        for (int64_t part : parts) total += part;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(total == int64_t{4} * 500 * 120);
}

// Pauses of several lengths, so that regions meet workers that spin, fall asleep and sleep.
void wakes_after_any_pause() {
  secateur::set_threads(2);
  int64_t sum = 0;
  for (int round = 0; round < 400; ++round) {
    int64_t parts[4] = {};
    secateur::parallel_for(4, [&](int64_t chunk) { parts[chunk] = round; });
    for (int64_t part : parts) sum += part;
    std::this_thread::sleep_for(std::chrono::microseconds(round % 8 * 40));
  }
  CHECK(sum == int64_t{4} * 400 * 399 / 2);
}

void changes_size() {
  for (int round = 0; round < 50; ++round) {
    secateur::set_threads(1 + round % 5);
    std::atomic<int> ran{0};
    secateur::parallel_for(20, [&](int64_t) { ran++; });
    CHECK(ran == 20);
  }
}

}  // namespace

int main() {
  runs_each_chunk_once();
  rethrows_and_goes_on();
  nests();
  serves_several_callers();
  wakes_after_any_pause();
  changes_size();
  return 0;
}
