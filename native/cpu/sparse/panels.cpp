#include "sparse/panels.h"

#include <cstring>

#include "kernels.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kTile = 16;          // of the transposes
constexpr int64_t kPackGrain = 16384;  // activations a chunk

// Inputs begin .. end of one panel.
void pack_panel(const Panels& panels, int64_t index, int64_t begin, int64_t end, const float* x,
                float* panel) {
  const int64_t columns = panels.columns(index);
  x += index * panels.width * panels.in;
  if (columns < panels.width) {
    std::memset(panel + begin * panels.width, 0,
                static_cast<size_t>((end - begin) * panels.width) * sizeof(float));
  }
  for (int64_t k = begin; k < end; k += kTile) {
    const int64_t k_end = end - k < kTile ? end : k + kTile;
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t i = k; i < k_end; ++i) panel[i * panels.width + c] = x[c * panels.in + i];
    }
  }
}

}  // namespace

Panels make_panels(int64_t batch, int64_t in) {
  const int64_t width = batch <= kNarrowColumns ? kNarrowColumns : kPanelColumns;
  return {batch, in, width, (batch + width - 1) / width};
}

void pack_panels(const Panels& panels, const float* x, float* packed) {
  const int64_t step = kPackGrain / panels.width;
  const int64_t pieces = (panels.in + step - 1) / step;
  parallel_for(panels.count * pieces, [&](int64_t index) {
    const int64_t panel = index / pieces, begin = index % pieces * step;
    const int64_t end = panels.in - begin < step ? panels.in : begin + step;
    pack_panel(panels, panel, begin, end, x, packed + panel * panels.elements());
  });
}

void write_panel(int64_t rows, int64_t columns, int64_t width, const float* sums,
                 const secateur_epilogue& epilogue, float* y, int64_t out) {
  const float* const bias = epilogue.bias;
  for (int64_t r = 0; r < rows; r += kTile) {
    const int64_t r_end = rows - r < kTile ? rows : r + kTile;
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t i = r; i < r_end; ++i) {
        y[c * out + i] = bias == nullptr ? sums[i * width + c] : sums[i * width + c] + bias[i];
      }
    }
  }
  if (epilogue.activation == SECATEUR_IDENTITY) return;
  for (int64_t c = 0; c < columns; ++c) {
    kernels().unary(epilogue.activation, epilogue.alpha, rows, y + c * out, y + c * out);
  }
}

}  // namespace secateur
