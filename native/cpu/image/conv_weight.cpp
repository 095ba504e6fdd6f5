// The weight gradient of a convolution: dw [outputs, depth] = sum over all pixels of dy times
// columns.
//
// Pixels are cut into slices and rows of weights into ranges, both by the shape alone. A piece of
// work is one slice and range. By rows (conv.h), it lays out what a few channels show to some
// images' outputs and adds their products with dy to sums of its own, one for each lane of a
// vector; after the last image of the slice the lanes are added up. Where images have too few
// places for this, or windows are too large, it takes blocks of 1024 pixels: it copies dy, rows
// dense, lays out the columns of 24 weights at a time in the second-level cache, and adds their
// products to the slice's sums. The slices' sums are added up in order.
#include "image/conv_weight.h"

#include <algorithm>
#include <cstring>

#include "../kernels.h"
#include "../pool.h"
#include "device.h"
#include "image/conv_rows.h"

namespace secateur {
namespace {

constexpr int64_t kSlicePixels = 4 * kWeightPixels;  // of a slice, at least
constexpr int64_t kPieces = 8;                       // of a group, at most
constexpr int64_t kMostSums = int64_t{1} << 22;      // floats of all slices' sums of a group
constexpr int64_t kGrain = 4096;                     // weights a chunk where slices are added up

// Slices of the pixels, and ranges of each row of weights. Units of both: bands of images and
// blocks of channels, or blocks of pixels and of single weights.
struct Plan {
  bool by_rows;
  ConvRows rows;
  int64_t images;  // taken at once
  int64_t slices, slice_units;
  int64_t ranges, range_blocks;
  int64_t sums;     // floats of one slice's sums
  int64_t scratch;  // floats of a piece besides

