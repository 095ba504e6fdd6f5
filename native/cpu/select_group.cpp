// Selection in one group of tensors.
//
// One pass over the scores writes the mask bits of everything outside the bracket for good and
// lists the keys inside it; the threshold is the key of the wanted rank among these, found by
// counting digits. The pass counts what lies below and inside the bracket, so a bracket that missed
// the rank, or holds more than there is room for, is noticed; the fallback then narrows the range
// of keys that must hold the rank, by histograms of all scores, until its keys fit or it is a
// single key, and makes the pass with that. A single key too frequent to be listed is only counted
// by tile, and its mask bits are settled by reading again the tiles in which some of it is pruned,
// from the end.
//
// Scores are read once on ordinary data, at most twice under massive ties, and up to five times
// (one failed pass, two histograms, a pass, ties) on data made to mislead the sample.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "abi/error.h"
#include "common/keys.h"
#include "mask.h"
#include "select.h"
#include "select_histogram.h"

namespace secateur {
namespace select {
namespace {

constexpr int64_t kMinCandidates = int64_t{1} << 17;
constexpr double kCandidateShare =
    0.012;                     // of the elements; with the drafts 5 % of the scores' bytes
constexpr int kFullBits = 16;  // digits of histograms over all scores
constexpr int64_t kFullBytes = int64_t{4} << kFullBits;
constexpr int kListBits = 11;  // digits of histograms over the candidates
constexpr int kListParts = 8;
constexpr int64_t kTileGrain = 8;

class Selection {
 public:
  Selection(const Group& group, bool is_signed, bool force_fallback, const Scratch& scratch)
      : group_(group),
        is_signed_(is_signed),
        force_fallback_(force_fallback),
        scratch_(scratch),
        classify_(classify_tile()) {
    for (const Segment& segment : group.segments) {
      if (segment.previous != nullptr) mask_bytes_ += (segment.length + 7) / 8;
    }
  }

  bool run(int64_t k, secateur_select_result* result) {
    const int64_t live = count_live();
    const int64_t rank = k - (group_.elements - live);
    result->pruned = std::max(k, group_.elements - live);
    if (rank <= 0) {
      const bool valid = pass({kNoTie, kNoTie, kNoTie});
      result->bytes_read = bytes_read_;
      return valid;
    }
    if (!find_bracket({is_signed_, live, rank})) return false;
    find_threshold(rank - below_);
    settle_candidates();
    settle_tied();
    const uint32_t bits = common::key_bits(threshold_);
    std::memcpy(&result->threshold, &bits, sizeof bits);
    result->tied = equal_;
    result->path = fallback_ ? 2 : 1;
    result->bytes_read = bytes_read_;
    return true;
  }

 private:
  int64_t all_bytes() const { return group_.elements * 4 + mask_bytes_; }

  template <class Body>
  void for_tiles(int64_t begin, const Body& body) const {
    parallel_ranges(group_.tiles - begin, kTileGrain, [&](int64_t first, int64_t last) {
      for (int64_t t = begin + first; t < begin + last; ++t) body(t, group_.tile(t));
    });
  }

  static uint32_t* draft(const Tile& tile) { return tile.segment->draft + tile.begin / 32; }

  TileCounts classify(const Tile& tile, const Bracket& bracket, uint32_t* mask,
                      TileCandidates* candidates) const {
    const Segment& segment = *tile.segment;
    return classify_({segment.scores + tile.begin,
                      segment.previous == nullptr ? nullptr : segment.previous + tile.begin / 32,
                      tile.count, is_signed_, bracket.lo, bracket.hi, bracket.tied},
                     mask, candidates);
  }

  int64_t count_live() {
    if (mask_bytes_ == 0) return group_.elements;
    std::atomic<int64_t> live{0};
    for_tiles(0, [&](int64_t, const Tile& tile) {
      const uint32_t* previous = tile.segment->previous;
      if (previous == nullptr) {
        live.fetch_add(tile.count, std::memory_order_relaxed);
        return;
      }
      int count = 0;
      for (int word = 0; word < mask_words(tile.count); ++word) {
        count +=
            __builtin_popcount(previous[tile.begin / 32 + word] & valid_bits(tile.count, word));
      }
      live.fetch_add(count, std::memory_order_relaxed);
    });
    bytes_read_ += mask_bytes_;
    return live;
  }

