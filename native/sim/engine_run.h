// A launch on its way, shared by the workers that run its blocks.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "engine.h"

namespace sim {

struct Run {
  const Launch* launch = nullptr;
  const Limits* limits = nullptr;
  uint64_t seed = 0;
  bool parallel = false;
  std::vector<void*> params;
  std::chrono::steady_clock::time_point begin;

  uint64_t blocks = 0;
  std::atomic<uint64_t> next_block{0};

  std::atomic<bool> stop{false};
  std::mutex mutex;  // guards fault
  std::string fault;
};

}  // namespace sim
