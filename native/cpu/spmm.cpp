// Y = X W^T + bias for a packed W: activations are transposed into panels of 64 columns (16 when
// the batch has no more), then each group of rows takes each panel, a group and panel at a time on
// the pool. Every sum runs over a row's nonzeros in the order of the inputs, whatever the number of
// threads.
#include <cinttypes>
#include <cstring>
#include <limits>

#include "abi/check.h"
#include "device.h"
#include "kernels.h"
#include "pool.h"
#include "sparse_pack.h"

namespace secateur {
namespace {

constexpr size_t kAlignment = 64;
constexpr int64_t kTile = 16;          // of the transposes
constexpr int64_t kPackGrain = 16384;  // activations a chunk

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

Panels make_panels(int64_t batch, int64_t in) {
  const int64_t width = batch <= kSparseNarrow ? kSparseNarrow : kSparseColumns;
  return {batch, in, width, (batch + width - 1) / width};
}

// Inputs begin .. end of one panel: panel[k][c] = x[c][k], and zeros in columns without
// activations.
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

void pack(const Panels& panels, const float* x, float* workspace) {
  const int64_t step = kPackGrain / panels.width;
  const int64_t pieces = (panels.in + step - 1) / step;
  parallel_for(panels.count * pieces, [&](int64_t index) {
    const int64_t panel = index / pieces, begin = index % pieces * step;
    const int64_t end = panels.in - begin < step ? panels.in : begin + step;
    pack_panel(panels, panel, begin, end, x, workspace + panel * panels.elements());
  });
}

// y[c][row] = sums[row][c] + bias[row] over a group's rows and a panel's columns.
void write_group(int64_t rows, int64_t columns, int64_t width, const float* sums, const float* bias,
                 float* y, int64_t out) {
  for (int64_t r = 0; r < rows; r += kTile) {
    const int64_t r_end = rows - r < kTile ? rows : r + kTile;
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t i = r; i < r_end; ++i) {
        y[c * out + i] = bias == nullptr ? sums[i * width + c] : sums[i * width + c] + bias[i];
      }
    }
  }
}

void multiply(const SparseView& packed, const Panels& panels, const float* x, const float* bias,
              float* y, float* workspace) {
  const SparseHeader& header = *packed.header;
  const auto run = kernels().sparse_group;
  const bool narrow = panels.width == kSparseNarrow;
  pack(panels, x, workspace);
  parallel_for(panels.count * header.groups, [&](int64_t index) {
    const int64_t panel = index / header.groups, group = index % header.groups;
    const int64_t first = group * header.group_rows;
    const int64_t rows =
        header.out - first < header.group_rows ? header.out - first : header.group_rows;
    alignas(64) float sums[kSparseGroup * kSparseColumns];
    std::memset(sums, 0, static_cast<size_t>(rows * panels.width) * sizeof(float));
    run(packed, group, panels.columns(panel), narrow, workspace + panel * panels.elements(), sums);
    write_group(rows, panels.columns(panel), panels.width, sums,
                bias == nullptr ? nullptr : bias + first,
                y + panel * panels.width * header.out + first, header.out);
  });
}

}  // namespace

size_t CpuDevice::spmm_workspace(int64_t batch, const void* packed) {
  const SparseHeader& header = *require_packed(packed).header;
  const int64_t most = std::numeric_limits<int64_t>::max() / 8;
  SECATEUR_REQUIRE(batch <= most / (header.in + 1) - 64 && batch <= most / (header.out + 1),
                   "A batch of %" PRId64 " rows is too large.", batch);
  const Panels panels = make_panels(batch, header.in);
  return static_cast<size_t>(panels.count * panels.elements()) * sizeof(float) + kAlignment;
}

void CpuDevice::spmm(void*, int64_t batch, const void* packed, const float* x, const float* bias,
                     float* y, void* workspace) {
  const SparseView view = require_packed(packed);
  require_pointer(x, batch * view.header->in, "x");
  require_pointer(y, batch * view.header->out, "y");
  const uintptr_t address = reinterpret_cast<uintptr_t>(workspace);
  multiply(view, make_panels(batch, view.header->in), x, bias, y,
           reinterpret_cast<float*>((address + kAlignment - 1) / kAlignment * kAlignment));
}

}  // namespace secateur
