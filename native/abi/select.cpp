// Entries of threshold selection and N:M selection.
#include <atomic>
#include <vector>

#include "abi/check.h"

using namespace secateur;

namespace {

std::atomic<int32_t> forced_path{0};

constexpr size_t kLine = 128;

bool aligned(const void* pointer, size_t bytes) {
  return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

size_t element_bytes(secateur_dtype dtype) { return dtype == SECATEUR_F32 ? 4 : 2; }

void require_key(const secateur_key& key) {
  const int number = enum_number(key);
  SECATEUR_REQUIRE(number == SECATEUR_KEY_ABS || number == SECATEUR_KEY_SIGNED,
                   "Unknown key %d; use 0 or 1.", number);
}

void require_segment(const secateur_device::Selection& selection, int32_t s, int64_t* total) {
  const secateur_segment& segment = selection.segments[s];
  SECATEUR_REQUIRE(segment.group >= 0 && segment.group < selection.group_count,
                   "Segment %d is of group %d, but there are %d groups.", s, segment.group,
                   selection.group_count);
  SECATEUR_REQUIRE(segment.length >= 0 && segment.length <= INT64_MAX / 16 - *total,
                   "Segment %d has the impossible length %" PRId64 ".", s, segment.length);
  *total += segment.length;
  if (segment.length == 0) return;
  const size_t bytes = element_bytes(selection.dtype);
  SECATEUR_REQUIRE(segment.scores != nullptr && aligned(segment.scores, bytes),
                   "The scores of segment %d are NULL or not %zu-byte aligned.", s, bytes);
  SECATEUR_REQUIRE(aligned(segment.previous, 4),
                   "The previous mask of segment %d is not 4-byte aligned.", s);
  SECATEUR_REQUIRE(segment.mask != nullptr && aligned(segment.mask, kLine),
                   "The mask of segment %d is NULL or does not start on a 128-byte line.", s);
}

void require_selection(const secateur_device::Selection& selection) {
  SECATEUR_REQUIRE(selection.segment_count >= 0 && selection.group_count >= 0,
                   "%d segments in %d groups cannot be.", selection.segment_count,
                   selection.group_count);
  SECATEUR_REQUIRE(selection.segments != nullptr || selection.segment_count == 0,
                   "The segments are NULL.");
  SECATEUR_REQUIRE(
      (selection.k != nullptr && selection.results != nullptr) || selection.group_count == 0,
      "k or the results are NULL.");
  int64_t total = 0;
  for (int32_t s = 0; s < selection.segment_count; ++s) require_segment(selection, s, &total);
}

}  // namespace

secateur_status secateur_select(secateur_device* device, void* stream, secateur_dtype dtype,
                                secateur_key key, int32_t segment_count,
                                const secateur_segment* segments, int32_t group_count,
                                const int64_t* k, secateur_select_result* results, void* workspace,
                                size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    require_dtype(dtype);
    require_key(key);
    require_place(workspace_bytes, "the workspace's size");
    const secateur_device::Selection selection = {
        dtype,       key, segment_count, segments,
        group_count, k,   results,       forced_path.load(std::memory_order_relaxed) == 2};
    require_selection(selection);
    const size_t needed = device->select_workspace(selection);
    if (require_workspace(needed, workspace, workspace_bytes)) {
      device->select(stream, selection, workspace);
    }
  });
}

secateur_status secateur_select_force(int32_t path) {
  return guard([&] {
    SECATEUR_REQUIRE(path == 0 || path == 2, "Path %d cannot be forced; use 0 or 2.", path);
    forced_path.store(path, std::memory_order_relaxed);
  });
}

secateur_status secateur_select_nm(secateur_device* device, void* stream, secateur_dtype dtype,
                                   secateur_key key, int32_t n, int32_t m, int32_t axis,
                                   int64_t outer, int64_t rows, int64_t cols, const void* scores,
                                   const uint32_t* previous, uint32_t* mask, int64_t* nan) {
  return guard([&] {
    require_device(device, stream);
    require_dtype(dtype);
    require_key(key);
    SECATEUR_REQUIRE(1 <= n && n <= m && m <= 32,
                     "%" PRId32 ":%" PRId32 " is no pattern; 1 <= n <= m <= 32 must hold.", n, m);
    require_axis(axis);
    const int64_t elements = require_matrix(outer, require_matrix(rows, cols));
    require_pointer(scores, elements, "scores");
    require_pointer(mask, elements, "mask");
    require_place(nan, "the index of a NaN");
    SECATEUR_REQUIRE(aligned(scores, element_bytes(dtype)), "The scores are not %zu-byte aligned.",
                     element_bytes(dtype));
    device->select_nm(stream, dtype, key, n, m, axis, outer, rows, cols, scores, previous, mask,
                      nan);
  });
}
