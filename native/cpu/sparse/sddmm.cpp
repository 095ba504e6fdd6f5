// Both activations are transposed into panels of 64 columns (panels.h), so that an element is a dot
// product of two rows of a panel. A tile of the gradient sums its elements, panel after panel, into
// a small array, then writes its rows once, zeros and all: the gradient is as large as the weight,
// and at high sparsity to write it costs as much as to sum it.
#include "sparse/sddmm.h"

#include <cstring>

#include "kernels.h"
#include "pool.h"
#include "sparse/layout.h"
#include "sparse/panels.h"

namespace secateur {
namespace {

constexpr int64_t kSlack = 16;  // sums that a vector may reach beyond the last

int64_t tiles(int64_t extent, int64_t tile) { return (extent + tile - 1) / tile; }

int64_t within(int64_t extent, int64_t tile, int64_t index) {
  const int64_t left = extent - index * tile;
  return left < tile ? left : tile;
}

// Calls body(row tile, column tile, its place in the pattern) on the pool.
template <class Body>
void for_tiles(int64_t rows, int64_t cols, Body&& body) {
  const int64_t down = tiles(rows, kSampledRows);
  parallel_for(down * tiles(cols, kSampledColumns), [&](int64_t index) {
    const int64_t row = index % down, col = index / down;
    body(row, col, col * rows + row * kSampledRows);
  });
}

// Most elements first, equals in order (a counting sort).
void sort_rows(int64_t rows, const SampledRow* in_order, SampledRow* sorted) {
  int64_t place[kSampledColumns + 1] = {};
  for (int64_t r = 0; r < rows; ++r) ++place[in_order[r].count];
  int64_t before = 0;
  for (int64_t count = kSampledColumns; count >= 0; --count) {
    const int64_t here = place[count];
    place[count] = before;
    before += here;
  }
  for (int64_t r = 0; r < rows; ++r) sorted[place[in_order[r].count]++] = in_order[r];
}

void write_tile(const SampledTile& tile, int64_t columns, int64_t stride, const float* sums,
                float* gradient) {
  for (const SampledRow* row = tile.row; row < tile.row + tile.rows; ++row) {
    kernels().sampled_row(row->bits, columns, sums, gradient + row->row * stride);
    sums += row->count;
  }
}

}  // namespace

size_t sampled_pattern_bytes(const secateur_sparse_weight& weight) {
  const int64_t rows = weight.transposed ? weight.in : weight.out;
  const int64_t cols = weight.transposed ? weight.out : weight.in;
  return static_cast<size_t>(rows * tiles(cols, kSampledColumns)) * sizeof(SampledRow);
}

void fill_sampled_pattern(const secateur_sparse_format& format,
                          const secateur_sparse_weight& weight, SampledRow* pattern) {
  const int64_t rows = weight.transposed ? weight.in : weight.out;
  const int64_t cols = weight.transposed ? weight.out : weight.in;
  for_tiles(rows, cols, [&](int64_t row_tile, int64_t col_tile, int64_t place) {
    SampledRow in_order[kSampledRows];
    const int64_t count = within(rows, kSampledRows, row_tile);
    const int64_t columns = within(cols, kSampledColumns, col_tile);
    for (int64_t r = 0; r < count; ++r) {
      const int64_t i = (row_tile * kSampledRows + r) * cols + col_tile * kSampledColumns;
      uint64_t bits = 0;
      for (int64_t c = 0; c < columns; ++c) {
        bits |= static_cast<uint64_t>(is_stored(format, weight, i + c)) << c;
      }
      in_order[r] = {bits, static_cast<uint32_t>(r),
                     static_cast<uint32_t>(__builtin_popcountll(bits))};
    }
    sort_rows(count, in_order, pattern + place);
  });
}

size_t sddmm_workspace_bytes(int64_t batch, int64_t rows, int64_t cols) {
  const Panels a = make_panels(batch, rows), b = make_panels(batch, cols);
  return static_cast<size_t>(a.count * a.elements() + b.count * b.elements()) * sizeof(float);
}

void sampled_product(const SampledProduct& p) {
  const Panels a = make_panels(p.batch, p.rows), b = make_panels(p.batch, p.cols);
  float* const a_panels = p.workspace;
  float* const b_panels = p.workspace + a.count * a.elements();
  pack_panels(a, p.a, a_panels);
  pack_panels(b, p.b, b_panels);
  const auto run = kernels().sampled_sums;
  const bool narrow = a.width == kNarrowColumns;
  for_tiles(p.rows, p.cols, [&](int64_t row_tile, int64_t col_tile, int64_t place) {
    const int64_t row = row_tile * kSampledRows, col = col_tile * kSampledColumns;
    SampledTile tile = {within(p.rows, kSampledRows, row_tile), p.pattern + place, nullptr,
                        nullptr};
    alignas(64) float sums[kSampledRows * kSampledColumns + kSlack];
    if (a.count == 0) std::memset(sums, 0, sizeof sums);
    for (int64_t panel = 0; panel < a.count; ++panel) {
      tile.a = a_panels + panel * a.elements() + row * a.width;
      tile.b = b_panels + panel * b.elements() + col * b.width;
      run(tile, a.columns(panel), narrow, panel > 0, sums);
    }
    write_tile(tile, within(p.cols, kSampledColumns, col_tile), p.cols, sums,
               p.gradient + row * p.cols + col);
  });
}

}  // namespace secateur
