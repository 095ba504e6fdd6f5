// The device handle of the ABI, for the CPU device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "secateur.h"

struct secateur_device {
  std::mutex mutex;  // guards the two below
  std::unordered_map<void*, size_t> blocks;
  int64_t bytes = 0;
};

namespace secateur {

// Checks what every operation on the CPU device starts with: a device, and no stream.
void require_cpu(const secateur_device* device, const void* stream);

// Checks that `pointer` is there unless n is 0.
void require_pointer(const void* pointer, int64_t n, const char* name);

// Checks an element count.
void require_count(int64_t n, const char* name);

// Checks that rows * cols elements can be counted.
void require_matrix(int64_t rows, int64_t cols);

}  // namespace secateur
