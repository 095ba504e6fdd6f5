// Packs the filters of a convolution into the layout of conv.h.
#include <algorithm>
#include <vector>

#include "abi/error.h"
#include "device.h"
#include "sparse/conv.h"

namespace secateur {
namespace {

constexpr int32_t kConvKind = 4;            // after the kinds of secateur_sparse_kind
constexpr int64_t kPanelBytes = 512 << 10;  // half of a second-level cache
constexpr int64_t kMostImages = 16;         // side by side
constexpr int64_t kMostTaps = 1 << 14;      // counts of a block have 16 bits
constexpr int64_t kTileBytes = 20 << 10;    // of a block's places in the first-level cache

int64_t plane_rows(const secateur_window& w, int64_t band) {
  int64_t rows = 0;
  for_rows(w, band, [&](int64_t, int64_t) { ++rows; });
  return rows;
}

int64_t pitch_of(const secateur_window& w, int64_t images) {
  return (images * w.out_w + kRowsUnit - 1) / kRowsUnit * kRowsUnit;
}

// Images and output rows of a panel: the fewest lanes without work, then the fewest images, in half
// a second-level cache where that is possible.
void shape_panel(ConvHeader& h) {
  const secateur_window& w = h.conv.window;
  const int64_t batch = std::max<int64_t>(w.batch, 1);
  const auto bytes = [&](int64_t images, int64_t band) {
    return w.channels * w.kernel_w * plane_rows(w, band) * pitch_of(w, images) *
           static_cast<int64_t>(sizeof(float));
  };
  double least = 0;
  for (int64_t images = 1; images <= std::min(batch, kMostImages); ++images) {
    if (images > 1 && bytes(images, w.out_h) > kPanelBytes) break;
    const int64_t panels = (batch + images - 1) / images;
    const double lanes = static_cast<double>(panels * pitch_of(w, images));
    if (images == 1 || lanes < least) {
      least = lanes;
      h.images = images;
    }
  }
  h.band = w.out_h;
  while (h.band > 1 && bytes(h.images, h.band) > kPanelBytes) h.band = (h.band + 1) / 2;
  h.pitch = pitch_of(w, h.images);
  h.rows = plane_rows(w, h.band);
}

bool keeps(const float* w, const uint32_t* mask, int64_t i) {
  return (mask == nullptr || (mask[i / 32] >> (i % 32) & 1u) != 0) && w[i] != 0.0f;
}

ConvHeader header_of(const secateur_conv& conv, const float* w, const uint32_t* mask) {
  const secateur_window& window = conv.window;
  ConvHeader h = {};
  const int64_t channels = window.channels / conv.groups;
  const int64_t taps = int64_t{window.kernel_h} * window.kernel_w;
  secateur_sparse_weight shape = {};
  shape.out = conv.outputs;
  shape.in = channels * taps;
  h.packed = make_header({kConvKind, 0, 0, 0}, shape);
  for (int64_t i = 0; i < shape.out * shape.in; ++i) h.packed.stored += keeps(w, mask, i);
  h.conv = conv;
  shape_panel(h);
  const int64_t outputs = conv.outputs / conv.groups;
  // Groups small enough for threads to find equal shares where there is one panel only.
  h.group_outputs = std::min<int64_t>(outputs, outputs > 64 ? 64 : (outputs + 1) / 2);
  h.groups = conv.groups * ((outputs + h.group_outputs - 1) / h.group_outputs);
  const int64_t tile = taps * 64 * static_cast<int64_t>(sizeof(float));
  const double density = static_cast<double>(h.packed.stored) /
                         static_cast<double>(std::max<int64_t>(1, shape.out * shape.in));
  // Sparse filters use few of a block's places: longer blocks save fetching sums.
  const int64_t stretch = density > 0.07 ? 1 : density > 0.03 ? 2 : 4;
  h.block_channels = std::clamp<int64_t>(stretch * kTileBytes / tile, 1, channels);
  h.blocks = (channels + h.block_channels - 1) / h.block_channels;
  h.row_count = conv.outputs * h.blocks;
  h.row_count += h.row_count % 2;  // entries stay 8-byte aligned
  return h;
}

size_t packed_bytes(const ConvHeader& h) {
  return sizeof(ConvHeader) + static_cast<size_t>(h.groups * h.blocks + 1) * sizeof(SparseSegment) +
         static_cast<size_t>(h.row_count) * sizeof(SparseRow) +
         static_cast<size_t>(h.packed.stored) * sizeof(SparseEntry);
}

// The row of a plane that output row 0 of a band sees through each row of the window.
std::vector<int64_t> first_rows(const ConvHeader& h) {
  const secateur_window& w = h.conv.window;
  std::vector<int64_t> first(static_cast<size_t>(w.kernel_h));
  for_rows(w, h.band, [&](int64_t row, int64_t input) {
    if (input % w.dilation_h == 0 && input / w.dilation_h < w.kernel_h) {
      first[static_cast<size_t>(input / w.dilation_h)] = row;
    }
  });
  return first;
}

// What a filter has in a block of channels, in the order of (channel, k, l).
void entries_of(const ConvHeader& h, const std::vector<int64_t>& first_row, const float* w,
                const uint32_t* mask, int64_t output, int64_t block,
                std::vector<SparseEntry>& entries) {
  const secateur_window& window = h.conv.window;
  const int64_t channels = window.channels / h.conv.groups;
  const int64_t group = output / (h.conv.outputs / h.conv.groups);
  const int64_t begin = block * h.block_channels;
  const int64_t end = std::min(channels, begin + h.block_channels);
  int64_t i = output * h.packed.in + begin * window.kernel_h * window.kernel_w;
  entries.clear();
  for (int64_t c = begin; c < end; ++c) {
    for (int64_t k = 0; k < window.kernel_h; ++k) {
      for (int64_t l = 0; l < window.kernel_w; ++l, ++i) {
        if (!keeps(w, mask, i)) continue;
        const int64_t plane = (group * channels + c) * window.kernel_w + l;
        const int64_t row = plane * h.rows + first_row[static_cast<size_t>(k)];
        entries.push_back(
            {static_cast<uint32_t>(row * h.pitch * static_cast<int64_t>(sizeof(float))), w[i]});
      }
    }
  }
}

}  // namespace

size_t CpuDevice::sparse_conv_pack_bytes(const secateur_conv& conv, const float* w,
                                         const uint32_t* mask) {
  SECATEUR_REQUIRE(int64_t{conv.window.kernel_h} * conv.window.kernel_w <= kMostTaps,
                   "A window of %d x %d places is too large for a sparse convolution; take a dense "
                   "one.",
                   conv.window.kernel_h, conv.window.kernel_w);
  const ConvHeader h = header_of(conv, w, mask);
  SECATEUR_REQUIRE(panel_floats(h) <= (int64_t{1} << 30) - 64,
                   "Images of %lld x %lld with %lld channels are too large for a sparse "
                   "convolution; take a dense one.",
                   static_cast<long long>(conv.window.in_h),
                   static_cast<long long>(conv.window.in_w),
                   static_cast<long long>(conv.window.channels));
  return packed_bytes(h);
}

void CpuDevice::sparse_conv_pack(const secateur_conv& conv, const float* w, const uint32_t* mask,
                                 void* packed) {
  auto* const header = static_cast<ConvHeader*>(packed);
  *header = header_of(conv, w, mask);
  const ConvHeader& h = *header;
  auto* const segments = reinterpret_cast<SparseSegment*>(header + 1);
  auto* const rows = reinterpret_cast<SparseRow*>(segments + h.groups * h.blocks + 1);
  auto* const entries = reinterpret_cast<SparseEntry*>(rows + h.row_count);
  const int64_t outputs = h.conv.outputs / h.conv.groups;
  const int64_t per_group = h.groups / h.conv.groups;
  const std::vector<int64_t> first_row = first_rows(h);
  SparseSegment next = {};
  std::vector<std::vector<SparseEntry>> filters;
  for (int64_t group = 0; group < h.groups; ++group) {
    const int64_t in_group = group % per_group * h.group_outputs;
    const int64_t first = group / per_group * outputs + in_group;
    const int64_t count = std::min(h.group_outputs, outputs - in_group);
    filters.resize(static_cast<size_t>(count));
    std::vector<uint16_t> order(static_cast<size_t>(count));
    for (int64_t block = 0; block < h.blocks; ++block) {
      segments[group * h.blocks + block] = next;
      for (int64_t r = 0; r < count; ++r) {
        entries_of(h, first_row, w, mask, first + r, block, filters[r]);
        order[r] = static_cast<uint16_t>(r);
      }
      // Most nonzeros first, so that trip counts predict; equals in order.
      std::stable_sort(order.begin(), order.end(), [&](uint16_t a, uint16_t b) {
        return filters[a].size() > filters[b].size();
      });
      for (const uint16_t r : order) {
        if (filters[r].empty() && block != 0) continue;  // the first block begins all sums
        rows[next.row++] = {r, static_cast<uint16_t>(filters[r].size())};
        for (const SparseEntry& entry : filters[r]) entries[next.entry++] = entry;
      }
    }
  }
  segments[h.groups * h.blocks] = next;
}

const ConvHeader& require_packed_conv(const void* packed) {
  const PackedHeader& header = *require_packed(packed);
  SECATEUR_REQUIRE(header.format.kind == kConvKind,
                   "Pointer %p is a packed matrix, not a convolution packed by "
                   "secateur_sparse_conv_pack.",
                   packed);
  return *static_cast<const ConvHeader*>(packed);
}

}  // namespace secateur
