// Entries of image operations: convolution, pooling, batch normalization, clipping, boxes.
#include <initializer_list>
#include <limits>

#include "abi/check.h"
#include "abi/dims.h"

using namespace secateur;

namespace {

// The product of counts that are 0 or more; throws when it exceeds 63 bits.
int64_t require_product(std::initializer_list<int64_t> counts, const char* name) {
  int64_t product = 1;
  bool overflow = false;
  for (int64_t count : counts) {
    overflow = __builtin_mul_overflow(product, count, &product) || overflow;
  }
  SECATEUR_REQUIRE(!overflow, "%s has more than 2^63 elements; take a smaller batch.", name);
  return product;
}

void require_axis_of_window(const char* axis, int64_t in, int64_t out, int32_t kernel,
                            int32_t stride, int32_t dilation, int32_t pad) {
  SECATEUR_REQUIRE(in >= 1 && out >= 1,
                   "Images of %s %" PRId64 " to %" PRId64 ": extents must be 1 or more.", axis, in,
                   out);
  SECATEUR_REQUIRE(kernel >= 1 && stride >= 1 && dilation >= 1 && pad >= 0,
                   "A window of %s %" PRId32 ", stride %" PRId32 ", dilation %" PRId32
                   ", padding %" PRId32
                   ": the first three must be 1 or more, the padding 0 or more.",
                   axis, kernel, stride, dilation, pad);
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  SECATEUR_REQUIRE(in <= kMost - pad && out - 1 <= (kMost - int64_t{kernel} * dilation) / stride,
                   "Windows over a %s of %" PRId64 " with %" PRId64
                   " outputs reach over 2^31 places; take a smaller stride or dilation.",
                   axis, in, out);
}

struct WindowSizes {
  int64_t in, out, columns;  // elements
};

WindowSizes require_window(const secateur_window* window) {
  SECATEUR_REQUIRE(window != nullptr, "The window is NULL.");
  const secateur_window& w = *window;
  require_count(w.batch, "batch");
  SECATEUR_REQUIRE(w.channels >= 1, "Images of %" PRId64 " channels: there must be 1 or more.",
                   w.channels);
  require_axis_of_window("height", w.in_h, w.out_h, w.kernel_h, w.stride_h, w.dilation_h,
                         w.pad_top);
  require_axis_of_window("width", w.in_w, w.out_w, w.kernel_w, w.stride_w, w.dilation_w,
                         w.pad_left);
  const int64_t plane = require_product({w.in_h, w.in_w}, "A plane");
  const int64_t out_plane = require_product({w.out_h, w.out_w}, "A plane of the output");
  constexpr int64_t kMostPlane = std::numeric_limits<int32_t>::max();
  SECATEUR_REQUIRE(plane <= kMostPlane && out_plane <= kMostPlane,
                   "Planes of %" PRId64 " and %" PRId64
                   " elements: at most 2^31 - 1 have 32-bit places.",
                   plane, out_plane);
  WindowSizes sizes;
  sizes.in = require_product({w.batch, w.channels, plane}, "The input");
  sizes.out = require_product({w.batch, w.channels, out_plane}, "The output");
  sizes.columns = require_product({w.channels, w.kernel_h, w.kernel_w, w.batch, out_plane},
                                  "The column matrix");
  return sizes;
}

struct ConvSizes {
  int64_t x, w, y;  // elements
};

ConvSizes require_conv(const secateur_conv* conv) {
  SECATEUR_REQUIRE(conv != nullptr, "The convolution is NULL.");
  const WindowSizes sizes = require_window(&conv->window);
  const int64_t channels = conv->window.channels, outputs = conv->outputs;
  SECATEUR_REQUIRE(outputs >= 1, "A convolution to %" PRId64 " channels: 1 or more are needed.",
                   outputs);
  SECATEUR_REQUIRE(conv->groups >= 1 && channels % conv->groups == 0 && outputs % conv->groups == 0,
                   "%" PRId32 " groups do not divide %" PRId64 " input and %" PRId64
                   " output channels.",
                   conv->groups, channels, outputs);
  const secateur_window& window = conv->window;
  return {sizes.in,
          require_product({outputs, channels / conv->groups, window.kernel_h, window.kernel_w},
                          "The weight"),
          require_product({window.batch, outputs, window.out_h, window.out_w}, "The output")};
}

int64_t require_norm(const secateur_norm_shape* shape) {
  SECATEUR_REQUIRE(shape != nullptr, "The shape of the normalization is NULL.");
  require_count(shape->batch, "batch");
  require_count(shape->channels, "channels");
  require_count(shape->spatial, "spatial");
  SECATEUR_REQUIRE(shape->epsilon >= 0.0f,
                   "The epsilon of a normalization is %g; it must be 0 or more.",
                   static_cast<double>(shape->epsilon));
  return require_product({shape->batch, shape->channels, shape->spatial}, "The tensor");
}

void require_bounds(float low, float high) {
  SECATEUR_REQUIRE(low == low && high == high,
                   "A bound to clip to is NaN; give an infinity for no bound.");
}

}  // namespace

