// Selection in one group of tensors.
//
// One pass over the scores writes the mask bits of everything outside the bracket for good and
// lists the keys inside it; the threshold is the key of the wanted rank among these, found by
// counting digits. The pass counts what lies below and inside the bracket, so a bracket that missed
// the rank, or holds more than there is room for, is noticed; the fallback then narrows the range
// of keys that must hold the rank, by histograms of all scores, until its keys fit or it is a
// single key (for 16-bit scores one histogram is exact), and makes the pass with that. A single key
// too frequent to be listed is only counted by tile. Where it ends being kept is known in advance
// but for a few tiles, which are read again.
//
// Scores are read once on ordinary data, at most twice under massive ties, and up to five times
// (one failed pass, two histograms, a pass, ties) on data made to mislead the sample.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "abi/error.h"
#include "isa.h"
#include "mask.h"
#include "pool.h"
#include "select.h"
#include "select_histogram.h"

namespace secateur {
namespace select {
namespace {

constexpr int64_t kMinCandidates = int64_t{1} << 17;
// Of the elements. A candidate is 6 bytes of 4-byte scores, 4 bytes of 2-byte ones: with tile
// records, and but for the drafts, less than 5 % of the scores' bytes.
template <class Key>
constexpr double kCandidateShare = sizeof(Key) == 4 ? 0.0115 : 0.022;
constexpr int64_t kListAll = 4096;  // elements that are not worth a sample
constexpr int kFullBits = 16;       // digits of histograms over all scores
constexpr int64_t kFullBytes = int64_t{4} << kFullBits;
constexpr int kListBits = 11;  // digits of histograms over the candidates
constexpr int kListParts = 8;
constexpr int64_t kTileGrain = 16;
constexpr int64_t kStreamed = int64_t{1}
                              << 24;  // elements whose masks are too large for the caches

void fence() {
#if SECATEUR_X86
  __builtin_ia32_sfence();
#endif
}

}  // namespace

template <class Key>
int64_t candidate_capacity(int64_t n) {
  const auto share = static_cast<int64_t>(kCandidateShare<Key> * static_cast<double>(n));
  return std::max(std::min(n, kMinCandidates), share);
}

template <class Key>
int64_t candidate_bytes(int64_t n) {
  return std::max(candidate_capacity<Key>(n) * static_cast<int64_t>(sizeof(Key) + 2), kFullBytes);
}

template <class Key>
void Group<Key>::add(const Segment<Key>& segment) {
  segments.push_back(segment);
  segments.back().first_tile = tiles;
  segments.back().first_line = lines;
  elements += segment.length;
  tiles += (segment.length + kTile - 1) / kTile;
  lines += (segment.length + kLine - 1) / kLine;
}

template <class Key>
Tile<Key> Group<Key>::tile(int64_t index) const {
  const auto after = std::upper_bound(
      segments.begin(), segments.end(), index,
      [](int64_t i, const Segment<Key>& segment) { return i < segment.first_tile; });
  const Segment<Key>& segment = *(after - 1);
  const int64_t begin = (index - segment.first_tile) * kTile;
  return {&segment, begin, static_cast<int>(std::min<int64_t>(kTile, segment.length - begin))};
}

template <class Key>
Selection<Key>::Selection(const Group<Key>& group, const Format& format, bool force_fallback,
                          const Scratch<Key>& scratch)
    : group_(group),
      format_(format),
      force_fallback_(force_fallback),
      scratch_(scratch),
      code_(tile_code<Key>()),
      streams_(group.elements >= kStreamed) {
  for (const Segment<Key>& segment : group.segments) {
    if (segment.previous != nullptr) mask_bytes_ += (segment.length + 7) / 8;
  }
}

template <class Key>
bool Selection<Key>::find(int64_t k, secateur_select_result* result) {
  if (!(k == 0 ? pass(kEmptyBracket) : find_bracket(k))) return false;
  const int64_t dead = group_.elements - live_;
  const int64_t rank = k - dead;
  result->pruned = std::max(k, dead);
  if (rank > 0) {
    find_threshold(rank - below_);
    cut_listed();
    result->threshold = format_.value(threshold_);
    result->tied = equal_;
    result->path = fallback_ ? 2 : 1;
  }
  cut_tied();
  return true;
}

template <class Key>
template <class Body>
void Selection<Key>::for_tiles(const Body& body) const {
  parallel_ranges(group_.tiles, kTileGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) body(t, group_.tile(t));
    if (streams_) fence();
  });
}

