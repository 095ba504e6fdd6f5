// Sums of rows in the order of kernels/common/reduce.h, level by level through the device's
// scratch.
#pragma once

#include "cuda/device.h"

namespace secateur::cuda {

constexpr int64_t kScratchFloats = kScratchBytes / sizeof(float);

// Tiles of a sum of n elements, at least one.
int64_t sum_tiles(int64_t n);

// Floats for the tile sums of all levels of a sum of n elements: 0 when there is one tile.
int64_t sum_spare(int64_t n);

// sums [rows, tiles] = the tile sums of values [rows, n] / divisor.
void sum_level(CudaDevice& device, void* stream, int64_t rows, int64_t n, const float* values,
               float divisor, float* sums);

// out[r] = sum of values[r][0 .. n) / divisor. spare holds rows * sum_spare(n) floats.
void sum_rows(CudaDevice& device, void* stream, int64_t rows, int64_t n, const float* values,
              float divisor, float* out, float* spare);

// What follows a kernel that wrote the tile sums of n elements, or with one tile the result: none
// or more levels from the scratch, where they begin, to out.
void sum_up(CudaDevice& device, void* stream, int64_t n, float divisor, float* out);

// Where such a kernel writes, and what it divides by. Throws when the scratch cannot hold the sums.
struct FirstLevel {
  float* sums;
  float divisor;
};
FirstLevel first_level(CudaDevice& device, int64_t n, float divisor, float* out);

}  // namespace secateur::cuda
