// Where windows lie over images: what im2col, pooling and their gradients share on every device.
//
// An axis (height or width) is independent of the other: output o and tap k of the window meet at
// place o stride + k dilation - pad. Taps and outputs are given as ranges, so that loops need no
// check at each place.
#pragma once

#include <stdint.h>

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

struct Range {
  int32_t first, end;  // empty where end <= first
};

// Quotients of whole numbers, rounded up; b > 0. By 1, as nearly always, without dividing.
SECATEUR_HD int32_t divide_up(int32_t a, int32_t b) {
  return b == 1 ? a : a <= 0 ? -(-a / b) : (a - 1) / b + 1;
}

// One axis of a window over images. (out - 1) stride + (kernel - 1) dilation and in + pad fit
// int32.
struct WindowAxis {
  int32_t in, out, kernel, stride, dilation, pad;

  // The place of output o's first tap, perhaps in the padding.
  SECATEUR_HD int32_t start(int32_t o) const { return o * stride - pad; }

  // The taps of output o that lie within the image.
  SECATEUR_HD Range taps(int32_t o) const {
    const int32_t at = start(o);
    const int32_t first = at >= 0 ? 0 : divide_up(-at, dilation);
    const int32_t end = divide_up(in - at, dilation);
    return {first, end < kernel ? end : kernel};
  }

  // The outputs all of whose taps lie within the image.
  SECATEUR_HD Range whole() const {
    const int32_t first = divide_up(pad, stride), reach = (kernel - 1) * dilation;
    const int32_t end = in + pad > reach ? (in + pad - reach - 1) / stride + 1 : 0;
    const int32_t last = end < out ? end : out;
    return {first < last ? first : last, last};
  }

  // The outputs whose windows reach over place p, between taps included.
  SECATEUR_HD Range outputs(int32_t p) const {
    const int32_t first = divide_up(p + pad - (kernel - 1) * dilation, stride);
    const int32_t end = stride == 1 ? p + pad + 1 : (p + pad) / stride + 1;
    return {first > 0 ? first : 0, end < out ? end : out};
  }

  // The tap of output o, one of outputs(p), that meets place p; -1 where none does.
  SECATEUR_HD int32_t tap(int32_t o, int32_t p) const {
    const int32_t distance = p - start(o);
    if (dilation == 1) return distance;
    return distance % dilation == 0 ? distance / dilation : -1;
  }
};

struct Window {
  WindowAxis h, w;
};

SECATEUR_COMMON_END
