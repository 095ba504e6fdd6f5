// y = f(convolution of x + bias) for packed filters: each panel of images is laid out by the core
// that uses it, then every group of filters takes it 64 places at a time. A single panel is laid
// out, and its groups and places shared, by all threads.
#include "sparse/conv.h"

#include <algorithm>
#include <cstring>

#include "device.h"
#include "kernels.h"
#include "pool.h"

namespace secateur {

namespace {

constexpr int64_t kTile = 64;  // places that a filter's nonzeros take together
constexpr int64_t kAlign = 64;

SparseView view_conv(const ConvHeader& h) {
  const auto* segments = reinterpret_cast<const SparseSegment*>(&h + 1);
  const auto* rows = reinterpret_cast<const SparseRow*>(segments + h.groups * h.blocks + 1);
  const auto* entries = reinterpret_cast<const SparseEntry*>(rows + h.row_count);
  return {nullptr, segments, rows, entries, nullptr};
}

int64_t bands(const ConvHeader& h) { return (h.conv.window.out_h + h.band - 1) / h.band; }

int64_t panels(const ConvHeader& h, int64_t batch) {
  return (batch + h.images - 1) / h.images * bands(h);
}

// Panels that lie in memory at once.
int64_t slots(const ConvHeader& h, int64_t batch) {
  return std::min<int64_t>(panels(h, batch), threads());
}

// One panel's part of a product.
struct Work {
  const ConvHeader& h;
  int64_t batch;
  const float* x;
  const secateur_epilogue& epilogue;
  float* y;

