// Convolution and its input gradient as products of weights and columns (conv.h). A piece of work
// is a band of an image's rows, laid out once for each column of the window; or, where rows do not
// suit (images of few places, very wide strides, windows or images), a panel of pixels of any
// images, laid out once for each tap. No more memory than such a gradient's transposed weights is
// needed.
//
// Cost: outputs * depth * pixels multiply-adds at the rate of a matrix product, and the copies,
// written to a thread's cache once for all outputs.
#include "image/conv.h"

#include <algorithm>
#include <numeric>

#include "../kernels.h"
#include "../pool.h"
#include "device.h"
#include "image/conv_rows.h"
#include "image/conv_weight.h"

namespace secateur {
namespace {

constexpr double kChunk = 1 << 19;   // multiply-adds a piece of work
constexpr size_t kNoWorkspace = 64;  // a size of 0 could not be told from a question

void multiply(const ConvProduct& p) {
  const Kernels& loops = kernels();
  if (p.pixels() == 0) return;
  const double work = static_cast<double>(p.outputs) * static_cast<double>(p.depth());
  if (suits_rows(p)) {
    const ConvRows rows = product_rows(p);
    const int64_t bands = (p.h.out + rows.band - 1) / rows.band;
    const double each = work * static_cast<double>(rows.band * p.w.out);
    const int64_t grain = std::max<int64_t>(1, static_cast<int64_t>(kChunk / each));
    parallel_ranges(p.batch * bands, grain, [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; ++at) {
        loops.conv_band(p, rows, at / bands, at % bands * rows.band);
      }
    });
    return;
  }
  const int64_t panel = loops.conv_pixels;
  const double each = std::max(work, 64.0) * static_cast<double>(panel);
  const int64_t grain = panel * std::max<int64_t>(1, static_cast<int64_t>(kChunk / each));
  parallel_ranges(p.pixels(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += panel) {
      loops.conv_panel(p, at, std::min(panel, end - at));
    }
  });
}

// The classes of places along an axis of x that meet the same taps of a convolution.
struct Phase {
  ConvAxis axis;  // from dy to this class
  int32_t first_place, first_tap, tap_step;
};

Phase phase(const common::WindowAxis& w, int32_t residue) {
  Phase p;
  p.first_place = ((residue - w.pad) % w.stride + w.stride) % w.stride;
  p.tap_step = w.stride / std::gcd(w.stride, w.dilation);
  p.first_tap = 0;
  while (p.first_tap < p.tap_step &&
         static_cast<int64_t>(p.first_tap) * w.dilation % w.stride != residue) {
    ++p.first_tap;
  }
  const bool met = p.first_tap < p.tap_step && p.first_tap < w.kernel;
  const int32_t places = p.first_place < w.in ? (w.in - p.first_place - 1) / w.stride + 1 : 0;
  p.axis = {w.out, places, 0, 1, 0, 0};
  if (met) {
    p.axis.taps = (w.kernel - p.first_tap - 1) / p.tap_step + 1;
    p.axis.start = (p.first_place + w.pad - p.first_tap * w.dilation) / w.stride;
    p.axis.step = -(p.tap_step * (w.dilation / std::gcd(w.stride, w.dilation)) /
                    (w.stride / std::gcd(w.stride, w.dilation)));
  }
  return p;
}

void set_dense_weights(ConvProduct& p) {
  p.w_output = p.depth();
  p.w_channel = p.taps();
  p.w_row = p.w.taps;
  p.w_col = 1;
}

// w [outputs, channels, taps] of a group to [channels, outputs, taps of the phases].
void transpose_weights(const ConvProduct& forward, const Phase& h, const Phase& w, float* out) {
  for (int64_t c = 0; c < forward.channels; ++c) {
    for (int64_t o = 0; o < forward.outputs; ++o) {
      const float* const from = forward.weights + (o * forward.channels + c) * forward.taps();
      for (int32_t k = 0; k < h.axis.taps; ++k) {
        const int64_t row = (h.first_tap + int64_t{k} * h.tap_step) * forward.w.taps;
        for (int32_t l = 0; l < w.axis.taps; ++l) {
          *out++ = from[row + w.first_tap + int64_t{l} * w.tap_step];
        }
      }
    }
  }
}

}  // namespace

ConvProduct conv_product(const secateur_conv& conv) {
  const common::Window w = axes(conv.window);
  ConvProduct p = {};
  p.h = {w.h.in, w.h.out, w.h.kernel, w.h.stride, -w.h.pad, w.h.dilation};
  p.w = {w.w.in, w.w.out, w.w.kernel, w.w.stride, -w.w.pad, w.w.dilation};
  p.batch = conv.window.batch;
  p.channels = conv.window.channels / conv.groups;
  p.outputs = conv.outputs / conv.groups;
  p.x_plane = conv.window.in_h * conv.window.in_w;
  p.x_image = conv.window.channels * p.x_plane;
  p.y_plane = p.plane();
  p.y_image = conv.outputs * p.y_plane;
  p.y_row = w.w.out;
  p.y_col = 1;
  set_dense_weights(p);
  return p;
}

CpuDevice::ConvWorkspace CpuDevice::conv_workspace(const secateur_conv& conv) {
  const ConvProduct p = conv_product(conv);
  const size_t weights = static_cast<size_t>(p.outputs * p.depth()) * sizeof(float);
  return {kNoWorkspace, weights, conv_weight_workspace(conv)};
}

void CpuDevice::convolve(void*, const secateur_conv& conv, const float* x, const float* w,
                         const float* bias, float* y, void*) {
  ConvProduct p = conv_product(conv);
  for (int64_t group = 0; group < conv.groups; ++group) {
    p.x = x + group * p.channels * p.x_plane;
    p.weights = w + group * p.outputs * p.depth();
    p.bias = bias == nullptr ? nullptr : bias + group * p.outputs;
    p.y = y + group * p.outputs * p.y_plane;
    multiply(p);
  }
}

void CpuDevice::convolve_input_grad(void*, const secateur_conv& conv, const float* dy,
                                    const float* w, float* dx, void* workspace) {
  const common::Window window = axes(conv.window);
  ConvProduct forward = conv_product(conv);
  float* const weights = static_cast<float*>(workspace);
  ConvProduct back = forward;
  back.channels = forward.outputs;
  back.outputs = forward.channels;
  back.x_plane = forward.y_plane;
  back.x_image = forward.y_image;
  back.y_plane = forward.x_plane;
  back.y_image = forward.x_image;
  back.y_row = conv.window.in_w * window.h.stride;
  back.y_col = window.w.stride;
  for (int64_t group = 0; group < conv.groups; ++group) {
    forward.weights = w + group * forward.outputs * forward.depth();
    back.x = dy + group * back.channels * back.x_plane;
    for (int32_t down = 0; down < window.h.stride; ++down) {
      const Phase h = phase(window.h, down);
      for (int32_t right = 0; right < window.w.stride; ++right) {
        const Phase v = phase(window.w, right);
        back.h = h.axis;
        back.w = v.axis;
        if (suits_rows(back)) {  // takes weights where they lie
          back.weights = forward.weights + h.first_tap * forward.w_row + v.first_tap;
          back.w_output = forward.w_channel;
          back.w_channel = forward.w_output;
          back.w_row = h.tap_step * forward.w_row;
          back.w_col = v.tap_step;
        } else {
          transpose_weights(forward, h, v, weights);
          back.weights = weights;
          set_dense_weights(back);
        }
        back.y = dx + group * back.outputs * back.y_plane + h.first_place * conv.window.in_w +
                 v.first_place;
        multiply(back);
      }
    }
  }
}

}  // namespace secateur
