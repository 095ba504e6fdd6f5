// Sparse convolution: filters' nonzeros times rows of the image where they lie (direct sparse
// convolution, Park et al. 2017, arXiv 1608.01409), without unrolling the window.
//
// A piece of work is a panel: `images` images side by side, and a band of their output rows. For
// every channel c and column l of the window the panel holds a plane: rows of `pitch` floats, a
// multiple of 16, in which lane g * out_w + j is what output column j of image g sees at l:
//
//   plane(c, l)[r][g * out_w + j] = x[g][c][row of r][j * stride_w + l * dilation_w - pad_left]
//
// Rows that output rows see through one row k of the window follow one another: they are sorted by
// their phase k * dilation_h % stride_h. So output place p = i * pitch + lane of the band sees
// weight (c, k, l) at plane(c, l) + (first row of k) * pitch + p: one offset a nonzero, the same
// for all places, always aligned to a vector, and only the columns of the window cost copies.
//
// Filters are taken in groups of rows and blocks of channels as in rows.h, by the same inner loops;
// an entry's offset is in bytes from place 0 of the band.
//
// In memory: ConvHeader, SparseSegment[groups * blocks + 1], SparseRow[rows], SparseEntry[stored].
#pragma once

#include "sparse/rows.h"

namespace secateur {

struct ConvHeader {
  PackedHeader packed;  // out = outputs, in = channels / groups * kernel_h * kernel_w
  secateur_conv conv;
  int64_t images, band;    // of a panel: images, output rows
  int64_t pitch, rows;     // floats of a panel's row, rows of a plane
  int64_t group_outputs;   // filters a group of rows at most
  int64_t groups, blocks;  // groups of rows, blocks of channels
  int64_t block_channels;  // of every block but the last
  int64_t row_count;       // entries of the table of rows
};

// Floats of a panel, with room for a last tile that reads past its place.
inline int64_t panel_floats(const ConvHeader& h) {
  return h.conv.window.channels * h.conv.window.kernel_w * h.rows * h.pitch + 64;
}

// The header of filters made by secateur_sparse_conv_pack; INVALID_ARGUMENT for anything else.
const ConvHeader& require_packed_conv(const void* packed);

// Calls use(row of a plane, row of the padded input that lies there, counted from the band's first)
// for all rows of a plane.
template <class Use>
void for_rows(const secateur_window& w, int64_t band, const Use& use) {
  int64_t row = 0;
  for (int64_t phase = 0; phase < w.stride_h; ++phase) {
    int64_t last = -1;  // the farthest that a row of this phase reaches
    for (int64_t k = 0; k < w.kernel_h; ++k) {
      const int64_t reach = k * w.dilation_h;
      if (reach % w.stride_h == phase) last = reach / w.stride_h;
    }
    for (int64_t r = 0; last >= 0 && r < band + last; ++r, ++row) use(row, r * w.stride_h + phase);
  }
}

}  // namespace secateur
