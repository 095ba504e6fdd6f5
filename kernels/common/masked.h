// What kernels/mask.cu and its launcher share.
#pragma once

#include <stdint.h>

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

constexpr int kMasked = 64;          // tensors a launch
constexpr int64_t kMaskTile = 8192;  // elements; a multiple of 32

// Tensors of one launch; tile t belongs to the tensor s with first_tile[s] <= t < first_tile[s +
// 1].
struct MaskedTensors {
  const uint32_t* mask[kMasked];
  float* w[kMasked];
  int64_t length[kMasked];
  int64_t first_tile[kMasked + 1];
  int32_t count;
  int32_t reserved;
};

struct MaskCounts {
  int64_t kept, zeros;
};

SECATEUR_COMMON_END
