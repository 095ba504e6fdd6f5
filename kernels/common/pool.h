// What pooling computes under one window, the same bits on every device.
#pragma once

#include "common/elementwise.h"
#include "common/window.h"

SECATEUR_COMMON_BEGIN

// The largest value seen: NaN wins, of equal values the first. -infinity and -1 before any.
struct Winner {
  float value = bits_float(0xff800000u);
  int32_t place = -1;

  SECATEUR_HD void see(float x, int32_t at) {
    // A NaN is greater than nothing: !(x <= value) holds for NaN on either side.
    if (place < 0 || (value == value && !(x <= value))) {
      value = x;
      place = at;
    }
  }
};

// Places that an average divides by: all of the window, or those within the image.
SECATEUR_HD int64_t averaged_places(const Window& window, bool count_padding, Range rows,
                                    Range cols) {
  if (count_padding) return (int64_t)window.h.kernel * window.w.kernel;
  return (int64_t)(rows.end - rows.first) * (cols.end - cols.first);
}

// sum: from +0 on, over the taps within the image in order. A window over padding alone gives 0.
SECATEUR_HD float average(float sum, int64_t places) {
  return places <= 0 ? 0.0f : sum / (float)places;
}

// What a place gets from each window that sees it, added from +0 on in order of (i, j).
SECATEUR_HD float average_derivative(float dy, int64_t places) { return dy / (float)places; }

SECATEUR_COMMON_END
