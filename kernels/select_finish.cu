// Writes the masks and results of a selection, now that each group's threshold is known.
//
// An element is pruned where it was before, where its key is below the threshold, and where it is
// equal, but for the first so many in order: rows before the cut keep theirs, rows after it prune
// theirs, and the block of the cut row counts its tiles' equal keys in order.
//
// A tile of a group that took the one pass is its draft, mended: elements of parts between the
// draft's guess and the threshold's part are set or cleared by their offsets, those of the
// threshold's part by their keys. Only where the draft is wrong about the frequent tied key, and in
// the fallback, are the scores read again. Where any group holds a NaN no mask is written.
//
// Any grid of 256 threads, the same as the pass's. Bytes: n / 8 read and n / 8 written, 2 for each
// element listed between guess and threshold, 6 (4) in the threshold's part (0.05 % of n = 2^22
// each); or 4 n (2 n) and n / 8 of previous masks read and n / 8 written.
#include "common/blocks.h"
#include "common/half.h"
#include "common/select_settle.h"

using namespace secateur::common;

namespace {

struct Shared {
  SegmentWalk walk;
  uint32_t words[kTileWords];
  uint32_t ties[kTileWords];  // of the cut row: kept so far
  uint32_t warp_sums[kSelectThreads / 32];
  Directory entry;  // of the tile
  unsigned long long bytes, nan;
};

// What becomes of the keys equal to the threshold in a row.
struct Ties {
  bool pruned;  // unless cut
  bool cut;     // kept as long as `keep` lasts
  unsigned long long keep;

