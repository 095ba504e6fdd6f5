// SECATEUR_SPARSE_ROWS: single nonzeros of a weight matrix W [out, in], row by row.
//
// Rows are taken in groups (one group is one piece of work for the pool), the inputs in blocks: few
// enough for a panel's block of activations to stay in the first-level cache, many enough for a row
// to have nonzeros in it, since the row's sums are fetched and put back for each block (see
// rows_pack.cpp). A segment is a group x block: its rows, those with most nonzeros first, so that
// trip counts repeat and predict; and their nonzeros in that order, each {byte offset, value}. The
// offset is that of the input's row in a panel of 16 columns, from the start of the block; a panel
// of 64 columns has it four times as far. A group's first segment has all its rows, and its sums
// begin there; the others have those with nonzeros.
//
// In memory: RowsHeader, SparseSegment[groups * blocks + 1], SparseRow[rows],
// SparseEntry[nonzeros] and, of a trainable matrix, uint32[nonzeros]: each entry's place in w.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"
#include "sparse/layout.h"

namespace secateur {

constexpr int64_t kRowsUnit = 16;      // columns of a panel come in multiples of it
constexpr int64_t kRowsGroup = 128;    // rows a group at most
constexpr int64_t kRowsBlock = 16384;  // inputs a block at most: counts have 16 bits

struct RowsHeader {
  PackedHeader packed;
  int64_t group_rows;  // of every group but the last
  int64_t block;       // inputs of every block but the last, a multiple of 64
  int64_t groups, blocks;
  int64_t rows;  // entries of the table of rows
};

// Where a segment's rows and entries begin; they end where the next one's begin.
struct SparseSegment {
  int64_t row, entry;
};

struct SparseRow {
  uint16_t row;  // within the group
  uint16_t count;
};

struct SparseEntry {
  uint32_t offset;
  float value;
};

// The parts of a packed matrix.
struct SparseView {
  const RowsHeader* header;
  const SparseSegment* segments;
  const SparseRow* rows;
  const SparseEntry* entries;
  const uint32_t* indices;  // NULL when not trainable
};

inline SparseView view_sparse(const void* packed) {
  const auto* header = static_cast<const RowsHeader*>(packed);
  const auto* segments = reinterpret_cast<const SparseSegment*>(header + 1);
  const auto* rows =
      reinterpret_cast<const SparseRow*>(segments + header->groups * header->blocks + 1);
  const auto* entries = reinterpret_cast<const SparseEntry*>(rows + header->rows);
  const PackedHeader& packed_header = header->packed;
  const auto* indices = reinterpret_cast<const uint32_t*>(entries + packed_header.stored);
  return {header, segments, rows, entries, packed_header.format.trainable ? indices : nullptr};
}

// The inner loops in one instruction set (rows.inc).
struct RowsKernels {
  // sums[r][c] = a group's rows times `columns` columns of a panel; rows of the panel and of sums
  // are `width` apart, 16 to 64. Columns are rounded up to a multiple of 16. Instruction sets
  // differ in rounding: those with fused multiply-add use it.
  void (*multiply)(const SparseView& packed, int64_t group, int64_t columns, int64_t width,
                   const float* panel, float* sums);
  // The same for a convolution's segments of one group (conv.h): an entry's offset is that of its
  // place from the first column's, and rows of sums are 64 apart.
  void (*convolve)(const SparseView& packed, const SparseSegment* segments, int64_t blocks,
                   int64_t columns, const float* places, float* sums);
  // Bit i: w[i] is not +-0, of 64 elements.
  uint64_t (*nonzero_bits)(const float* w);
};

extern const RowsKernels kRowsPlain, kRowsAvx2, kRowsAvx512;

// The loops of the instruction set in use.
inline const RowsKernels& rows_kernels() noexcept {
#if SECATEUR_X86
  if (isa() == Isa::kAvx512) return kRowsAvx512;
  if (isa() == Isa::kAvx2) return kRowsAvx2;
#endif
  return kRowsPlain;
}

}  // namespace secateur
