// Selection among 16-bit scores: so few keys that one exact histogram of all of them finds the
// threshold, without a sample and on any data.
//
// A pass counts the live keys of a group. Where only some of the elements equal to the threshold
// are pruned, a second one counts these by tile, so that each tile knows how many of its own are
// among the first ones, which are kept. The last pass writes the mask words, once no group has a
// NaN; it reads of a previous mask only the word that it writes. Scores are read two or three times
// (of 2 bytes: at most 1.5 times the bytes of one pass over floats).
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <vector>

#include "common/half.h"
#include "mask.h"
#include "pool.h"
#include "select.h"

namespace secateur {
namespace select {
namespace {

using Request = secateur_device::Selection;

constexpr int64_t kTileElements = 16384;
constexpr int64_t kTileGrain = 4;
constexpr int64_t kBins = 65536;
constexpr int64_t kPartElements = int64_t{1} << 18;  // that are worth a histogram of their own
constexpr int64_t kMostParts = 16;

// Memory for a group at a time, enough for the largest.
struct Workspace {
  int64_t parts;         // histograms, added up in the end
  int64_t* counts;       // [kBins]
  uint32_t* histograms;  // [parts, kBins]
  int64_t* ties;         // [tiles]: of a tile, then before it
};

// A part of a segment; previous and mask are whole words of it.
template <class Type>
struct HalfTile {
  const typename Type::Storage* scores;
  const uint32_t* previous;
  uint32_t* mask;
  int64_t count;

  uint32_t live(int64_t word) const {
    return (previous == nullptr ? ~uint32_t{0} : previous[word]) & valid_bits(count, word);
  }
};

template <class Type>
class HalfGroup {
 public:
  HalfGroup(const Request& request, int32_t group, const Workspace& workspace)
      : is_signed_(request.key == SECATEUR_KEY_SIGNED), workspace_(workspace) {
    for (int32_t s = 0; s < request.segment_count; ++s) {
      const secateur_segment& segment = request.segments[s];
      if (segment.group != group || segment.length == 0) continue;
      segments_.push_back({&segment, tiles_});
      tiles_ += (segment.length + kTileElements - 1) / kTileElements;
      elements_ += segment.length;
      bytes_ += segment.length * 2 + (segment.previous == nullptr ? 0 : (segment.length + 7) / 8);
    }
  }

  // Finds the threshold; false when there is a NaN.
  bool find(int64_t k, secateur_select_result* result) {
    const int bins = is_signed_ ? 65536 : 32768;
    const auto* counts = count_keys(bins);
    int64_t live = 0;
    for (int b = 0; b < bins; ++b) {
      if (counts[b] != 0 && std::abs(b - bias()) > Type::kInfinity) return false;
      live += counts[b];
    }
    const int64_t dead = elements_ - live, rank = k - dead;
    result->pruned = std::max(k, dead);
    result->bytes_read = bytes_;
    if (rank <= 0) return true;
    int64_t before = 0;
    int bin = 0;
    while (before + counts[bin] < rank) before += counts[bin++];
    threshold_ = bin - bias();
    result->threshold = Type::to_float(common::key_bits16(threshold_));
    result->tied = counts[bin];
    result->path = 2;
    kept_ties_ = before + counts[bin] - rank;
    return true;
  }

  // Writes the masks.
  void write(secateur_select_result* result) {
    result->bytes_read += bytes_;
    if (kept_ties_ > 0) {
      count_ties();
      result->bytes_read += bytes_;
    }
    for_tiles([&](int64_t t, const HalfTile<Type>& tile) {
      int64_t kept = kept_ties_ > 0 ? kept_ties_ - workspace_.ties[t] : 0;
      for (int64_t word = 0; word < mask_words(tile.count); ++word) {
        uint32_t above, ties;
        compare(tile, word, &above, &ties);
        tile.mask[word] = above | first_bits(ties, kept);
        kept -= __builtin_popcount(ties);
      }
    });
  }

 private:
  struct Part {
    const secateur_segment* segment;
    int64_t first_tile;
  };

  int bias() const { return is_signed_ ? 32768 : 0; }

  HalfTile<Type> tile(int64_t index) const {
    const auto after =
        std::upper_bound(segments_.begin(), segments_.end(), index,
                         [](int64_t i, const Part& part) { return i < part.first_tile; });
    const Part& part = *(after - 1);
    const secateur_segment& segment = *part.segment;
    const int64_t begin = (index - part.first_tile) * kTileElements;
    return {static_cast<const typename Type::Storage*>(segment.scores) + begin,
            segment.previous == nullptr ? nullptr : segment.previous + begin / 32,
            segment.mask + begin / 32, std::min(kTileElements, segment.length - begin)};
  }

  template <class Body>
  void for_tiles(const Body& body) const {
    parallel_ranges(tiles_, kTileGrain, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) body(t, tile(t));
    });
  }

  // How many live elements have each key, by key + bias().
  const int64_t* count_keys(int bins) const {
    const int64_t parts = workspace_.parts;
    parallel_for(parts, [&](int64_t p) {
      uint32_t* const slot = workspace_.histograms + p * kBins;
      std::memset(slot, 0, static_cast<size_t>(bins) * sizeof *slot);
      for (int64_t t = tiles_ * p / parts; t < tiles_ * (p + 1) / parts; ++t) {
        count_tile(tile(t), slot + bias());
      }
    });
    int64_t* const counts = workspace_.counts;
    std::fill_n(counts, bins, 0);
    for (int64_t p = 0; p < parts; ++p) {
      const uint32_t* const slot = workspace_.histograms + p * kBins;
      for (int b = 0; b < bins; ++b) counts[b] += slot[b];
    }
    return counts;
  }

