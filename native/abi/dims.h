// Shapes of tensors given to the ABI, checked.
#pragma once

#include <cinttypes>
#include <cstdint>

#include "abi/error.h"
#include "secateur.h"

namespace secateur {

// Checks rank and extents; returns the number of elements.
inline int64_t require_shape(int32_t rank, const int64_t* shape) {
  SECATEUR_REQUIRE(rank >= 0 && rank <= SECATEUR_MAX_RANK, "Rank %" PRId32 " is not in 0..%d.",
                   rank, SECATEUR_MAX_RANK);
  SECATEUR_REQUIRE(shape != nullptr || rank == 0, "The shape is NULL but has rank %" PRId32 ".",
                   rank);
  int64_t elements = 1;
  bool overflow = false, empty = false;
  for (int32_t d = 0; d < rank; ++d) {
    SECATEUR_REQUIRE(shape[d] >= 0, "Extent %" PRId64 " of axis %" PRId32 " is negative.", shape[d],
                     d);
    empty = empty || shape[d] == 0;
    overflow = __builtin_mul_overflow(elements, shape[d], &elements) || overflow;
  }
  SECATEUR_REQUIRE(empty || !overflow, "The shape has more than 2^63 elements.");
  return empty ? 0 : elements;
}

}  // namespace secateur