// ---- columns

secateur_status secateur_im2col(secateur_device* device, void* stream,
                                const secateur_window* window, const float* x, float* columns) {
  return guard([&] {
    require_device(device, stream);
    const WindowSizes sizes = require_window(window);
    require_pointer(x, sizes.in, "x");
    require_pointer(columns, sizes.columns, "columns");
    if (sizes.in != 0) device->im2col(stream, *window, x, columns);
  });
}

secateur_status secateur_col2im(secateur_device* device, void* stream,
                                const secateur_window* window, const float* columns, float* x) {
  return guard([&] {
    require_device(device, stream);
    const WindowSizes sizes = require_window(window);
    require_pointer(columns, sizes.columns, "columns");
    require_pointer(x, sizes.in, "x");
    if (sizes.in != 0) device->col2im(stream, *window, columns, x);
  });
}

// ---- convolution

secateur_status secateur_convolve(secateur_device* device, void* stream, const secateur_conv* conv,
                                  const float* x, const float* w, const float* bias, float* y,
                                  void* workspace, size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    const ConvSizes sizes = require_conv(conv);
    require_place(workspace_bytes, "the workspace's size");
    if (!require_workspace(device->conv_workspace(*conv).forward, workspace, workspace_bytes)) {
      return;
    }
    require_pointer(x, sizes.x, "x");
    require_pointer(w, sizes.w, "w");
    require_pointer(y, sizes.y, "y");
    if (sizes.y != 0) device->convolve(stream, *conv, x, w, bias, y, workspace);
  });
}

secateur_status secateur_convolve_input_grad(secateur_device* device, void* stream,
                                             const secateur_conv* conv, const float* dy,
                                             const float* w, float* dx, void* workspace,
                                             size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    const ConvSizes sizes = require_conv(conv);
    require_place(workspace_bytes, "the workspace's size");
    if (!require_workspace(device->conv_workspace(*conv).input_grad, workspace, workspace_bytes)) {
      return;
    }
    require_pointer(dy, sizes.y, "dy");
    require_pointer(w, sizes.w, "w");
    require_pointer(dx, sizes.x, "dx");
    if (sizes.x != 0) device->convolve_input_grad(stream, *conv, dy, w, dx, workspace);
  });
}

secateur_status secateur_convolve_weight_grad(secateur_device* device, void* stream,
                                              const secateur_conv* conv, const float* x,
                                              const float* dy, float* dw, void* workspace,
                                              size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    const ConvSizes sizes = require_conv(conv);
    require_place(workspace_bytes, "the workspace's size");
    if (!require_workspace(device->conv_workspace(*conv).weight_grad, workspace, workspace_bytes)) {
      return;
    }
    require_pointer(x, sizes.x, "x");
    require_pointer(dy, sizes.y, "dy");
    require_pointer(dw, sizes.w, "dw");
    if (sizes.x != 0) {
      device->convolve_weight_grad(stream, *conv, x, dy, dw, workspace);
    } else {
      device->fill(stream, 0.0f, sizes.w, dw);
    }
  });
}

