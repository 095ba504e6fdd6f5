// Threshold selection on the CPU: which elements of a group of tensors rank lowest, exactly.
//
//   select.cpp          checks of k, workspace, groups, and handing the masks out
//   select_group.cpp    one group: bracket, one pass, settling, ties; the fallback
//   select_sample.cpp   the bracket around the wanted rank, from a sample
//   select_histogram.h  counting keys by digit, to find a rank without sorting
//   select_tile.h       the inner loops: mask words and in-bracket keys of a tile, by instruction
//   set
//
// Nothing is written to the caller's masks until all groups have succeeded: a pass writes drafts in
// the workspace, so that a NaN leaves the masks untouched and `previous` may be `mask`. The last
// and largest group's drafts are settled on their way into the masks.
//
// Key is int32_t for float scores and int16_t for 16-bit ones, and holds a score's bits too. Keys
// by themselves, their bounds and their ranks are int32_t.
#pragma once

#include <cstdint>
#include <vector>

#include "abi/device.h"
#include "secateur.h"
#include "select_histogram.h"
#include "select_tile.h"

namespace secateur {
namespace select {

// What the keys of a type of scores are.
struct Format {
  int32_t infinity;  // magnitudes above it are NaN
  float (*value)(int32_t key);
  bool is_signed;

  int32_t lowest() const { return is_signed ? -infinity : 0; }
  int32_t highest() const { return infinity; }
};

// One tensor of a group, and where its tiles and sampling lines start in the group's numbering.
template <class Key>
struct Segment {
  const Key* scores;
  const uint32_t* previous;  // may be null: all kept
  uint32_t* draft;           // mask words in the workspace
  uint32_t* mask;
  int64_t length;
  int64_t first_tile;
  int64_t first_line;
};

// What the pass found in a tile.
struct TileRecord {
  int64_t start;        // of its candidates in the group's list
  uint16_t candidates;  // keys in the bracket, the tied key excepted
  uint16_t ties;        // keys equal to the tied key
  uint16_t kept;        // keys not below the bracket
  uint16_t live;        // elements not pruned before
};

// Memory of a group in the workspace. The list of candidates also lends its room to histograms.
template <class Key>
struct Scratch {
  TileRecord* tiles;
  Key* keys;          // [capacity]
  uint16_t* offsets;  // [capacity], within the tile
  int64_t capacity;
  uint32_t* histograms;  // over keys and offsets
  int64_t histogram_bytes;
};

// Candidates that a group of n elements has room for, and the bytes of room.
template <class Key>
int64_t candidate_capacity(int64_t n);
template <class Key>
int64_t candidate_bytes(int64_t n);

// A tile of a segment.
template <class Key>
struct Tile {
  const Segment<Key>* segment;
  int64_t begin;  // first element in the segment
  int count;

  int words() const { return (count + 31) / 32; }
  uint32_t* draft() const { return segment->draft + begin / 32; }
  const uint32_t* previous() const {
    return segment->previous == nullptr ? nullptr : segment->previous + begin / 32;
  }
};

template <class Key>
struct Group {
  // Adjacent elements that may be sampled together: 64 bytes.
  static constexpr int kLine = static_cast<int>(64 / sizeof(Key));

  std::vector<Segment<Key>> segments;
  int64_t elements = 0;
  int64_t tiles = 0;
  int64_t lines = 0;
  uint32_t* drafts = nullptr;  // of all segments, one after the other; lent to the sample

  void add(const Segment<Key>& segment);
  Tile<Key> tile(int64_t index) const;
};

// Keys in [lo, hi] are the candidates of a pass; `tied` (or kNoTie) is in [lo, hi], too frequent to
// be listed, and only counted. Drafts keep it in the tiles before tied_end, where it is thought to
// be kept.
struct Bracket {
  int32_t lo;
  int32_t hi;
  int32_t tied;
  int64_t tied_end;
};

constexpr Bracket kEmptyBracket = {kNoTie, kNoTie, kNoTie, 0};  // every key is above

enum class Sampled {
  kBracket,  // one that holds the rank but for about one chance in 10^6
  kNone      // the sample shows that there is none that fits the capacity
};

// The bracket of the key that is the k-th lowest of a group, elements pruned before counting as the
// lowest; on any data whose order does not conspire with the sample. Adds the bytes of scores and
// masks read to *bytes_read.
template <class Key>
Sampled sample_bracket(const Group<Key>& group, const Format& format, int64_t k,
                       const Scratch<Key>& scratch, Bracket* bracket, int64_t* bytes_read);

// Selection in a group, k in 0..elements.
template <class Key>
class Selection {
 public:
  Selection(const Group<Key>& group, const Format& format, bool force_fallback,
            const Scratch<Key>& scratch);

  // Drafts, and what to do with them; the result but NaN's place and the bytes that settle reads.
  // False, with drafts in disorder, where it met a NaN.
  bool find(int64_t k, secateur_select_result* result);

  // Finishes the drafts, in place or into the masks.
  void settle(bool into_masks, secateur_select_result* result);

 private:
  template <class Body>
  void for_tiles(const Body& body) const;
  TileInput<Key> input(const Tile<Key>& tile, const Bracket& bracket) const;
  int64_t all_bytes() const { return group_.elements * int64_t{sizeof(Key)} + mask_bytes_; }

  bool pass(const Bracket& bracket);
  bool find_bracket(int64_t k);
  int64_t count_live();
  bool narrow(KeyRange* range, Bracket* bracket);
  void find_threshold(int64_t rank);
  int64_t count_listed_below(int32_t key) const;
  void cut_listed();
  void cut_tied();
  void prune_last(const TileList<Key>& list, uint32_t* words) const;
  int64_t ties_kept(int64_t t) const;
  bool is_mended(int64_t t) const;
  void mend_ties(int64_t t, const Tile<Key>& tile, uint32_t* words) const;

  const Group<Key>& group_;
  const Format format_;
  const bool force_fallback_;
  const Scratch<Key>& scratch_;
  const TileCode<Key> code_;
  const bool streams_;  // masks past the caches
  int64_t mask_bytes_ = 0;
  int64_t bytes_read_ = 0;

  Bracket bracket_{};  // of the last pass, and what it counted
  int64_t live_ = 0;
  int64_t below_ = 0;
  int64_t listed_ = 0;
  int64_t ties_ = 0;
  bool fallback_ = false;

  int32_t threshold_ = kNoTie;  // every key is above: none is pruned
  int64_t equal_ = 0;
  int64_t pruned_equal_ = 0;

  // Of listed keys equal to the threshold: pruned in tiles after cut_tile_, and the last
  // cut_pruned_ of it. Of the tied key: kept in tiles before tied_tile_, and the first tied_kept_
  // in it.
  int64_t cut_tile_ = -1;
  int64_t cut_pruned_ = 0;
  int64_t tied_tile_ = 0;
  int64_t tied_kept_ = 0;
};

}  // namespace select
}  // namespace secateur