  SECATEUR_DEVICE Ties(const SelectTask& group, int row)
      : pruned(row > group.cut_row), cut(row == group.cut_row), keep(group.cut_keep) {}
};

// Keeps the first `keep` of the ties of a tile, prunes the others, and takes them off `keep`.
SECATEUR_DEVICE void cut_tile(Shared& shared, unsigned long long& keep) {
  __syncthreads();
  const int thread = static_cast<int>(threadIdx.x), lane = thread & 31, warp = thread / 32;
  uint32_t ties = shared.ties[thread];
  const uint32_t count = static_cast<uint32_t>(__popc(ties));
  const uint32_t upto = static_cast<uint32_t>(warp_upto(count));
  if (lane == 31) shared.warp_sums[warp] = upto;
  __syncthreads();
  uint32_t before = upto - count, all = 0;
  SECATEUR_UNROLL(8)
  for (int w = 0; w < kSelectThreads / 32; ++w) {
    before += w < warp ? shared.warp_sums[w] : 0u;
    all += shared.warp_sums[w];
  }
  uint32_t kept = keep <= before           ? 0u
                  : keep - before >= count ? count
                                           : static_cast<uint32_t>(keep - before);
  for (; kept > 0; --kept) ties &= ties - 1;
  shared.words[thread] &= ~ties;
  keep -= keep < all ? keep : all;
}

template <int kBytes>
SECATEUR_DEVICE void rewrite_tile(const Select& s, Shared& shared, int64_t tile_begin,
                                  const Ties& ties) {
  using Scores = Batch<kBytes>;
  const SelectSegment& segment = shared.walk.segment;
  const RankKeys<kBytes> key(s);
  const uint32_t threshold = shared.walk.task.threshold;
  // Without a threshold nothing is below; keys from `first` on are kept.
  const uint32_t first = threshold == kNoKey ? 0u : ties.pruned ? threshold + 1 : threshold;
  for (int batch = static_cast<int>(threadIdx.x / 32); batch < Scores::kPerTile;
       batch += kSelectThreads / 32) {
    const int64_t begin = tile_begin + batch * Scores::kElements;
    if (begin >= segment.length) break;
    const LiveWords words(segment, begin, Scores::kWords);
    Scores scores;
    scores.load(segment.scores, segment.length, begin);
    SECATEUR_UNROLL(4)
    for (int i = 0; i < kLoads; ++i) {
      const uint32_t live = Scores::bits_of(words.live, i);
      uint32_t kept = 0, equal = 0;
      SECATEUR_UNROLL(8)
      for (int j = 0; j < Scores::kPerLoad; ++j) {
        const uint32_t u = key(scores.bits(i, j)), bit = live >> j & 1;
        kept |= (u >= first ? bit : 0u) << j;
        equal |= (u == threshold ? bit : 0u) << j;
      }
      const int at = batch * Scores::kWords + Scores::word(i);
      kept = Scores::assemble(kept);
      if (Scores::shift() == 0) shared.words[at] = kept;
      if (ties.cut) {
        equal = Scores::assemble(equal);
        if (Scores::shift() == 0) shared.ties[at] = equal;
      }
    }
  }
}

template <int kBytes>
SECATEUR_DEVICE void mend_tile(const Select& s, Shared& shared, int64_t tile_begin,
                               const Ties& ties, unsigned long long& bytes) {
  const SelectSegment& segment = shared.walk.segment;
  const SelectTask& group = shared.walk.task;
  const int thread = static_cast<int>(threadIdx.x), part = group.part;
  if (part == kParts) return;
  // Parts first..last (from entry `begin` to `end`) are to be set or cleared, `part` is looked at.
  const Directory& entry = shared.entry;
  const auto end_of = [&](int p) {
    return p < 0 ? 0u : (p & 1) == 0 ? entry.ends[p / 2] & 0xffffu : entry.ends[p / 2] >> 16;
  };
  const uint32_t own_begin = part < 0 ? 0u : end_of(part - 1);
  const uint32_t own_end = part < 0 ? 0u : end_of(part);
  const uint32_t middle = end_of(kMiddle - 1);
  const uint32_t begin = part < kMiddle ? own_end : middle;
  const uint32_t end = part < kMiddle ? middle : own_begin;
  const uint16_t* const list =
      s.lists + static_cast<int64_t>(group.list_start) * kListUnit + entry.start;
  for (uint32_t e = begin + thread; e < end; e += kSelectThreads) {
    const uint32_t offset = list[e], bit = 1u << (offset & 31);
    if (part < kMiddle) {
      atomicOr(&shared.words[offset >> 5], bit);
    } else {
      atomicAnd(&shared.words[offset >> 5], ~bit);
    }
  }
  const RankKeys<kBytes> key(s);
  for (uint32_t e = own_begin + thread; e < own_end; e += kSelectThreads) {
    const uint32_t offset = list[e], bit = 1u << (offset & 31);
    const uint32_t u = key(load_score<kBytes>(segment.scores, tile_begin + offset));
    bytes += kBytes;
    if (u < group.threshold || (u == group.threshold && ties.pruned)) {
      atomicAnd(&shared.words[offset >> 5], ~bit);
    } else {
      atomicOr(&shared.words[offset >> 5], bit);
    }
    if (ties.cut && u == group.threshold) atomicOr(&shared.ties[offset >> 5], bit);
  }
}

// The score (its magnitude for KEY_ABS) of a rank key.
SECATEUR_DEVICE float score_of(const Select& s, uint32_t u) {
  const uint32_t infinity = infinity_of(s.dtype);
  const bool negative = s.is_signed != 0 && u < infinity;
  const uint32_t size = s.is_signed == 0 ? u : negative ? infinity - u : u - infinity;
  const float x = s.dtype == 0   ? bits_float(size)
                  : s.dtype == 1 ? f16_to_float(static_cast<uint16_t>(size))
                                 : bf16_to_float(static_cast<uint16_t>(size));
  return negative ? -x : x;
}

SECATEUR_DEVICE void write_result(const Select& s, int g, unsigned long long nan) {
  SelectResult result = {0, bits_float(0x7fc00000u), 0, 0, 0, -1, 0, -1};
  if (nan != 0) {
    result.nan_segment = static_cast<int32_t>(~nan >> kNanBits);
    result.nan_index = static_cast<int64_t>(~nan & ((1ull << kNanBits) - 1));
  } else if (s.groups[g].elements != 0) {
    const SelectGroup& group = s.groups[g];
    result.pruned = static_cast<int64_t>(group.pruned);
    result.bytes_read = static_cast<int64_t>(group.bytes);
    if (group.threshold != kNoKey) {
      result.threshold = score_of(s, group.threshold);
      result.path = group.mode == kOnePass ? 1 : 2;
      result.tied = static_cast<int64_t>(group.equal);
    }
  }
  s.results[g] = result;
}

template <int kBytes>
SECATEUR_DEVICE void finish(const Select& s, Shared& shared) {
  const int thread = static_cast<int>(threadIdx.x);
  if (thread == 0) shared.nan = s.header->nan;
  __syncthreads();
  const unsigned long long nan = shared.nan;
  if (nan != 0) {
    if (blockIdx.x != 0) return;
    for (int g = thread; g < s.group_count; g += kSelectThreads) write_result(s, g, nan);
    return;
  }
  unsigned long long bytes = 0, keep = 0;
  const auto leave = [&](int g) {
    add_of_warp(&shared.bytes, bytes);
    bytes = 0;
    __syncthreads();
    if (thread == 0 && shared.bytes != 0) atomicAdd(&s.groups[g].bytes, shared.bytes);
  };
  walk_segments(s, shared.walk, leave, [&](uint32_t first, uint32_t end, bool new_group) {
    const SelectSegment& segment = shared.walk.segment;
    const SelectTask& group = shared.walk.task;
    Ties ties(group, static_cast<int>(blockIdx.x) + segment.group);
    if (new_group) {
      keep = ties.keep;
      if (thread == 0) shared.bytes = 0;
    }
    bool rewrite = group.action == kRewrite;
    if (group.action == kMendTies) {
      rewrite = ties.cut || ties.pruned != (group.draft != group.tied);
    }
    if (rewrite && thread == 0) {
      const int64_t begin = static_cast<int64_t>(first - segment.first_tile) * kTile;
      const int64_t stop = static_cast<int64_t>(end - segment.first_tile) * kTile;
      bytes += bytes_of<kBytes>(segment, begin, stop < segment.length ? stop : segment.length);
    }
    for (uint32_t tile = first; tile < end; ++tile) {
      const int64_t begin = static_cast<int64_t>(tile - segment.first_tile) * kTile;
      const int64_t left = segment.length - begin;
      const int words = left < kTile ? static_cast<int>((left + 31) / 32) : kTileWords;
      shared.ties[thread] = 0;
      shared.words[thread] = rewrite || thread >= words
                                 ? 0u
                                 : s.drafts[static_cast<int64_t>(tile) * kTileWords + thread];
      if (thread == 0 && !rewrite) shared.entry = s.directory[tile];
      __syncthreads();
      if (rewrite) {
        rewrite_tile<kBytes>(s, shared, begin, ties);
      } else {
        mend_tile<kBytes>(s, shared, begin, ties, bytes);
      }
      if (ties.cut) cut_tile(shared, keep);
      __syncthreads();
      if (thread < words) segment.mask[begin / 32 + thread] = shared.words[thread];
      __syncthreads();
    }
  });
  if (!last_block(&s.header->tickets[4], gridDim.x)) return;
  for (int g = thread; g < s.group_count; g += kSelectThreads) write_result(s, g, 0);
}

}  // namespace

SECATEUR_KERNEL_BLOCKS(kSelectThreads, 2) secateur_select_finish_32(Select s) {
  SECATEUR_SHARED(Shared, shared);
  finish<4>(s, shared);
}
SECATEUR_REGISTER(secateur_select_finish_32);

SECATEUR_KERNEL_BLOCKS(kSelectThreads, 2) secateur_select_finish_16(Select s) {
  SECATEUR_SHARED(Shared, shared);
  finish<2>(s, shared);
}
SECATEUR_REGISTER(secateur_select_finish_16);
