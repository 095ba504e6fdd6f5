// Nested loops over the axes of tensors.
#pragma once

#include <cstdint>

#include "secateur.h"

namespace secateur {

// Nested loops over up to SECATEUR_MAX_RANK axes that step kPointers offsets together.
template <int kPointers>
struct Odometer {
  int32_t rank = 0;
  int64_t extent[SECATEUR_MAX_RANK];
  int64_t stride[kPointers][SECATEUR_MAX_RANK];
  int64_t index[SECATEUR_MAX_RANK] = {};
  int64_t offset[kPointers] = {};

  // Adds an axis inside those already there.
  void add(int64_t extent_, const int64_t (&strides)[kPointers]) {
    extent[rank] = extent_;
    for (int p = 0; p < kPointers; ++p) stride[p][rank] = strides[p];
    ++rank;
  }

  int64_t count() const {
    int64_t product = 1;
    for (int32_t d = 0; d < rank; ++d) product *= extent[d];
    return product;
  }

  // Goes to the step with this number.
  void seek(int64_t step) {
    for (int p = 0; p < kPointers; ++p) offset[p] = 0;
    for (int32_t d = rank; d-- > 0;) {
      index[d] = step % extent[d];
      step /= extent[d];
      for (int p = 0; p < kPointers; ++p) offset[p] += index[d] * stride[p][d];
    }
  }

  void next() {
    for (int32_t d = rank; d-- > 0;) {
      for (int p = 0; p < kPointers; ++p) offset[p] += stride[p][d];
      if (++index[d] < extent[d]) return;
      for (int p = 0; p < kPointers; ++p) offset[p] -= extent[d] * stride[p][d];
      index[d] = 0;
    }
  }
};

}  // namespace secateur
