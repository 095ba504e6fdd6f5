// Threshold selection on the CPU: which elements of a group of tensors rank lowest, exactly.
//
//   select.cpp          checks of k, workspace, groups, and handing the masks out
//   select_group.cpp    one group: bracket, one pass, settling, ties; the fallback
//   select_sample.cpp   the bracket around the wanted rank, from a sample
//   select_histogram.h  counting keys by digit, to find a rank without sorting
//   select_tile.h       the inner loop: mask words and in-bracket keys of a tile, by instruction
//   set
//   select_half.cpp     all of it for 16-bit scores
//
// Nothing is written to the caller's masks until all groups have succeeded: a pass writes drafts in
// the workspace, so that a NaN leaves the masks untouched and `previous` may be `mask`.
#pragma once

#include <cstdint>
#include <vector>

#include "abi/device.h"
#include "secateur.h"
#include "select_tile.h"

namespace secateur {
namespace select {

// One tensor of a group, and where its tiles and sampling chunks start in the group's numbering.
struct Segment {
  const float* scores;
  const uint32_t* previous;  // may be null: all kept
  uint32_t* draft;           // mask words in the workspace
  int64_t length;
  int64_t first_tile;
  int64_t first_chunk;
};

// What the pass found in a tile.
struct TileRecord {
  int64_t start;        // of its candidates in the group's list
  uint16_t candidates;  // keys in the bracket, the tied key excepted
  uint16_t ties;        // keys equal to the tied key, later to the threshold
  uint16_t kept;        // keys not below the bracket
  uint16_t live;        // elements not pruned before
};

// Memory of a group in the workspace. The list of candidates also lends its room to histograms.
struct Scratch {
  TileRecord* tiles;
  int32_t* keys;      // [capacity]
  uint16_t* offsets;  // [capacity], within the tile
  int64_t capacity;
  uint32_t* histograms;  // over keys and offsets
  int64_t histogram_bytes;
};

// Candidates that a group of n elements has room for, and the bytes of room.
int64_t candidate_capacity(int64_t n);
int64_t candidate_bytes(int64_t n);

// A tile of a segment.
struct Tile {
  const Segment* segment;
  int64_t begin;  // first element in the segment
  int count;
};

struct Group {
  std::vector<Segment> segments;
  int64_t elements = 0;
  int64_t tiles = 0;
  int64_t chunks = 0;          // of kSampleChunk elements
  uint32_t* drafts = nullptr;  // of all segments, one after the other; lent to the sample

  void add(const Segment& segment);
  Tile tile(int64_t index) const;
};

constexpr int kSampleChunk = 8;  // adjacent elements sampled together: 32 bytes

// Keys in [lo, hi] are the candidates of a pass; `tied` (or kNoTie) is in [lo, hi], too frequent to
// be listed, and only counted.
struct Bracket {
  int32_t lo;
  int32_t hi;
  int32_t tied;
};

// What ranks: the key, and the wanted rank among the elements not yet pruned.
struct Rank {
  bool is_signed;
  int64_t live;  // elements not yet pruned
  int64_t rank;  // 1..live, from the lowest
};

// A bracket that holds the rank but for about one chance in 10^8 on any data whose order does not
// conspire with the sample, and that fits the capacity; false where the sample shows that there is
// none. Adds the bytes of scores and masks read to *bytes_read.
bool sample_bracket(const Group& group, const Rank& rank, const Scratch& scratch, Bracket* bracket,
                    int64_t* bytes_read);

// Selects in a group: drafts and all of the result but NaN's place. k is in 0..elements. Returns
// false, with drafts in disorder, where it met a NaN.
bool select_group(const Group& group, bool is_signed, int64_t k, bool force_fallback,
                  const Scratch& scratch, secateur_select_result* result);

// The whole selection among 16-bit scores: the bytes of its workspace; and itself, false with the
// masks untouched where it met a NaN. The results must be blank before.
size_t half_workspace(const secateur_device::Selection& selection);
bool select_half(const secateur_device::Selection& selection, char* workspace);

}  // namespace select
}  // namespace secateur