// ---- sparse convolution

secateur_status secateur_sparse_conv_pack(secateur_device* device, void* stream,
                                          const secateur_conv* conv, const float* w,
                                          const uint32_t* mask, void* packed,
                                          size_t* packed_bytes) {
  return guard([&] {
    require_device(device, stream);
    const ConvSizes sizes = require_conv(conv);
    require_place(packed_bytes, "the packed size");
    require_pointer(w, sizes.w, "w");
    SECATEUR_REQUIRE(reinterpret_cast<uintptr_t>(packed) % 64 == 0,
                     "The packed filters at %p must be 64-byte aligned.", packed);
    const size_t needed = device->sparse_conv_pack_bytes(*conv, w, mask);
    if (packed == nullptr) {
      *packed_bytes = needed;
      return;
    }
    SECATEUR_REQUIRE(
        *packed_bytes >= needed,
        "The packed filters need %zu bytes, but %zu are given; ask for the size first.", needed,
        *packed_bytes);
    device->sparse_conv_pack(*conv, w, mask, packed);
  });
}

secateur_status secateur_sparse_convolve(secateur_device* device, void* stream, int64_t batch,
                                         const void* packed, const float* x,
                                         const secateur_epilogue* epilogue, float* y,
                                         void* workspace, size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    require_count(batch, "batch");
    require_place(workspace_bytes, "the workspace's size");
    const secateur_epilogue none = {nullptr, SECATEUR_IDENTITY, 0};
    const secateur_epilogue& after = epilogue == nullptr ? none : *epilogue;
    require_epilogue(after);
    const size_t needed = device->sparse_convolve_workspace(batch, packed);
    if (!require_workspace(needed, workspace, workspace_bytes) || batch == 0) return;
    require_pointer(x, batch, "x");
    require_pointer(y, batch, "y");
    device->sparse_convolve(batch, packed, x, after, y, workspace);
  });
}

// ---- pooling

secateur_status secateur_max_pool(secateur_device* device, void* stream,
                                  const secateur_window* window, const float* x, float* y,
                                  int32_t* places) {
  return guard([&] {
    require_device(device, stream);
    const WindowSizes sizes = require_window(window);
    require_pointer(x, sizes.in, "x");
    require_pointer(y, sizes.out, "y");
    if (sizes.out != 0) device->max_pool(stream, *window, x, y, places);
  });
}

secateur_status secateur_max_pool_grad(secateur_device* device, void* stream,
                                       const secateur_window* window, const float* dy,
                                       const int32_t* places, float* dx) {
  return guard([&] {
    require_device(device, stream);
    const WindowSizes sizes = require_window(window);
    require_pointer(dy, sizes.out, "dy");
    require_pointer(places, sizes.out, "places");
    require_pointer(dx, sizes.in, "dx");
    if (sizes.in != 0) device->max_pool_grad(stream, *window, dy, places, dx);
  });
}

secateur_status secateur_average_pool(secateur_device* device, void* stream,
                                      const secateur_window* window, int32_t count_padding,
                                      const float* x, float* y) {
  return guard([&] {
    require_device(device, stream);
    const WindowSizes sizes = require_window(window);
    require_pointer(x, sizes.in, "x");
    require_pointer(y, sizes.out, "y");
    if (sizes.out != 0) device->average_pool(stream, *window, count_padding, x, y);
  });
}

secateur_status secateur_average_pool_grad(secateur_device* device, void* stream,
                                           const secateur_window* window, int32_t count_padding,
                                           const float* dy, float* dx) {
  return guard([&] {
    require_device(device, stream);
    const WindowSizes sizes = require_window(window);
    require_pointer(dy, sizes.out, "dy");
    require_pointer(dx, sizes.in, "dx");
    if (sizes.in != 0) device->average_pool_grad(stream, *window, count_padding, dy, dx);
  });
}

