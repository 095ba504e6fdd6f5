// CSR and BSR of a weight matrix. Block rows are taken in panels: a single one where the elements
// of a compressed row are neighbours in memory, else kPanel of them, so that a pass over the
// columns reads neighbours too. For CSR, 32 neighbours are looked at together, as the bits of those
// that are stored.
#include <cinttypes>

#include "abi/check.h"
#include "device.h"
#include "mask.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kPanel = 32;        // block rows at most
constexpr int64_t kGrain = 16384;     // elements a chunk, at least one panel
constexpr size_t kNoWorkspace = 128;  // bytes: none is needed, but NULL would ask for the size

// The compressed matrix in blocks, over w as stored and its mask.
struct Blocks {
  int64_t rows, cols;              // of blocks
  int64_t height, width;           // of a block
  int64_t row_stride, col_stride;  // in w, of elements
  const float* w;
  const uint32_t* mask;
  bool keep_zeros;  // where there is a mask

  Blocks(const secateur_matrix& matrix, const float* w_, const uint32_t* mask_)
      : rows((matrix.by_input ? matrix.in : matrix.out) / matrix.block_rows),
        cols((matrix.by_input ? matrix.out : matrix.in) / matrix.block_cols),
        height(matrix.block_rows),
        width(matrix.block_cols),
        row_stride(matrix.by_input == matrix.transposed ? cols * width : 1),
        col_stride(matrix.by_input == matrix.transposed ? 1 : rows * height),
        w(w_),
        mask(mask_),
        keep_zeros(matrix.keep_zeros != 0 && mask_ != nullptr) {}

  int64_t index(int64_t row, int64_t col) const { return row * row_stride + col * col_stride; }

  bool unmasked(int64_t i) const { return mask == nullptr || (mask[i / 32] >> (i % 32) & 1u) != 0; }

  // The stored ones of `count` neighbours in memory, 32 at most, from element i on.
  uint32_t stored_bits(int64_t i, int64_t count) const {
    if (keep_zeros) {
      const uint32_t kept = load_bits(mask, rows * cols, i);
      return count >= 32 ? kept : kept & ((1u << count) - 1);
    }
    uint32_t bits = 0;
    if (count >= 32) {  // a loop of constant length for the vectorizer
      for (int l = 0; l < 32; ++l) bits |= w[i + l] != 0.0f ? kBits.bit[l] : 0;
    } else {
      for (int l = 0; l < count; ++l) bits |= w[i + l] != 0.0f ? kBits.bit[l] : 0;
    }
    return mask == nullptr || bits == 0 ? bits : bits & load_bits(mask, rows * cols, i);
  }

  bool stored(int64_t row, int64_t col) const {
    for (int64_t r = row * height; r < (row + 1) * height; ++r) {
      for (int64_t c = col * width; c < (col + 1) * width; ++c) {
        const int64_t i = index(r, c);
        if ((keep_zeros || w[i] != 0.0f) && unmasked(i)) return true;
      }
    }
    return false;
  }

  // Calls body(row, col) for the stored blocks of a panel, the columns of each row ascending.
  template <class Body>
  void for_stored(int64_t first, int64_t last, const Body& body) const {
    if (height * width != 1) {
      for (int64_t col = 0; col < cols; ++col) {
        for (int64_t row = first; row < last; ++row) {
          if (stored(row, col)) body(row, col);
        }
      }
    } else if (col_stride == 1) {
      for (int64_t row = first; row < last; ++row) {
        for (int64_t col = 0; col < cols; col += 32) {
          uint32_t bits = stored_bits(index(row, col), cols - col);
          for (; bits != 0; bits &= bits - 1) body(row, col + __builtin_ctz(bits));
        }
      }
    } else {
      for (int64_t col = 0; col < cols; ++col) {
        uint32_t bits = stored_bits(index(first, col), last - first);
        for (; bits != 0; bits &= bits - 1) body(first + __builtin_ctz(bits), col);
      }
    }
  }

  // The values of a block, row-major.
  void copy(int64_t row, int64_t col, float* values) const {
    for (int64_t r = row * height; r < (row + 1) * height; ++r) {
      for (int64_t c = col * width; c < (col + 1) * width; ++c) {
        const int64_t i = index(r, c);
        *values++ = unmasked(i) ? w[i] : 0.0f;
      }
    }
  }

