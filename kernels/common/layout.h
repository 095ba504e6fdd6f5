// What kernels/compress.cu and its launcher share.
#pragma once

#include <stdint.h>

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

// A compressed matrix over a dense one as stored.
struct Layout {
  int64_t rows, cols;              // of blocks
  int64_t row_stride, col_stride;  // of elements, in the dense matrix; one of them is 1
  int32_t height, width;           // of a block
  int32_t keep_zeros;              // whether all that the mask keeps is stored
};

SECATEUR_COMMON_END
