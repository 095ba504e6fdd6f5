// Narrows the range from..to of rank keys that holds each group's threshold, by one digit: three
// launches, stage 0, 1 and 2, leave a single key.
//
// A histogram of the keys in the range, by equal bins, finds the bin of the wanted rank: the next
// range. The keys are those listed in one part of the bracket, fetched by their offsets, or in the
// fallback those of all live elements, which stage 0 then also counts and searches for NaN. Digits
// have 12, 10 and 10 bits (a listed part needs fewer at first, and mostly no third). With the last
// digit blocks also leave the counts of their rows, so that finish knows in which row the kept ones
// of keys equal to the threshold end: of those the ones first in order are kept.
//
// Blocks count in shared memory, lanes with equal keys together. The last block of the launch finds
// the bins, a warp a group. Any grid of 256 threads, the same as the pass's. Bytes: in the fallback
// 4 n (2 n of 16-bit scores) and the previous masks; else 6 (4) for each element of the part, whose
// share is 0.05 % of n = 2^22; groups with nothing to do are not read. 8 for each bin that is not
// empty in a block.
#include "common/blocks.h"
#include "common/select_settle.h"

using namespace secateur::common;

namespace {

struct Shared {
  SegmentWalk walk;
  uint32_t bins[kFirstBins];
  unsigned long long dead, bytes;
};

// The counters of a stage; those of the upper halves follow at a distance of `bins`.
struct Counts {
  uint32_t* lower;
  int upper;
  bool large;

