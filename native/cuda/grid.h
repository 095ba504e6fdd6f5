// Geometry of grid-stride kernels: enough blocks to fill the GPU, no more than the work needs.
#pragma once

#include <algorithm>
#include <cstdint>

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

}  // namespace secateur::cuda
