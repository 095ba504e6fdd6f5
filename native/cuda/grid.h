// Geometry of grid-stride kernels: enough blocks to fill the GPU, no more than the work needs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/softmax.h"
#include "cuda/device.h"

namespace secateur::cuda {

constexpr int64_t kBlocksPerMultiprocessor = 8;  // of 256 threads: all that fit together

// A block for each `items_per_block` of `items` pieces of work, up to a full GPU.
inline Geometry grid(const CudaDevice& device, int64_t items, int64_t items_per_block,
                     uint32_t threads) {
  const int64_t wanted = (items + items_per_block - 1) / items_per_block;
  const int64_t most = device.multiprocessors() * kBlocksPerMultiprocessor;
  return {static_cast<uint32_t>(std::min(wanted, most)), threads};
}

constexpr uint32_t kThreads = 256;  // a block of an elementwise kernel

// The grid of an elementwise kernel that takes vectors of four.
inline Geometry elements_grid(const CudaDevice& device, int64_t n) {
  return grid(device, n, 4 * kThreads, kThreads);
}

// The grid of a softmax: a warp a row, or for rows longer than a warp holds a block.
inline Geometry rows_grid(const CudaDevice& device, int64_t rows, int64_t cols) {
  return grid(device, rows, cols <= common::kShortRow ? kThreads / 32 : 1, kThreads);
}

// The grid of a sum of tiles, a warp a tile: small blocks, so that few tiles spread over the GPU.
inline Geometry tiles_grid(const CudaDevice& device, int64_t tiles) {
  constexpr uint32_t threads = 128;
  return grid(device, tiles, threads / 32, threads);
}

}  // namespace secateur::cuda
