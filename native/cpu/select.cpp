#include "select.h"

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstring>
#include <limits>

#include "common/keys.h"
#include "device.h"
#include "abi/error.h"
#include "mask.h"
#include "pool.h"

namespace secateur {
namespace select {
namespace {

std::atomic<int32_t> forced_path{0};

struct Request {
  bool is_signed;
  int32_t segment_count;
  const secateur_segment* segments;
  int32_t group_count;
  const int64_t* k;
  secateur_select_result* results;
};

constexpr size_t kLine = 128;

size_t whole_lines(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

// Where things lie in the workspace. With a null base only its size is of use.
struct Layout {
  std::vector<Group> groups;
  std::vector<const secateur_segment*> order;  // segments by group, then as given
  Scratch scratch{};
  size_t bytes = 0;

  Layout(const Request& request, char* base) : groups(static_cast<size_t>(request.group_count)) {
    const auto take = [&](size_t size) {
      char* const place = base == nullptr ? nullptr : base + bytes;
      bytes += whole_lines(size);
      return place;
    };
    for (int32_t g = 0; g < request.group_count; ++g) {
      Group& group = groups[static_cast<size_t>(g)];
      group.drafts = reinterpret_cast<uint32_t*>(take(0));
      for (int32_t s = 0; s < request.segment_count; ++s) {
        const secateur_segment& segment = request.segments[s];
        if (segment.group != g || segment.length == 0) continue;
        const size_t words = static_cast<size_t>(mask_words(segment.length));
        group.add({static_cast<const float*>(segment.scores), segment.previous,
                   reinterpret_cast<uint32_t*>(take(words * 4)), segment.length, 0, 0});
        order.push_back(&segment);
      }
    }
    int64_t tiles = 0;
    int64_t largest = 0;
    for (const Group& group : groups) {
      tiles = std::max(tiles, group.tiles);
      largest = std::max(largest, group.elements);
    }
    scratch.capacity = candidate_capacity(largest);
    scratch.histogram_bytes = largest == 0 ? 0 : candidate_bytes(largest);
    scratch.tiles =
        reinterpret_cast<TileRecord*>(take(static_cast<size_t>(tiles) * sizeof(TileRecord)));
    char* const list = take(static_cast<size_t>(scratch.histogram_bytes));
    scratch.histograms = reinterpret_cast<uint32_t*>(list);
    scratch.keys = reinterpret_cast<int32_t*>(list);
    scratch.offsets = reinterpret_cast<uint16_t*>(
        list == nullptr ? nullptr
                        : list + scratch.capacity * static_cast<int64_t>(sizeof(int32_t)));
    bytes += kLine;  // to align the base
  }
};

bool aligned(const void* pointer, size_t bytes) {
  return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

void check_segment(const Request& request, int32_t s, int64_t* total) {
  const secateur_segment& segment = request.segments[s];
  SECATEUR_REQUIRE(segment.group >= 0 && segment.group < request.group_count,
                   "Segment %d is of group %d, but there are %d groups.", s, segment.group,
                   request.group_count);
  SECATEUR_REQUIRE(segment.length >= 0 && segment.length <= INT64_MAX / 16 - *total,
                   "Segment %d has the impossible length %" PRId64 ".", s, segment.length);
  *total += segment.length;
  if (segment.length == 0) return;
  SECATEUR_REQUIRE(segment.scores != nullptr && aligned(segment.scores, 4),
                   "The scores of segment %d are NULL or not 4-byte aligned.", s);
  SECATEUR_REQUIRE(aligned(segment.previous, 4),
                   "The previous mask of segment %d is not 4-byte aligned.", s);
  SECATEUR_REQUIRE(segment.mask != nullptr && aligned(segment.mask, kLine),
                   "The mask of segment %d is NULL or does not start on a 128-byte line.", s);
}

void check(const Request& request) {
  SECATEUR_REQUIRE(request.segment_count >= 0 && request.group_count >= 0,
                   "%d segments in %d groups cannot be.", request.segment_count,
                   request.group_count);
  SECATEUR_REQUIRE(request.segments != nullptr || request.segment_count == 0,
                   "The segments are NULL.");
  SECATEUR_REQUIRE((request.k != nullptr && request.results != nullptr) || request.group_count == 0,
                   "k or the results are NULL.");
  int64_t total = 0;
  std::vector<int64_t> elements(static_cast<size_t>(request.group_count));
  for (int32_t s = 0; s < request.segment_count; ++s) {
    check_segment(request, s, &total);
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
[[noreturn]] void report_nan(const Request& request) {
  for (int32_t s = 0; s < request.segment_count; ++s) {
    const secateur_segment& segment = request.segments[s];
    const auto* scores = static_cast<const uint32_t*>(segment.scores);
    for (int64_t i = 0; i < segment.length; ++i) {
      const bool live =
          segment.previous == nullptr || (segment.previous[i >> 5] >> (i & 31) & 1) != 0;
      uint32_t bits;
      std::memcpy(&bits, scores + i, sizeof bits);
      if (!live || !common::is_nan(bits)) continue;
      for (int32_t g = 0; g < request.group_count; ++g) {
        request.results[g].nan_segment = s;
        request.results[g].nan_index = i;
      }
      fail(SECATEUR_NAN_SCORE, "The score of element %" PRId64 " of segment %d is NaN.", i, s);
    }
  }
  fail(SECATEUR_INTERNAL, "A NaN score was met but not found again; did the scores change?");
}

void hand_out(const Layout& layout) {
  size_t next = 0;
  for (const Group& group : layout.groups) {
    for (const Segment& segment : group.segments) {
      uint32_t* const mask = layout.order[next++]->mask;
      parallel_ranges(mask_words(segment.length), 65536, [&](int64_t begin, int64_t end) {
        std::memcpy(mask + begin, segment.draft + begin, static_cast<size_t>(end - begin) * 4);
      });
    }
  }
}

void run(const Request& request, const Layout& layout) {
  const bool force_fallback = forced_path.load(std::memory_order_relaxed) == 2;
  const secateur_select_result blank = {0, std::numeric_limits<float>::quiet_NaN(), 0, 0, 0, -1, 0,
                                        -1};
  std::fill_n(request.results, request.group_count, blank);
  for (int32_t g = 0; g < request.group_count; ++g) {
    if (!select_group(layout.groups[static_cast<size_t>(g)], request.is_signed, request.k[g],
                      force_fallback, layout.scratch, &request.results[g])) {
      std::fill_n(request.results, request.group_count, blank);
      report_nan(request);
    }
  }
  hand_out(layout);
}

}  // namespace
}  // namespace select
}  // namespace secateur

secateur_status secateur_select(secateur_device* device, void* stream, secateur_dtype dtype,
                                secateur_key key, int32_t segment_count,
                                const secateur_segment* segments, int32_t group_count,
                                const int64_t* k, secateur_select_result* results, void* workspace,
                                size_t* workspace_bytes) {
  return secateur::guard([&] {
    using namespace secateur;
    using namespace secateur::select;
    require_cpu(device, stream);
    SECATEUR_REQUIRE(key == SECATEUR_KEY_ABS || key == SECATEUR_KEY_SIGNED, "Unknown key %d.",
                     static_cast<int>(key));
    if (dtype != SECATEUR_F32) {
      fail(SECATEUR_UNAVAILABLE,
           "The CPU device selects among float32 scores only; convert them first.");
    }
    SECATEUR_REQUIRE(workspace_bytes != nullptr, "workspace_bytes is NULL.");
    const Request request = {
        key == SECATEUR_KEY_SIGNED, segment_count, segments, group_count, k, results};
    check(request);
    char* base = static_cast<char*>(workspace);
    if (base != nullptr) {
      base += (kLine - reinterpret_cast<uintptr_t>(base) % kLine) % kLine;
    }
    const Layout layout(request, base);
    if (workspace == nullptr) {
      *workspace_bytes = layout.bytes;
      return;
    }
    SECATEUR_REQUIRE(*workspace_bytes >= layout.bytes,
                     "The workspace has %zu bytes, but %zu are needed.", *workspace_bytes,
                     layout.bytes);
    run(request, layout);
  });
}

secateur_status secateur_select_force(int32_t path) {
  return secateur::guard([&] {
    SECATEUR_REQUIRE(path == 0 || path == 2, "Path %d cannot be forced; use 0 or 2.", path);
    secateur::select::forced_path.store(path, std::memory_order_relaxed);
  });
}
