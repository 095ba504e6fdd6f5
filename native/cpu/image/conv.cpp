// Convolution and its gradients.
#include <algorithm>

#include "device.h"
#include "pool.h"

namespace secateur {
namespace {

// Calls use(input element of a plane, output element of a plane) for every pair that meets at place
// (k, l) of the window.
template <class Use>
void for_pairs(const secateur_window& w, int32_t k, int32_t l, const Use& use) {
  for (int64_t i = 0; i < w.out_h; ++i) {
    const int64_t row = i * w.stride_h + static_cast<int64_t>(k) * w.dilation_h - w.pad_top;
    if (row < 0 || row >= w.in_h) continue;
    for (int64_t j = 0; j < w.out_w; ++j) {
      const int64_t col = j * w.stride_w + static_cast<int64_t>(l) * w.dilation_w - w.pad_left;
      if (col >= 0 && col < w.in_w) use(row * w.in_w + col, i * w.out_w + j);
    }
  }
}

// Calls use(channel of the group, k, l, element of w) for the weights of an output channel.
template <class Use>
void for_weights(const secateur_conv& conv, int64_t output, const Use& use) {
  const secateur_window& w = conv.window;
  const int64_t channels = w.channels / conv.groups;
  int64_t element = output * channels * w.kernel_h * w.kernel_w;
  for (int64_t c = 0; c < channels; ++c) {
    for (int32_t k = 0; k < w.kernel_h; ++k) {
      for (int32_t l = 0; l < w.kernel_w; ++l) use(c, k, l, element++);
    }
  }
}

}  // namespace

CpuDevice::ConvWorkspace CpuDevice::conv_workspace(const secateur_conv&) { return {64, 64, 64}; }

void CpuDevice::convolve(void*, const secateur_conv& conv, const float* x, const float* w,
                         const float* bias, float* y, void*) {
  const secateur_window& window = conv.window;
  const int64_t plane = window.in_h * window.in_w, out_plane = window.out_h * window.out_w;
  const int64_t channels = window.channels / conv.groups, outputs = conv.outputs / conv.groups;
  parallel_for(window.batch * conv.outputs, [&](int64_t index) {
    const int64_t n = index / conv.outputs, o = index % conv.outputs;
    float* const to = y + index * out_plane;
    std::fill(to, to + out_plane, bias == nullptr ? 0.0f : bias[o]);
    for_weights(conv, o, [&](int64_t c, int32_t k, int32_t l, int64_t element) {
      const float* const from = x + (n * window.channels + o / outputs * channels + c) * plane;
      for_pairs(window, k, l, [&](int64_t in, int64_t out) { to[out] += w[element] * from[in]; });
    });
  });
}

void CpuDevice::convolve_input_grad(void*, const secateur_conv& conv, const float* dy,
                                    const float* w, float* dx, void*) {
  const secateur_window& window = conv.window;
  const int64_t plane = window.in_h * window.in_w, out_plane = window.out_h * window.out_w;
  const int64_t channels = window.channels / conv.groups, outputs = conv.outputs / conv.groups;
  parallel_for(window.batch * conv.groups, [&](int64_t index) {
    const int64_t n = index / conv.groups, group = index % conv.groups;
    float* const to = dx + (n * window.channels + group * channels) * plane;
    std::fill(to, to + channels * plane, 0.0f);
    for (int64_t o = group * outputs; o < (group + 1) * outputs; ++o) {
      const float* const from = dy + (n * conv.outputs + o) * out_plane;
      for_weights(conv, o, [&](int64_t c, int32_t k, int32_t l, int64_t element) {
        float* const image = to + c * plane;
        for_pairs(window, k, l,
                  [&](int64_t in, int64_t out) { image[in] += w[element] * from[out]; });
      });
    }
  });
}

void CpuDevice::convolve_weight_grad(void*, const secateur_conv& conv, const float* x,
                                     const float* dy, float* dw, void*) {
  const secateur_window& window = conv.window;
  const int64_t plane = window.in_h * window.in_w, out_plane = window.out_h * window.out_w;
  const int64_t channels = window.channels / conv.groups, outputs = conv.outputs / conv.groups;
  parallel_for(conv.outputs, [&](int64_t o) {
    for_weights(conv, o, [&](int64_t c, int32_t k, int32_t l, int64_t element) {
      float sum = 0.0f;
      for (int64_t n = 0; n < window.batch; ++n) {
        const float* const image = x + (n * window.channels + o / outputs * channels + c) * plane;
        const float* const gradient = dy + (n * conv.outputs + o) * out_plane;
        for_pairs(window, k, l, [&](int64_t in, int64_t out) { sum += image[in] * gradient[out]; });
      }
      dw[element] = sum;
    });
  });
}

}  // namespace secateur
