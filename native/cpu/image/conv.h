// What a convolution and the loops of one instruction set share (kernels/conv.inc).
//
// Forward and input gradient are the same product: every output pixel is a row of weights times the
// column of input places that its taps see. In the gradient the inputs are dy, and where the stride
// is s the pixels of dx fall into s classes along each axis (those that agree modulo s), each of
// which meets taps of its own, at stride 1.
#pragma once

#include <cstdint>

namespace secateur {

// One axis: tap t of output o is at input place o * stride + start + t * step.
struct ConvAxis {
  int32_t in, out, taps;
  int32_t stride, start, step;
};

// y[n, o, i, j] = bias[o] + sum over channel c and tap (k, l) of weights[o, c, k, l] x[n, c, ...],
// for one group. Distances are in elements; a pixel is (n, i, j), counted flat.
struct ConvProduct {
  ConvAxis h, w;
  int64_t batch, channels, outputs;
  const float* x;
  int64_t x_image, x_plane;
  const float* weights;  // [outputs, depth()] dense, or weights[o, c, k, l] these distances apart
  int64_t w_output, w_channel, w_row, w_col;
  const float* bias;  // [outputs] or NULL
  float* y;
  int64_t y_image, y_plane, y_row, y_col;

  int64_t taps() const { return static_cast<int64_t>(h.taps) * w.taps; }
  int64_t depth() const { return channels * taps(); }
  int64_t plane() const { return static_cast<int64_t>(h.out) * w.out; }
  int64_t pixels() const { return batch * plane(); }
};

// Rows of images laid out so that one copy serves all rows of the window.
//
// A band is `band` output rows of one image. For every channel c of a block and column l of the
// window there is a plane of `rows` rows of w.out floats, in which row r holds, for every output
// column, what it sees at l:
//
//   plane(l, c)[r][j] = x[c][row of r][j * w.stride + w.start + l * w.step], 0 outside the image
//
// Rows that output rows see through one row k of the window follow one another: they are sorted by
// their phase modulo h.stride. So place p = i * w.out + j of the band sees tap (k, l) of channel c
// at plane(l, c) + first_row[k] * w.out + p: a vector of neighbouring places, also across the ends
// of rows, is a vector of every tap, and only the columns of the window cost copies.
constexpr int64_t kRowFloats = 32 << 10;  // of a block's planes: 128 KiB of a thread's stack
constexpr int64_t kRowWidth = 1024;       // w.out at most
constexpr int32_t kRowTaps = 256;         // taps at most
constexpr int32_t kRowKernel = 32;        // h.taps at most
constexpr int32_t kRowPhases = 8;         // h.stride at most
struct ConvRows {
  int64_t band;      // output rows
  int64_t channels;  // of a block
  int64_t rows;      // of a plane
  int32_t first_row[kRowKernel];
  int32_t phases;
  // Rows begin .. end of a plane lie h.stride rows of x apart, from row `input` on where the band
  // begins at output row 0.
  struct {
    int64_t begin, end, input;
  } phase[kRowPhases];

  int64_t plane(const ConvProduct& p) const { return rows * p.w.out; }
  int64_t block(const ConvProduct& p) const { return channels * p.w.taps * plane(p); }
};

// A part of a weight gradient by rows: the band from output row `first` on of images image .. image
// + images, for channels channel .. channel + channels, of a block at most. Lane i of the sum of an
// output and a weight adds every place that is i modulo the lanes.
constexpr int64_t kWeightLanes = 16;  // of the widest vector
struct ConvWeightRows {
  int64_t image, images, first;
  int64_t channel, channels;
  const float* dy;
  float* sums;  // [outputs, channels * taps, lanes of a vector]
  bool begins;  // sums with +0
};

// Pixels first .. first + count of a weight gradient's product, at most kWeightPixels, and weights
// begin .. end of a row, at most kWeightColumns: dw[o, k] += sum over the pixels of
// dy[o, pixel] * column k of the pixel.
constexpr int64_t kWeightPixels = 1024;
constexpr int64_t kWeightColumns = 24;
struct ConvWeightBlock {
  int64_t first, count;
  int64_t begin, end;
  const float* dy;  // [outputs, kWeightPixels], +0 behind the last pixel
  float* dw;        // [outputs, depth()]
};

}  // namespace secateur
