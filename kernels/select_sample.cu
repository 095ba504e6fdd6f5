// A bracket of rank keys around each group's wanted rank, from a sample of its scores.
//
// The tiles of a group of n elements are cut into n / 768 (512 to 16384) strata of equal length,
// and a hashed place of each gives a chunk of 8 adjacent scores: m = n / 96 of them. Dead elements
// (pruned before) rank below all keys, so the wanted one is the k m / n-th of the sample. Its
// deviation s is the larger of the binomial one, sqrt(m p (1 - p)), and the one that the sample
// shows: each block compares 32 interleaved parts of its own sample at its own p-quantile (scores
// alike within rows, columns or filters make a chunk worth less than 8 independent draws). The
// bracket is the sample's ranks +- 4 s; parts of it end at +- 0.5, 1.1 and 2 s. Nobody relies
// on it: the pass counts what lies below and inside. (A rank is missed once in 10^4 on ordinary
// data; a wider bracket would cost more, in longer lists each time, than the fallback does then.)
//
// The ranks are found in two steps, as reading is what costs: all of the sample gives the bin of 12
// bits, where blocks count in shared memory; the place in the bin comes from an eighth of the
// sample, read again by the last block of the group: a rank within a bin needs less precision.
// Where the bracket holds more than there is room to list, the most frequent key in it is looked
// for, in the same eighth, and left out as `tied`; where that does not help, the group falls back.
//
// Grid: x up to 16 blocks for a group, y groups; 256 threads. Bytes: 4.5 m of scores (1.2 % of 4
// n), 8 for each bin that is not empty in a block, and 16 KiB a group. Tested with the whole
// selection against a sort (native/test/ptx/selection.py, native/test/test_cuda_select.cpp).
#include "common/blocks.h"
#include "common/select_scan.h"

using namespace secateur::common;

namespace {

constexpr double kDeviations = 4;
constexpr double kFill = 0.9;  // of the room that a bracket may be expected to need
constexpr int kRanks = kParts + 1;
constexpr int kSampleSegments = 64;  // of a group that are kept at hand
constexpr int kBinsPerThread = kFirstBins / kSelectThreads;
constexpr uint32_t kFew = 16;  // samples in a bin; fewer do not say where in it a rank lies

// What is to be known of a group.
struct Known {
  int64_t elements, wanted;
  uint32_t first_tile, end_tile;
  int first_segment, end_segment;
};

struct Shared {
  Known group;
  SelectSegment segments[kSampleSegments];
  uint32_t bins[kFirstBins];  // then sums up to and with the bin
  uint32_t warp_sums[kSelectThreads / 32];
  uint32_t part_below[32], part_valid[32];
  uint32_t valid, dead, best;
  unsigned long long bytes;
  // The last block's.
  long long live_rank[kRanks];
  uint32_t first_bin[kRanks], key[kRanks];
  float fraction[kRanks];
  int shift;
};

struct Sampled {
  int64_t elements;
  uint32_t first_tile;
  uint64_t chunks;
  int strata, blocks;
  int first_segment, segments;

  SECATEUR_DEVICE explicit Sampled(const Known& group)
      : elements(group.elements),
        first_tile(group.first_tile),
        chunks(uint64_t{group.end_tile - group.first_tile} * (kTile / kChunk)),
        first_segment(group.first_segment),
        segments(group.end_segment - group.first_segment) {
    strata = strata_of(elements);
    blocks = (strata + kSampleBlockStrata - 1) / kSampleBlockStrata;
  }