  void count_tile(const HalfTile<Type>& tile, uint32_t* slot) const {
    for (int64_t word = 0; word < mask_words(tile.count); ++word) {
      uint32_t live = tile.live(word);
      const auto* const x = tile.scores + word * 32;
      if (live == ~uint32_t{0}) {
        for (int l = 0; l < 32; ++l) ++slot[common::score_key<Type>(is_signed_, x[l])];
      } else {
        for (; live != 0; live &= live - 1) {
          ++slot[common::score_key<Type>(is_signed_, x[__builtin_ctz(live)])];
        }
      }
    }
  }

  // The live elements of a word above the threshold, and those equal to it.
  void compare(const HalfTile<Type>& tile, int64_t word, uint32_t* above, uint32_t* ties) const {
    const auto count = static_cast<int>(std::min<int64_t>(32, tile.count - word * 32));
    int32_t keys[32] = {};
    for (int l = 0; l < count; ++l) {
      keys[l] = common::score_key<Type>(is_signed_, tile.scores[word * 32 + l]);
    }
    uint32_t greater = 0, equal = 0;
    for (int l = 0; l < 32; ++l) {
      greater |= keys[l] > threshold_ ? kBits.bit[l] : 0;
      equal |= keys[l] == threshold_ ? kBits.bit[l] : 0;
    }
    const uint32_t live = tile.live(word);
    *above = greater & live;
    *ties = equal & live;
  }

  // The lowest `count` of the bits, or all, or none.
  static uint32_t first_bits(uint32_t bits, int64_t count) {
    if (count >= 32) return bits;
    uint32_t rest = bits;
    for (; count > 0 && rest != 0; --count) rest &= rest - 1;
    return bits & ~rest;
  }

  // ties[t] = the elements equal to the threshold before tile t.
  void count_ties() const {
    int64_t* const counts = workspace_.ties;
    for_tiles([&](int64_t t, const HalfTile<Type>& tile) {
      int64_t count = 0;
      for (int64_t word = 0; word < mask_words(tile.count); ++word) {
        uint32_t above, ties;
        compare(tile, word, &above, &ties);
        count += __builtin_popcount(ties);
      }
      counts[t] = count;
    });
    int64_t before = 0;
    for (int64_t t = 0; t < tiles_; ++t) {
      const int64_t here = counts[t];
      counts[t] = before;
      before += here;
    }
  }

  const bool is_signed_;
  const Workspace& workspace_;
  std::vector<Part> segments_;
  int64_t tiles_ = 0;
  int64_t elements_ = 0;
  int64_t bytes_ = 0;              // of scores and previous masks
  int32_t threshold_ = INT32_MIN;  // every key is above: nothing new is pruned
  int64_t kept_ties_ = 0;
};

size_t whole_lines(size_t bytes) { return (bytes + 127) / 128 * 128; }

// Places the parts of the workspace from `base` on; returns their bytes.
size_t place(const Request& request, char* base, Workspace* workspace) {
  std::vector<int64_t> tiles(static_cast<size_t>(request.group_count));
  for (int32_t s = 0; s < request.segment_count; ++s) {
    const secateur_segment& segment = request.segments[s];
    tiles[static_cast<size_t>(segment.group)] +=
        (segment.length + kTileElements - 1) / kTileElements;
  }
  const int64_t most = tiles.empty() ? 0 : *std::max_element(tiles.begin(), tiles.end());
  workspace->parts = std::clamp<int64_t>(most * kTileElements / kPartElements, 1, kMostParts);
  size_t bytes = 0;
  const auto take = [&](auto** part, int64_t count) {
    if (base != nullptr)
      *part = reinterpret_cast<std::remove_pointer_t<decltype(part)>>(base + bytes);
    bytes += whole_lines(static_cast<size_t>(count) * sizeof **part);
  };
  take(&workspace->counts, kBins);
  take(&workspace->histograms, workspace->parts * kBins);
  take(&workspace->ties, most);
  return bytes;
}

template <class Type>
bool select_all(const Request& request, const Workspace& workspace) {
  std::vector<HalfGroup<Type>> groups;
  groups.reserve(static_cast<size_t>(request.group_count));
  for (int32_t g = 0; g < request.group_count; ++g) {
    groups.emplace_back(request, g, workspace);
    if (!groups.back().find(request.k[g], &request.results[g])) return false;
  }
  for (int32_t g = 0; g < request.group_count; ++g) {
    groups[static_cast<size_t>(g)].write(&request.results[g]);
  }
  return true;
}

}  // namespace

size_t half_workspace(const Request& request) {
  Workspace workspace;
  return place(request, nullptr, &workspace);
}

bool select_half(const Request& request, char* base) {
  Workspace workspace = {};
  place(request, base, &workspace);
  return request.dtype == SECATEUR_F16 ? select_all<common::F16>(request, workspace)
                                       : select_all<common::BF16>(request, workspace);
}

}  // namespace select
}  // namespace secateur
