// What tests of the CUDA device ask of the driver beneath it: the simulator's exports
// (sim/simulator.h), where it is one, and driver functions that secateur_cuda itself does not use.
#pragma once

#include <dlfcn.h>

#include <cstdlib>

#include "check.h"
#include "sim/simulator.h"

namespace test {

// A function of the driver's library; NULL if it has none.
template <class Function>
Function* driver_function(const char* name) {
  static void* const library = dlopen("libcuda.so.1", RTLD_NOW);
  CHECK(library != nullptr);
  return reinterpret_cast<Function*>(dlsym(library, name));
}

inline bool simulated() { return driver_function<void>("secateur_sim_seed") != nullptr; }

// Whether every access of every kernel is checked, which takes its time.
inline bool checked() {
  const auto is_checked = driver_function<int()>("secateur_sim_checked");
  return is_checked != nullptr && is_checked() != 0;
}

// The seed of the simulator's schedule that the environment gives; 0: work as late as it may be,
// blocks in parallel.
inline uint64_t seed_given() {
  const char* const text = std::getenv("SECATEUR_SIM_SEED");
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

// Another schedule from now on; nothing on a real driver.
inline void seed(uint64_t value) {
  if (simulated()) driver_function<void(uint64_t)>("secateur_sim_seed")(value);
}

// Zeros on a real driver.
inline secateur_sim_counters counters() {
  secateur_sim_counters found = {};
  if (simulated()) {
    driver_function<void(secateur_sim_counters*)>("secateur_sim_counters_get")(&found);
  }
  return found;
}

}  // namespace test
