// Images to columns and back: row (c, k, l) of the matrix is channel c shifted by place (k, l) of
// the window, so it is written row of the image by row of the image, a dense copy where the stride
// is 1.
#include <algorithm>

#include "device.h"
#include "pool.h"

namespace secateur {
namespace {

// Outputs begin <= j < end along an axis whose place (j * stride + shift) lies in [0, extent).
struct Outputs {
  int64_t begin, end;
};

Outputs outputs_inside(int64_t shift, int32_t stride, int64_t extent, int64_t outputs) {
  const int64_t begin = shift < 0 ? (stride - 1 - shift) / stride : 0;
  const int64_t end = shift < extent ? (extent - 1 - shift) / stride + 1 : 0;
  const int64_t last = std::min(end, outputs);
  return {std::min(begin, last), last};
}

// Row k of the window met with an output row: columns [out_w] from an image row, or 0 outside.
void copy_row(const float* row, int64_t shift, int32_t stride, Outputs inside, int64_t out_w,
              float* columns) {
  std::fill(columns, columns + inside.begin, 0.0f);
  if (stride == 1) {
    std::copy(row + inside.begin + shift, row + inside.end + shift, columns + inside.begin);
  } else {
    for (int64_t j = inside.begin; j < inside.end; ++j) columns[j] = row[j * stride + shift];
  }
  std::fill(columns + inside.end, columns + out_w, 0.0f);
}

void add_row(const float* columns, int64_t shift, int32_t stride, Outputs inside, float* row) {
  if (stride == 1) {
    float* const to = row + shift;
    for (int64_t j = inside.begin; j < inside.end; ++j) to[j] += columns[j];
  } else {
    for (int64_t j = inside.begin; j < inside.end; ++j) row[j * stride + shift] += columns[j];
  }
}

// Calls use(k, l, columns, place of (k, l) along each axis) for the planes of columns that belong
// to one channel of one image.
template <class Use>
void for_places(const secateur_window& w, const Use& use) {
  for (int32_t k = 0; k < w.kernel_h; ++k) {
    for (int32_t l = 0; l < w.kernel_w; ++l) {
      use(static_cast<int64_t>(k) * w.kernel_w + l,
          static_cast<int64_t>(k) * w.dilation_h - w.pad_top,
          static_cast<int64_t>(l) * w.dilation_w - w.pad_left);
    }
  }
}

}  // namespace

void CpuDevice::im2col(void*, const secateur_window& w, const float* x, float* columns) {
  const int64_t plane = w.in_h * w.in_w, out_plane = w.out_h * w.out_w;
  const int64_t places = static_cast<int64_t>(w.kernel_h) * w.kernel_w;
  parallel_for(w.batch * w.channels, [&](int64_t index) {
    const int64_t n = index / w.channels, c = index % w.channels;
    const float* const image = x + index * plane;
    for_places(w, [&](int64_t place, int64_t down, int64_t right) {
      float* const target = columns + ((c * places + place) * w.batch + n) * out_plane;
      const Outputs inside = outputs_inside(right, w.stride_w, w.in_w, w.out_w);
      for (int64_t i = 0; i < w.out_h; ++i) {
        const int64_t row = i * w.stride_h + down;
        if (row < 0 || row >= w.in_h) {
          std::fill(target + i * w.out_w, target + (i + 1) * w.out_w, 0.0f);
        } else {
          copy_row(image + row * w.in_w, right, w.stride_w, inside, w.out_w, target + i * w.out_w);
        }
      }
    });
  });
}

void CpuDevice::col2im(void*, const secateur_window& w, const float* columns, float* x) {
  const int64_t plane = w.in_h * w.in_w, out_plane = w.out_h * w.out_w;
  const int64_t places = static_cast<int64_t>(w.kernel_h) * w.kernel_w;
  parallel_for(w.batch * w.channels, [&](int64_t index) {
    const int64_t n = index / w.channels, c = index % w.channels;
    float* const image = x + index * plane;
    std::fill(image, image + plane, 0.0f);
    for_places(w, [&](int64_t place, int64_t down, int64_t right) {
      const float* const source = columns + ((c * places + place) * w.batch + n) * out_plane;
      const Outputs inside = outputs_inside(right, w.stride_w, w.in_w, w.out_w);
      const Outputs rows = outputs_inside(down, w.stride_h, w.in_h, w.out_h);
      for (int64_t i = rows.begin; i < rows.end; ++i) {
        add_row(source + i * w.out_w, right, w.stride_w, inside,
                image + (i * w.stride_h + down) * w.in_w);
      }
    });
  });
}

}  // namespace secateur
