// The loop of select_tile.h over a class Lanes that holds 32 keys in the registers of an
// instruction set. Included by one file for each.
#pragma once

#include <string.h>

#include "common/keys.h"
#include "select_tile.h"

SECATEUR_COMMON_BEGIN

namespace tile {

using select::TileCandidates;
using select::TileCounts;
using select::TileInput;

// The hardware's prefetchers stop at pages; scores 2 KiB ahead, perhaps of the next tile, are asked
// for here. A prefetch past the end is harmless.
SECATEUR_HD void prefetch(const float* scores) {
  const uintptr_t ahead = reinterpret_cast<uintptr_t>(scores) + 2048;
  __builtin_prefetch(reinterpret_cast<const void*>(ahead));
  __builtin_prefetch(reinterpret_cast<const void*>(ahead + 64));
}

// Kept in locals of one function, so that stores to the mask cannot alias them.
struct Totals {
  uint32_t nans = 0;
  int live = 0;
  int kept = 0;
  int candidates = 0;
  int ties = 0;
};

template <class Lanes, bool kSigned, bool kTied>
SECATEUR_HD uint32_t step(const float* scores, uint32_t live, int base, const TileInput& input,
                          TileCandidates* candidates, Totals* totals) {
  Lanes lanes;
  totals->nans |= lanes.template load<kSigned>(scores) & live;
  const uint32_t kept = lanes.at_least(input.lo) & live;
  uint32_t inside = kept & lanes.at_most(input.hi);
  if (kTied) {
    const uint32_t ties = lanes.equal(input.tied) & inside;
    totals->ties += __builtin_popcount(ties);
    inside ^= ties;
  }
  totals->kept += __builtin_popcount(kept);
  // A word in four holds candidates: a branch that mispredicts, unless storing none is as cheap.
  if (Lanes::kStoresNone || inside != 0) {
    lanes.compact(inside, base, candidates->keys + totals->candidates,
                  candidates->offsets + totals->candidates);
    totals->candidates += __builtin_popcount(inside);
  }
  return kept;
}

template <class Lanes, bool kSigned, bool kTied>
inline TileCounts loop(const TileInput& given, uint32_t* mask, TileCandidates* candidates) {
  const TileInput input = given;
  Totals totals;
  const int whole = input.count / 32;
  if (input.previous == nullptr) {
    for (int word = 0; word < whole; ++word) {
      const float* scores = input.scores + word * 32;
      prefetch(scores);
      mask[word] =
          step<Lanes, kSigned, kTied>(scores, ~uint32_t{0}, word * 32, input, candidates, &totals);
    }
    totals.live = whole * 32;
  } else {
    for (int word = 0; word < whole; ++word) {
      const float* scores = input.scores + word * 32;
      const uint32_t live = input.previous[word];
      prefetch(scores);
      totals.live += __builtin_popcount(live);
      mask[word] = step<Lanes, kSigned, kTied>(scores, live, word * 32, input, candidates, &totals);
    }
  }
  const int rest = input.count % 32;
  if (rest != 0) {
    float padded[32] = {};
    memcpy(padded, input.scores + whole * 32, sizeof(float) * static_cast<size_t>(rest));
    uint32_t live = (uint32_t{1} << rest) - 1;
    if (input.previous != nullptr) live &= input.previous[whole];
    totals.live += __builtin_popcount(live);
    mask[whole] = step<Lanes, kSigned, kTied>(padded, live, whole * 32, input, candidates, &totals);
  }
  return {totals.live, totals.kept, totals.candidates, totals.ties, totals.nans != 0};
}

template <class Lanes, bool kSigned>
inline TileCounts classify(const TileInput& input, uint32_t* mask, TileCandidates* candidates) {
  return input.tied == select::kNoTie ? loop<Lanes, kSigned, false>(input, mask, candidates)
                                      : loop<Lanes, kSigned, true>(input, mask, candidates);
}

template <class Lanes>
inline TileCounts classify(const TileInput& input, uint32_t* mask, TileCandidates* candidates) {
  return input.is_signed ? classify<Lanes, true>(input, mask, candidates)
                         : classify<Lanes, false>(input, mask, candidates);
}

}  // namespace tile

SECATEUR_COMMON_END
