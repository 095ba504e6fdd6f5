// The loops of select_tile.h over a class Lanes<Key> that compares 64 keys in the registers of an
// instruction set. Included by one file for each.
//
// A bracket holds about one element in a hundred, at places that no branch predictor knows: the
// first two candidates of 64 elements are stored always, whether they are there or not, and a
// branch is left for those that have more.
#pragma once

#include <string.h>

#include "common/half.h"
#include "select_tile.h"

SECATEUR_COMMON_BEGIN

namespace tile {

using select::kTile;
using select::TileCounts;
using select::TileFound;
using select::TileInput;
using select::TileList;

SECATEUR_HD int32_t magnitude_of(int32_t bits) { return abs_key(static_cast<uint32_t>(bits)); }
SECATEUR_HD int16_t magnitude_of(int16_t bits) { return static_cast<int16_t>(bits & 0x7fff); }

template <bool kSigned>
SECATEUR_HD int32_t key_of(int32_t bits) {
  const auto word = static_cast<uint32_t>(bits);
  return kSigned ? signed_key(word) : abs_key(word);
}
template <bool kSigned>
SECATEUR_HD int16_t key_of(int16_t bits) {
  const auto half = static_cast<uint16_t>(bits);
  return static_cast<int16_t>(kSigned ? signed_key16(half) : abs_key16(half));
}

// As a Key; a bound outside its range bounds as well as the last key there is.
template <class Key>
SECATEUR_HD Key bound(int32_t key) {
  const int32_t least =
      static_cast<int32_t>(uint32_t{1} << (8 * sizeof(Key) - 1)) * (sizeof(Key) == 4 ? 1 : -1);
  const int32_t most = -(least + 1);
  return static_cast<Key>(key < least ? least : key > most ? most : key);
}

template <class Key>
SECATEUR_HD Key load_bits(const Key* scores) {
  Key bits;
  memcpy(&bits, scores, sizeof bits);
  return bits;
}

// Which of 64 elements are at least lo, of these at most hi, of these equal to tied. Bits of
// elements that are not live may be anything.
struct Compared {
  uint64_t kept;
  uint64_t inside;
  uint64_t ties;
};

// Kept in locals of one function, so that stores to the mask cannot alias them.
struct Totals {
  int live = 0;
  int kept = 0;
  int candidates = 0;
  int ties = 0;
};

constexpr uint32_t kFewBins = 128;
constexpr int kAhead = 128;  // words of the previous mask asked for in advance

// The place of the lowest set bit; any number where there is none.
SECATEUR_HD int lowest_bit(uint64_t bits) {
#if defined(__BMI__)
  return static_cast<int>(__builtin_ia32_tzcnt_u64(bits));
#else
  return __builtin_ctzll(bits | uint64_t{1} << 63);
#endif
}

// Appends base + the place of each set bit; writes two at least.
SECATEUR_HD int append(uint64_t bits, int base, uint16_t* offsets) {
  const auto offset = [&](uint64_t rest) { return static_cast<uint16_t>(base + lowest_bit(rest)); };
  const int count = __builtin_popcountll(bits);
  offsets[0] = offset(bits);
  uint64_t rest = bits & (bits - 1);
  offsets[1] = offset(rest);
  rest &= rest - 1;
  if (__builtin_expect(count > 2, 0)) {
    do {
      *(offsets++ + 2) = offset(rest);
      rest &= rest - 1;
    } while (rest != 0);
  }
  return count;
}

template <bool kTied>
SECATEUR_HD uint64_t step(const Compared& compared, uint64_t live, int base, bool keep_ties,
                          uint16_t* offsets, Totals* totals) {
  uint64_t kept = compared.kept & live;
  uint64_t inside = compared.inside & live;
  totals->kept += __builtin_popcountll(kept);
  if (kTied) {
    const uint64_t ties = compared.ties & inside;
    totals->ties += __builtin_popcountll(ties);
    inside ^= ties;
    if (!keep_ties) kept ^= ties;
  }
  totals->candidates += append(inside, base, offsets + totals->candidates);
  return kept;
}

// Whether a live element is NaN; asked where some element is.
template <class Key>
inline bool has_nan(const TileInput<Key>& input) {
  for (int i = 0; i < input.count; ++i) {
    if (magnitude_of(load_bits(input.scores + i)) <= input.infinity) continue;
    if (input.previous == nullptr || (input.previous[i >> 5] >> (i & 31) & 1) != 0) return true;
  }
  return false;
}

template <class Lanes, class Key, bool kSigned, bool kTied>
inline TileCounts loop(const TileInput<Key>& given, TileFound* found) {
  const TileInput<Key> input = given;
  uint16_t* const offsets = found->offsets;
  uint64_t* const words = found->words;
  Lanes lanes(bound<Key>(input.lo), bound<Key>(input.hi), bound<Key>(input.tied));
  Totals totals;
  const int whole = input.count / 64;
  if (input.previous == nullptr) {
    for (int w = 0; w < whole; ++w) {
      const Compared compared = lanes.template compare<kSigned, kTied>(input.scores + w * 64);
      words[w] = step<kTied>(compared, ~uint64_t{0}, w * 64, input.keep_ties, offsets, &totals);
    }
    totals.live = whole * 64;
  } else {
    for (int w = 0; w < whole; ++w) {
      uint64_t live;
      memcpy(&live, input.previous + 2 * w, sizeof live);
      __builtin_prefetch(input.previous + 2 * w + kAhead);
      totals.live += __builtin_popcountll(live);
      const Compared compared = lanes.template compare<kSigned, kTied>(input.scores + w * 64);
      words[w] = step<kTied>(compared, live, w * 64, input.keep_ties, offsets, &totals);
    }
  }
  const int rest = input.count % 64;
  if (rest != 0) {
    Key padded[64] = {};
    memcpy(padded, input.scores + whole * 64, sizeof(Key) * static_cast<size_t>(rest));
    const size_t bytes = rest > 32 ? 8 : 4;
    uint64_t live = ~uint64_t{0};
    if (input.previous != nullptr) memcpy(&live, input.previous + 2 * whole, bytes);
    live &= (uint64_t{1} << rest) - 1;
    totals.live += __builtin_popcountll(live);
    const Compared compared = lanes.template compare<kSigned, kTied>(padded);
    words[whole] = step<kTied>(compared, live, whole * 64, input.keep_ties, offsets, &totals);
  }
  return {totals.live, totals.kept, totals.candidates, totals.ties,
          lanes.highest() > input.infinity && has_nan(input)};
}

template <template <class> class Lanes, class Key>
inline TileCounts classify(const TileInput<Key>& input, TileFound* found) {
  using L = Lanes<Key>;
  if (input.tied == select::kNoTie) {
    return input.is_signed ? loop<L, Key, true, false>(input, found)
                           : loop<L, Key, false, false>(input, found);
  }
  return input.is_signed ? loop<L, Key, true, true>(input, found)
                         : loop<L, Key, false, true>(input, found);
}

template <class Key>
inline void list(const TileInput<Key>& input, const TileFound& found, int n, Key* keys,
                 uint16_t* offsets) {
  const Key* const scores = input.scores;
  if (input.is_signed) {
    for (int i = 0; i < n; ++i) keys[i] = key_of<true>(load_bits(scores + found.offsets[i]));
  } else {
    for (int i = 0; i < n; ++i) keys[i] = key_of<false>(load_bits(scores + found.offsets[i]));
  }
  memcpy(offsets, found.offsets, static_cast<size_t>(n) * sizeof *offsets);
}

template <class Lanes>
inline void store(const uint64_t* words, int count, bool stream, uint32_t* mask) {
  const auto bytes = static_cast<size_t>(count) * sizeof *mask;
  if (stream && reinterpret_cast<uintptr_t>(mask) % 64 == 0 && bytes % 64 == 0) {
    Lanes::stream(words, bytes, mask);
  } else {
    memcpy(mask, words, bytes);
  }
}

// What is pruned is gathered by itself, so that nothing waits for the draft, which comes from
// memory.
template <class Lanes, class Key>
inline void settle(const uint32_t* draft, int count, const TileList<Key>& given, int32_t highest,
                   bool stream, uint32_t* mask) {
  const TileList<Key> list = given;
  alignas(64) uint64_t words[kTile / 64];
  for (uint64_t& word : words)
    word = 0;  // not by `rep stos`, for whose end what follows would wait
  auto* const bytes = reinterpret_cast<uint8_t*>(words);
  for (int i = 0; i < list.count; ++i) {
    const int pruned = list.keys[i] <= highest ? 1 : 0;
    bytes[list.offsets[i] >> 3] |= static_cast<uint8_t>(pruned << (list.offsets[i] & 7));
  }
  if (count == kTile / 32) {
    for (int w = 0; w < kTile / 64; ++w) {
      uint64_t kept;
      memcpy(&kept, draft + 2 * w, sizeof kept);
      words[w] = kept & ~words[w];
    }
  } else {
    for (int w = 0; w < count; ++w) {
      const uint64_t pruned = words[w / 2] >> (w % 2 * 32) & 0xffffffffu;
      words[w / 2] ^= (pruned ^ (draft[w] & ~pruned)) << (w % 2 * 32);
    }
  }
  store<Lanes>(words, count, stream, mask);
}

template <class Lanes, class Key>
inline int count_equal(const Key* keys, int n, int32_t key) {
  return Lanes::count_equal(keys, n, key);
}

// ++slots[digit >> shift] for those of 32 digits that are live and at most `widest`.
SECATEUR_HD void count_digits(const uint32_t* digits, uint32_t live, uint32_t widest, int shift,
                              uint32_t* slots) {
  uint32_t least = ~uint32_t{0}, most = 0;
  for (int l = 0; l < 32; ++l) {
    least = digits[l] < least ? digits[l] : least;
    most = digits[l] > most ? digits[l] : most;
  }
  if (least > widest) return;
  if (most <= widest && live == ~uint32_t{0}) {
    for (int l = 0; l < 32; ++l) ++slots[digits[l] >> shift];
    return;
  }
  for (; live != 0; live &= live - 1) {
    const uint32_t digit = digits[__builtin_ctz(live)];
    if (digit <= widest) ++slots[digit >> shift];
  }
}

template <class Key, bool kSigned>
inline void scores_loop(const TileInput<Key>& input, int shift, uint32_t* slots) {
  const auto base = static_cast<uint32_t>(input.lo);
  const uint32_t widest = static_cast<uint32_t>(input.hi) - base;
  for (int begin = 0; begin < input.count; begin += 32) {
    const int count = input.count - begin < 32 ? input.count - begin : 32;
    Key bits[32] = {};
    if (count == 32) {
      memcpy(bits, input.scores + begin, sizeof bits);
    } else {
      memcpy(bits, input.scores + begin, sizeof(Key) * static_cast<size_t>(count));
    }
    uint32_t digits[32];
    for (int l = 0; l < 32; ++l) {
      digits[l] = static_cast<uint32_t>(static_cast<int32_t>(key_of<kSigned>(bits[l]))) - base;
    }
    uint32_t live = count < 32 ? (uint32_t{1} << count) - 1 : ~uint32_t{0};
    if (input.previous != nullptr) live &= input.previous[begin / 32];
    count_digits(digits, live, widest, shift, slots);
  }
}

template <class Key>
inline void count_scores(const TileInput<Key>& input, int shift, uint32_t* slots) {
  if (input.is_signed) {
    scores_loop<Key, true>(input, shift, slots);
  } else {
    scores_loop<Key, false>(input, shift, slots);
  }
}

// Few bins meet the same key again and again, each time waiting for the last sum to be stored: they
// are counted in four tables in turn.
template <class Key>
inline void count_few(const Key* keys, int64_t n, uint32_t base, uint32_t widest, int shift,
                      uint32_t* slots) {
  uint32_t tables[4][kFewBins + 1] = {};  // the last: out of range
  const auto count = [&](int64_t i, uint32_t* table) {
    const uint32_t digit = static_cast<uint32_t>(static_cast<int32_t>(keys[i])) - base;
    ++table[digit <= widest ? digit >> shift : kFewBins];
  };
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int t = 0; t < 4; ++t) count(i + t, tables[t]);
  }
  for (; i < n; ++i) count(i, tables[0]);
  for (uint32_t bin = 0; bin <= widest >> shift; ++bin) {
    for (const auto& table : tables) slots[bin] += table[bin];
  }
}

