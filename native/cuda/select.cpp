// Launchers of kernels/select_*.cu: the workspace's layout, the table of segments and the seven
// launches of a selection (kernels/common/select.h), one more for each further 64 segments.
#include "common/select.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "abi/error.h"
#include "cuda/device.h"

namespace secateur::cuda {
namespace {

using namespace common;

const Kernel<Select, SelectTable, int32_t, int32_t, int32_t, int32_t> kTable(
    "secateur_select_table");
// By the size of a score.
const Kernel<Select> kSample32("secateur_select_sample_32"), kSample16("secateur_select_sample_16");
const Kernel<Select> kPass32("secateur_select_pass_32"), kPass16("secateur_select_pass_16");
const Kernel<Select, int32_t> kDigit32("secateur_select_digit_32"),
    kDigit16("secateur_select_digit_16");
const Kernel<Select> kFinish32("secateur_select_finish_32"), kFinish16("secateur_select_finish_16");

constexpr int kBlocksPerMultiprocessor = 4;
constexpr int64_t kTilesPerBlock = 4;  // at least: a block has a row of counts in the workspace
constexpr uint32_t kMostGroupsOfGrid = 65535;
constexpr size_t kLine = 128;

static_assert(sizeof(SelectResult) == sizeof(secateur_select_result));
static_assert(sizeof(Select) + sizeof(SelectTable) + 16 <= 4096, "parameters of a kernel");

// Where things lie in the workspace, and the table of segments. With a null base only the size is
// of use.
struct Plan {
  Select select{};
  std::vector<SelectSegment> segments;  // by group, then as given
  size_t zeroed = 0;                    // bytes from the start that begin as zero
  size_t bytes = 0;
  uint32_t sample_blocks = 1;  // of the group that takes most

  Plan(const secateur_device::Selection& selection, int multiprocessors, char* base) {
    std::vector<int64_t> elements(static_cast<size_t>(selection.group_count));
    const int64_t lists = place_segments(selection, &elements);
    const int64_t tiles =
        segments.empty() ? 0
                         : segments.back().first_tile + int64_t{tiles_of(segments.back().length)};
    const int64_t blocks = std::clamp<int64_t>((tiles + kTilesPerBlock - 1) / kTilesPerBlock, 1,
                                               int64_t{kBlocksPerMultiprocessor} * multiprocessors);
    select.k = selection.k;
    select.results = reinterpret_cast<SelectResult*>(selection.results);
    select.tiles = static_cast<uint32_t>(tiles);
    select.blocks = static_cast<uint32_t>(blocks);
    select.segment_count = static_cast<int32_t>(segments.size());
    select.group_count = selection.group_count;
    select.dtype = selection.dtype;
    select.is_signed = selection.key == SECATEUR_KEY_SIGNED;
    select.force_fallback = selection.force_fallback;

    const auto take = [&](auto** pointer, int64_t count) {
      *pointer = reinterpret_cast<std::remove_reference_t<decltype(*pointer)>>(
          base == nullptr ? nullptr : base + bytes);
      const size_t size = static_cast<size_t>(count) * sizeof **pointer;
      bytes += (size + kLine - 1) / kLine * kLine;
    };
    const int64_t rows = blocks + selection.group_count;
    take(&select.header, 1);
    take(&select.groups, selection.group_count);
    take(&select.counters, selection.group_count);
    zeroed = bytes;
    take(&select.segments, static_cast<int64_t>(segments.size()));
    take(&select.row_ties, rows);
    take(&select.row_counts, rows * kNextBins);
    take(&select.directory, tiles);
    take(&select.drafts, tiles * kTileWords);
    take(&select.lists, lists);
    bytes += kLine;  // to align the base
    for (const int64_t n : elements) {
      if (n < kMinSampled) continue;
      sample_blocks = std::max<uint32_t>(
          sample_blocks, (strata_of(n) + kSampleBlockStrata - 1) / kSampleBlockStrata);
    }
  }

 private:
  // The table, but for what the group's totals say; returns the elements of all lists.
  int64_t place_segments(const secateur_device::Selection& selection,
                         std::vector<int64_t>* elements) {
    std::vector<int32_t> order;
    for (int32_t s = 0; s < selection.segment_count; ++s) {
      if (selection.segments[s].length != 0) order.push_back(s);
    }
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return selection.segments[a].group < selection.segments[b].group;
    });
    SECATEUR_REQUIRE(selection.segment_count < 1 << (64 - kNanBits),
                     "%d segments are too many for the CUDA device; use fewer than %d.",
                     selection.segment_count, 1 << (64 - kNanBits));
    int64_t tiles = 0;
    for (const int32_t s : order) {
      const secateur_segment& segment = selection.segments[s];
      int64_t& before = (*elements)[static_cast<size_t>(segment.group)];
      segments.push_back({segment.scores, segment.previous, segment.mask, segment.length, before,
                          static_cast<uint32_t>(tiles), segment.group, s, 0});
      before += segment.length;
      tiles += (segment.length + kTile - 1) / kTile;
      SECATEUR_REQUIRE(tiles < int64_t{1} << 28,
                       "The segments have more than 2^41 elements; select in parts.");
    }
    std::vector<uint32_t> list_starts;
    int64_t lists = 0;
    for (const int64_t n : *elements) {
      list_starts.push_back(static_cast<uint32_t>(lists / kListUnit));
      lists += n == 0 ? 0 : list_capacity(n);
    }
    for (SelectSegment& segment : segments) {
      segment.list_start = list_starts[static_cast<size_t>(segment.group)];
    }
    return lists;
  }
};

char* aligned(void* workspace) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(workspace);
  return reinterpret_cast<char*>((address + kLine - 1) / kLine * kLine);
}

}  // namespace

size_t CudaDevice::select_workspace(const Selection& selection) {
  return Plan(selection, multiprocessors(), nullptr).bytes;
}

void CudaDevice::select(void* stream, const Selection& selection, void* workspace) {
  if (selection.group_count == 0) return;
  const Plan plan(selection, multiprocessors(), aligned(workspace));
  const Select& s = plan.select;
  zero(stream, s.header, plan.zeroed);
  const auto& segments = plan.segments;
  for (size_t first = 0; first < segments.size(); first += kTableSegments) {
    const size_t end = std::min<size_t>(first + kTableSegments, segments.size());
    SelectTable table = {};
    std::copy(segments.begin() + first, segments.begin() + end, table.segments);
    launch(stream, kTable, {1, kTableSegments}, s, table, static_cast<int32_t>(first),
           static_cast<int32_t>(end - first), first == 0 ? -1 : segments[first - 1].group,
           end == segments.size() ? -1 : segments[end].group);
  }
  const bool full = selection.dtype == SECATEUR_F32;
  const Geometry grid = {s.blocks, kSelectThreads};
  launch(stream, full ? kSample32 : kSample16,
         {plan.sample_blocks, kSelectThreads,
          std::min<uint32_t>(static_cast<uint32_t>(s.group_count), kMostGroupsOfGrid)},
         s);
  launch(stream, full ? kPass32 : kPass16, grid, s);
  for (int32_t stage = 0; stage < 3; ++stage) {
    launch(stream, full ? kDigit32 : kDigit16, grid, s, stage);
  }
  launch(stream, full ? kFinish32 : kFinish16, grid, s);
}

}  // namespace secateur::cuda