  // Calls body(first, last) for panels of block rows, on the pool.
  template <class Body>
  void for_panels(const Body& body) const {
    const int64_t height_of_panel = col_stride == 1 ? 1 : kPanel;
    const int64_t panels = (rows + height_of_panel - 1) / height_of_panel;
    const int64_t elements = height_of_panel * height * cols * width;
    parallel_ranges(panels, elements >= kGrain ? 1 : kGrain / elements,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t panel = begin; panel < end; ++panel) {
                        const int64_t first = panel * height_of_panel;
                        const int64_t left = rows - first;
                        body(first, first + (left < height_of_panel ? left : height_of_panel));
                      }
                    });
  }
};

void require_columns(const Blocks& blocks, const int32_t* offsets, const int32_t* columns) {
  const int32_t count = offsets[blocks.rows];
  SECATEUR_REQUIRE(offsets[0] == 0 && count >= 0,
                   "The row offsets run from %" PRId32 " to %" PRId32
                   "; make them with secateur_compress_offsets.",
                   offsets[0], count);
  for (int64_t row = 0; row < blocks.rows; ++row) {
    SECATEUR_REQUIRE(offsets[row] <= offsets[row + 1],
                     "Row offset %" PRId64
                     " is above the next; make them with "
                     "secateur_compress_offsets.",
                     row);
  }
  if (columns == nullptr) return;
  for (int32_t b = 0; b < count; ++b) {
    SECATEUR_REQUIRE(columns[b] >= 0 && columns[b] < blocks.cols,
                     "columns[%" PRId32 "] = %" PRId32 " is not one of the %" PRId64 ".", b,
                     columns[b], blocks.cols);
  }
}

// Columns and values of the block rows first .. last. The offsets are of this pattern, or it ends.
void fill_panel(const Blocks& blocks, int64_t first, int64_t last, const int32_t* offsets,
                int32_t* columns, float* values) {
  int32_t next[kPanel];
  for (int64_t row = first; row < last; ++row) next[row - first] = offsets[row];
  bool fits = true;
  blocks.for_stored(first, last, [&](int64_t row, int64_t col) {
    int32_t& place = next[row - first];
    fits = fits && place < offsets[row + 1];
    if (!fits) return;
    columns[place] = static_cast<int32_t>(col);
    blocks.copy(row, col, values + place * blocks.height * blocks.width);
    ++place;
  });
  for (int64_t row = first; row < last; ++row) {
    fits = fits && next[row - first] == offsets[row + 1];
  }
  SECATEUR_REQUIRE(fits,
                   "The row offsets are of another pattern; make them again with "
                   "secateur_compress_offsets, from the same weights and mask.");
}

}  // namespace

size_t CpuDevice::compress_workspace(const secateur_matrix&) { return kNoWorkspace; }

void CpuDevice::compress_offsets(void*, const secateur_matrix& matrix, const float* w,
                                 const uint32_t* mask, int32_t* offsets, void*) {
  const Blocks blocks(matrix, w, mask);
  offsets[0] = 0;
  blocks.for_panels([&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) offsets[row + 1] = 0;
    blocks.for_stored(first, last, [&](int64_t row, int64_t) { ++offsets[row + 1]; });
  });
  for (int64_t row = 0; row < blocks.rows; ++row) offsets[row + 1] += offsets[row];
}

void CpuDevice::compress_fill(void*, const secateur_matrix& matrix, const float* w,
                              const uint32_t* mask, const int32_t* offsets, bool columns_given,
                              int32_t* columns, float* values) {
  const Blocks blocks(matrix, w, mask);
  require_pointer(columns, offsets[blocks.rows], "columns");
  require_pointer(values, offsets[blocks.rows], "values");
  require_columns(blocks, offsets, columns_given ? columns : nullptr);
  blocks.for_panels([&](int64_t first, int64_t last) {
    if (!columns_given) return fill_panel(blocks, first, last, offsets, columns, values);
    for (int64_t row = first; row < last; ++row) {
      for (int64_t b = offsets[row]; b < offsets[row + 1]; ++b) {
        blocks.copy(row, columns[b], values + b * blocks.height * blocks.width);
      }
    }
  });
}

void CpuDevice::compress_scatter(void* stream, const secateur_matrix& matrix,
                                 const int32_t* offsets, const int32_t* columns,
                                 const float* values, float* w) {
  const Blocks blocks(matrix, w, nullptr);
  require_pointer(columns, offsets[blocks.rows], "columns");
  require_pointer(values, offsets[blocks.rows], "values");
  require_columns(blocks, offsets, columns);
  zero(stream, w, static_cast<size_t>(blocks.rows * blocks.cols) * sizeof *w);
  blocks.for_panels([&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      for (int32_t j = offsets[row]; j < offsets[row + 1]; ++j) {
        w[blocks.index(row, columns[j])] = values[j];
      }
    }
  });
}

}  // namespace secateur
