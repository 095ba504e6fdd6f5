// The bracket around the wanted rank, from a sample.
//
// The group is cut into strata of equal length, and a hashed place of each gives a few adjacent
// scores, a line of 64 bytes at first. Between the sample's ranks t - 5 s and t + 5 s, t being the
// wanted one, the true threshold lies almost surely: s is the larger of the binomial standard
// deviation and of the one that neighbouring strata show between them. The latter covers scores
// that are alike within a row, a column or a line, where a line of sixteen is worth less than
// sixteen independent draws; then shorter pieces of more strata make another sample, if that helps.
// Nobody relies on any of it: the pass verifies the ranks.
//
// Ranks are counted from the highest key, so that elements pruned before need not be counted.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "mask.h"
#include "select.h"
#include "select_histogram.h"

namespace secateur {
namespace select {
namespace {

constexpr int64_t kMaxSample = int64_t{1} << 19;
constexpr int64_t kLargerSample = int64_t{1} << 21;  // where lines are alike
constexpr int64_t kShare = 40;                       // a sample is at most this part of the group
constexpr double kDeviations = 5;
constexpr double kFill = 0.9;     // of the capacity that a bracket may be expected to need
constexpr int64_t kGrain = 2048;  // strata a task
constexpr double kAlike = 2;      // times the binomial variance that make lines alike
constexpr double kLineCost = 18;  // of a stratum and of a candidate, in ns
constexpr double kCandidateCost = 4;
constexpr int64_t kMostSteps = 8;  // a part of this of the sample finds its range
constexpr int kCoarseBits = 14;
constexpr int kFineBits = 11;

uint64_t hash(uint64_t x) {  // the finalizer of SplitMix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Sum over pairs of neighbouring fields of `width` bits of the squared difference of their numbers
// of set bits.
int64_t squared_differences(uint64_t bits, int width) {
  static constexpr uint64_t kFields[] = {0x5555555555555555u, 0x3333333333333333u,
                                         0x0f0f0f0f0f0f0f0fu, 0x00ff00ff00ff00ffu,
                                         0x0000ffff0000ffffu};
  int step = 0;
  for (int size = 1; size < width; size *= 2, ++step) {
    bits = (bits & kFields[step]) + (bits >> size & kFields[step]);
  }
  const uint64_t field = (uint64_t{1} << width) - 1;
  int64_t sum = 0;
  for (int at = 0; at < 64; at += 2 * width) {
    const auto a = static_cast<int64_t>(bits >> at & field);
    const auto b = static_cast<int64_t>(bits >> (at + width) & field);
    sum += (a - b) * (a - b);
  }
  return sum;
}

// Scores drawn, packed by stratum in the room of the drafts, and which of them are live.
template <class Key>
class Sample {
 public:
  Sample(const Group<Key>& group, const Format& format, int64_t strata, int width)
      : group_(group),
        format_(format),
        code_(tile_code<Key>()),
        width_(width),
        strata_(strata - strata % (64 / width)),  // whole words, and pairs
        lines_(group.lines / std::max<int64_t>(1, strata_)),
        longer_(group.lines - lines_ * strata_),
        room_(strata_ * width),
        bits_(reinterpret_cast<Key*>(group.drafts)),
        live_bits_(reinterpret_cast<uint32_t*>(bits_ + room_)) {}

  int64_t strata() const { return strata_; }
  int width() const { return width_; }
  int64_t room() const { return room_; }
  int64_t drawn() const { return drawn_; }  // elements, dead ones too
  int64_t live() const { return live_; }
  int64_t bytes() const { return bytes_; }

  void draw() {
    std::atomic<int64_t> drawn{0}, live{0}, bytes{0};
    std::fill_n(live_bits_, room_ / 32, 0u);
    parallel_ranges(strata_, kGrain, [&](int64_t begin, int64_t end) {
      // Each draw misses the caches: a batch is asked for before the one ahead of it is used.
      constexpr int kBatch = 32;
      const Segment<Key>* segments[2][kBatch];
      int64_t places[2][kBatch];
      auto after = group_.segments.begin();
      const auto ask = [&](int64_t first, int half) {
        for (int b = 0; b < kBatch && first + b < end; ++b) {
          int64_t line, within;
          place(first + b, &line, &within);
          while (after != group_.segments.end() && after->first_line <= line) ++after;
          const Segment<Key>& segment = *(after - 1);
          const int64_t at = (line - segment.first_line) * kLine + within;
          segments[half][b] = &segment;
          places[half][b] = at;
          __builtin_prefetch(segment.scores + at);
          __builtin_prefetch(segment.scores + at + width_ - 1);
          if (segment.previous != nullptr) __builtin_prefetch(segment.previous + at / 32);
        }
      };
      int64_t task_drawn = 0, task_live = 0, task_bytes = 0;
      ask(begin, 0);
      int half = 0;
      for (int64_t first = begin; first < end; first += kBatch, half ^= 1) {
        ask(first + kBatch, half ^ 1);
        for (int b = 0; b < kBatch && first + b < end; ++b) {
          const Segment<Key>& segment = *segments[half][b];
          const int64_t at = places[half][b];
          const auto count = static_cast<int>(std::clamp<int64_t>(segment.length - at, 0, width_));
          task_drawn += count;
          task_bytes += count * static_cast<int>(sizeof(Key));
          if (segment.previous != nullptr) task_bytes += (count + 7) / 8;
          task_live += draw_stratum(segment, at, count, first + b);
        }
      }
      drawn.fetch_add(task_drawn, std::memory_order_relaxed);
      live.fetch_add(task_live, std::memory_order_relaxed);
      bytes.fetch_add(task_bytes, std::memory_order_relaxed);
    });
    drawn_ = drawn;
    live_ = live;
    bytes_ = bytes;
  }

  // 64 elements of `step` times as many, chosen by hash.
  void count_some(Histogram* histogram, int step) const {
    histogram->count([&](int64_t, uint32_t* slots) {
      for (int64_t begin = 0; begin + 64 * step <= room_; begin += 64 * step) {
        const uint64_t random = hash(~static_cast<uint64_t>(begin)) >> 32;
        const int64_t at = begin + 64 * static_cast<int64_t>(random * step >> 32);
        TileInput<Key> some = input(at, 64);
        some.lo = format_.lowest();
        some.hi = format_.highest();
        code_.count_scores(some, histogram->shift(), slots);
      }
    });
  }

  // Standard deviation of the number of sampled keys from the pivot on: the sum over pairs of
  // strata, each being the other's estimate of the mean.
  double spread(int32_t pivot) const {
    std::atomic<int64_t> squares{0};
    for_tiles([&](int64_t, TileInput<Key> input) {
      input.lo = pivot;
      TileFound found;
      code_.classify(input, &found);
      int64_t sum = 0;
      for (int word = 0; word < input.count / 64; ++word) {
        sum += squared_differences(found.words[word], width_);
      }
      squares.fetch_add(sum, std::memory_order_relaxed);
    });
    return std::sqrt(static_cast<double>(squares));
  }

  // The keys in a..b but for the tied one.
  struct List {
    int64_t from_a;  // live keys at least a
    int64_t inside;  // listed ones, whether there was room or not
    int64_t stored;
    int64_t ties;
    std::vector<int32_t> ties_by_tile;
  };
  List list(int32_t a, int32_t b, int32_t tied, const Scratch<Key>& scratch) const {
    std::atomic<int64_t> from_a{0}, inside{0}, stored{0}, ties{0};
    List found = {};
    found.ties_by_tile.resize(static_cast<size_t>((room_ + kTile - 1) / kTile));
    for_tiles([&](int64_t t, TileInput<Key> input) {
      input.lo = a;
      input.hi = b;
      input.tied = tied;
      TileFound tile;
      const TileCounts counts = code_.classify(input, &tile);
      from_a.fetch_add(counts.kept, std::memory_order_relaxed);
      ties.fetch_add(counts.ties, std::memory_order_relaxed);
      found.ties_by_tile[static_cast<size_t>(t)] = counts.ties;
      const int64_t start = inside.fetch_add(counts.candidates, std::memory_order_relaxed);
      if (start + counts.candidates > scratch.capacity) return;
      stored.fetch_add(counts.candidates, std::memory_order_relaxed);
      code_.list(input, tile, counts.candidates, scratch.keys + start, scratch.offsets + start);
    });
    found.from_a = from_a;
    found.inside = inside;
    found.stored = stored;
    found.ties = ties;
    return found;
  }

  // The tile of the group where the first `kept` ties of the sample end.
  int64_t tile_after_ties(const List& list, int64_t kept) const {
    size_t t = 0;
    while (t + 1 < list.ties_by_tile.size() && kept >= list.ties_by_tile[t]) {
      kept -= list.ties_by_tile[t++];
    }
    const double part =
        static_cast<double>(kept) / std::max(1.0, static_cast<double>(list.ties_by_tile[t]));
    const auto element = static_cast<int64_t>((static_cast<double>(t) + part) * kTile);
    const int64_t stratum = std::min(element / width_, strata_);
    const int64_t line = std::min(stratum_begin(stratum), group_.lines - 1);
    auto after = group_.segments.begin();
    while (after != group_.segments.end() && after->first_line <= line) ++after;
    const Segment<Key>& segment = *(after - 1);
    return segment.first_tile + (line - segment.first_line) * kLine / kTile;
  }

 private:
  static constexpr int kLine = Group<Key>::kLine;

  int64_t stratum_begin(int64_t s) const { return lines_ * s + std::min(s, longer_); }

  // The place that stands for a stratum: a line, and where in it.
  void place(int64_t s, int64_t* line, int64_t* within) const {
    const int64_t first = stratum_begin(s);
    const auto lines = static_cast<uint64_t>(stratum_begin(s + 1) - first);
    const uint64_t random = hash(static_cast<uint64_t>(s));
    *line = first + static_cast<int64_t>((random >> 32) * lines >> 32);
    *within = static_cast<int64_t>(random * static_cast<uint64_t>(width_) % kLine);
  }

  uint32_t live_of(int64_t s) const {
    const int64_t at = s * width_;
    return live_bits_[at / 32] >> (at % 32);
  }

  int draw_stratum(const Segment<Key>& segment, int64_t begin, int count, int64_t s) {
    uint32_t live = static_cast<uint32_t>((uint64_t{1} << count) - 1);
    if (segment.previous != nullptr && count > 0) {
      live &= segment.previous[begin >> 5] >> (begin & 31);
    }
    Key* const to = bits_ + s * width_;
    if (count == kLine) {
      std::memcpy(to, segment.scores + begin, 64);
    } else {
      std::fill_n(to, width_, Key{0});
      std::memcpy(to, segment.scores + begin, sizeof(Key) * static_cast<size_t>(count));
    }
    const int64_t at = s * width_;
    live_bits_[at / 32] |= live << (at % 32);
    return __builtin_popcount(live);
  }

  TileInput<Key> input(int64_t begin, int64_t count) const {
    return {bits_ + begin,
            live_bits_ + begin / 32,
            static_cast<int>(count),
            format_.is_signed,
            format_.infinity,
            kNoTie,
            kNoTie,
            kNoTie,
            true};
  }

  template <class Body>
  void for_tiles(const Body& body) const {
    parallel_ranges((room_ + kTile - 1) / kTile, 4, [&](int64_t first, int64_t last) {
      for (int64_t t = first; t < last; ++t) {
        body(t, input(t * kTile, std::min<int64_t>(kTile, room_ - t * kTile)));
      }
    });
  }

  const Group<Key>& group_;
  const Format& format_;
  const TileCode<Key> code_;
  const int width_;
  const int64_t strata_;
  const int64_t lines_;   // of a stratum
  const int64_t longer_;  // the first so many strata have one more
  const int64_t room_;
  Key* const bits_;            // [strata, width]
  uint32_t* const live_bits_;  // the same as a mask
  int64_t drawn_ = 0;
  int64_t live_ = 0;
  int64_t bytes_ = 0;
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

// The bracket that a sample gives.
template <class Key>
class Bracketing {
 public:
  Bracketing(const Sample<Key>& sample, const Group<Key>& group, const Format& format, int64_t k,
             const Scratch<Key>& scratch)
      : sample_(sample),
        group_(group),
        format_(format),
        scratch_(scratch),
        code_(tile_code<Key>()) {
    const auto size = static_cast<double>(sample.drawn());
    const double kept =
        static_cast<double>(group.elements - k) / static_cast<double>(group.elements);
    per_sample_ = static_cast<double>(group.elements) / size;
    binomial_ = std::sqrt(size * kept * (1 - kept));
    target_ = std::llround(kept * size);
  }

  // Strata of another sample that would serve better than this one, or 0.
  double wanted() const { return wanted_; }

  // False also where another sample, of up to `most` strata, would serve better.
  bool find(Bracket* bracket, double most) {
    const double room = kFill * static_cast<double>(scratch_.capacity);
    // So few live ones that all can be listed.
    const auto live = static_cast<double>(sample_.live());
    if ((live + 6 * std::sqrt(live) + 20) * per_sample_ < room) {
      *bracket = {format_.lowest(), format_.highest(), kNoTie, 0};
      return true;
    }
    int32_t a, b;
    if (!find_range(kMostSteps, &a, &b)) return false;
    if (are_alike(room, most)) return false;
    auto list = sample_.list(a, b, kNoTie, scratch_);
    int64_t inside = 0;
    if (list.inside == list.stored && !find_ends(list, a, b, bracket, &inside)) {
      // A part of the sample gave too narrow a range.
      if (!find_range(1, &a, &b)) return false;
      list = sample_.list(a, b, kNoTie, scratch_);
    }
    if (list.inside == list.stored) {
      if (!find_ends(list, a, b, bracket, &inside)) return false;
      if (static_cast<double>(inside) * per_sample_ <= room) return true;
      a = bracket->lo;
      b = bracket->hi;
    }
    // Too many: is it one key that is so frequent?
    bracket->tied = frequent_key(list.stored, a, b);
    list = sample_.list(a, b, bracket->tied, scratch_);
    if (list.inside > list.stored) return false;
    if (!find_ends(list, a, b, bracket, &inside)) return false;
    if (bracket->tied < bracket->lo || bracket->tied > bracket->hi) {
      bracket->tied = kNoTie;
    } else {
      inside -= list.ties;
      const int64_t above = list.from_a - count_listed_upto(list.stored, bracket->tied) - list.ties;
      const int64_t kept = target_ - above;
      bracket->tied_end = kept <= 0           ? 0
                          : kept >= list.ties ? group_.tiles
                                              : sample_.tile_after_ties(list, kept);
    }
    const double excess = static_cast<double>(inside) * per_sample_ / room;
    if (excess > 1) wanted_ = static_cast<double>(sample_.strata()) * excess * excess * 1.3;
    return excess <= 1;
  }

 private:
  // Keys a..b that hold the bracket's ends, from the histogram of a part of the sample.
  bool find_range(int64_t most_steps, int32_t* a, int32_t* b) {
    const auto step = static_cast<int>(std::clamp<int64_t>(sample_.room() >> 15, 1, most_steps));
    Histogram coarse(scratch_.histograms, 1, kCoarseBits, format_.lowest(), format_.highest());
    sample_.count_some(&coarse, step);
    const int64_t live = coarse.total();
    if (live == 0) return false;
    const int64_t rank = live - target_ / step;
    KeyRange pivot, from, to;
    if (!coarse.locate(std::clamp<int64_t>(rank, 1, live), &pivot)) return false;
    deviation_ = std::max(binomial_, sample_.spread(pivot.lo));
    reach_ = static_cast<int64_t>(std::ceil(kDeviations * deviation_)) + 2;
    const double part = step == 1 ? 0 : kDeviations * deviation_ / std::sqrt(step);
    const int64_t margin = reach_ / step + static_cast<int64_t>(part) + 2;
    *a = format_.lowest();
    *b = format_.highest();
    if (rank - margin >= 1 && coarse.locate(std::min(rank - margin, live), &from)) *a = from.lo;
    if (rank + margin <= live && coarse.locate(std::max<int64_t>(rank + margin, 1), &to)) {
      *b = to.hi;
    }
    return true;
  }

  // Whether lines of alike scores make a bracket so wide that more of them are worth their cost. As
  // good as single draws, they narrow it by the root of their number.
  bool are_alike(double room, double most) {
    if (deviation_ * deviation_ < kAlike * binomial_ * binomial_) return false;
    const auto strata = static_cast<double>(sample_.strata());
    const double inside = 2 * static_cast<double>(reach_) * per_sample_;
    const double fit = strata * inside * inside / (room * room) * 1.3;
    const double cheapest =
        std::pow(kCandidateCost / (2 * kLineCost) * inside * std::sqrt(strata), 2.0 / 3);
    const double wanted = std::max(fit, cheapest);
    if (wanted < 1.5 * strata || wanted > most) return false;
    wanted_ = wanted;
    return true;
  }

  // Narrows a..b to the bracket, which must be in it; open where the sample itself ends.
  bool find_ends(const typename Sample<Key>::List& list, int32_t a, int32_t b, Bracket* bracket,
                 int64_t* inside) const {
    uint32_t slots[1 << kFineBits];
    Histogram fine(slots, 1, kFineBits, a, b);
    fine.count_keys(code_, scratch_.keys, list.stored);
    if (list.ties > 0) fine.add(bracket->tied, static_cast<uint32_t>(list.ties));
    const int64_t count = list.stored + list.ties;
    const bool open_below = target_ + reach_ > sample_.live();
    const bool open_above = target_ - reach_ < 1;
    KeyRange from = {a, a, 0, 0}, to = {b, b, 0, 0};
    int64_t first = 1, last = count;  // ranks of the ends among a..b
    if (!open_below) {
      first = list.from_a - (target_ + reach_) + 1;
      if (first < 1 || !fine.locate(first, &from)) return false;
    }
    if (!open_above) {
      last = list.from_a - (target_ - reach_) + 1;
      if (last > count || !fine.locate(std::max<int64_t>(last, 1), &to)) return false;
    }
    bracket->lo = open_below ? format_.lowest() : from.lo;
    bracket->hi = open_above ? format_.highest() : to.hi;
    *inside = last - first + 1 + (open_above ? list.from_a - count : to.count - to.rank) +
              (open_below ? sample_.live() - list.from_a : from.rank - 1);
    return true;
  }

  // The most frequent of the listed keys in a..b, if one stands out.
  int32_t frequent_key(int64_t stored, int32_t a, int32_t b) const {
    uint32_t slots[1 << kFineBits];
    while (a < b) {
      Histogram keys(slots, 1, kFineBits, a, b);
      keys.count_keys(code_, scratch_.keys, stored);
      const int bin = most_frequent(keys, 0, keys.bins() - 1);
      a = keys.first_key(bin);
      b = keys.last_key(bin);
    }
    return a;
  }

  int64_t count_listed_upto(int64_t stored, int32_t key) const {
    int64_t count = 0;
    for (int64_t i = 0; i < stored; ++i) count += scratch_.keys[i] <= key;
    return count;
  }

  const Sample<Key>& sample_;
  const Group<Key>& group_;
  const Format& format_;
  const Scratch<Key>& scratch_;
  const TileCode<Key> code_;
  double per_sample_;
  double binomial_;
  int64_t target_;  // keys of the sample that are to be kept
  double deviation_ = 0;
  int64_t reach_ = 0;
  double wanted_ = 0;
};

}  // namespace

template <class Key>
Sampled sample_bracket(const Group<Key>& group, const Format& format, int64_t k,
                       const Scratch<Key>& scratch, Bracket* bracket, int64_t* bytes_read) {
  int width = Group<Key>::kLine;
  int64_t strata = std::min(kMaxSample, group.elements / kShare) / width;
  for (int round = 0; round < 2; ++round) {
    Sample<Key> sample(group, format, strata, width);
    if (sample.strata() == 0) return Sampled::kNone;
    sample.draw();
    *bytes_read += sample.bytes();
    if (sample.drawn() == 0) return Sampled::kNone;
    Bracketing<Key> bracketing(sample, group, format, k, scratch);
    *bracket = {format.lowest(), format.highest(), kNoTie, 0};
    const int64_t most = std::min(kLargerSample, group.elements / kShare);
    if (bracketing.find(bracket, round == 0 ? static_cast<double>(most) : 0))
      return Sampled::kBracket;
    const double wanted = bracketing.wanted();
    if (wanted == 0 || wanted > static_cast<double>(most)) return Sampled::kNone;
    while (width > 1 && wanted * width > static_cast<double>(most)) width /= 2;
    strata = static_cast<int64_t>(wanted);
  }
  return Sampled::kNone;
}

template Sampled sample_bracket(const Group<int32_t>&, const Format&, int64_t,
                                const Scratch<int32_t>&, Bracket*, int64_t*);
template Sampled sample_bracket(const Group<int16_t>&, const Format&, int64_t,
                                const Scratch<int16_t>&, Bracket*, int64_t*);

}  // namespace select
}  // namespace secateur
