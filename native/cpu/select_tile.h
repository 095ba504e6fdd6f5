// The inner loops of threshold selection, over a tile of scores. Key is int32_t for float scores
// and int16_t for 16-bit ones; it holds a score's bits as well as its key (keys.h, half.h).
//
// classify: for each element that is live (kept in `previous`): mask bit = key >= lo; where also
// key <= hi and key != tied, its key and offset are appended to the candidates, in order. Keys
// equal to tied are only counted; their mask bit is keep_ties. Elements that are not live get mask
// bit 0 and are otherwise ignored. A live NaN (above every bracket in magnitude) is reported.
//
// Reads 4 or 2 bytes an element and 1 bit of `previous`; writes 1 bit, and for a candidate its key
// and 2 bytes.
#pragma once

#include <cstdint>

namespace secateur {
namespace select {

constexpr int kTile = 8192;  // elements: 32 or 16 KiB of scores, 1 KiB of mask
constexpr int kTileWords = kTile / 32;
constexpr int32_t kNoTie = INT32_MIN;  // no score has this key

template <class Key>
struct TileInput {
  const Key* scores;         // [count], aligned as Key
  const uint32_t* previous;  // mask words or null
  int count;                 // 1..kTile
  bool is_signed;
  int32_t infinity;  // magnitudes above it are NaN
  int32_t lo;
  int32_t hi;
  int32_t tied;
  bool keep_ties;
  bool stream;  // write the mask past the caches, as it is read again much later
};

struct TileCounts {
  int live;
  int kept;  // keys at least lo, tied or not
  int candidates;
  int ties;
  bool nan;
};

// Room for the candidates of a whole tile, and for some stored past the last.
template <class Key>
struct TileCandidates {
  Key keys[kTile + 32];
  uint16_t offsets[kTile + 32];
};

// Mask words of a tile, to be copied but for the bits of candidates up to the key `highest`, which
// are cleared in the copy.
template <class Key>
struct TileDraft {
  const uint32_t* words;
  int count;  // of words
  const Key* keys;
  const uint16_t* offsets;
  int candidates;
  int32_t highest;
  bool stream;  // as in TileInput
};

// The loops for an instruction set. What they stream is in order only after a store fence.
template <class Key>
struct TileCode {
  TileCounts (*classify)(const TileInput<Key>& input, uint32_t* mask,
                         TileCandidates<Key>* candidates);

  void (*settle)(const TileDraft<Key>& draft, uint32_t* mask);

  // How many of n keys equal this one.
  int (*count_equal)(const Key* keys, int n, int32_t key);

  // ++slots[(key - lo) >> shift] for the live elements with keys in lo..hi.
  void (*count_scores)(const TileInput<Key>& input, int shift, uint32_t* slots);

  // The same for keys.
  void (*count_keys)(const Key* keys, int64_t n, int32_t lo, int32_t hi, int shift,
                     uint32_t* slots);
};

void get_tile_code_plain(TileCode<int32_t>* code);
void get_tile_code_plain(TileCode<int16_t>* code);
void get_tile_code_avx2(TileCode<int32_t>* code);
void get_tile_code_avx2(TileCode<int16_t>* code);
void get_tile_code_avx512(TileCode<int32_t>* code);
void get_tile_code_avx512(TileCode<int16_t>* code);

// For the instruction set in use.
template <class Key>
TileCode<Key> tile_code() noexcept;

}  // namespace select
}  // namespace secateur
