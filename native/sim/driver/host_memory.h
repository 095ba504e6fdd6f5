// Page-locked host memory: what cuMemHostAlloc gave out and what was registered.
#pragma once

#include <cstddef>

namespace sim::host_memory {

struct Block {
  size_t bytes = 0;
  unsigned flags = 0;
  bool registered = false;  // the caller's memory
};

// nullptr when the system has none.
void* allocate(size_t bytes, unsigned flags);
// False when it was not allocated, or not registered, here.
bool release(void* pointer);
bool add_registered(void* pointer, size_t bytes, unsigned flags);  // false: overlaps another
bool remove_registered(void* pointer);

// The block in which the address lies, and where it starts; nullptr when pageable.
const Block* find(const void* address, const void** start = nullptr);
// How much of the bytes is page-locked.
enum class Locked { kNone, kPart, kAll };
Locked locked(const void* address, size_t bytes);

size_t live_blocks();
void clear();

}  // namespace sim::host_memory
