// Reading scores and previous masks for threshold selection: by warps, in batches, with 16-byte
// loads whatever the scores' alignment.
//
// kBytes is the size of a score, 4 or 2. A batch is 4 loads of 16 bytes a lane: 512 or 1024
// elements; element `index(i, j)` of it is the j-th of load i. Where the scores start past a
// 16-byte boundary, the loads are those of the boundaries and lanes take from the next lane what
// they lack. A batch that begins before the first boundary, or runs past the end, loads one score
// at a time.
#pragma once

#include "common/kernel.h"
#include "common/select.h"

SECATEUR_COMMON_BEGIN

// Bits of x: 0 for 0.
SECATEUR_DEVICE int bit_length(uint32_t x) { return 32 - __clz((int)x); }

// How a digit splits from..to.
struct Digit {
  int shift, bins;
  SECATEUR_DEVICE bool last() const { return shift == 0; }
};

SECATEUR_DEVICE Digit split(uint32_t from, uint32_t to, int bits) {
  const int length = bit_length(to - from);
  const int shift = length > bits ? length - bits : 0;
  return {shift, (int)((to - from) >> shift) + 1};
}

constexpr uint32_t kAllLanes = 0xffffffffu;
constexpr int kLoads = 4;  // a lane

SECATEUR_DEVICE uint32_t word_of(const uint4& v, int w) {
  return w == 0 ? v.x : w == 1 ? v.y : w == 2 ? v.z : v.w;
}

// The rank key of a score's bits.
template <int kBytes>
struct RankKeys {
  uint32_t infinity;
  bool is_signed;

  SECATEUR_DEVICE RankKeys(const Select& s)
      : infinity(infinity_of(s.dtype)), is_signed(s.is_signed != 0) {}
  static SECATEUR_DEVICE uint32_t magnitude(uint32_t bits) {
    return bits & (kBytes == 4 ? 0x7fffffffu : 0x7fffu);
  }
  SECATEUR_DEVICE bool is_nan(uint32_t bits) const { return magnitude(bits) > infinity; }
  SECATEUR_DEVICE uint32_t operator()(uint32_t bits) const {
    const uint32_t size = magnitude(bits);
    if (!is_signed) return size;
    return (bits >> (8 * kBytes - 1)) != 0 ? infinity - size : infinity + size;
  }
};

template <int kBytes>
SECATEUR_DEVICE uint32_t load_score(const void* scores, int64_t i) {
  if (kBytes == 4) return static_cast<const uint32_t*>(scores)[i];
  return static_cast<const uint16_t*>(scores)[i];
}

template <int kBytes>
class Batch {
 public:
  static constexpr int kPerLoad = 16 / kBytes;
  static constexpr int kElements = 32 * kLoads * kPerLoad;
  static constexpr int kWords = kElements / 32;  // of masks
  static constexpr int kPerTile = kTile / kElements;

  // Elements begin .. begin + kElements of `length`; begin is a multiple of kElements.
  SECATEUR_DEVICE void load(const void* scores, int64_t length, int64_t begin) {
    const int past = static_cast<int>(reinterpret_cast<uintptr_t>(scores) & 15);
    const bool inside = begin + kElements <= length && (past == 0 || begin != 0);
    if (!inside) return load_singly(scores, length, begin);
    const char* p = static_cast<const char*>(scores) + begin * kBytes - past;
    SECATEUR_UNROLL(4)
    for (int i = 0; i < kLoads; ++i) {
      loads_[i] = *reinterpret_cast<const uint4*>(p + (i * 32 + lane()) * 16);
    }
    if (past != 0) realign(p + kLoads * 32 * 16, past);
  }

  SECATEUR_DEVICE uint32_t bits(int i, int j) const {
    const uint32_t word = word_of(loads_[i], j * kBytes / 4);
    if (kBytes == 4) return word;
    return (j & 1) != 0 ? word >> 16 : word & 0xffffu;
  }

  // Of an element in the batch.
  static SECATEUR_DEVICE int index(int i, int j) { return (i * 32 + lane()) * kPerLoad + j; }
  // Of the mask word that holds this lane's elements of load i, and their place in it.
  static SECATEUR_DEVICE int word(int i) { return (i * 32 + lane()) * kPerLoad / 32; }
  static SECATEUR_DEVICE int shift() { return lane() * kPerLoad & 31; }

