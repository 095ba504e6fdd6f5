// Bit-packed masks: bit (i & 31) of word i >> 5 is 1 where element i is kept.
#pragma once

#include <cstdint>

namespace secateur {

inline int64_t mask_words(int64_t n) { return n / 32 + (n % 32 != 0); }

// The bits of word `word` that belong to elements, of n in all.
inline uint32_t valid_bits(int64_t n, int64_t word) {
  const int64_t left = n - word * 32;
  return left >= 32 ? ~uint32_t{0} : (uint32_t{1} << left) - 1;
}

}  // namespace secateur
