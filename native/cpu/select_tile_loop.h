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

template <class Lanes, bool kSigned, bool kTied>
class Loop {
 public:
  Loop(const TileInput& input, uint32_t* mask, TileCandidates* candidates)
      : input_(input), mask_(mask), candidates_(candidates) {}

  TileCounts run() {
    const int whole = input_.count / 32;
    if (input_.previous == nullptr) {
      for (int word = 0; word < whole; ++word) step(word, input_.scores + word * 32, ~uint32_t{0});
    } else {
      for (int word = 0; word < whole; ++word) {
        step(word, input_.scores + word * 32, input_.previous[word]);
      }
    }
    const int rest = input_.count % 32;
    if (rest != 0) {
      float padded[32] = {};
      memcpy(padded, input_.scores + whole * 32, sizeof(float) * static_cast<size_t>(rest));
      const uint32_t valid = (uint32_t{1} << rest) - 1;
      step(whole, padded, input_.previous == nullptr ? valid : valid & input_.previous[whole]);
    }
    return {live_, kept_, count_, ties_, nans_ != 0};
  }

 private:
  SECATEUR_HD void step(int word, const float* scores, uint32_t live) {
    Lanes lanes;
    nans_ |= lanes.template load<kSigned>(scores) & live;
    const uint32_t kept = lanes.at_least(input_.lo) & live;
    uint32_t inside = kept & lanes.at_most(input_.hi);
    if (kTied) {
      const uint32_t ties = lanes.equal(input_.tied) & inside;
      ties_ += __builtin_popcount(ties);
      inside ^= ties;
    }
    mask_[word] = kept;
    live_ += __builtin_popcount(live);
    kept_ += __builtin_popcount(kept);
    if (inside != 0) {
      lanes.compact(inside, word * 32, candidates_->keys + count_, candidates_->offsets + count_);
      count_ += __builtin_popcount(inside);
    }
  }

  const TileInput input_;
  uint32_t* const mask_;
  TileCandidates* const candidates_;
  uint32_t nans_ = 0;
  int live_ = 0;
  int kept_ = 0;
  int count_ = 0;
  int ties_ = 0;
};

template <class Lanes, bool kSigned>
inline TileCounts classify(const TileInput& input, uint32_t* mask, TileCandidates* candidates) {
  return input.tied == select::kNoTie ? Loop<Lanes, kSigned, false>(input, mask, candidates).run()
                                      : Loop<Lanes, kSigned, true>(input, mask, candidates).run();
}

template <class Lanes>
inline TileCounts classify(const TileInput& input, uint32_t* mask, TileCandidates* candidates) {
  return input.is_signed ? classify<Lanes, true>(input, mask, candidates)
                         : classify<Lanes, false>(input, mask, candidates);
}

}  // namespace tile

SECATEUR_COMMON_END