  // This lane's kPerLoad bits of load i from the mask words that the lanes hold, one each.
  static SECATEUR_DEVICE uint32_t bits_of(uint32_t words, int i) {
    return __shfl_sync(kAllLanes, words, word(i)) >> shift() & ((1u << kPerLoad) - 1);
  }

  // The mask word from kPerLoad bits of each lane; on lanes with shift() 0, for word(i).
  static SECATEUR_DEVICE uint32_t assemble(uint32_t bits) {
    uint32_t word = bits << shift();
    SECATEUR_UNROLL(3)
    for (int step = 1; step < 32 / kPerLoad; step *= 2) {
      word |= __shfl_xor_sync(kAllLanes, word, step);
    }
    return word;
  }

  static SECATEUR_DEVICE int lane() { return static_cast<int>(threadIdx.x & 31); }

 private:
  SECATEUR_DEVICE void load_singly(const void* scores, int64_t length, int64_t begin) {
    SECATEUR_UNROLL(4)
    for (int i = 0; i < kLoads; ++i) {
      uint32_t w[4] = {0, 0, 0, 0};
      SECATEUR_UNROLL(8)
      for (int j = 0; j < kPerLoad; ++j) {
        const int64_t e = begin + index(i, j);
        if (e < length) w[j * kBytes / 4] |= load_score<kBytes>(scores, e) << (j * kBytes % 4 * 8);
      }
      loads_[i] = make_uint4(w[0], w[1], w[2], w[3]);
    }
  }

  // Moves all elements down by `past` bytes; `end` is where the loads ended.
  SECATEUR_DEVICE void realign(const char* end, int past) {
    uint32_t tail[4] = {0, 0, 0, 0};
    if (lane() == 31) {
      SECATEUR_UNROLL(8)
      for (int j = 0; j < kPerLoad - 1; ++j) {
        if (j * kBytes < past) {
          tail[j * kBytes / 4] |= load_score<kBytes>(end, j) << (j * kBytes % 4 * 8);
        }
      }
    }
    SECATEUR_UNROLL(4)
    for (int i = 0; i < kLoads; ++i) {
      uint32_t w[8];
      SECATEUR_UNROLL(4)
      for (int t = 0; t < 4; ++t) {
        w[t] = word_of(loads_[i], t);
        w[4 + t] = __shfl_down_sync(kAllLanes, w[t], 1);
        const uint32_t after = i + 1 < kLoads
                                   ? __shfl_sync(kAllLanes, word_of(loads_[(i + 1) % kLoads], t), 0)
                                   : tail[t];
        if (lane() == 31) w[4 + t] = after;
      }
      SECATEUR_UNROLL(7)
      for (int t = 0; t < 7; ++t) w[t] = (past & 4) != 0 ? w[t + 1] : w[t];
      SECATEUR_UNROLL(5)
      for (int t = 0; t < 5; ++t) w[t] = (past & 8) != 0 ? w[t + 2] : w[t];
      if (kBytes == 2 && (past & 2) != 0) {
        SECATEUR_UNROLL(4)
        for (int t = 0; t < 4; ++t) w[t] = w[t] >> 16 | w[t + 1] << 16;
      }
      loads_[i] = make_uint4(w[0], w[1], w[2], w[3]);
    }
  }

  uint4 loads_[kLoads];
};

// The mask words of a batch, one a lane: which elements exist, and which of these are live, not
// pruned before.
struct LiveWords {
  uint32_t valid, live;

  SECATEUR_DEVICE LiveWords(const SelectSegment& segment, int64_t begin, int words) {
    const int lane = static_cast<int>(threadIdx.x & 31);
    const int64_t word = begin / 32 + lane, left = segment.length - word * 32;
    valid = lane >= words || left <= 0 ? 0u : left >= 32 ? ~0u : (1u << left) - 1;
    live = valid;
    if (valid != 0 && segment.previous != nullptr) live &= segment.previous[word];
  }
};

// Bytes of scores and previous masks in elements begin..end of a segment.
template <int kBytes>
SECATEUR_DEVICE unsigned long long bytes_of(const SelectSegment& segment, int64_t begin,
                                            int64_t end) {
  const int64_t words = segment.previous == nullptr ? 0 : (end + 31) / 32 - begin / 32;
  return static_cast<unsigned long long>((end - begin) * kBytes + words * 4);
}