  // Drafts, records and the list of candidates for a bracket, and the totals of the records. Where
  // the list overflows, inside_ still counts all. False when there is a NaN.
  bool pass(const Bracket& bracket) {
    std::atomic<int64_t> listed{0};
    std::atomic<bool> nan{false};
    for_tiles(0, [&](int64_t t, const Tile& tile) {
      TileCandidates found;
      const TileCounts counts = classify(tile, bracket, draft(tile), &found);
      if (counts.nan) nan.store(true, std::memory_order_relaxed);
      const int64_t start = listed.fetch_add(counts.candidates, std::memory_order_relaxed);
      if (start + counts.candidates <= scratch_.capacity) {
        const auto n = static_cast<size_t>(counts.candidates);
        std::memcpy(scratch_.keys + start, found.keys, n * sizeof *found.keys);
        std::memcpy(scratch_.offsets + start, found.offsets, n * sizeof *found.offsets);
      }
      const auto narrow = [](int count) { return static_cast<uint16_t>(count); };
      scratch_.tiles[t] = {start, narrow(counts.candidates), narrow(counts.ties),
                           narrow(counts.kept), narrow(counts.live)};
    });
    bytes_read_ += all_bytes();
    bracket_ = bracket;
    listed_ = listed;
    below_ = 0;
    ties_ = 0;
    for (int64_t t = 0; t < group_.tiles; ++t) {
      const TileRecord& record = scratch_.tiles[t];
      below_ += record.live - record.kept;
      ties_ += record.ties;
    }
    return !nan;
  }

  // Makes passes until one has the rank in its bracket and the list whole. False on NaN.
  bool find_bracket(const Rank& rank) {
    KeyRange range = {common::lowest_key(is_signed_), common::highest_key(), rank.live, rank.rank};
    Bracket bracket = {range.lo, range.hi, kNoTie};
    fallback_ =
        force_fallback_ || (rank.live > scratch_.capacity &&
                            !sample_bracket(group_, rank, scratch_, &bracket, &bytes_read_));
    if (fallback_ && !narrow(&range, &bracket)) return false;
    for (;;) {
      if (!pass(bracket)) return false;
      const int64_t inside = listed_ + ties_;
      const int64_t above = rank.live - below_ - inside;
      if (rank.rank <= below_) {
        range = {range.lo, bracket.lo - 1, below_, rank.rank};
      } else if (rank.rank > below_ + inside) {
        range = {bracket.hi + 1, range.hi, above, rank.rank - below_ - inside};
      } else if (listed_ > scratch_.capacity) {
        range = {bracket.lo, bracket.hi, inside, rank.rank - below_};
      } else {
        return true;
      }
      fallback_ = true;
      if (!narrow(&range, &bracket)) return false;
    }
  }

  // The fallback: narrows the range until it fits the list or is a single key. False when the rank
  // is not in it, which only NaNs can cause.
  bool narrow(KeyRange* range, Bracket* bracket) {
    const int64_t limit = force_fallback_ ? 1 + range->count / 256 : scratch_.capacity;
    while (range->count > limit && range->lo < range->hi) {
      const int parts = full_parts();
      Histogram histogram(scratch_.histograms, parts, kFullBits, range->lo, range->hi);
      const Bracket all = {range->lo, range->hi, kNoTie};
      histogram.count([&](int64_t p, const auto& add) {
        uint32_t mask[kTileWords];
        TileCandidates found;
        for (int64_t t = group_.tiles * p / parts; t < group_.tiles * (p + 1) / parts; ++t) {
          add(found.keys, classify(group_.tile(t), all, mask, &found).candidates);
        }
      });
      bytes_read_ += all_bytes();
      if (!histogram.locate(range->rank, range)) return false;
    }
    *bracket = {range->lo, range->hi, range->lo == range->hi ? range->lo : kNoTie};
    return true;
  }

  // As many as there is room for, up to 32, or more where a part would count beyond 32 bits.
  int full_parts() const {
    const int64_t useful = std::max<int64_t>(32, group_.elements >> 31);
    return static_cast<int>(std::clamp<int64_t>(scratch_.histogram_bytes / kFullBytes, 1, useful));
  }

  // threshold_, how many live keys equal it, and how many of these are to be pruned. `rank` is
  // among the keys in the bracket.
  void find_threshold(int64_t rank) {
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
      histogram.count([&](int64_t p, const auto& add) {
        const int64_t begin = listed_ * p / parts;
        add(scratch_.keys + begin, listed_ * (p + 1) / parts - begin);
      });
      if (!histogram.locate(range.rank, &range)) {
        fail(SECATEUR_INTERNAL, "The threshold's rank is not among the listed keys.");
      }
    }
    threshold_ = range.lo;
    equal_ = range.count;
    pruned_equal_ = range.rank;
  }

  int64_t count_listed_below(int32_t key) const {
    std::atomic<int64_t> all{0};
    parallel_ranges(listed_, 65536, [&](int64_t begin, int64_t end) {
      int64_t count = 0;
      for (int64_t i = begin; i < end; ++i) count += scratch_.keys[i] < key;
      all.fetch_add(count, std::memory_order_relaxed);
    });
    return all;
  }

