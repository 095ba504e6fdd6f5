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

// The 32 bits of an array of n bits that start at bit `at`; 0 past its end.
inline uint32_t load_bits(const uint32_t* bits, int64_t n, int64_t at) {
  const int64_t word = at >> 5;
  const int shift = static_cast<int>(at & 31);
  uint64_t pair = bits[word];
  if (word + 1 < mask_words(n)) pair |= static_cast<uint64_t>(bits[word + 1]) << 32;
  return static_cast<uint32_t>(pair >> shift);
}

// One bit each, for loops over the bits of a word that vectorise.
struct BitTable {
  uint32_t bit[32];
  constexpr BitTable() : bit() {
    for (int l = 0; l < 32; ++l) bit[l] = uint32_t{1} << l;
  }
};
constexpr BitTable kBits;

}  // namespace secateur
