// The simulated GPU's memory: one arena of addresses, closed (PROT_NONE) except while work runs,
// with the exact extent of every allocation and a mark for every byte that was ever written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sim::memory {

// Reserves the arena; bytes is the size of the simulated GPU's memory.
void reserve(size_t bytes);
bool contains(const void* address);  // of the arena, allocated or not

// nullptr when there is not enough left. 512-byte aligned, contents poison and marked unwritten;
// between allocations lies at least one guard page's worth of addresses that is never given out.
void* allocate(size_t bytes);
// False when the address is not the start of a live allocation. Freed addresses are not given out
// again for as long as that can be helped.
bool release(void* address);

size_t live_bytes();
size_t peak_bytes();
void reset_peak();
size_t live_allocations();
size_t capacity();

// Opens and closes the arena to this process; calls nest.
void open();
void close();

// "" when [address, address + bytes) lies inside one live allocation, else what is wrong: freed,
// out of bounds and by how much, or no device memory at all.
std::string check(const void* address, size_t bytes);
void mark_written(const void* address, size_t bytes);
bool is_written(const void* address, size_t bytes);

// Frees everything.
void clear();

}  // namespace sim::memory
