// A driver that does nothing and says that all went well: libcuda.so.1 in a folder of its own. With
// it, tests see how the CUDA device meets a driver's failures, and bench_launch.cpp what the host
// adds to each launch. It runs no kernel; the simulator (native/sim) does.
//
// Its GPU has a primary context that counts, and memory that is ordinary memory. The functions
// below are found with dlsym, as the device finds the driver's.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <type_traits>

#include "../check.h"

namespace null_driver {

// What a test may set, and what it may look at.
struct State {
  const char* failing = nullptr;  // the driver function that fails,
  int result = 0;                 // with this CUresult,
  int times = 0;                  // so many times; < 0: always

  int version = 12020;  // of cuDriverGetVersion
  int capability = 90;
  bool pinned = false;     // whether the driver knows all host memory
  bool capturing = false;  // whether all streams are in a capture

  int retained = 0;  // of the primary context
  int modules = 0;   // loaded
  int blocks = 0;    // of device memory, allocated
  uint64_t launches = 0, synchronizations = 0, copies = 0;
};

// The state of the driver on this process's library path, which is held loaded.
inline State& state() {
  static State* const found = [] {
    void* library = dlopen("libcuda.so.1", RTLD_NOW);
    CHECK(library != nullptr);
    void* symbol = dlsym(library, "null_driver_state");
    CHECK_NOTE(symbol != nullptr, "libcuda.so.1 on the library path is not the do-nothing driver");
    return reinterpret_cast<State* (*)()>(symbol)();
  }();
  return *found;
}

}  // namespace null_driver
