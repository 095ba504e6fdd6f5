// The inner loops of threshold selection, over a tile of scores. Key is int32_t for float scores
// and int16_t for 16-bit ones; it holds a score's bits as well as its key (keys.h, half.h).
//
// classify: for each element that is live (kept in `previous`): mask bit = key >= lo; where also
// key <= hi and key != tied, it is a candidate. Keys equal to tied are only counted; their mask bit
// is keep_ties. Elements that are not live get mask bit 0 and are otherwise ignored. A live NaN
// (above every bracket in magnitude) is reported.
//
// Reads 4 or 2 bytes an element and 1 bit of `previous`; writes 1 bit, and for a candidate its key
// and 2 bytes. A tile is small enough for its candidates' scores to be still in the first cache
// when their keys are taken: waiting there would leave the memory idle.
#pragma once

#include <cstdint>

namespace secateur {
namespace select {

constexpr int kTile = 4096;  // elements: 16 or 8 KiB of scores, 512 bytes of mask
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
};

struct TileCounts {
  int live;
  int kept;  // keys at least lo, tied or not
  int candidates;
  int ties;
  bool nan;
};

struct TileFound {
  alignas(64) uint64_t words[kTile / 64];  // mask bits
  uint16_t offsets[kTile + 32];            // of the candidates, in order; some may follow the last
};

// Where in the list a tile's candidates are.
template <class Key>
struct TileList {
  const Key* keys;
  const uint16_t* offsets;
  int count;
};

// The loops for an instruction set. With `stream` they write past the caches, and in order only
// with a store fence after it.
template <class Key>
struct TileCode {
  TileCounts (*classify)(const TileInput<Key>& input, TileFound* found);

  // Lists the first n candidates.
  void (*list)(const TileInput<Key>& input, const TileFound& found, int n, Key* keys,
               uint16_t* offsets);

  // Copies mask words [count] of a tile.
  void (*store)(const uint64_t* words, int count, bool stream, uint32_t* mask);

  // The same without the bits of listed elements with keys up to `highest`. mask may be draft.
  void (*settle)(const uint32_t* draft, int count, const TileList<Key>& list, int32_t highest,
                 bool stream, uint32_t* mask);

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
