// The tables behind memory.h, for the checks of single accesses to read without a call.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sim::memory {

// Allocations start at multiples of this, so one entry a chunk tells which allocation it is.
constexpr size_t kChunk = 512;

struct Extent {
  char* begin = nullptr;
  char* end = nullptr;  // exact
  bool live = false;
};

struct Map {
  char* base = nullptr;
  size_t span = 0;             // bytes of addresses, many times the simulated GPU's memory
  uint32_t* chunk = nullptr;   // [span / kChunk], index of its last allocation, 0 if none ever
  Extent* extent = nullptr;    // by that index
  uint8_t* written = nullptr;  // [span / 8], a bit a byte
};
extern Map map;

}  // namespace sim::memory
