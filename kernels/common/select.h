// Threshold selection on the GPU: what its kernels hand to each other, and the launcher to them.
//
//   select_table.cu    stores the table of segments, which comes by value, in the workspace
//   select_sample.cu   a bracket of keys around each group's wanted rank, from a sample
//   select_pass.cu     the one pass: draft masks, counts, and a list of the keys in the bracket
//   select_digit.cu    three launches that narrow the range of keys that holds the rank to one key,
//                      by histograms of the listed keys, or in the fallback of all
//   select_finish.cu   mends the drafts and writes masks and results
//
// Seven launches for up to 64 segments and any number of groups, after one memset of what starts
// as zero. A kernel finds in the workspace what it has to do for a group, so the host waits for
// nothing.
//
// Elements are ranked by `rank keys`: unsigned integers in 0 .. top, the keys of common/keys.h plus
// that of infinity for KEY_SIGNED. Segments are ordered by group, and cut into tiles of kTile
// elements, the last of a segment shorter. Block b of B takes the tiles b T / B .. (b + 1) T / B of
// all T, in order: a row is the part of a group that a block has, and row b + g is that of block b
// and group g (rows of one group are consecutive, no two have the same number).
//
// Each tile that a group's one pass took has in the workspace the draft of its mask words and, in
// the group's region of the lists, the offsets of its elements in the bracket, sorted by eight
// parts of the bracket that the sample chose: fine ones near its middle. The directory says where.
#pragma once

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

constexpr int kSelectThreads = 256;
constexpr int kTile = 8192;             // elements
constexpr int kTileWords = kTile / 32;  // as many as threads
constexpr int kParts = 8;               // of a bracket
constexpr int kMiddle = kParts / 2;     // the first part whose elements a draft keeps
constexpr uint32_t kNoKey = 0xffffffffu;
constexpr int kTableSegments = 64;

constexpr int kFirstBits = 12, kNextBits = 10;  // digits
constexpr int kFirstBins = 1 << kFirstBits, kNextBins = 1 << kNextBits;

constexpr int kChunk = 8;            // adjacent elements sampled together
constexpr int kChunksPerThread = 4;  // by the sample
constexpr int kSampleBlockStrata = kSelectThreads * kChunksPerThread;
constexpr int kMaxStrata = 1 << 14;
constexpr int64_t kMinSampled = int64_t{1} << 16;  // elements of a group; smaller ones fall back

// Places of a group of n elements that are sampled.
SECATEUR_HD int strata_of(int64_t n) {
  const int64_t wanted = n / (96 * kChunk);
  return (int)(wanted < 512 ? 512 : wanted < kMaxStrata ? wanted : kMaxStrata);
}

struct SelectSegment {
  const void* scores;
  const uint32_t* previous;  // may be null: all kept
  uint32_t* mask;
  int64_t length;         // not 0
  int64_t first_element;  // in its group
  uint32_t first_tile;
  int32_t group;
  int32_t id;           // place in the caller's array
  uint32_t list_start;  // of the group's region in the lists, in units of kListUnit
};

struct SelectTable {
  SelectSegment segments[kTableSegments];
};

constexpr int kListUnit = 256;

// Elements that a group of n has room to list: 2 bytes each, 1.6 % of the weights.
SECATEUR_HD int64_t list_capacity(int64_t n) {
  constexpr int64_t kLeast = int64_t{1} << 18, kMost = int64_t{1} << 31;
  const int64_t least = n < kLeast ? n : kLeast, share = n / 32;
  const int64_t room = share > least ? (share < kMost ? share : kMost) : least;
  return (room + kListUnit - 1) / kListUnit * kListUnit;
}

enum SelectMode { kFallback = 0, kOnePass = 1 };

enum SelectSource { kSettled = 0, kListed = 1, kAll = 2 };  // what the digits still count

// How finish makes a group's masks.
enum SelectAction {
  kRewrite = 0,  // from the scores
  kMend = 1,     // from the drafts and the lists
  kMendTies = 2  // drafts are right but for the tied key, where a row's ties are not as drafted
};

// What the kernels know of a group while their blocks work; only a last block changes it.
struct SelectTask {
  int64_t elements;     // from the table, as list_start
  uint32_t list_start;  // of the group's region in the lists, in units of kListUnit

