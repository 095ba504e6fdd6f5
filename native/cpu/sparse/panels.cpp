#include "sparse/panels.h"

#include <cstring>

#include "kernels.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kTileRows = 16;      // of sums that are finished and written together
constexpr int64_t kPackGrain = 16384;  // activations a chunk

const PanelKernels& panel_kernels() {
#if SECATEUR_X86
  if (isa() == Isa::kAvx512) return kPanelsAvx512;
  if (isa() == Isa::kAvx2) return kPanelsAvx2;
#endif
  return kPanelsPlain;
}

// Inputs begin .. end of one panel.
void pack_panel(const Panels& panels, int64_t index, int64_t begin, int64_t end, const float* x,
                float* panel) {
  const int64_t columns = panels.columns(index);
  panel += begin * panels.width;
  if (columns < panels.width) {
    for (int64_t k = 0; k < end - begin; ++k) {
      std::memset(panel + k * panels.width + columns, 0,
                  static_cast<size_t>(panels.width - columns) * sizeof(float));
    }
  }
  x += index * panels.width * panels.in + begin;
  panel_kernels().transpose({columns, end - begin, x, panels.in, panel, panels.width});
}

}  // namespace

Panels make_panels(int64_t batch, int64_t in) {
  const int64_t width = batch <= kNarrowColumns ? kNarrowColumns : kPanelColumns;
  return {batch, in, width, (batch + width - 1) / width};
}

Panels make_even_panels(int64_t batch, int64_t in) {
  const int64_t count = (batch + kPanelColumns - 1) / kPanelColumns;
  const int64_t units = (batch + kNarrowColumns - 1) / kNarrowColumns;
  const int64_t width = count == 0 ? kNarrowColumns : (units + count - 1) / count * kNarrowColumns;
  return {batch, in, width, (batch + width - 1) / width};
}

void pack_whole_panel(const Panels& panels, int64_t panel, const float* x, float* packed) {
  pack_panel(panels, panel, 0, panels.in, x, packed + panel * panels.elements());
}

void pack_panels(const Panels& panels, const float* x, float* packed) {
  const int64_t step = kPackGrain / panels.width / kTileRows * kTileRows;
  const int64_t pieces = (panels.in + step - 1) / step;
  parallel_for(panels.count * pieces, [&](int64_t index) {
    const int64_t panel = index / pieces, begin = index % pieces * step;
    const int64_t end = panels.in - begin < step ? panels.in : begin + step;
    pack_panel(panels, panel, begin, end, x, packed + panel * panels.elements());
  });
}

// A tile of rows at a time, which stays in the first-level cache; the last one reaches back over
// its neighbour, to be a whole one. Whatever a padded column makes of its zeros is not written.
void write_panel(int64_t rows, int64_t columns, int64_t width, const float* sums,
                 const secateur_epilogue& epilogue, float* y, int64_t out) {
  const PanelKernels& run = panel_kernels();
  if (epilogue.bias == nullptr && epilogue.activation == SECATEUR_IDENTITY) {
    return run.transpose({rows, columns, sums, width, y, out});
  }
  alignas(64) float tile[kTileRows * kPanelColumns];
  const int64_t count = rows < kTileRows ? rows : kTileRows;
  for (int64_t next = 0; next < rows; next += kTileRows) {
    const int64_t r = next + count <= rows ? next : rows - count;
    const float* from = sums + r * width;
    if (epilogue.bias != nullptr) {
      run.add_bias(count, width, from, epilogue.bias + r, tile);
      from = tile;
    }
    if (epilogue.activation != SECATEUR_IDENTITY) {
      kernels().unary(epilogue.activation, epilogue.alpha, count * width, from, tile);
    }
    run.transpose({count, columns, tile, width, y + r, out});
  }
}

}  // namespace secateur
