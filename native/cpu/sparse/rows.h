// SECATEUR_SPARSE_ROWS: single nonzeros of a weight matrix W [out, in], row by row.
//
// Rows are taken in groups (one group is one piece of work for the pool), the inputs in blocks of
// kSparseBlock. A segment is a group x block: its rows that have nonzeros, those with most first,
// so that trip counts repeat and predict; and their nonzeros in that order, each {byte offset,
// value}. The offset is that of the input's row in a panel of activations [in, 64], from the start
// of the block.
//
// In memory: RowsHeader, SparseSegment[groups * blocks + 1], SparseRow[rows],
// SparseEntry[nonzeros] and, of a trainable matrix, uint32[nonzeros]: each entry's place in w.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sparse/layout.h"
#include "sparse/panels.h"

namespace secateur {

constexpr int64_t kSparseBlock = 128;  // inputs a block: a panel's block is 32 KiB
constexpr int64_t kSparseGroup = 128;  // rows a group at most

struct RowsHeader {
  PackedHeader packed;
  int64_t group_rows;  // of every group but the last
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

}  // namespace secateur