  // From the sample.
  int32_t mode;                 // SelectMode
  uint32_t lo, hi;              // the bracket, both included
  uint32_t tied;                // a key in it too frequent to be listed, only counted; or kNoKey
  uint32_t draft;               // drafts keep keys from here on
  uint32_t bounds[kParts - 1];  // first keys of parts 1..7; bounds[kMiddle - 1] is draft

  // From the pass and the digits.
  int32_t source;               // SelectSource
  int32_t part;                 // has the threshold; -1: none is pruned; kParts: all as drafted
  uint32_t from, to;            // hold the threshold's key
  int32_t action;               // SelectAction
  uint32_t threshold;           // kNoKey where none is pruned
  int32_t cut_row;              // equal keys are kept in rows before this, pruned in those after,
  unsigned long long cut_keep;  // and the first so many kept in this one
};

// A group in the workspace; starts as zero.
struct SelectGroup : SelectTask {
  uint32_t first_tile, end_tile;  // from the table, as the segments
  int32_t first_segment, end_segment;

  // The sample's.
  unsigned long long sampled, sampled_dead, variance;
  uint32_t sample_ticket;
  int32_t reserved;

  // The pass's; dead: pruned before.
  unsigned long long dead, below, ties, listed, in_part[kParts];

  // The pass's and the digits'.
  unsigned long long rank;      // of the threshold in from..to, from 1
  unsigned long long all_dead;  // pruned before, counted by the fallback
  unsigned long long equal;     // keys equal to the threshold
  unsigned long long pruned, bytes;
};

struct SelectHeader {      // starts as zero
  unsigned long long nan;  // ~(segment << kNanBits | index) of the first NaN, 0: there is none
  uint32_t tickets[8];
};

constexpr int kNanBits = 42;

// Counters of a group, all starting as zero. The upper halves of those that may exceed 32 bits
// follow at the same distance.
struct SelectCounters {
  uint32_t sample[kFirstBins];
  uint32_t first[2][kFirstBins];
  uint32_t next[2][2][kNextBins];
};

// As secateur_select_result.
struct SelectResult {
  int64_t pruned;
  float threshold;
  int32_t path;
  int64_t tied, bytes_read;
  int32_t nan_segment, reserved;
  int64_t nan_index;
};

struct Directory {
  uint32_t start;             // in the group's region
  uint32_t ends[kParts / 2];  // of the parts, from start; two of 16 bits in a word
};

static_assert(sizeof(SelectSegment) == 56 && sizeof(SelectGroup) == 280 &&
                  sizeof(SelectHeader) == 40 && sizeof(Directory) == 20,
              "laid out alike for every compiler");

// What each kernel gets.
struct Select {
  SelectHeader* header;
  SelectGroup* groups;
  SelectCounters* counters;
  SelectSegment* segments;
  unsigned long long* row_ties;  // [rows] of the tied key
  uint32_t* row_counts;          // [rows, kNextBins] of a last digit
  Directory* directory;          // [tiles]
  uint32_t* drafts;              // [tiles, kTileWords]
  uint16_t* lists;
  const int64_t* k;
  SelectResult* results;
  uint32_t tiles, blocks;
  int32_t segment_count, group_count;
  int32_t dtype;
  int32_t is_signed;
  int32_t force_fallback;
  int32_t reserved;
};

SECATEUR_HD uint32_t first_tile_of(uint32_t block, uint32_t tiles, uint32_t blocks) {
  return (uint32_t)((uint64_t)block * tiles / blocks);
}
SECATEUR_HD uint32_t block_of(uint32_t tile, uint32_t tiles, uint32_t blocks) {
  return (uint32_t)((((uint64_t)tile + 1) * blocks - 1) / tiles);
}

SECATEUR_HD uint32_t tiles_of(int64_t length) { return (uint32_t)((length + kTile - 1) / kTile); }

// Magnitude of infinity in the dtype's own bits, and the highest rank key.
SECATEUR_HD uint32_t infinity_of(int32_t dtype) {
  return dtype == 0 ? 0x7f800000u : dtype == 1 ? 0x7c00u : 0x7f80u;
}
SECATEUR_HD uint32_t top_key(int32_t dtype, bool is_signed) {
  return is_signed ? 2 * infinity_of(dtype) : infinity_of(dtype);
}

SECATEUR_COMMON_END
