// A thread's walk over the places of many planes of one height and width, by equal steps.
#pragma once

#include "common/kernel.h"

SECATEUR_COMMON_BEGIN

// Divides to find the first place; then it only adds and compares. A plane has less than 2^31
// places.
class PlaneWalk {
 public:
  SECATEUR_DEVICE PlaneWalk(int32_t height, int32_t width, int64_t element, int64_t step)
      : height_(height), width_(width) {
    split(element, plane, row, col);
    split(step, plane_step_, row_step_, col_step_);
  }

  SECATEUR_DEVICE void advance() {
    col += col_step_;
    row += row_step_;
    plane += plane_step_;
    if (col >= width_) {
      col -= width_;
      ++row;
    }
    if (row >= height_) {
      row -= height_;
      ++plane;
    }
  }

  // Number of the place in its plane.
  SECATEUR_DEVICE int32_t place() const { return row * width_ + col; }

  int64_t plane;
  int32_t row, col;

 private:
  SECATEUR_DEVICE void split(int64_t element, int64_t& planes, int32_t& rows, int32_t& cols) const {
    const int64_t places = int64_t{height_} * width_;
    planes = element / places;
    const uint32_t rest = static_cast<uint32_t>(element - planes * places);
    rows = static_cast<int32_t>(rest / static_cast<uint32_t>(width_));
    cols = static_cast<int32_t>(rest - static_cast<uint32_t>(rows * width_));
  }

  int32_t height_, width_;
  int64_t plane_step_;
  int32_t row_step_, col_step_;
};

SECATEUR_COMMON_END
