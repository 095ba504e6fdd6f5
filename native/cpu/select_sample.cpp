// The bracket around the wanted rank, from a sample.
//
// The group is cut into strata of equal length, and a hashed place of each gives one chunk of eight
// adjacent scores. Between the sample's ranks t - 6 s and t + 6 s, t being the wanted one, the true
// threshold lies almost surely: s is the larger of the binomial standard deviation and of the one
// that 32 interleaved sub-samples show among themselves. The latter covers scores that are alike
// within a row, a column or a chunk, where a chunk of eight is worth less than eight independent
// draws. Nobody relies on it: the pass verifies the ranks.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "common/keys.h"
#include "mask.h"
#include "select.h"
#include "select_histogram.h"

namespace secateur {
namespace select {
namespace {

constexpr int64_t kMaxSample = int64_t{1} << 19;
constexpr int64_t kMinLive = 1024;  // of the sample; fewer say too little
constexpr int kSubsamples = 32;
constexpr double kDeviations = 6;
constexpr double kFill = 0.9;         // of the capacity that a bracket may be expected to need
constexpr int32_t kDead = INT32_MAX;  // stands for an element that is not live; as a key, a NaN
constexpr int64_t kGrain = 2048;      // strata a task

uint64_t hash(uint64_t x) {  // the finalizer of SplitMix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

class Sample {
 public:
  Sample(const Group& group, bool is_signed)
      : group_(group),
        is_signed_(is_signed),
        strata_(std::min(kMaxSample, group.elements / 32) / kSampleChunk),
        keys_(reinterpret_cast<int32_t*>(group.drafts)) {}

  int64_t strata() const { return strata_; }
  int64_t live() const { return live_; }

  void draw() {
    std::atomic<int64_t> live{0};
    parallel_ranges(strata_, kGrain, [&](int64_t begin, int64_t end) {
      // Each draw misses the caches: a batch is asked for before any of it is used.
      constexpr int kBatch = 64;
      const Segment* segments[kBatch];
      int64_t chunks[kBatch];
      auto after = group_.segments.begin();
      int64_t chunk_live = 0;
      for (int64_t first = begin; first < end; first += kBatch) {
        const int batch = static_cast<int>(std::min<int64_t>(kBatch, end - first));
        for (int b = 0; b < batch; ++b) {
          const int64_t chunk = place(first + b);
          while (after != group_.segments.end() && after->first_chunk <= chunk) ++after;
          segments[b] = &*(after - 1);
          chunks[b] = chunk - segments[b]->first_chunk;
          const float* scores = segments[b]->scores + chunks[b] * kSampleChunk;
          __builtin_prefetch(scores);
          __builtin_prefetch(scores + kSampleChunk - 1);
        }
        for (int b = 0; b < batch; ++b) {
          chunk_live += draw_chunk(*segments[b], chunks[b], keys_ + (first + b) * kSampleChunk);
        }
      }
      live.fetch_add(chunk_live, std::memory_order_relaxed);
    });
    live_ = live;
  }

  void count(Histogram* histogram, int parts) const {
    histogram->count([&](int64_t p, const auto& add) {
      const int64_t begin = strata_ * p / parts;
      const int64_t end = strata_ * (p + 1) / parts;
      add(keys_ + begin * kSampleChunk, (end - begin) * kSampleChunk);
    });
  }

  // Standard deviation of the number of sampled keys below the pivot, from the sub-samples: of
  // c_j - p n_j, c_j of n_j live ones in sub-sample j being below.
  double spread(int32_t pivot) const {
    std::atomic<int64_t> below[kSubsamples] = {};
    std::atomic<int64_t> live[kSubsamples] = {};
    parallel_ranges(strata_, kGrain, [&](int64_t begin, int64_t end) {
      int part_below[kSubsamples] = {};
      int part_live[kSubsamples] = {};
      for (int64_t s = begin; s < end; ++s) {
        const int32_t* key = keys_ + s * kSampleChunk;
        int chunk_below = 0;
        int chunk_live = 0;
        for (int i = 0; i < kSampleChunk; ++i) {
          chunk_below += key[i] < pivot;
          chunk_live += key[i] != kDead;
        }
        part_below[s % kSubsamples] += chunk_below;
        part_live[s % kSubsamples] += chunk_live;
      }
      for (int j = 0; j < kSubsamples; ++j) {
        below[j].fetch_add(part_below[j], std::memory_order_relaxed);
        live[j].fetch_add(part_live[j], std::memory_order_relaxed);
      }
    });
    double all_below = 0;
    for (const auto& c : below) all_below += static_cast<double>(c);
    const double p = all_below / static_cast<double>(live_);
    double squares = 0;
    for (int j = 0; j < kSubsamples; ++j) {
      const double e = static_cast<double>(below[j]) - p * static_cast<double>(live[j]);
      squares += e * e;
    }
    return std::sqrt(squares * kSubsamples / (kSubsamples - 1));
  }

 private:
  int64_t stratum_begin(int64_t s) const {
    return group_.chunks / strata_ * s + std::min(s, group_.chunks % strata_);
  }

  // The chunk that stands for a stratum.
  int64_t place(int64_t s) const {
    const int64_t first = stratum_begin(s);
    const auto width = static_cast<uint64_t>(stratum_begin(s + 1) - first);
    return first + static_cast<int64_t>(hash(static_cast<uint64_t>(s)) % width);
  }

  int64_t draw_chunk(const Segment& segment, int64_t chunk, int32_t* keys) const {
    const int64_t begin = chunk * kSampleChunk;
    const int count = static_cast<int>(std::min<int64_t>(kSampleChunk, segment.length - begin));
    uint32_t live = (1u << count) - 1;
    if (segment.previous != nullptr) live &= segment.previous[begin >> 5] >> (begin & 31);
    uint32_t bits[kSampleChunk] = {};
    if (count == kSampleChunk) {
      std::memcpy(bits, segment.scores + begin, sizeof bits);
    } else {
      std::memcpy(bits, segment.scores + begin, sizeof(float) * static_cast<size_t>(count));
    }
    for (int i = 0; i < kSampleChunk; ++i) {
      const int32_t key = is_signed_ ? common::signed_key(bits[i]) : common::abs_key(bits[i]);
      keys[i] = (live >> i & 1) != 0 ? key : kDead;
    }
    return __builtin_popcount(live);
  }

  const Group& group_;
  const bool is_signed_;
  const int64_t strata_;
  int32_t* const keys_;  // [strata, kSampleChunk], in the room of the drafts
  int64_t live_ = 0;
};

int most_frequent(const Histogram& histogram, int first, int last) {
  int best = first;
  int64_t most = 0;
  for (int bin = first; bin <= last; ++bin) {
    const int64_t count = histogram.count_of(bin);
    if (count <= most) continue;
    most = count;
    best = bin;
  }
  return best;
}

}  // namespace

bool sample_bracket(const Group& group, const Rank& rank, const Scratch& scratch, Bracket* bracket,
                    int64_t* bytes_read) {
  constexpr int kBits = 16;
  const int parts = static_cast<int>(std::min<int64_t>(2, scratch.histogram_bytes >> (kBits + 2)));
  Sample sample(group, rank.is_signed);
  if (sample.strata() * kSampleChunk < kMinLive) return false;
  sample.draw();
  *bytes_read += sample.strata() * kSampleChunk * static_cast<int64_t>(sizeof(float));
  const int64_t m = sample.live();
  if (m < kMinLive) return false;

  const int32_t lowest = common::lowest_key(rank.is_signed);
  const int32_t highest = common::highest_key();
  Histogram coarse(scratch.histograms, parts, kBits, lowest, highest);
  sample.count(&coarse, parts);
  const double p = static_cast<double>(rank.rank) / static_cast<double>(rank.live);
  const double per_sample = static_cast<double>(rank.live) / static_cast<double>(m);
  const auto size = static_cast<double>(m);
  const int64_t target = std::clamp<int64_t>(std::llround(p * size), 1, m);
  KeyRange middle, from, to;
  if (!coarse.locate(target, &middle)) return false;
  const double deviation = std::max(std::sqrt(size * p * (1 - p)), sample.spread(middle.lo));
  const auto reach = static_cast<int64_t>(std::ceil(kDeviations * deviation)) + 2;

  // Ranks in the sample of the bracket's ends; past the sample's own ends the bracket is open.
  const int64_t first = std::max<int64_t>(1, target - reach);
  const int64_t last = std::min(m, target + reach);
  if (!coarse.locate(first, &from) || !coarse.locate(last, &to)) return false;
  const int64_t below = first - from.rank;
  Histogram fine(scratch.histograms, parts, kBits, from.lo, to.hi);
  sample.count(&fine, parts);
  if (!fine.locate(first - below, &from) || !fine.locate(last - below, &to)) return false;
  const bool open_below = target - reach < 1;
  const bool open_above = target + reach > m;
  *bracket = {open_below ? lowest : from.lo, open_above ? highest : to.hi, kNoTie};

  const double room = kFill * static_cast<double>(scratch.capacity) / per_sample;
  const int64_t inside =
      (open_above ? m : last - to.rank + to.count) - (open_below ? 0 : first - from.rank);
  if (static_cast<double>(inside) <= room) return true;

  // Too many: is it one key that is so frequent? A bin of `fine` has at most 2^16 keys.
  int bin = most_frequent(fine, fine.bin(from.lo), fine.bin(to.lo));
  Histogram keys(scratch.histograms, parts, kBits, fine.first_key(bin), fine.last_key(bin));
  sample.count(&keys, parts);
  bin = most_frequent(keys, 0, keys.bins() - 1);
  bracket->tied = keys.first_key(bin);
  return static_cast<double>(inside - keys.count_of(bin)) <= room;
}

}  // namespace select
}  // namespace secateur