  SECATEUR_DEVICE Counts(const Select& s, int g, int stage, int64_t elements)
      : lower(stage == 0 ? s.counters[g].first[0] : s.counters[g].next[stage - 1][0]),
        upper(stage == 0 ? kFirstBins : kNextBins),
        large(elements >> 32 != 0) {}
  SECATEUR_DEVICE void add(int bin, uint32_t count) const {
    const uint32_t before = atomicAdd(&lower[bin], count);
    if (before + count < before) atomicAdd(&lower[upper + bin], 1u);
  }
  SECATEUR_DEVICE unsigned long long operator()(int bin) const {
    const unsigned long long low = lower[bin];
    return large ? low | static_cast<unsigned long long>(lower[upper + bin]) << 32 : low;
  }
};

SECATEUR_DEVICE Digit digit_of(const SelectTask& group, int stage) {
  int bits = stage == 0 ? kFirstBits : kNextBits;
  if (stage == 0 && group.source == kListed) {
    const int needed = bit_length(group.to - group.from) - 2 * kNextBits;
    bits = needed < kNextBits - 1 ? kNextBits - 1 : needed;
  }
  return split(group.from, group.to, bits);
}

// All live elements of tiles first..end of the segment.
template <int kBytes>
SECATEUR_DEVICE void count_all(const Select& s, Shared& shared, Digit digit, bool look_for_nan,
                               uint32_t first, uint32_t end, uint32_t& dead) {
  using Scores = Batch<kBytes>;
  const SelectSegment& segment = shared.walk.segment;
  const uint32_t from = shared.walk.task.from, width = shared.walk.task.to - from;
  const RankKeys<kBytes> key(s);
  const int64_t stop = static_cast<int64_t>(end - segment.first_tile) * kTile;
  const int64_t last = stop < segment.length ? stop : segment.length;
  int64_t begin = static_cast<int64_t>(first - segment.first_tile) * kTile +
                  static_cast<int64_t>(threadIdx.x / 32) * Scores::kElements;
  for (; begin < last; begin += kSelectThreads / 32 * Scores::kElements) {
    const LiveWords words(segment, begin, Scores::kWords);
    Scores scores;
    scores.load(segment.scores, segment.length, begin);
    dead += static_cast<uint32_t>(__popc(words.valid & ~words.live));
    bool nan = false;
    SECATEUR_UNROLL(4)
    for (int i = 0; i < kLoads; ++i) {
      const uint32_t live = Scores::bits_of(words.live, i);
      SECATEUR_UNROLL(8)
      for (int j = 0; j < Scores::kPerLoad; ++j) {
        const uint32_t bits = scores.bits(i, j), u = key(bits);
        const bool is_nan = key.is_nan(bits), is_live = (live >> j & 1) != 0;
        nan |= is_nan && is_live;
        count_bin(shared.bins, is_live && !is_nan && u - from <= width, (u - from) >> digit.shift);
      }
    }
    if (look_for_nan && __any_sync(kAllLanes, nan)) {
      note_nans<kBytes>(s, segment, begin, words.live);
    }
  }
}

// The listed elements of the group's part in tiles first..end of the segment, a warp a tile.
template <int kBytes>
SECATEUR_DEVICE void count_listed(const Select& s, Shared& shared, Digit digit, uint32_t first,
                                  uint32_t end, uint32_t& fetched) {
  const SelectSegment& segment = shared.walk.segment;
  const SelectTask& group = shared.walk.task;
  const uint32_t from = group.from, width = group.to - from;
  const RankKeys<kBytes> key(s);
  const uint16_t* const lists = s.lists + static_cast<int64_t>(group.list_start) * kListUnit;
  const int lane = static_cast<int>(threadIdx.x & 31);
  for (uint32_t tile = first + threadIdx.x / 32; tile < end; tile += kSelectThreads / 32) {
    uint32_t start = 0, stop = 0;
    if (lane == 0) {
      const Directory& entry = s.directory[tile];
      const uint32_t ends = entry.ends[group.part / 2];
      const uint32_t even = ends & 0xffffu, odd = ends >> 16;
      const bool is_odd = (group.part & 1) != 0;
      const uint32_t before = is_odd            ? even
                              : group.part == 0 ? 0u
                                                : entry.ends[group.part / 2 - 1] >> 16;
      start = entry.start + before;
      stop = entry.start + (is_odd ? odd : even);
    }
    start = __shfl_sync(kAllLanes, start, 0);
    stop = __shfl_sync(kAllLanes, stop, 0);
    const int64_t begin = static_cast<int64_t>(tile - segment.first_tile) * kTile;
    for (uint32_t base = start; base < stop; base += 32) {
      const bool mine = base + static_cast<uint32_t>(lane) < stop;
      uint32_t u = 0;
      if (mine) {
        u = key(load_score<kBytes>(segment.scores, begin + lists[base + lane]));
        ++fetched;
      }
      count_bin(shared.bins, mine && u - from <= width, (u - from) >> digit.shift);
    }
  }
}

SECATEUR_DEVICE void narrow(const Select& s, int g, int stage) {
  SelectGroup& group = s.groups[g];
  if (group.elements == 0 || group.source == kSettled) return;
  const bool lead = (threadIdx.x & 31) == 0;
  if (stage == 0 && group.source == kAll) {
    const int64_t dead = static_cast<int64_t>(group.all_dead), k = wanted(s, g);
    __syncwarp();
    if (lead) {
      group.action = kRewrite;
      group.pruned = static_cast<unsigned long long>(k > dead ? k : dead);
      group.rank = static_cast<unsigned long long>(k > dead ? k - dead : 0);
      if (k <= dead) {
        group.source = kSettled;
        group.threshold = kNoKey;
        group.cut_row = 0x7fffffff;
      }
    }
    if (k <= dead) return;
    __syncwarp();
  }
  const Digit digit = digit_of(group, stage);
  const Found found = find_rank(digit.bins, group.rank, Counts(s, g, stage, group.elements));
  __syncwarp();
  if (found.place < 0) {  // NaN: there are fewer keys than elements; finish writes no masks
    if (lead) group.source = kSettled;
    return;
  }
  const unsigned long long rank = group.rank - found.before;
  if (digit.last()) {
    cut_ties(s, group, g, found.count, found.count - rank, [&](int row) {
      return static_cast<unsigned long long>(
          s.row_counts[static_cast<int64_t>(row) * kNextBins + found.place]);
    });
  }
  const uint32_t from = group.from + (static_cast<uint32_t>(found.place) << digit.shift);
  const uint32_t last = from + ((1u << digit.shift) - 1);
  __syncwarp();
  if (!lead) return;
  group.from = from;
  group.to = last < group.to ? last : group.to;
  group.rank = rank;
  if (!digit.last()) return;
  group.source = kSettled;
  group.threshold = from;
  group.equal = found.count;
}

template <int kBytes>
SECATEUR_DEVICE void count_digit(const Select& s, Shared& shared, int stage) {
  const int thread = static_cast<int>(threadIdx.x);
  uint32_t dead = 0, fetched = 0;
  const auto leave = [&](int g) {
    const SelectTask& group = shared.walk.task;
    if (group.source == kSettled) return;
    add_of_warp(&shared.dead, dead);
    add_of_warp(&shared.bytes, static_cast<unsigned long long>(fetched) * kBytes);
    dead = fetched = 0;
    __syncthreads();
    const Digit digit = digit_of(group, stage);
    const Counts counts(s, g, stage, group.elements);
    uint32_t* const row = s.row_counts + (static_cast<int64_t>(blockIdx.x) + g) * kNextBins;
    for (int b = thread; b < digit.bins; b += kSelectThreads) {
      const uint32_t count = shared.bins[b];
      if (count != 0) counts.add(b, count);
      if (digit.last()) row[b] = count;
    }
    if (thread == 0) {
      if (group.source == kAll && stage == 0) atomicAdd(&s.groups[g].all_dead, shared.dead);
      atomicAdd(&s.groups[g].bytes, shared.bytes);
    }
  };
  walk_segments(s, shared.walk, leave, [&](uint32_t first, uint32_t end, bool new_group) {
    const SelectTask& group = shared.walk.task;
    const SelectSegment& segment = shared.walk.segment;
    if (group.source == kSettled) return;
    const Digit digit = digit_of(group, stage);
    if (new_group) {
      for (int b = thread; b < digit.bins; b += kSelectThreads) shared.bins[b] = 0;
      if (thread == 0) shared.dead = shared.bytes = 0;
      __syncthreads();
    }
    if (group.source == kListed) {
      count_listed<kBytes>(s, shared, digit, first, end, fetched);
      return;
    }
    if (thread == 0) {
      const int64_t begin = static_cast<int64_t>(first - segment.first_tile) * kTile;
      const int64_t stop = static_cast<int64_t>(end - segment.first_tile) * kTile;
      shared.bytes +=
          bytes_of<kBytes>(segment, begin, stop < segment.length ? stop : segment.length);
    }
    count_all<kBytes>(s, shared, digit, stage == 0, first, end, dead);
  });
  if (!last_block(&s.header->tickets[1 + stage], gridDim.x)) return;
  for (int g = thread / 32; g < s.group_count; g += kSelectThreads / 32) narrow(s, g, stage);
}

}  // namespace

SECATEUR_KERNEL_BLOCKS(kSelectThreads, 2) secateur_select_digit_32(Select s, int32_t stage) {
  SECATEUR_SHARED(Shared, shared);
  count_digit<4>(s, shared, stage);
}
SECATEUR_REGISTER(secateur_select_digit_32);

SECATEUR_KERNEL_BLOCKS(kSelectThreads, 2) secateur_select_digit_16(Select s, int32_t stage) {
  SECATEUR_SHARED(Shared, shared);
  count_digit<2>(s, shared, stage);
}
SECATEUR_REGISTER(secateur_select_digit_16);
