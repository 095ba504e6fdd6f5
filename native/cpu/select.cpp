// Threshold selection on the CPU device; select.h says what is where.
#include "select.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>
#include <limits>
#include <type_traits>

#include "abi/error.h"
#include "common/half.h"
#include "device.h"
#include "mask.h"
#include "pool.h"

namespace secateur {
namespace select {
namespace {

using Request = secateur_device::Selection;

constexpr size_t kLine = 128;  // to which the workspace is aligned

size_t whole_lines(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

// Where things lie in the workspace. With a null base only its size is of use.
template <class Key>
struct Layout {
  std::vector<Group<Key>> groups;
  std::vector<int32_t> order;  // of the groups, the largest last
  Scratch<Key> scratch{};
  size_t bytes = 0;

  Layout(const Request& request, char* base)
      : groups(static_cast<size_t>(request.group_count)),
        order(static_cast<size_t>(request.group_count)) {
    const auto take = [&](size_t size) {
      char* const place = base == nullptr ? nullptr : base + bytes;
      bytes += whole_lines(size);
      return place;
    };
    for (int32_t g = 0; g < request.group_count; ++g) {
      Group<Key>& group = groups[static_cast<size_t>(g)];
      group.drafts = reinterpret_cast<uint32_t*>(take(0));
      for (int32_t s = 0; s < request.segment_count; ++s) {
        const secateur_segment& segment = request.segments[s];
        if (segment.group != g || segment.length == 0) continue;
        const size_t words = static_cast<size_t>(mask_words(segment.length));
        group.add({static_cast<const Key*>(segment.scores), segment.previous,
                   reinterpret_cast<uint32_t*>(take(words * 4)), segment.mask, segment.length, 0,
                   0});
      }
      order[static_cast<size_t>(g)] = g;
    }
    int64_t tiles = 0;
    int64_t largest = 0;
    for (const Group<Key>& group : groups) {
      tiles = std::max(tiles, group.tiles);
      largest = std::max(largest, group.elements);
    }
    const auto last = std::find_if(order.begin(), order.end(), [&](int32_t g) {
      return groups[static_cast<size_t>(g)].elements == largest;
    });
    if (last != order.end()) std::iter_swap(last, order.end() - 1);
    scratch.capacity = candidate_capacity<Key>(largest);
    scratch.histogram_bytes = largest == 0 ? 0 : candidate_bytes<Key>(largest);
    scratch.tiles =
        reinterpret_cast<TileRecord*>(take(static_cast<size_t>(tiles) * sizeof(TileRecord)));
    char* const list = take(static_cast<size_t>(scratch.histogram_bytes));
    scratch.histograms = reinterpret_cast<uint32_t*>(list);
    scratch.keys = reinterpret_cast<Key*>(list);
    scratch.offsets = reinterpret_cast<uint16_t*>(
        list == nullptr ? nullptr : list + scratch.capacity * static_cast<int64_t>(sizeof(Key)));
  }
};

// k is host memory here.
void require_k(const Request& request) {
  std::vector<int64_t> elements(static_cast<size_t>(request.group_count));
  for (int32_t s = 0; s < request.segment_count; ++s) {
    elements[static_cast<size_t>(request.segments[s].group)] += request.segments[s].length;
  }
  for (int32_t g = 0; g < request.group_count; ++g) {
    const int64_t n = elements[static_cast<size_t>(g)];
    SECATEUR_REQUIRE(request.k[g] >= 0 && request.k[g] <= n,
                     "k of group %d is %" PRId64 "; it must be in 0..%" PRId64
                     ", the number of its elements.",
                     g, request.k[g], n);
  }
}

// The first live NaN of the segments in order, named in all results.
template <class Type>
[[noreturn]] void report_nan(const Request& request) {
  for (int32_t s = 0; s < request.segment_count; ++s) {
    const secateur_segment& segment = request.segments[s];
    const auto* scores = static_cast<const typename Type::Storage*>(segment.scores);
    for (int64_t i = 0; i < segment.length; ++i) {
      const bool live =
          segment.previous == nullptr || (segment.previous[i >> 5] >> (i & 31) & 1) != 0;
      if (!live || Type::magnitude(scores[i]) <= Type::kInfinity) continue;
      for (int32_t g = 0; g < request.group_count; ++g) {
        request.results[g].nan_segment = s;
        request.results[g].nan_index = i;
      }
      fail(SECATEUR_NAN_SCORE, "The score of element %" PRId64 " of segment %d is NaN.", i, s);
    }
  }
  fail(SECATEUR_INTERNAL, "A NaN score was met but not found again; did the scores change?");
}

template <class Key>
void hand_out(const Group<Key>& group) {
  for (const Segment<Key>& segment : group.segments) {
    parallel_ranges(mask_words(segment.length), 65536, [&](int64_t begin, int64_t end) {
      std::memcpy(segment.mask + begin, segment.draft + begin,
                  static_cast<size_t>(end - begin) * 4);
    });
  }
}

// Selects in all groups; false, with no mask touched, where a score is NaN. The last group leaves
// its memory to no other, so that its drafts are settled when nothing can fail any more.
template <class Key>
bool select_all(const Request& request, const Format& format, char* base) {
  const Layout<Key> layout(request, base);
  for (const int32_t g : layout.order) {
    const bool last = g == layout.order.back();
    Selection<Key> selection(layout.groups[static_cast<size_t>(g)], format, request.force_fallback,
                             layout.scratch);
    if (!selection.find(request.k[g], &request.results[g])) return false;
    selection.settle(last, &request.results[g]);
  }
  for (const int32_t g : layout.order) {
    if (g != layout.order.back()) hand_out(layout.groups[static_cast<size_t>(g)]);
  }
  return true;
}

template <class Type>
using KeyOf = std::conditional_t<sizeof(typename Type::Storage) == 4, int32_t, int16_t>;

template <class Type>
float value_of(int32_t key) {
  if constexpr (Type::kDtype == common::F32::kDtype) {
    return common::bits_float(common::key_bits(key));
  } else {
    return Type::to_float(common::key_bits16(key));
  }
}

}  // namespace
}  // namespace select

size_t CpuDevice::select_workspace(const Selection& selection) {
  select::require_k(selection);
  return common::with_type(selection.dtype, [&](auto type) {
    return select::kLine + select::Layout<select::KeyOf<decltype(type)>>(selection, nullptr).bytes;
  });
}

void CpuDevice::select(void*, const Selection& selection, void* workspace) {
  char* base = static_cast<char*>(workspace);
  base += (select::kLine - reinterpret_cast<uintptr_t>(base) % select::kLine) % select::kLine;
  const secateur_select_result blank = {0, std::numeric_limits<float>::quiet_NaN(), 0, 0, 0, -1, 0,
                                        -1};
  std::fill_n(selection.results, selection.group_count, blank);
  common::with_type(selection.dtype, [&](auto type) {
    using Type = decltype(type);
    const select::Format format = {Type::kInfinity, select::value_of<Type>,
                                   selection.key == SECATEUR_KEY_SIGNED};
    if (select::select_all<select::KeyOf<Type>>(selection, format, base)) return;
    std::fill_n(selection.results, selection.group_count, blank);
    select::report_nan<Type>(selection);
  });
}

}  // namespace secateur
