// The inner loop of threshold selection: classifies a tile of scores against a bracket of keys.
//
// For each element that is live (kept in `previous`): mask bit = key >= lo; where also key <= hi
// and key != tied, its key and offset are appended to the candidates, in order. Elements that are
// not live get mask bit 0 and are otherwise ignored. NaN (above every bracket in magnitude) is
// reported.
//
// Reads 4 bytes an element and 1 bit of `previous`; writes 1 bit and 6 bytes a candidate.
#pragma once

#include <cstdint>

namespace secateur {
namespace select {

constexpr int kTile = 8192;  // elements: 32 KiB of scores, 1 KiB of mask
constexpr int kTileWords = kTile / 32;
constexpr int32_t kNoTie = INT32_MIN;  // no score has this key

struct TileInput {
  const float* scores;       // [count], 4-byte aligned
  const uint32_t* previous;  // mask words or null
  int count;                 // 1..kTile
  bool is_signed;
  int32_t lo;
  int32_t hi;
  int32_t tied;
};

struct TileCounts {
  int live;
  int kept;
  int candidates;
  int ties;
  bool nan;
};

// Room for the candidates of a whole tile and for whole vectors stored past the last.
struct TileCandidates {
  int32_t keys[kTile + 32];
  uint16_t offsets[kTile + 32];
};

using ClassifyTile = TileCounts (*)(const TileInput& input, uint32_t* mask,
                                    TileCandidates* candidates);
TileCounts classify_tile_plain(const TileInput& input, uint32_t* mask, TileCandidates* candidates);
TileCounts classify_tile_avx2(const TileInput& input, uint32_t* mask, TileCandidates* candidates);
TileCounts classify_tile_avx512(const TileInput& input, uint32_t* mask, TileCandidates* candidates);

// The one for the instruction set in use.
ClassifyTile classify_tile() noexcept;

}  // namespace select
}  // namespace secateur
