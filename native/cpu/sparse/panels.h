// Activations X [batch, in] as panels of `width` columns (activations) each, a multiple of 16:
// panel[k][c] = x[c][k], zeros in columns without activations. A panel's block of inputs stays in
// the first-level cache while rows of weights run over it.
#pragma once

#include <cstdint>

#include "secateur.h"

namespace secateur {

constexpr int64_t kPanelColumns = 64;   // of a panel at most
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

// Panels of 64 columns, or of 16 where the batch has no more.
Panels make_panels(int64_t batch, int64_t in);

// As few panels as those, of 16, 32, 48 or 64 columns: as narrow as that allows.
Panels make_even_panels(int64_t batch, int64_t in);

// Packs one panel, on the calling thread; `packed` is the place of all.
void pack_whole_panel(const Panels& panels, int64_t panel, const float* x, float* packed);

// Packs all panels, on the pool; `packed` has room for count * elements() floats.
void pack_panels(const Panels& panels, const float* x, float* packed);

// y[c][r] = f(sums[r][c] + bias[r]) over rows 0 .. rows of W and columns 0 .. columns of a panel;
// rows of sums are `width` <= 64 apart, activations of y are `out` apart. bias, if any, is that of
// row 0.
void write_panel(int64_t rows, int64_t columns, int64_t width, const float* sums,
                 const secateur_epilogue& epilogue, float* y, int64_t out);

// out[c][r] = in[r][c], rows of both a stride apart; any extents.
struct Transpose {
  int64_t rows, columns;
  const float* in;
  int64_t in_stride;
  float* out;
  int64_t out_stride;
};

// The inner loops in one instruction set (panels.inc).
struct PanelKernels {
  void (*transpose)(const Transpose& t);
  // out[r][c] = in[r][c] + bias[r], rows of both `columns` apart, a multiple of 16.
  void (*add_bias)(int64_t rows, int64_t columns, const float* in, const float* bias, float* out);
};

extern const PanelKernels kPanelsPlain, kPanelsAvx2, kPanelsAvx512;

}  // namespace secateur
