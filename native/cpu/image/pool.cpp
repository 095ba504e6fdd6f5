// Pooling: the largest value or the mean under a window, a plane (image and channel) a piece of
// work. Rules: kernels/common/pool.h. Windows that reach over an edge of the image's rows are taken
// one by one, all others of a maximum many at once. The gradients scatter in the order of the
// outputs.
#include "../pool.h"

#include <algorithm>

#include "../kernels.h"
#include "common/pool.h"
#include "device.h"
#include "image/max_pool.h"
#include "image/window.h"

namespace secateur {
namespace {

using common::Range;
using common::Window;

constexpr int64_t kGrain = 8192;  // input elements a chunk

// Calls run(plane) for each plane of a batch of images, on the pool.
template <class Run>
void for_planes(const secateur_window& w, const Run& run) {
  const int64_t plane = w.in_h * w.in_w;
  parallel_ranges(w.batch * w.channels, plane >= kGrain ? 1 : kGrain / plane,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t p = begin; p < end; ++p) run(p);
                  });
}

// Calls use(index in the plane) for the taps of output (i, j) within the image, in the order of
// (k, l).
template <class Use>
void for_taps(const Window& w, int32_t i, Range rows, int32_t j, Range cols, const Use& use) {
  for (int32_t k = rows.first; k < rows.end; ++k) {
    const int32_t row = (w.h.start(i) + k * w.h.dilation) * w.w.in;
    for (int32_t l = cols.first; l < cols.end; ++l) use(row + w.w.start(j) + l * w.w.dilation);
  }
}

// Calls use(i, taps of i, j, taps of j) for the outputs of a plane in order.
template <class Use>
void for_outputs(const Window& w, const Use& use) {
  for (int32_t i = 0; i < w.h.out; ++i) {
    const Range rows = w.h.taps(i);
    for (int32_t j = 0; j < w.w.out; ++j) use(i, rows, j, w.w.taps(j));
  }
}

}  // namespace

void CpuDevice::max_pool(void*, const secateur_window& window, const float* x, float* y,
                         int32_t* places) {
  const Window w = axes(window);
  const int64_t plane = window.in_h * window.in_w, out_plane = window.out_h * window.out_w;
  const Range down = w.h.whole(), across = w.w.whole();
  MaxPoolRun run = {};
  run.width = across.end - across.first;
  run.row_stride = static_cast<int64_t>(w.h.stride) * w.w.in;
  run.col_stride = w.w.stride;
  run.row_step = static_cast<int64_t>(w.h.dilation) * w.w.in;
  run.cols = w.w.kernel;
  run.col_step = w.w.dilation;
  for_planes(window, [&](int64_t p) {
    MaxPoolRun own = run;
    own.plane = x + p * plane;
    // Windows that see `rows` of the image's rows, from output (i, across.first) on.
    const auto take_run = [&](int32_t i, Range rows, int64_t outputs) {
      const int64_t output = p * out_plane + int64_t{i} * w.w.out + across.first;
      own.outputs = outputs;
      own.rows = rows.end - rows.first;
      own.first =
          int64_t{w.h.start(i) + rows.first * w.h.dilation} * w.w.in + w.w.start(across.first);
      own.y = y + output;
      own.places = places == nullptr ? nullptr : places + output;
      if (own.rows > 0 && outputs > 0) kernels().max_pool(own);
    };
    const auto take_one = [&](int32_t i, Range rows, int32_t j) {
      common::Winner winner;
      for_taps(w, i, rows, j, w.w.taps(j), [&](int32_t at) { winner.see(own.plane[at], at); });
      const int64_t output = p * out_plane + int64_t{i} * w.w.out + j;
      y[output] = winner.value;
      if (places != nullptr) places[output] = winner.place;
    };
    const bool dense = run.width == w.w.out;  // whole rows of windows follow one another
    if (dense) take_run(down.first, {0, w.h.kernel}, (down.end - down.first) * run.width);
    for (int32_t i = 0; i < w.h.out; ++i) {
      if (dense && i >= down.first && i < down.end) continue;
      const Range rows = w.h.taps(i);
      const bool empty = rows.first >= rows.end;
      for (int32_t j = 0; j < (empty ? w.w.out : across.first); ++j) take_one(i, rows, j);
      if (empty) continue;
      take_run(i, rows, run.width);
      for (int32_t j = across.end; j < w.w.out; ++j) take_one(i, rows, j);
    }
  });
}

void CpuDevice::max_pool_grad(void*, const secateur_window& w, const float* dy,
                              const int32_t* places, float* dx) {
  const int64_t plane = w.in_h * w.in_w, out_plane = w.out_h * w.out_w;
  for_planes(w, [&](int64_t p) {
    float* const image = dx + p * plane;
    std::fill(image, image + plane, 0.0f);
    for (int64_t output = p * out_plane; output < (p + 1) * out_plane; ++output) {
      const int32_t place = places[output];
      if (place >= 0 && place < plane) image[place] += dy[output];
    }
  });
}

void CpuDevice::average_pool(void*, const secateur_window& window, int32_t count_padding,
                             const float* x, float* y) {
  const Window w = axes(window);
  const int64_t plane = window.in_h * window.in_w, out_plane = window.out_h * window.out_w;
  for_planes(window, [&](int64_t p) {
    const float* const image = x + p * plane;
    float* output = y + p * out_plane;
    for_outputs(w, [&](int32_t i, Range rows, int32_t j, Range cols) {
      float sum = 0.0f;
      for_taps(w, i, rows, j, cols, [&](int32_t at) { sum += image[at]; });
      *output++ = common::average(sum, common::averaged_places(w, count_padding != 0, rows, cols));
    });
  });
}

void CpuDevice::average_pool_grad(void*, const secateur_window& window, int32_t count_padding,
                                  const float* dy, float* dx) {
  const Window w = axes(window);
  const int64_t plane = window.in_h * window.in_w, out_plane = window.out_h * window.out_w;
  for_planes(window, [&](int64_t p) {
    float* const image = dx + p * plane;
    std::fill(image, image + plane, 0.0f);
    const float* output = dy + p * out_plane;
    for_outputs(w, [&](int32_t i, Range rows, int32_t j, Range cols) {
      const float share = common::average_derivative(
          *output++, common::averaged_places(w, count_padding != 0, rows, cols));
      for_taps(w, i, rows, j, cols, [&](int32_t at) { image[at] += share; });
    });
  });
}

}  // namespace secateur
