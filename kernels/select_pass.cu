// The one pass of a selection: reads every score once, and drafts the masks.
//
// For each live element (not pruned before) of a group with a bracket lo..hi of rank keys u:
//
//   draft bit = u >= draft                         the sample's guess of the threshold
//   u < lo                                         counted
//   lo <= u <= hi, u != tied                       listed: its offset in the tile, by part
//   u == tied                                      counted by row
//   NaN                                            the first one is noted
//
// Drafts go to the workspace, so that a NaN leaves the masks untouched and `previous` may be the
// mask. Each tile's list is sorted by part in shared memory, as finish needs few parts only. The
// last block finds where the wanted rank lies: in a part, which the digits then narrow; among the
// ties; among the dead; or, the sample having been wrong, nowhere, and the group falls back.
//
// Any grid of 256 threads, which makes the rows: see select.h. Bytes: 4 n read (2 n of 16-bit
// scores) and n / 8 of previous masks, n / 8 written, 2 for each listed element (2 % of n where n
// is 2^22, less above), 20 a tile of 8192. Groups without a bracket are not read.
#include "common/blocks.h"
#include "common/select_settle.h"

using namespace secateur::common;

namespace {

constexpr int kPartShift = 13;  // a staged element is its part << 13 | its offset
constexpr int kOffsetMask = kTile - 1;
constexpr uint32_t kSorted = 2048;  // elements of a tile that are sorted before they are written

struct Shared {
  SegmentWalk walk;
  uint32_t words[kTileWords];
  uint16_t staged[kTile];
  uint16_t sorted[kSorted];
  uint32_t staged_count;
  uint32_t counts[kParts];  // by part, of the tile
  uint32_t places[kParts];  // then where the next of a part goes
  uint32_t start;
  bool fits;
  unsigned long long dead, below, ties, bytes, in_part[kParts];  // of the row
};

// Stages an element of the tile.
SECATEUR_DEVICE void list(Shared& shared, uint32_t u, int offset) {
  const SelectTask& group = shared.walk.task;
  uint32_t part = 0;
  SECATEUR_UNROLL(7)
  for (int b = 0; b < kParts - 1; ++b) part += u >= group.bounds[b] ? 1u : 0u;
  atomicAdd(&shared.counts[part], 1u);
  const uint32_t place = atomicAdd(&shared.staged_count, 1u);
  shared.staged[place] = static_cast<uint16_t>(part << kPartShift | static_cast<uint32_t>(offset));
}

template <int kBytes>
SECATEUR_DEVICE void scan_batch(const Select& s, Shared& shared, int64_t tile_begin, int batch,
                                uint32_t& dead, uint32_t& below, uint32_t& ties) {
  using Scores = Batch<kBytes>;
  const SelectSegment& segment = shared.walk.segment;
  const SelectTask& group = shared.walk.task;
  const int64_t begin = tile_begin + batch * Scores::kElements;
  const LiveWords words(segment, begin, Scores::kWords);
  Scores scores;
  scores.load(segment.scores, segment.length, begin);
  dead += static_cast<uint32_t>(__popc(words.valid & ~words.live));

  const RankKeys<kBytes> key(s);
  const uint32_t lo = group.lo, width = group.hi - lo, tied = group.tied, draft = group.draft;
  bool nan = false;
  SECATEUR_UNROLL(4)
  for (int i = 0; i < kLoads; ++i) {
    const uint32_t live = Scores::bits_of(words.live, i);
    uint32_t kept = 0;
    SECATEUR_UNROLL(8)
    for (int j = 0; j < Scores::kPerLoad; ++j) {
      const uint32_t bits = scores.bits(i, j), u = key(bits), bit = live >> j & 1;
      nan |= bit != 0 && key.is_nan(bits);
      kept |= (u >= draft ? bit : 0u) << j;
      below += u < lo ? bit : 0u;
      if (bit != 0 && u - lo <= width) {  // one in fifty
        if (u == tied) {
          ++ties;
        } else {
          list(shared, u, batch * Scores::kElements + Scores::index(i, j));
        }
      }
    }
    const uint32_t word = Scores::assemble(kept);
    if (Scores::shift() == 0) shared.words[batch * Scores::kWords + Scores::word(i)] = word;
  }
  if (__any_sync(kAllLanes, nan)) note_nans<kBytes>(s, segment, begin, words.live);
}

template <int kBytes>
SECATEUR_DEVICE void take_tile(const Select& s, Shared& shared, uint32_t tile, uint32_t& dead,
                               uint32_t& below, uint32_t& ties) {
  using Scores = Batch<kBytes>;
  const SelectSegment& segment = shared.walk.segment;
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  const int64_t begin = static_cast<int64_t>(tile - segment.first_tile) * kTile;
  const int64_t left = segment.length - begin;
  const int words = left < kTile ? static_cast<int>((left + 31) / 32) : kTileWords;
  if (thread == 0) shared.staged_count = 0;
  if (thread < kParts) shared.counts[thread] = 0;
  __syncthreads();
  for (int batch = warp; batch < Scores::kPerTile; batch += kSelectThreads / 32) {
    if (batch * Scores::kElements < left) {
      scan_batch<kBytes>(s, shared, begin, batch, dead, below, ties);
    }
  }
  __syncthreads();

  if (thread < words)
    s.drafts[static_cast<int64_t>(tile) * kTileWords + thread] = shared.words[thread];
  const uint32_t count = shared.staged_count;
  if (thread == 0) {
    SelectGroup& group = s.groups[segment.group];
    const unsigned long long start =
        count == 0 ? 0 : atomicAdd(&group.listed, static_cast<unsigned long long>(count));
    shared.fits =
        start + count <= static_cast<unsigned long long>(list_capacity(shared.walk.task.elements));
    shared.start = shared.fits ? static_cast<uint32_t>(start) : 0u;
    Directory& entry = s.directory[tile];
    entry.start = shared.start;
    uint32_t upto = 0;
    SECATEUR_UNROLL(4)
    for (int pair = 0; pair < kParts / 2; ++pair) {
      shared.places[2 * pair] = upto;
      upto += shared.counts[2 * pair];
      const uint32_t first = upto;
      shared.places[2 * pair + 1] = upto;
      upto += shared.counts[2 * pair + 1];
      entry.ends[pair] = shared.fits ? first | upto << 16 : 0u;
    }
  }
  if (thread < kParts) shared.in_part[thread] += shared.counts[thread];
  __syncthreads();
  if (!shared.fits) return;
  uint16_t* const list =
      s.lists + static_cast<int64_t>(shared.walk.task.list_start) * kListUnit + shared.start;
  uint16_t* const to = count <= kSorted ? shared.sorted : list;
  for (uint32_t e = static_cast<uint32_t>(thread); e < count; e += kSelectThreads) {
    const uint32_t element = shared.staged[e];
    const uint32_t place = atomicAdd(&shared.places[element >> kPartShift], 1u);
    to[place] = static_cast<uint16_t>(element & kOffsetMask);
  }
  if (count > kSorted) return;
  __syncthreads();
  for (uint32_t e = static_cast<uint32_t>(thread); e < count; e += kSelectThreads) {
    list[e] = shared.sorted[e];
  }
}

// What a warp finds about a group when all blocks have passed.
SECATEUR_DEVICE void settle(const Select& s, int g) {
  SelectGroup& group = s.groups[g];
  if (group.elements == 0) return;
  const bool lead = (threadIdx.x & 31) == 0;
  const int64_t dead = static_cast<int64_t>(group.dead), k = wanted(s, g);
  const unsigned long long below = group.below, ties = group.ties;
  bool fallback = group.mode != kOnePass ||
                  group.listed > static_cast<unsigned long long>(list_capacity(group.elements));
  __syncwarp();  // every lane has read before the first writes
  if (!fallback && k <= dead) {
    if (!lead) return;
    group.pruned = static_cast<unsigned long long>(dead);
    group.threshold = kNoKey;
    group.cut_row = 0x7fffffff;
    group.part = -1;
    group.action = below != 0 ? kRewrite : action_of(group, true);
    return;
  }
  unsigned long long rank = static_cast<unsigned long long>(k - dead);
  fallback = fallback || rank <= below;
  Found found = {-1, 0, 0};
  if (!fallback) {
    rank -= below;
    // Places 0..3 are the lower parts, 4 the ties, 5..8 the upper parts.
    found = find_rank(kParts + 1, rank, [&](int i) {
      return i == kMiddle ? ties : group.in_part[i < kMiddle ? i : i - 1];
    });
    fallback = found.place < 0;
  }
  if (fallback) {
    if (lead) {
      group.mode = kFallback;
      group.source = kAll;
      group.from = 0;
      group.to = top_key(s.dtype, s.is_signed != 0);
    }
    return;
  }
  rank -= found.before;
  if (lead) group.pruned = static_cast<unsigned long long>(k);
  if (found.place == kMiddle) {
    if (lead) {
      group.threshold = group.tied;
      group.equal = ties;
      group.part = kParts;
      group.action = kMendTies;
    }
    cut_ties(s, group, g, ties, ties - rank, [&](int row) { return s.row_ties[row]; });
    return;
  }
  if (!lead) return;
  const int part = found.place < kMiddle ? found.place : found.place - 1;
  uint32_t from = group.lo, to = group.hi;
  SECATEUR_UNROLL(7)
  for (int b = 0; b < kParts - 1; ++b) {
    if (b < part) from = group.bounds[b] > from ? group.bounds[b] : from;
    if (b == part) to = group.bounds[b] - 1 < to ? group.bounds[b] - 1 : to;
  }
  group.source = kListed;
  group.part = part;
  group.from = from;
  group.to = to;
  group.rank = rank;
  group.action = action_of(group, part < kMiddle);
}

template <int kBytes>
SECATEUR_DEVICE void pass(const Select& s, Shared& shared) {
  uint32_t dead = 0, below = 0, ties = 0;
  const int thread = static_cast<int>(threadIdx.x);
  const auto leave = [&](int g) {
    if (shared.walk.task.mode != kOnePass) return;
    add_of_warp(&shared.dead, dead);
    add_of_warp(&shared.below, below);
    add_of_warp(&shared.ties, ties);
    dead = below = ties = 0;
    __syncthreads();
    SelectGroup& group = s.groups[g];
    if (thread == 0) {
      if (shared.dead != 0) atomicAdd(&group.dead, shared.dead);
      if (shared.below != 0) atomicAdd(&group.below, shared.below);
      if (shared.ties != 0) atomicAdd(&group.ties, shared.ties);
      atomicAdd(&group.bytes, shared.bytes);
      s.row_ties[static_cast<int>(blockIdx.x) + g] = shared.ties;
    }
    if (thread < kParts && shared.in_part[thread] != 0) {
      atomicAdd(&group.in_part[thread], shared.in_part[thread]);
    }
  };
  walk_segments(s, shared.walk, leave, [&](uint32_t first, uint32_t end, bool new_group) {
    if (shared.walk.task.mode != kOnePass) return;
    const SelectSegment& segment = shared.walk.segment;
    if (new_group) {
      if (thread == 0) shared.dead = shared.below = shared.ties = shared.bytes = 0;
      if (thread < kParts) shared.in_part[thread] = 0;
    }
    if (thread == 0) {
      const int64_t begin = static_cast<int64_t>(first - segment.first_tile) * kTile;
      const int64_t stop = static_cast<int64_t>(end - segment.first_tile) * kTile;
      shared.bytes +=
          bytes_of<kBytes>(segment, begin, stop < segment.length ? stop : segment.length);
    }
    for (uint32_t tile = first; tile < end; ++tile) {
      take_tile<kBytes>(s, shared, tile, dead, below, ties);
      __syncthreads();
    }
  });
  if (!last_block(&s.header->tickets[0], gridDim.x)) return;
  for (int g = thread / 32; g < s.group_count; g += kSelectThreads / 32) settle(s, g);
}

}  // namespace

SECATEUR_KERNEL_BLOCKS(kSelectThreads, 2) secateur_select_pass_32(Select s) {
  SECATEUR_SHARED(Shared, shared);
  pass<4>(s, shared);
}
SECATEUR_REGISTER(secateur_select_pass_32);

SECATEUR_KERNEL_BLOCKS(kSelectThreads, 2) secateur_select_pass_16(Select s) {
  SECATEUR_SHARED(Shared, shared);
  pass<2>(s, shared);
}
SECATEUR_REGISTER(secateur_select_pass_16);
