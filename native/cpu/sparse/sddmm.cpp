// Both activations are transposed into panels of 64 columns (panels.h), so that an element is a dot
// product of two rows of a panel. A tile of the gradient sums its elements, panel after panel, into
// a small array; then the rows of some tiles beside each other are written once, zeros and all. The
// gradient is as large as the weight: at high sparsity to write it costs as much as to sum it, and
// in pieces of 256 bytes three times as much as in pieces of 1 KiB.
#include "sparse/sddmm.h"

#include <cstring>

#include "kernels.h"
#include "pool.h"
#include "sparse/layout.h"
#include "sparse/panels.h"

namespace secateur {
namespace {

constexpr int64_t kSlack = 16;  // sums that a vector may reach beyond the last
constexpr int64_t kTileSums = kSampledRows * kSampledColumns + kSlack;
constexpr int64_t kStrip = 4;     // tiles that are written together
constexpr int64_t kPieces = 256;  // from so many tiles on

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

// Sums a tile's elements over all panels, and tells where each row's sums begin.
void sum_tile(SampledTile tile, const Panels& a, const Panels& b, float* sums,
              SampledSums* places) {
  if (a.count == 0) std::memset(sums, 0, kTileSums * sizeof(float));
  const auto run = kernels().sampled_sums;
  for (int64_t panel = 0; panel < a.count; ++panel) {
    run(tile, a.columns(panel), a.width == kNarrowColumns, panel > 0, sums);
    tile.a += a.elements();
    tile.b += b.elements();
  }
  for (const SampledRow* row = tile.row; row < tile.row + tile.rows; ++row) {
    places[row->row] = {row->bits, sums};
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
  const int64_t down = tiles(p.rows, kSampledRows), across = tiles(p.cols, kSampledColumns);
  const int64_t strip = down * across >= kPieces ? kStrip : 1;
  parallel_for(down * tiles(across, strip), [&](int64_t index) {
    const int64_t row_tile = index % down, first = index / down * strip;
    const int64_t row = row_tile * kSampledRows, col = first * kSampledColumns;
    const int64_t rows = within(p.rows, kSampledRows, row_tile);
    alignas(64) float sums[kStrip][kTileSums];
    SampledSums places[kStrip][kSampledRows];
    for (int64_t t = 0; t < strip && first + t < across; ++t) {
      const int64_t tile_col = col + t * kSampledColumns;
      const SampledTile tile = {rows, p.pattern + (first + t) * p.rows + row,
                                a_panels + row * a.width, b_panels + tile_col * b.width};
      sum_tile(tile, a, b, sums[t], places[t]);
    }
    const int64_t columns = within(p.cols, strip * kSampledColumns, first / strip);
    kernels().sampled_write({rows, columns, places[0], p.gradient + row * p.cols + col, p.cols});
  });
}

}  // namespace secateur