template <class Key>
TileInput<Key> Selection<Key>::input(const Tile<Key>& tile, const Bracket& bracket) const {
  return {tile.segment->scores + tile.begin,
          tile.previous(),
          tile.count,
          format_.is_signed,
          format_.infinity,
          bracket.lo,
          bracket.hi,
          bracket.tied,
          true};
}

// Drafts, records and the list of candidates for a bracket, and the totals of the records. Where
// the list overflows, listed_ still counts all. False when there is a NaN.
template <class Key>
bool Selection<Key>::pass(const Bracket& bracket) {
  std::atomic<int64_t> listed{0};
  std::atomic<bool> nan{false};
  for_tiles([&](int64_t t, const Tile<Key>& tile) {
    TileFound found;
    TileInput<Key> in = input(tile, bracket);
    in.keep_ties = t < bracket.tied_end;
    const TileCounts counts = code_.classify(in, &found);
    if (counts.nan) nan.store(true, std::memory_order_relaxed);
    const int64_t start = listed.fetch_add(counts.candidates, std::memory_order_relaxed);
    if (start + counts.candidates <= scratch_.capacity) {
      code_.list(in, found, counts.candidates, scratch_.keys + start, scratch_.offsets + start);
    }
    code_.store(found.words, tile.words(), streams_, tile.draft());
    const auto narrow = [](int count) { return static_cast<uint16_t>(count); };
    scratch_.tiles[t] = {start, narrow(counts.candidates), narrow(counts.ties), narrow(counts.kept),
                         narrow(counts.live)};
  });
  bytes_read_ += all_bytes();
  bracket_ = bracket;
  listed_ = listed;
  live_ = below_ = ties_ = 0;
  for (int64_t t = 0; t < group_.tiles; ++t) {
    const TileRecord& record = scratch_.tiles[t];
    live_ += record.live;
    below_ += record.live - record.kept;
    ties_ += record.ties;
  }
  return !nan;
}

// Makes passes until one has the rank in its bracket and the list whole, or shows that none is to
// be pruned. False on NaN.
template <class Key>
bool Selection<Key>::find_bracket(int64_t k) {
  KeyRange range = {format_.lowest(), format_.highest(), 0, 0};
  Bracket bracket = {range.lo, range.hi, kNoTie, 0};
  if (!force_fallback_ && group_.elements > kListAll) {
    fallback_ =
        sample_bracket(group_, format_, k, scratch_, &bracket, &bytes_read_) == Sampled::kNone;
  }
  if (force_fallback_ || fallback_) {
    fallback_ = true;
    const int64_t live = count_live();
    range.count = live;
    range.rank = k - (group_.elements - live);
    if (range.rank <= 0) return pass(kEmptyBracket);
    if (!narrow(&range, &bracket)) return false;
  }
  for (;;) {
    if (!pass(bracket)) return false;
    const int64_t rank = k - (group_.elements - live_);
    const int64_t inside = listed_ + ties_;
    if (rank <= 0) return below_ == 0 || pass(kEmptyBracket);
    if (rank <= below_) {
      range = {range.lo, bracket.lo - 1, below_, rank};
    } else if (rank > below_ + inside) {
      range = {bracket.hi + 1, range.hi, live_ - below_ - inside, rank - below_ - inside};
    } else if (listed_ > scratch_.capacity) {
      range = {bracket.lo, bracket.hi, inside, rank - below_};
    } else {
      return true;
    }
    fallback_ = true;
    if (!narrow(&range, &bracket)) return false;
  }
}