  int64_t pieces() const { return slices * ranges; }
};

Plan plan(const ConvProduct& p) {
  Plan plan = {};
  plan.sums = p.outputs * p.depth();
  plan.by_rows = gradient_suits_rows(p);
  int64_t units, blocks;
  if (plan.by_rows) {
    plan.rows = gradient_rows(p);
    plan.images = gradient_images(p, plan.rows);
    units = p.batch * divide_up(p.h.out, plan.rows.band);
    blocks = divide_up(p.channels, plan.rows.channels);
    plan.scratch = p.outputs * plan.rows.channels * p.taps() * kWeightLanes;
  } else {
    units = divide_up(p.pixels(), kWeightPixels);
    blocks = divide_up(p.depth(), kWeightColumns);
    plan.scratch = p.outputs * kWeightPixels;
  }
  const auto at_least_one = [](int64_t n) { return std::max<int64_t>(1, n); };
  plan.slices = std::min({kPieces, divide_up(p.pixels(), kSlicePixels), kMostSums / plan.sums});
  plan.slice_units = at_least_one(divide_up(units, at_least_one(plan.slices)));
  plan.slices = at_least_one(divide_up(units, plan.slice_units));
  plan.ranges = std::min(blocks, kPieces / plan.slices);
  plan.range_blocks = divide_up(blocks, plan.ranges);
  plan.ranges = divide_up(blocks, plan.range_blocks);
  return plan;
}

// dy of some pixels to rows [outputs, kWeightPixels], +0 behind the last.
void copy_rows(const ConvProduct& p, const float* dy, int64_t first, int64_t count, float* rows) {
  const int64_t plane = p.plane();
  for (int64_t o = 0; o < p.outputs; ++o, rows += kWeightPixels) {
    int64_t n = first / plane, place = first % plane;
    for (int64_t at = 0; at < count; ++n, place = 0) {
      const int64_t run = std::min(plane - place, count - at);
      std::memcpy(rows + at, dy + n * p.y_image + o * plane + place,
                  static_cast<size_t>(run) * sizeof(float));
      at += run;
    }
    std::fill(rows + count, rows + kWeightPixels, 0.0f);
  }
}

// A slice and range of the product by blocks of pixels; adds to the slice's sums, which are +0.
void add_pixels(const ConvProduct& p, const Plan& plan, int64_t piece, const float* dy,
                float* scratch, float* sums) {
  const int64_t slice = piece / plan.ranges, range = piece % plan.ranges;
  const int64_t slice_pixels = plan.slice_units * kWeightPixels;
  const int64_t last = std::min(p.pixels(), (slice + 1) * slice_pixels);
  const int64_t weights = plan.range_blocks * kWeightColumns;
  const int64_t end = std::min(p.depth(), (range + 1) * weights);
  ConvWeightBlock block;
  block.dy = scratch;
  block.dw = sums;
  for (block.first = slice * slice_pixels; block.first < last; block.first += kWeightPixels) {
    block.count = std::min(kWeightPixels, last - block.first);
    copy_rows(p, dy, block.first, block.count, scratch);
    for (block.begin = range * weights; block.begin < end; block.begin += kWeightColumns) {
      block.end = std::min(end, block.begin + kWeightColumns);
      kernels().conv_weight(p, block);
    }
  }
}

// The same by rows, to the slice's sums.
void sum_rows(const ConvProduct& p, const Plan& plan, int64_t piece, const float* dy,
              float* scratch, float* sums) {
  const int64_t slice = piece / plan.ranges, range = piece % plan.ranges;
  const int64_t bands = divide_up(p.h.out, plan.rows.band);
  const int64_t first = slice * plan.slice_units;
  const int64_t last = std::min(p.batch * bands, first + plan.slice_units);
  const int64_t channels = plan.range_blocks * plan.rows.channels;
  const int64_t end = std::min(p.channels, (range + 1) * channels);
  ConvWeightRows part = {};
  part.dy = dy;
  part.sums = scratch;
  for (part.channel = range * channels; part.channel < end; part.channel += plan.rows.channels) {
    part.channels = std::min(plan.rows.channels, end - part.channel);
    for (int64_t unit = first; unit < last; unit += plan.images) {
      part.image = unit / bands;
      part.images = std::min(plan.images, last - unit);
      part.first = unit % bands * plan.rows.band;
      part.begins = unit == first;
      kernels().conv_weight_rows(p, plan.rows, part);
    }
    kernels().conv_weight_fold(p.outputs, part.channels * p.taps(), scratch,
                               sums + part.channel * p.taps(), p.depth());
  }
}

}  // namespace

size_t conv_weight_workspace(const secateur_conv& conv) {
  const ConvProduct p = conv_product(conv);
  if (p.pixels() == 0) return 64;
  const Plan plan = secateur::plan(p);
  return static_cast<size_t>(plan.pieces() * plan.scratch + plan.slices * plan.sums) *
         sizeof(float);
}

void CpuDevice::convolve_weight_grad(void*, const secateur_conv& conv, const float* x,
                                     const float* dy, float* dw, void* workspace) {
  ConvProduct p = conv_product(conv);
  const Plan plan = secateur::plan(p);
  float* const scratch = static_cast<float*>(workspace);
  float* const sums = scratch + plan.pieces() * plan.scratch;
  for (int64_t group = 0; group < conv.groups; ++group) {
    p.x = x + group * p.channels * p.x_plane;
    const float* const gradient = dy + group * p.outputs * p.y_plane;
    std::fill(sums, sums + plan.slices * plan.sums, 0.0f);
    parallel_for(plan.pieces(), [&](int64_t piece) {
      float* const own = scratch + piece * plan.scratch;
      float* const slice = sums + piece / plan.ranges * plan.sums;
      (plan.by_rows ? sum_rows : add_pixels)(p, plan, piece, gradient, own, slice);
    });
    float* const out = dw + group * plan.sums;
    parallel_ranges(plan.sums, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float sum = sums[i];
        for (int64_t s = 1; s < plan.slices; ++s) sum += sums[s * plan.sums + i];
        out[i] = sum;
      }
    });
  }
}

}  // namespace secateur