template <class Key>
inline void count_keys(const Key* keys, int64_t n, int32_t lo, int32_t hi, int shift,
                       uint32_t* slots) {
  const auto base = static_cast<uint32_t>(lo);
  const uint32_t widest = static_cast<uint32_t>(hi) - base;
  if (sizeof(Key) == 2 && widest >> shift < kFewBins) {
    count_few(keys, n, base, widest, shift, slots);
    return;
  }
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    uint32_t digits[32];
    for (int l = 0; l < 32; ++l) {
      digits[l] = static_cast<uint32_t>(static_cast<int32_t>(keys[i + l])) - base;
    }
    count_digits(digits, ~uint32_t{0}, widest, shift, slots);
  }
  for (; i < n; ++i) {
    const uint32_t digit = static_cast<uint32_t>(static_cast<int32_t>(keys[i])) - base;
    if (digit <= widest) ++slots[digit >> shift];
  }
}

template <template <class> class Lanes, class Key>
inline void get_code(select::TileCode<Key>* code) {
  using L = Lanes<Key>;
  *code = {classify<Lanes, Key>, list<Key>,         store<L>,       settle<L, Key>,
           count_equal<L, Key>,  count_scores<Key>, count_keys<Key>};
}

}  // namespace tile

SECATEUR_COMMON_END