template <class Key>
int64_t Selection<Key>::count_live() {
  if (mask_bytes_ == 0) return group_.elements;
  std::atomic<int64_t> live{0};
  for_tiles([&](int64_t, const Tile<Key>& tile) {
    const uint32_t* const previous = tile.previous();
    int count = 0;
    for (int word = 0; word < mask_words(tile.count); ++word) {
      const uint32_t bits = previous == nullptr ? ~uint32_t{0} : previous[word];
      count += __builtin_popcount(bits & valid_bits(tile.count, word));
    }
    live.fetch_add(count, std::memory_order_relaxed);
  });
  bytes_read_ += mask_bytes_;
  return live;
}

// The fallback: narrows the range until it fits the list or is a single key. False when the rank is
// not in it, which only NaNs can cause.
template <class Key>
bool Selection<Key>::narrow(KeyRange* range, Bracket* bracket) {
  const int64_t limit = force_fallback_ ? 1 + range->count / 256 : scratch_.capacity;
  // Histograms: as many as there is room for, up to 32, or more where one would count beyond 32
  // bits.
  const int64_t useful = std::max<int64_t>(32, group_.elements >> 31);
  const auto parts =
      static_cast<int>(std::clamp<int64_t>(scratch_.histogram_bytes / kFullBytes, 1, useful));
  while (range->count > limit && range->lo < range->hi) {
    Histogram histogram(scratch_.histograms, parts, kFullBits, range->lo, range->hi);
    const Bracket all = {range->lo, range->hi, kNoTie, 0};
    histogram.count([&](int64_t p, uint32_t* slots) {
      for (int64_t t = group_.tiles * p / parts; t < group_.tiles * (p + 1) / parts; ++t) {
        code_.count_scores(input(group_.tile(t), all), histogram.shift(), slots);
      }
    });
    bytes_read_ += all_bytes();
    if (!histogram.locate(range->rank, range)) return false;
  }
  *bracket = {range->lo, range->hi, kNoTie, 0};
  if (range->lo == range->hi) {
    bracket->tied = range->lo;
    const double kept = static_cast<double>(range->count - range->rank);
    bracket->tied_end =
        std::llround(static_cast<double>(group_.tiles) * kept / static_cast<double>(range->count));
  }
  return true;
}

// threshold_, how many live keys equal it, and how many of these are to be pruned. `rank` is among
// the keys in the bracket.
template <class Key>
void Selection<Key>::find_threshold(int64_t rank) {
  if (ties_ > 0) {
    const int64_t below = count_listed_below(bracket_.tied);
    if (rank > below && rank <= below + ties_) {
      threshold_ = bracket_.tied;
      equal_ = ties_;
      pruned_equal_ = rank - below;
      return;
    }
    if (rank > below) rank -= ties_;
  }
  uint32_t slots[kListParts << kListBits];
  const int parts = listed_ < 32768 ? 1 : kListParts;
  KeyRange range = {bracket_.lo, bracket_.hi, listed_, rank};
  while (range.lo < range.hi) {
    Histogram histogram(slots, parts, kListBits, range.lo, range.hi);
    histogram.count_keys(code_, scratch_.keys, listed_);
    if (!histogram.locate(range.rank, &range)) {
      fail(SECATEUR_INTERNAL, "The threshold's rank is not among the listed keys.");
    }
  }
  threshold_ = range.lo;
  equal_ = range.count;
  pruned_equal_ = range.rank;
}

template <class Key>
int64_t Selection<Key>::count_listed_below(int32_t key) const {
  std::atomic<int64_t> all{0};
  parallel_ranges(listed_, 65536, [&](int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i) count += scratch_.keys[i] < key;
    all.fetch_add(count, std::memory_order_relaxed);
  });
  return all;
}

// Where the listed keys equal to the threshold are cut: the ones of highest index are pruned.
template <class Key>
void Selection<Key>::cut_listed() {
  cut_tile_ = -1;
  if (threshold_ == bracket_.tied || pruned_equal_ == equal_) return;  // all are pruned
  int64_t left = pruned_equal_;
  for (cut_tile_ = group_.tiles - 1;; --cut_tile_) {
    const TileRecord& record = scratch_.tiles[cut_tile_];
    const int equal =
        code_.count_equal(scratch_.keys + record.start, record.candidates, threshold_);
    if (equal >= left) break;
    left -= equal;
  }
  cut_pruned_ = left;
}