  int64_t image(int64_t panel) const { return panel / bands(h) * h.images; }
  int64_t row(int64_t panel) const { return panel % bands(h) * h.band; }
  int64_t images(int64_t panel) const { return std::min(h.images, batch - image(panel)); }
  int64_t rows(int64_t panel) const { return std::min(h.band, h.conv.window.out_h - row(panel)); }
};

// lane[j] = source[j * stride + offset] for j in 0 .. out_w, 0 outside 0 .. in_w.
void lay_row(const secateur_window& w, int64_t offset, const float* source, float* lane) {
  const int64_t stride = w.stride_w;
  const int64_t first = offset >= 0 ? 0 : std::min(w.out_w, (-offset + stride - 1) / stride);
  const int64_t beyond = w.in_w - offset;  // j * stride has to be below
  const int64_t last =
      std::max(first, beyond <= 0 ? 0 : std::min(w.out_w, (beyond + stride - 1) / stride));
  std::fill(lane, lane + first, 0.0f);
  if (stride == 1) {
    std::memcpy(lane + first, source + offset + first,
                static_cast<size_t>(last - first) * sizeof(float));
  } else {
    for (int64_t j = first; j < last; ++j) lane[j] = source[j * stride + offset];
  }
  std::fill(lane + last, lane + w.out_w, 0.0f);
}

// The planes of one channel.
void lay_channel(const Work& work, int64_t panel, int64_t channel, float* floats) {
  const ConvHeader& h = work.h;
  const secateur_window& w = h.conv.window;
  const int64_t images = work.images(panel), used = images * w.out_w;
  const int64_t top = work.row(panel) * w.stride_h - w.pad_top;
  const int64_t plane = w.in_h * w.in_w;
  const float* const source = work.x + (work.image(panel) * w.channels + channel) * plane;
  for (int64_t l = 0; l < w.kernel_w; ++l) {
    float* const to = floats + (channel * w.kernel_w + l) * h.rows * h.pitch;
    const int64_t offset = l * w.dilation_w - w.pad_left;
    for_rows(w, h.band, [&](int64_t r, int64_t padded) {
      float* const row = to + r * h.pitch;
      const int64_t input = top + padded;
      if (input < 0 || input >= w.in_h) {
        std::fill(row, row + h.pitch, 0.0f);
        return;
      }
      for (int64_t g = 0; g < images; ++g) {
        lay_row(w, offset, source + g * w.channels * plane + input * w.in_w, row + g * w.out_w);
      }
      std::fill(row + used, row + h.pitch, 0.0f);
    });
  }
}

// Where the filters of a group of rows begin, and how many they are.
struct Filters {
  int64_t first, count;
};

Filters filters(const ConvHeader& h, int64_t group) {
  const int64_t outputs = h.conv.outputs / h.conv.groups, per_group = h.groups / h.conv.groups;
  const int64_t in_group = group % per_group * h.group_outputs;
  return {group / per_group * outputs + in_group, std::min(h.group_outputs, outputs - in_group)};
}

void finish(const secateur_epilogue& epilogue, const Filters& f, float* sums) {
  for (int64_t r = 0; epilogue.bias != nullptr && r < f.count; ++r) {
    const float bias = epilogue.bias[f.first + r];
    float* const sum = sums + r * kTile;
    for (int64_t c = 0; c < kTile; ++c) sum[c] += bias;
  }
  if (epilogue.activation != SECATEUR_IDENTITY) {
    kernels().unary(epilogue.activation, epilogue.alpha, f.count * kTile, sums, sums);
  }
}

// Writes places place .. place + columns of a band, run by run of neighbours in y.
void write(const Work& work, int64_t panel, const Filters& f, int64_t place, int64_t columns,
           const float* sums) {
  const ConvHeader& h = work.h;
  const secateur_window& w = h.conv.window;
  const int64_t out_plane = w.out_h * w.out_w, used = work.images(panel) * w.out_w;
  for (int64_t c = 0; c < columns;) {
    const int64_t row = (place + c) / h.pitch, lane = (place + c) % h.pitch;
    if (lane >= used) {  // lanes without an image: on to the next row
      c += h.pitch - lane;
      continue;
    }
    const int64_t g = lane / w.out_w, j = lane % w.out_w;
    const int64_t run = std::min(columns - c, w.out_w - j);
    float* const to = work.y + ((work.image(panel) + g) * h.conv.outputs + f.first) * out_plane +
                      (work.row(panel) + row) * w.out_w + j;
    for (int64_t r = 0; r < f.count; ++r) {
      std::memcpy(to + r * out_plane, sums + r * kTile + c,
                  static_cast<size_t>(run) * sizeof(float));
    }
    c += run;
  }
}

void multiply_tile(const Work& work, int64_t panel, int64_t group, int64_t tile,
                   const float* floats) {
  const ConvHeader& h = work.h;
  const SparseView packed = view_conv(h);
  const Filters f = filters(h, group);
  const int64_t place = tile * kTile;
  const int64_t columns = std::min(kTile, work.rows(panel) * h.pitch - place);
  alignas(kAlign) float sums[kRowsGroup * kTile];
  rows_kernels().convolve(packed, packed.segments + group * h.blocks, h.blocks, columns,
                          floats + place, sums);
  if (columns < kTile) {
    for (int64_t r = 0; r < f.count; ++r) {
      std::fill(sums + r * kTile + columns, sums + (r + 1) * kTile, 0.0f);
    }
  }
  finish(work.epilogue, f, sums);
  write(work, panel, f, place, columns, sums);
}

int64_t tiles(const Work& work, int64_t panel) {
  return (work.rows(panel) * work.h.pitch + kTile - 1) / kTile;
}

}  // namespace

size_t CpuDevice::sparse_convolve_workspace(int64_t batch, const void* packed) {
  const ConvHeader& h = require_packed_conv(packed);
  const int64_t floats = (panel_floats(h) + 15) / 16 * 16;
  return static_cast<size_t>(std::max<int64_t>(1, slots(h, batch)) * floats) * sizeof(float) +
         kAlign;
}

void CpuDevice::sparse_convolve(int64_t batch, const void* packed, const float* x,
                                const secateur_epilogue& epilogue, float* y, void* workspace) {
  const ConvHeader& h = require_packed_conv(packed);
  const Work work = {h, batch, x, epilogue, y};
  const uintptr_t place = reinterpret_cast<uintptr_t>(workspace);
  auto* const memory = reinterpret_cast<float*>((place + kAlign - 1) / kAlign * kAlign);
  const int64_t floats = (panel_floats(h) + 15) / 16 * 16;
  const int64_t channels = h.conv.window.channels;
  const int64_t count = panels(h, batch), at_once = slots(h, batch);
  if (count < threads() || at_once == 1) {
    for (int64_t panel = 0; panel < count; ++panel) {
      parallel_for(channels, [&](int64_t c) { lay_channel(work, panel, c, memory); });
      std::fill(memory + floats - 64, memory + floats, 0.0f);
      const int64_t pieces = tiles(work, panel);
      parallel_for(pieces * h.groups, [&](int64_t index) {
        multiply_tile(work, panel, index % h.groups, index / h.groups, memory);
      });
    }
    return;
  }
  parallel_for(at_once, [&](int64_t slot) {
    float* const own = memory + slot * floats;
    for (int64_t panel = slot; panel < count; panel += at_once) {
      for (int64_t c = 0; c < channels; ++c) lay_channel(work, panel, c, own);
      std::fill(own + floats - 64, own + floats, 0.0f);
      for (int64_t tile = 0; tile < tiles(work, panel); ++tile) {
        for (int64_t group = 0; group < h.groups; ++group) {
          multiply_tile(work, panel, group, tile, own);
        }
      }
    }
  });
}

}  // namespace secateur
