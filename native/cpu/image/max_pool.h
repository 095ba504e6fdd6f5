// What max pooling and the loops of one instruction set share (kernels/pool.inc).
#pragma once

#include <cstdint>

namespace secateur {

// Windows, `width` to a row, that all see rows x cols places of a plane, row_step and col_step
// apart: window (i, j) those from place first + i * row_stride + j * col_stride on.
struct MaxPoolRun {
  int64_t outputs, width, row_stride, col_stride;
  int64_t rows, cols, row_step, col_step;
  const float* plane;
  int64_t first;
  float* y;         // [outputs]
  int32_t* places;  // [outputs] or NULL
};

}  // namespace secateur
