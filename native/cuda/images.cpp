// Operations on images: launchers of kernels/im2col.cu, max_pool.cu and average_pool.cu.
#include "common/window.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using common::Window;

const Kernel<Window, int64_t, int64_t, const float*, float*> kIm2col("secateur_im2col");
const Kernel<Window, int64_t, int64_t, const float*, float*> kCol2im("secateur_col2im");
const Kernel<Window, int64_t, const float*, float*, int32_t*> kMaxPool("secateur_max_pool");
const Kernel<Window, int64_t, const float*, const int32_t*, float*> kMaxPoolGrad(
    "secateur_max_pool_grad");
const Kernel<Window, int32_t, int64_t, const float*, float*> kAveragePool("secateur_average_pool");
const Kernel<Window, int32_t, int64_t, const float*, float*> kAveragePoolGrad(
    "secateur_average_pool_grad");

Window window_of(const secateur_window& window) {
  const auto extent = [](int64_t value) { return static_cast<int32_t>(value); };
  return {{extent(window.in_h), extent(window.out_h), window.kernel_h, window.stride_h,
           window.dilation_h, window.pad_top},
          {extent(window.in_w), extent(window.out_w), window.kernel_w, window.stride_w,
           window.dilation_w, window.pad_left}};
}

int64_t planes_of(const secateur_window& window) { return window.batch * window.channels; }
int64_t inputs(const secateur_window& window) { return window.in_h * window.in_w; }
int64_t outputs(const secateur_window& window) { return window.out_h * window.out_w; }

// A thread for each of `items`, the channels along y.
Geometry by_channel(const CudaDevice& device, int64_t items, int64_t channels) {
  constexpr int64_t kMostChannels = 65535;  // blocks along y, on any GPU
  Geometry geometry = grid(device, items, kThreads, kThreads);
  geometry.blocks_y = static_cast<uint32_t>(std::min(channels, kMostChannels));
  return geometry;
}

Geometry by_place(const CudaDevice& device, int64_t places) {
  return grid(device, places, kThreads, kThreads);
}

}  // namespace

void CudaDevice::im2col(void* stream, const secateur_window& window, const float* x,
                        float* columns) {
  launch(stream, kIm2col, by_channel(*this, window.batch * outputs(window), window.channels),
         window_of(window), window.batch, window.channels, x, columns);
}

void CudaDevice::col2im(void* stream, const secateur_window& window, const float* columns,
                        float* x) {
  launch(stream, kCol2im, by_channel(*this, window.batch * inputs(window), window.channels),
         window_of(window), window.batch, window.channels, columns, x);
}

void CudaDevice::max_pool(void* stream, const secateur_window& window, const float* x, float* y,
                          int32_t* places) {
  launch(stream, kMaxPool, by_place(*this, planes_of(window) * outputs(window)), window_of(window),
         planes_of(window), x, y, places);
}

void CudaDevice::max_pool_grad(void* stream, const secateur_window& window, const float* dy,
                               const int32_t* places, float* dx) {
  launch(stream, kMaxPoolGrad, by_place(*this, planes_of(window) * inputs(window)),
         window_of(window), planes_of(window), dy, places, dx);
}

void CudaDevice::average_pool(void* stream, const secateur_window& window, int32_t count_padding,
                              const float* x, float* y) {
  launch(stream, kAveragePool, by_place(*this, planes_of(window) * outputs(window)),
         window_of(window), count_padding, planes_of(window), x, y);
}

void CudaDevice::average_pool_grad(void* stream, const secateur_window& window,
                                   int32_t count_padding, const float* dy, float* dx) {
  launch(stream, kAveragePoolGrad, by_place(*this, planes_of(window) * inputs(window)),
         window_of(window), count_padding, planes_of(window), dy, dx);
}

}  // namespace secateur::cuda