// ---- batch normalization

secateur_status secateur_normalize(secateur_device* device, void* stream,
                                   const secateur_norm_shape* shape, const float* x,
                                   const float* scale, const float* shift, const float* mean,
                                   const float* variance, float* y) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_norm(shape);
    require_pointer(x, n, "x");
    require_pointer(scale, n, "scale");
    require_pointer(shift, n, "shift");
    require_pointer(mean, n, "mean");
    require_pointer(variance, n, "variance");
    require_pointer(y, n, "y");
    if (n != 0) device->normalize(stream, *shape, x, scale, shift, mean, variance, y);
  });
}

secateur_status secateur_normalize_train(secateur_device* device, void* stream,
                                         const secateur_norm_shape* shape, const float* x,
                                         const float* scale, const float* shift, float* mean,
                                         float* variance, float* y, float* statistics) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_norm(shape);
    SECATEUR_REQUIRE(n != 0 || shape->channels == 0,
                     "A batch of no values has no mean to normalize by; leave empty batches out.");
    SECATEUR_REQUIRE(shape->momentum >= 0.0f && shape->momentum <= 1.0f,
                     "The momentum of a normalization is %g; it must lie in [0, 1].",
                     static_cast<double>(shape->momentum));
    require_pointer(x, n, "x");
    require_pointer(scale, n, "scale");
    require_pointer(shift, n, "shift");
    require_pointer(mean, n, "mean");
    require_pointer(variance, n, "variance");
    require_pointer(y, n, "y");
    require_pointer(statistics, n, "statistics");
    if (n != 0) {
      device->normalize_train(stream, *shape, x, scale, shift, mean, variance, y, statistics);
    }
  });
}

secateur_status secateur_normalize_grad(secateur_device* device, void* stream,
                                        const secateur_norm_shape* shape, const float* x,
                                        const float* dy, const float* scale,
                                        const float* statistics, float* dx, float* dnorm) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_norm(shape);
    require_pointer(x, n, "x");
    require_pointer(dy, n, "dy");
    require_pointer(scale, n, "scale");
    require_pointer(statistics, n, "statistics");
    require_pointer(dx, n, "dx");
    require_pointer(dnorm, shape->channels, "dnorm");
    if (n != 0) {
      device->normalize_grad(stream, *shape, x, dy, scale, statistics, dx, dnorm);
    } else if (shape->channels != 0) {
      device->fill(stream, 0.0f, 2 * shape->channels, dnorm);
    }
  });
}

// ---- clipping and boxes

secateur_status secateur_clip(secateur_device* device, void* stream, float low, float high,
                              int64_t n, const float* x, float* y) {
  return guard([&] {
    require_device(device, stream);
    require_bounds(low, high);
    require_count(n, "n");
    require_pointer(x, n, "x");
    require_pointer(y, n, "y");
    if (n != 0) device->clip(stream, low, high, n, x, y);
  });
}

secateur_status secateur_clip_grad(secateur_device* device, void* stream, float low, float high,
                                   int64_t n, const float* x, const float* dy, float* dx) {
  return guard([&] {
    require_device(device, stream);
    require_bounds(low, high);
    require_count(n, "n");
    require_pointer(x, n, "x");
    require_pointer(dy, n, "dy");
    require_pointer(dx, n, "dx");
    if (n != 0) device->clip_grad(stream, low, high, n, x, dy, dx);
  });
}

secateur_status secateur_copy_box(secateur_device* device, void* stream, const secateur_box* box,
                                  const void* src, void* dst) {
  return guard([&] {
    require_device(device, stream);
    SECATEUR_REQUIRE(box != nullptr, "The box to copy is NULL.");
    const int64_t n = require_shape(box->rank, box->shape);
    require_pointer(src, n, "src");
    require_pointer(dst, n, "dst");
    if (n != 0) device->copy_box(stream, *box, src, dst);
  });
}