// The same for the key that was only counted.
template <class Key>
void Selection<Key>::cut_tied() {
  tied_tile_ = group_.tiles;
  tied_kept_ = 0;
  if (ties_ == 0 || threshold_ < bracket_.tied) return;
  int64_t left = threshold_ == bracket_.tied ? pruned_equal_ : ties_;
  while (left > 0) left -= scratch_.tiles[--tied_tile_].ties;
  tied_kept_ = -left;
}

template <class Key>
void Selection<Key>::settle(bool into_masks, secateur_select_result* result) {
  std::atomic<int64_t> bytes{0};
  for_tiles([&](int64_t t, const Tile<Key>& tile) {
    const TileRecord& record = scratch_.tiles[t];
    uint32_t* const mask = into_masks ? tile.segment->mask + tile.begin / 32 : tile.draft();
    const bool any = threshold_ != kNoTie;
    const TileList<Key> list = {scratch_.keys + record.start, scratch_.offsets + record.start,
                                any ? record.candidates : 0};
    const int32_t highest = t > cut_tile_ ? threshold_ : threshold_ - 1;
    const bool mended = is_mended(t);
    if (t != cut_tile_ && !mended) {
      code_.settle(tile.draft(), tile.words(), list, highest, streams_, mask);
      return;
    }
    alignas(8) uint32_t words[kTileWords];
    code_.settle(tile.draft(), tile.words(), list, highest, false, words);
    if (t == cut_tile_) prune_last(list, words);
    if (mended) {  // before the mask is written, as it may be `previous`
      mend_ties(t, tile, words);
      bytes.fetch_add(tile.count * static_cast<int64_t>(sizeof(Key)) +
                          (tile.previous() == nullptr ? 0 : (tile.count + 7) / 8),
                      std::memory_order_relaxed);
    }
    std::memcpy(mask, words, static_cast<size_t>(tile.words()) * sizeof(uint32_t));
  });
  result->bytes_read = bytes_read_ + bytes;
}

// Clears the last cut_pruned_ candidates equal to the threshold.
template <class Key>
void Selection<Key>::prune_last(const TileList<Key>& list, uint32_t* words) const {
  int64_t left = cut_pruned_;
  for (int i = list.count - 1; left > 0; --i) {
    if (list.keys[i] != threshold_) continue;
    words[list.offsets[i] >> 5] &= ~(uint32_t{1} << (list.offsets[i] & 31));
    --left;
  }
}

// How many of a tile's elements equal to the tied key are kept.
template <class Key>
int64_t Selection<Key>::ties_kept(int64_t t) const {
  return t < tied_tile_ ? scratch_.tiles[t].ties : t == tied_tile_ ? tied_kept_ : 0;
}

// Whether they are not as drafted.
template <class Key>
bool Selection<Key>::is_mended(int64_t t) const {
  return ties_kept(t) != (t < bracket_.tied_end ? scratch_.tiles[t].ties : 0);
}

// Sets their bits; the scores are read again.
template <class Key>
void Selection<Key>::mend_ties(int64_t t, const Tile<Key>& tile, uint32_t* words) const {
  TileFound from, above;
  code_.classify(input(tile, {bracket_.tied, kNoTie, kNoTie, 0}), &from);
  code_.classify(input(tile, {bracket_.tied + 1, kNoTie, kNoTie, 0}), &above);
  int64_t kept = ties_kept(t);
  for (int word = 0; word < tile.words(); ++word) {
    auto ties =
        static_cast<uint32_t>((from.words[word / 2] & ~above.words[word / 2]) >> (word % 2 * 32));
    words[word] &= ~ties;
    for (; kept > 0 && ties != 0; ties &= ties - 1, --kept) words[word] |= ties & (~ties + 1);
  }
}

template int64_t candidate_capacity<int32_t>(int64_t);
template int64_t candidate_capacity<int16_t>(int64_t);
template int64_t candidate_bytes<int32_t>(int64_t);
template int64_t candidate_bytes<int16_t>(int64_t);
template struct Group<int32_t>;
template struct Group<int16_t>;
template class Selection<int32_t>;
template class Selection<int16_t>;

}  // namespace select
}  // namespace secateur