  // Clears the mask bits of listed keys below the threshold, and of those equal to it that are
  // pruned: the ones with the highest index.
  void settle_candidates() {
    const bool all_equal = threshold_ == bracket_.tied || pruned_equal_ == equal_;
    const int32_t highest = all_equal ? threshold_ : threshold_ - 1;
    for_tiles(0, [&](int64_t t, const Tile& tile) {
      TileRecord& record = scratch_.tiles[t];
      const int32_t* keys = scratch_.keys + record.start;
      const uint16_t* offsets = scratch_.offsets + record.start;
      uint32_t* mask = draft(tile);
      int equal = 0;
      for (int i = 0; i < record.candidates; ++i) {
        mask[offsets[i] >> 5] &= ~(static_cast<uint32_t>(keys[i] <= highest) << (offsets[i] & 31));
        equal += keys[i] == threshold_;
      }
      if (!all_equal) record.ties = static_cast<uint16_t>(equal);
    });
    if (all_equal) return;
    int64_t left = pruned_equal_;
    for (int64_t t = group_.tiles - 1; left > 0; --t) {
      const TileRecord& record = scratch_.tiles[t];
      if (record.ties == 0) continue;
      uint32_t* mask = draft(group_.tile(t));
      for (int i = record.candidates - 1; i >= 0 && left > 0; --i) {
        if (scratch_.keys[record.start + i] != threshold_) continue;
        const uint16_t offset = scratch_.offsets[record.start + i];
        mask[offset >> 5] &= ~(uint32_t{1} << (offset & 31));
        --left;
      }
    }
  }

  // The same for the key that was only counted, where the threshold reaches it.
  void settle_tied() {
    if (bracket_.tied == kNoTie || ties_ == 0 || threshold_ < bracket_.tied) return;
    int64_t left = threshold_ == bracket_.tied ? pruned_equal_ : ties_;
    int64_t boundary = group_.tiles;
    while (left > 0) left -= scratch_.tiles[--boundary].ties;
    const int64_t kept_in_boundary = -left;
    std::atomic<int64_t> bytes{0};
    for_tiles(boundary, [&](int64_t t, const Tile& tile) {
      if (scratch_.tiles[t].ties == 0) return;
      clear_tied(tile, t == boundary ? kept_in_boundary : 0);
      bytes.fetch_add(tile.count * 4 + (tile.segment->previous == nullptr ? 0 : tile.count / 8),
                      std::memory_order_relaxed);
    });
    bytes_read_ += bytes;
  }

  // Clears the mask bits of the tied key in a tile, but for the first `kept`.
  void clear_tied(const Tile& tile, int64_t kept) const {
    uint32_t at_least[kTileWords];
    uint32_t above[kTileWords];
    TileCandidates none;
    classify(tile, {bracket_.tied, kNoTie, kNoTie}, at_least, &none);
    classify(tile, {bracket_.tied + 1, kNoTie, kNoTie}, above, &none);
    uint32_t* mask = draft(tile);
    for (int word = 0; word < mask_words(tile.count); ++word) {
      uint32_t ties = at_least[word] & ~above[word];
      for (; kept > 0 && ties != 0; --kept) ties &= ties - 1;
      mask[word] &= ~ties;
    }
  }

  const Group& group_;
  const bool is_signed_;
  const bool force_fallback_;
  const Scratch& scratch_;
  const ClassifyTile classify_;
  int64_t mask_bytes_ = 0;
  int64_t bytes_read_ = 0;

  Bracket bracket_{};  // of the last pass, and what it counted
  int64_t below_ = 0;
  int64_t listed_ = 0;
  int64_t ties_ = 0;
  bool fallback_ = false;

  int32_t threshold_ = 0;
  int64_t equal_ = 0;
  int64_t pruned_equal_ = 0;
};

}  // namespace

int64_t candidate_capacity(int64_t n) {
  const auto share = static_cast<int64_t>(kCandidateShare * static_cast<double>(n));
  return std::max(std::min(n, kMinCandidates), share);
}

int64_t candidate_bytes(int64_t n) { return std::max(candidate_capacity(n) * 6, kFullBytes); }

void Group::add(const Segment& segment) {
  segments.push_back(segment);
  segments.back().first_tile = tiles;
  segments.back().first_chunk = chunks;
  elements += segment.length;
  tiles += (segment.length + kTile - 1) / kTile;
  chunks += (segment.length + kSampleChunk - 1) / kSampleChunk;
}

Tile Group::tile(int64_t index) const {
  const auto after =
      std::upper_bound(segments.begin(), segments.end(), index,
                       [](int64_t i, const Segment& segment) { return i < segment.first_tile; });
  const Segment& segment = *(after - 1);
  const int64_t begin = (index - segment.first_tile) * kTile;
  return {&segment, begin, static_cast<int>(std::min<int64_t>(kTile, segment.length - begin))};
}

bool select_group(const Group& group, bool is_signed, int64_t k, bool force_fallback,
                  const Scratch& scratch, secateur_select_result* result) {
  return Selection(group, is_signed, force_fallback, scratch).run(k, result);
}

}  // namespace select
}  // namespace secateur