// Notes the first NaN of all.
SECATEUR_DEVICE void note_nan(SelectHeader* header, const SelectSegment& segment, int64_t index) {
  const unsigned long long place = static_cast<unsigned long long>(segment.id) << kNanBits |
                                   static_cast<unsigned long long>(index);
  atomicMax(&header->nan, ~place);
}

// Looks for NaN among the live elements of a batch; rare, so it reads them again.
template <int kBytes>
SECATEUR_DEVICE void note_nans(const Select& s, const SelectSegment& segment, int64_t begin,
                               uint32_t live_words) {
  using Scores = Batch<kBytes>;
  const RankKeys<kBytes> key(s);
  for (int word = 0; word < Scores::kWords; ++word) {
    const uint32_t live = __shfl_sync(kAllLanes, live_words, word);
    const int64_t e = begin + word * 32 + Scores::lane();
    if ((live >> Scores::lane() & 1) != 0 && key.is_nan(load_score<kBytes>(segment.scores, e))) {
      note_nan(s.header, segment, e);
    }
  }
}

// How many of a group are to be pruned.
SECATEUR_DEVICE int64_t wanted(const Select& s, int g) {
  const int64_t k = s.k[g], n = s.groups[g].elements;
  return k < 0 ? 0 : k > n ? n : k;
}

// The segment that holds a tile.
SECATEUR_DEVICE int find_segment(const SelectSegment* segments, int first, int count,
                                 uint32_t tile) {
  while (count > 1) {
    const int half = count / 2;
    if (segments[first + half].first_tile <= tile) {
      first += half;
      count -= half;
    } else {
      count = half;
    }
  }
  return first;
}

// The segments of a block's tiles, one after the other, in shared memory.
struct SegmentWalk {
  SelectSegment segment;
  SelectTask task;  // of its group
  int index;
};

// Calls piece(first tile, end, new_group) for each run of tiles of one segment in the block's part;
// every thread calls. Where new_group, leave(group) was called for the group before, and again at
// the end. Barriers stand before piece and before leave.
template <class Leave, class Piece>
SECATEUR_DEVICE void walk_segments(const Select& s, SegmentWalk& walk, const Leave& leave,
                                   const Piece& piece) {
  uint32_t tile = first_tile_of(blockIdx.x, s.tiles, s.blocks);
  const uint32_t end = first_tile_of(blockIdx.x + 1, s.tiles, s.blocks);
  int group = -1;
  for (int next = -1; tile < end;) {
    if (threadIdx.x == 0) {
      if (next < 0) next = find_segment(s.segments, 0, s.segment_count, tile);
      walk.segment = s.segments[next++];
    }
    __syncthreads();
    const bool new_group = walk.segment.group != group;
    if (new_group) {
      if (group >= 0) leave(group);
      group = walk.segment.group;
      __syncthreads();
      if (threadIdx.x == 0) walk.task = s.groups[group];
      __syncthreads();
    }
    const uint32_t all = walk.segment.first_tile + tiles_of(walk.segment.length);
    const uint32_t stop = all < end ? all : end;
    piece(tile, stop, new_group);
    tile = stop;
    __syncthreads();
  }
  if (group >= 0) leave(group);
}

// Sum over the lanes of a warp, on all of them.
SECATEUR_DEVICE unsigned long long warp_total(unsigned long long x) {
  SECATEUR_UNROLL(5)
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(kAllLanes, x, step);
  return x;
}

// Adds what each thread has to a counter; every thread of a warp calls.
SECATEUR_DEVICE void add_of_warp(unsigned long long* counter, unsigned long long x) {
  x = warp_total(x);
  if ((threadIdx.x & 31) == 0 && x != 0) atomicAdd(counter, x);
}

// Counts one of `bins` on each lane where `in`; masses of equal bins do not queue up: the lanes
// that have the first one's bin count together. Every lane of the warp calls.
SECATEUR_DEVICE void count_bin(uint32_t* bins, bool in, uint32_t bin) {
  const uint32_t all = __ballot_sync(kAllLanes, in);
  if (all == 0) return;
  const int leader = __ffs(static_cast<int>(all)) - 1;
  const uint32_t common = __shfl_sync(kAllLanes, bin, leader);
  const uint32_t same = __ballot_sync(kAllLanes, in && bin == common);
  if (static_cast<int>(threadIdx.x & 31) == leader) {
    atomicAdd(&bins[common], static_cast<uint32_t>(__popc(same)));
  } else if (in && bin != common) {
    atomicAdd(&bins[bin], 1u);
  }
}

SECATEUR_COMMON_END