  SECATEUR_DEVICE uint64_t place(int stratum) const {
    const uint64_t first = chunks * static_cast<uint64_t>(stratum) / strata;
    const uint64_t end = chunks * (static_cast<uint64_t>(stratum) + 1) / strata;
    uint64_t x = static_cast<uint64_t>(stratum) + 0x9e3779b97f4a7c15u;  // SplitMix64's finalizer
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return first + x % (end - first);
  }
};

// Chunks of a thread: valid ones exist, live ones are not dead, and only their keys are of use.
struct Chunk {
  uint32_t keys[kChunk];
  uint32_t valid, live;
};

template <int kBytes>
SECATEUR_DEVICE void draw(const Select& s, Shared& shared, const Sampled& sampled, int stratum,
                          Chunk& chunk, uint32_t& bytes) {
  chunk.valid = chunk.live = 0;
  if (stratum >= sampled.strata) return;
  const uint64_t place = sampled.place(stratum);
  const uint32_t tile = sampled.first_tile + static_cast<uint32_t>(place / (kTile / kChunk));
  const SelectSegment* segments =
      sampled.segments <= kSampleSegments ? shared.segments : s.segments + sampled.first_segment;
  const SelectSegment& segment = segments[find_segment(segments, 0, sampled.segments, tile)];
  const int64_t begin = static_cast<int64_t>(tile - segment.first_tile) * kTile +
                        static_cast<int64_t>(place % (kTile / kChunk)) * kChunk;
  const int64_t left = segment.length - begin;
  if (left <= 0) return;
  chunk.valid = left < kChunk ? (1u << left) - 1 : (1u << kChunk) - 1;
  chunk.live = chunk.valid;
  if (segment.previous != nullptr) {
    chunk.live &= segment.previous[begin >> 5] >> (begin & 31);
    bytes += 4;
  }
  bytes += kBytes * static_cast<uint32_t>(__popc(chunk.valid));
  const RankKeys<kBytes> keys(s);
  const char* p = static_cast<const char*>(segment.scores) + begin * kBytes;
  uint32_t bits[kChunk];
  if (left >= kChunk && (reinterpret_cast<uintptr_t>(p) & 15) == 0) {
    SECATEUR_UNROLL(2)
    for (int i = 0; i < kBytes / 2; ++i) {
      const uint4 v = reinterpret_cast<const uint4*>(p)[i];
      SECATEUR_UNROLL(8)
      for (int j = 0; j < 16 / kBytes; ++j) {
        const uint32_t word = word_of(v, j * kBytes / 4);
        bits[i * (16 / kBytes) + j] = kBytes == 4    ? word
                                      : (j & 1) != 0 ? word >> 16
                                                     : word & 0xffffu;
      }
    }
  } else {
    SECATEUR_UNROLL(8)
    for (int j = 0; j < kChunk; ++j) bits[j] = j < left ? load_score<kBytes>(p, j) : 0u;
  }
  SECATEUR_UNROLL(8)
  for (int j = 0; j < kChunk; ++j) {
    // A NaN may rank anywhere: it ends the selection.
    chunk.keys[j] = keys.is_nan(bits[j]) ? keys(0) : keys(bits[j]);
  }
}

// bins[b] becomes the sum of bins 0..b.
SECATEUR_DEVICE void sum_up(Shared& shared) {
  __syncthreads();
  const int first = static_cast<int>(threadIdx.x) * kBinsPerThread;
  uint32_t sum = 0;
  SECATEUR_UNROLL(16)
  for (int b = 0; b < kBinsPerThread; ++b) sum += shared.bins[first + b];
  const int lane = static_cast<int>(threadIdx.x & 31), warp = static_cast<int>(threadIdx.x >> 5);
  uint32_t upto = sum;
  SECATEUR_UNROLL(5)
  for (int step = 1; step < 32; step *= 2) {
    const uint32_t before = __shfl_up_sync(kAllLanes, upto, step);
    if (lane >= step) upto += before;
  }
  if (lane == 31) shared.warp_sums[warp] = upto;
  __syncthreads();
  uint32_t running = upto - sum;
  for (int w = 0; w < warp; ++w) running += shared.warp_sums[w];
  SECATEUR_UNROLL(16)
  for (int b = 0; b < kBinsPerThread; ++b) {
    running += shared.bins[first + b];
    shared.bins[first + b] = running;
  }
  __syncthreads();
}

// The bin of the rank-th, from 1, by the sums.
SECATEUR_DEVICE uint32_t bin_of(const uint32_t* sums, uint32_t rank) {
  uint32_t first = 0, count = kFirstBins;
  while (count > 1) {
    const uint32_t half = count / 2;
    const bool beyond = sums[first + half - 1] < rank;
    first += beyond ? half : 0;
    count = beyond ? count - half : half;
  }
  return first;
}

SECATEUR_DEVICE uint32_t before_bin(const uint32_t* sums, uint32_t bin) {
  return bin == 0 ? 0u : sums[bin - 1];
}

SECATEUR_DEVICE void clear_bins(Shared& shared) {
  __syncthreads();
  for (int b = static_cast<int>(threadIdx.x); b < kFirstBins; b += kSelectThreads) {
    shared.bins[b] = 0;
  }
  __syncthreads();
}

// Draws every stride-th chunk again and counts the keys in from..to.
template <int kBytes>
SECATEUR_DEVICE void count_again(const Select& s, Shared& shared, const Sampled& sampled,
                                 uint32_t from, uint32_t to, int shift) {
  clear_bins(shared);
  const int stride = sampled.strata >= 4096 ? 8 : 1;
  const int drawn = (sampled.strata + stride - 1) / stride;
  uint32_t bytes = 0;
  for (int base = 0; base < drawn; base += kSelectThreads) {
    Chunk chunk;
    draw<kBytes>(s, shared, sampled, (base + static_cast<int>(threadIdx.x)) * stride, chunk, bytes);
    SECATEUR_UNROLL(8)
    for (int j = 0; j < kChunk; ++j) {
      const bool in = (chunk.live >> j & 1) != 0 && chunk.keys[j] - from <= to - from;
      count_bin(shared.bins, in, in ? (chunk.keys[j] - from) >> shift : 0u);
    }
  }
  add_of_warp(&shared.bytes, bytes);
  __syncthreads();
}

// The most frequent key of from..to in the sample drawn again, and how often it occurs. The first
// count, of 1 << shift keys a bin, stands in bins, summed up; only bins first..last count.
template <int kBytes>
SECATEUR_DEVICE uint32_t most_frequent(const Select& s, Shared& shared, const Sampled& sampled,
                                       uint32_t from, int shift, uint32_t first, uint32_t last,
                                       uint32_t* count) {
  for (;;) {
    if (threadIdx.x == 0) shared.best = 0;
    __syncthreads();
    for (uint32_t b = first + threadIdx.x; b <= last; b += kSelectThreads) {
      const uint32_t here = shared.bins[b] - before_bin(shared.bins, b);
      if (here != 0) atomicMax(&shared.best, here << kFirstBits | b);
    }
    __syncthreads();
    const uint32_t bin = shared.best & (kFirstBins - 1);
    *count = shared.best >> kFirstBits;
    from += bin << shift;
    if (shift == 0) return from;
    const uint32_t width = (1u << shift) - 1;
    shift = split(0, width, kFirstBits).shift;
    count_again<kBytes>(s, shared, sampled, from, from + width, shift);
    sum_up(shared);
    first = 0;
    last = width >> shift;
  }
}

// The last block of a group: all bins are in the group's counters.
template <int kBytes>
SECATEUR_DEVICE void find_bracket(const Select& s, Shared& shared, const Sampled& sampled, int g,
                                  int first_shift) {
  SelectGroup& group = s.groups[g];
  const int thread = static_cast<int>(threadIdx.x);
  __syncthreads();
  for (int b = thread; b < kFirstBins; b += kSelectThreads) {
    shared.bins[b] = s.counters[g].sample[b];
  }
  if (thread == 0) shared.bytes = 0;
  sum_up(shared);

  const double m = static_cast<double>(group.sampled), n = static_cast<double>(sampled.elements);
  const long long dead = static_cast<long long>(group.sampled_dead);
  const long long live = static_cast<long long>(group.sampled) - dead;
  const double p = static_cast<double>(shared.group.wanted) / n;
  const double binomial = m * p * (1 - p), shown = static_cast<double>(group.variance);
  const double deviation = sqrt(binomial > shown ? binomial : shown);
  const long long middle = static_cast<long long>(p * m + 0.5) - dead;
  const uint32_t top = top_key(s.dtype, s.is_signed != 0);
  if (thread < kRanks) {
    const int edge = thread < kMiddle ? thread : kParts - thread;  // 0: the bracket's, 4: none
    const double sides = edge == 0   ? kDeviations
                         : edge == 1 ? 2
                         : edge == 2 ? 1.1
                         : edge == 3 ? 0.5
                                     : 0;
    const long long steps = static_cast<long long>(sides * deviation) + (edge == 0 ? 3 : 0);
    const long long rank = middle + (thread < kMiddle ? -steps : steps);
    shared.live_rank[thread] = rank;
    const long long inside = rank < 1 ? 1 : rank > live ? live : rank;
    const uint32_t bin = bin_of(shared.bins, static_cast<uint32_t>(inside));
    const uint32_t before = before_bin(shared.bins, bin);
    shared.first_bin[thread] = bin;
    shared.fraction[thread] =
        static_cast<float>(inside - before) / static_cast<float>(shared.bins[bin] - before);
  }
  __syncthreads();
  const bool open_below = shared.live_rank[0] < 1;
  const bool open_above = shared.live_rank[kParts] > live;
  if (shared.live_rank[kParts] < 1 || live < 64) {
    // Most likely nothing but dead elements is pruned: drafts keep all, nothing is listed. A sample
    // with hardly a live element cannot say more either.
    if (thread == 0) {
      group.mode = kOnePass;
      group.lo = group.hi = group.tied = group.draft = 0;
      for (int b = 0; b < kParts - 1; ++b) group.bounds[b] = 0;
    }
    return;
  }
  const uint32_t low_bin = open_below ? 0 : shared.first_bin[0];
  const uint32_t high_bin = open_above ? (top >> first_shift) : shared.first_bin[kParts];
  const uint32_t from = low_bin << first_shift;
  const uint32_t above = (high_bin << first_shift) + ((1u << first_shift) - 1);
  const uint32_t to = above < top ? above : top;
  const uint32_t in_bins = shared.bins[high_bin] - before_bin(shared.bins, low_bin);
  const int shift = split(from, to, kFirstBits).shift;
  count_again<kBytes>(s, shared, sampled, from, to, shift);
  sum_up(shared);

  if (thread < kRanks) {
    // Of the bin of 12 bits, its first and last bin now.
    const uint32_t start = shared.first_bin[thread] << first_shift;
    const uint32_t last = start + ((1u << first_shift) - 1);
    const uint32_t b0 = (start - from) >> shift, b1 = ((last < to ? last : to) - from) >> shift;
    const uint32_t before = before_bin(shared.bins, b0), count = shared.bins[b1] - before;
    const bool upper = thread == kParts;
    uint32_t bin = upper ? b1 : b0;
    if (count >= kFew || (thread != 0 && !upper && count != 0)) {
      const float exact = shared.fraction[thread] * static_cast<float>(count);
      uint32_t rank = static_cast<uint32_t>(exact) + 1;
      rank = rank > count ? count : rank;
      bin = bin_of(shared.bins, before + rank);
    }
    uint32_t key = from + (bin << shift);
    if (upper) {
      const uint32_t end = key + ((1u << shift) - 1);
      key = open_above || end > to ? to : end;
    }
    if (shared.live_rank[thread] < 1) key = 0;
    shared.key[thread] = key;
  }
  __syncthreads();

  const uint32_t lo = shared.key[0], hi = shared.key[kParts];
  const uint32_t b0 = (lo - from) >> shift, b1 = (hi - from) >> shift;
  const uint32_t counted = shared.bins[kFirstBins - 1];
  const uint32_t inside = shared.bins[b1] - before_bin(shared.bins, b0);
  // Elements that one of the sample drawn again stands for.
  const double each = counted == 0 ? 0 : n / m * (static_cast<double>(in_bins) / counted);
  const double room = kFill * static_cast<double>(list_capacity(sampled.elements));
  bool fits = lo <= hi && each * inside <= room;
  uint32_t tied = kNoKey;
  uint32_t draft = shared.key[kMiddle];
  if (!fits && lo <= hi && inside != 0) {
    uint32_t frequent = 0;
    tied = most_frequent<kBytes>(s, shared, sampled, from, shift, b0, b1, &frequent);
    fits = tied - lo <= hi - lo && each * (inside - frequent) <= room;
    // A part must end at the tied key; are most of its elements pruned?
    draft = (draft - from) >> shift > (tied - from) >> shift ? tied + 1 : tied;
  }
  __syncthreads();
  if (fits && thread < kParts - 1) {
    const uint32_t key = shared.key[thread + 1];
    group.bounds[thread] = thread < kMiddle - 1   ? (key < draft ? key : draft)
                           : thread > kMiddle - 1 ? (key > draft ? key : draft)
                                                  : draft;
  }
  if (thread != 0) return;
  if (fits) {
    group.mode = kOnePass;
    group.lo = lo;
    group.hi = hi;
    group.tied = tied;
    group.draft = draft;
  }
  atomicAdd(&group.bytes, shared.bytes);
}

template <int kBytes>
SECATEUR_DEVICE void sample_group(const Select& s, Shared& shared, int g) {
  SelectGroup& group = s.groups[g];
  const int thread = static_cast<int>(threadIdx.x), lane = thread & 31;
  if (thread == 0) {
    shared.group = {group.elements, wanted(s, g),        group.first_tile,
                    group.end_tile, group.first_segment, group.end_segment};
  }
  __syncthreads();
  // Too few to sample: mode is kFallback.
  if (shared.group.elements < kMinSampled || s.force_fallback != 0) return;
  const Sampled sampled(shared.group);
  if (static_cast<int>(blockIdx.x) >= sampled.blocks) return;
  const int first_shift = split(0, top_key(s.dtype, s.is_signed != 0), kFirstBits).shift;

  if (sampled.segments <= kSampleSegments && thread < sampled.segments) {
    shared.segments[thread] = s.segments[sampled.first_segment + thread];
  }
  if (thread < 32) shared.part_below[thread] = shared.part_valid[thread] = 0;
  if (thread == 0) {
    shared.valid = shared.dead = 0;
    shared.bytes = 0;
  }
  clear_bins(shared);

  Chunk chunks[kChunksPerThread];
  uint32_t bytes = 0, valid = 0, dead = 0;
  SECATEUR_UNROLL(4)
  for (int c = 0; c < kChunksPerThread; ++c) {
    const int q = c * kSelectThreads + thread;
    const int stratum = static_cast<int>(blockIdx.x) + sampled.blocks * q;
    draw<kBytes>(s, shared, sampled, stratum, chunks[c], bytes);
  }
  SECATEUR_UNROLL(4)
  for (int c = 0; c < kChunksPerThread; ++c) {
    valid += static_cast<uint32_t>(__popc(chunks[c].valid));
    dead += static_cast<uint32_t>(__popc(chunks[c].valid & ~chunks[c].live));
    SECATEUR_UNROLL(8)
    for (int j = 0; j < kChunk; ++j) {
      const bool in = (chunks[c].live >> j & 1) != 0;
      count_bin(shared.bins, in, in ? chunks[c].keys[j] >> first_shift : 0u);
    }
  }
  atomicAdd(&shared.part_valid[lane], valid);
  const uint32_t warp_valid = static_cast<uint32_t>(warp_total(valid));
  const uint32_t warp_dead = static_cast<uint32_t>(warp_total(dead));
  if (lane == 0) {
    atomicAdd(&shared.valid, warp_valid);
    atomicAdd(&shared.dead, warp_dead);
  }
  add_of_warp(&shared.bytes, bytes);
  __syncthreads();

  for (int b = thread; b < kFirstBins; b += kSelectThreads) {
    if (shared.bins[b] != 0) atomicAdd(&s.counters[g].sample[b], shared.bins[b]);
  }
  sum_up(shared);

  // How many of each part lie below this block's own quantile?
  const double p = static_cast<double>(shared.group.wanted) / static_cast<double>(sampled.elements);
  const double rank = p * shared.valid - shared.dead;
  const uint32_t live = shared.bins[kFirstBins - 1];
  const uint32_t inside = rank < 1 ? 1u : rank > live ? live : static_cast<uint32_t>(rank);
  const uint32_t pivot = rank < 1 || live == 0 ? 0u : bin_of(shared.bins, inside) << first_shift;
  uint32_t below = dead;
  SECATEUR_UNROLL(4)
  for (int c = 0; c < kChunksPerThread; ++c) {
    SECATEUR_UNROLL(8)
    for (int j = 0; j < kChunk; ++j) {
      below += (chunks[c].live >> j & 1) != 0 && chunks[c].keys[j] < pivot ? 1u : 0u;
    }
  }
  atomicAdd(&shared.part_below[lane], below);
  __syncthreads();
  if (thread < 32) {
    const double c = shared.part_below[lane], size = shared.part_valid[lane];
    const double all_below = static_cast<double>(warp_total(shared.part_below[lane]));
    const double all = static_cast<double>(shared.valid);
    const double e = all == 0 ? 0 : c - all_below / all * size;
    // Squares in 1/16 so that their sum has no order.
    const unsigned long long squares =
        warp_total(static_cast<unsigned long long>(e * e * 16 + 0.5));
    if (lane == 0) {
      atomicAdd(&group.variance, squares * 32 / 31 / 16);
      atomicAdd(&group.sampled, static_cast<unsigned long long>(shared.valid));
      atomicAdd(&group.sampled_dead, static_cast<unsigned long long>(shared.dead));
      atomicAdd(&group.bytes, shared.bytes);
    }
  }
  if (last_block(&group.sample_ticket, static_cast<uint32_t>(sampled.blocks))) {
    find_bracket<kBytes>(s, shared, sampled, g, first_shift);
  }
  __syncthreads();
}

template <int kBytes>
SECATEUR_DEVICE void sample(const Select& s, Shared& shared) {
  for (int g = static_cast<int>(blockIdx.y); g < s.group_count; g += static_cast<int>(gridDim.y)) {
    sample_group<kBytes>(s, shared, g);
    __syncthreads();
  }
}

}  // namespace

SECATEUR_KERNEL_BLOCKS(kSelectThreads, 2) secateur_select_sample_32(Select s) {
  SECATEUR_SHARED(Shared, shared);
  sample<4>(s, shared);
}
SECATEUR_REGISTER(secateur_select_sample_32);

SECATEUR_KERNEL_BLOCKS(kSelectThreads, 2) secateur_select_sample_16(Select s) {
  SECATEUR_SHARED(Shared, shared);
  sample<2>(s, shared);
}
SECATEUR_REGISTER(secateur_select_sample_16);
