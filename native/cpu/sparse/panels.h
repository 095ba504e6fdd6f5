// Activations X [batch, in] as panels: of 64 columns (activations) each, or of 16 where the batch
// has no more; panel[k][c] = x[c][k], zeros in columns without activations. A panel's block of
// inputs stays in the first-level cache while rows of weights run over it.
#pragma once

#include <cstdint>

#include "secateur.h"

namespace secateur {

constexpr int64_t kPanelColumns = 64;
constexpr int64_t kNarrowColumns = 16;  // of a panel when there are no more

struct Panels {
  int64_t batch, in;
  int64_t width;  // columns of a panel
  int64_t count;

  int64_t elements() const { return width * in; }  // of a panel
  int64_t columns(int64_t panel) const {           // filled with activations
    const int64_t left = batch - panel * width;
    return left < width ? left : width;
  }
};

Panels make_panels(int64_t batch, int64_t in);

// Packs all panels, on the pool; `packed` has room for count * elements() floats.
void pack_panels(const Panels& panels, const float* x, float* packed);

// y[c][r] = f(sums[r][c] + bias[r]) over rows 0 .. rows of W and columns 0 .. columns of a panel;
// rows of sums are `width` apart, activations of y are `out` apart. bias, if any, is that of row 0.
void write_panel(int64_t rows, int64_t columns, int64_t width, const float* sums,
                 const secateur_epilogue& epilogue, float* y, int64_t out);

}  // namespace secateur
