// The weight gradient of a convolution: dw [outputs, depth] = sum over all pixels of dy times
// columns.
//
// Pixels are cut into slices and rows of weights into ranges, both by the shape alone. A piece of
// work is one slice and range: for each block of 1024 pixels it copies dy, rows dense, lays out the
// columns of 24 weights at a time in the second-level cache, and adds their products to the slice's
// own sums. These are added up in the order of the slices.
#include "image/conv_weight.h"

#include <algorithm>
#include <cstring>

#include "../kernels.h"
#include "../pool.h"
#include "device.h"

namespace secateur {
namespace {

constexpr int64_t kSlicePixels = 4 * kWeightPixels;  // of a slice, at least
constexpr int64_t kPieces = 8;                       // of a group, at most
constexpr int64_t kMostSums = int64_t{1} << 22;      // floats of all slices' sums of a group
constexpr int64_t kGrain = 4096;                     // weights a chunk where slices are added up

struct Plan {
  int64_t slices, slice_pixels;
  int64_t ranges, range_weights;
  int64_t sums;  // floats of one slice's sums

  int64_t pieces() const { return slices * ranges; }
};

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

Plan plan(const ConvProduct& p) {
  Plan plan;
  plan.sums = p.outputs * p.depth();
  plan.slices = std::min(kPieces, divide_up(p.pixels(), kSlicePixels));
  plan.slices = std::max<int64_t>(1, std::min(plan.slices, kMostSums / plan.sums));
  plan.slice_pixels = divide_up(divide_up(p.pixels(), plan.slices), kWeightPixels) * kWeightPixels;
  plan.slices = std::max<int64_t>(1, divide_up(p.pixels(), plan.slice_pixels));
  const int64_t blocks = divide_up(p.depth(), kWeightColumns);
  plan.ranges = std::min(blocks, kPieces / plan.slices);
  plan.range_weights = divide_up(blocks, plan.ranges) * kWeightColumns;
  plan.ranges = divide_up(p.depth(), plan.range_weights);
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

}  // namespace

size_t conv_weight_workspace(const secateur_conv& conv) {
  const ConvProduct p = conv_product(conv);
  if (p.pixels() == 0) return 64;
  const Plan plan = secateur::plan(p);
  return static_cast<size_t>(plan.pieces() * p.outputs * kWeightPixels + plan.slices * plan.sums) *
         sizeof(float);
}

void CpuDevice::convolve_weight_grad(void*, const secateur_conv& conv, const float* x,
                                     const float* dy, float* dw, void* workspace) {
  const auto run = kernels().conv_weight;
  ConvProduct p = conv_product(conv);
  const Plan plan = secateur::plan(p);
  float* const rows = static_cast<float*>(workspace);
  float* const sums = rows + plan.pieces() * p.outputs * kWeightPixels;
  for (int64_t group = 0; group < conv.groups; ++group) {
    p.x = x + group * p.channels * p.x_plane;
    const float* const gradient = dy + group * p.outputs * p.y_plane;
    std::fill(sums, sums + plan.slices * plan.sums, 0.0f);
    parallel_for(plan.pieces(), [&](int64_t piece) {
      const int64_t slice = piece / plan.ranges, range = piece % plan.ranges;
      const int64_t last = std::min(p.pixels(), (slice + 1) * plan.slice_pixels);
      float* const own = rows + piece * p.outputs * kWeightPixels;
      ConvWeightBlock block;
      block.dy = own;
      block.dw = sums + slice * plan.sums;
      for (block.first = slice * plan.slice_pixels; block.first < last;
           block.first += kWeightPixels) {
        block.count = std::min(kWeightPixels, last - block.first);
        copy_rows(p, gradient, block.first, block.count, own);
        const int64_t end = std::min(p.depth(), (range + 1) * plan.range_weights);
        for (block.begin = range * plan.range_weights; block.begin < end;
             block.begin += kWeightColumns) {
          block.end = std::min(end, block.begin + kWeightColumns);
          run(p, block);
        }
      }
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
