// Packs the nonzeros of a weight matrix into the layout of rows.h, group by group on the pool.
#include "sparse/rows_pack.h"

#include "pool.h"

namespace secateur {
namespace {

// Rows and inputs of a segment.
struct Bounds {
  int64_t row_begin, row_end, col_begin, col_end;
};

RowsHeader rows_header(const secateur_sparse_format& format, const secateur_sparse_weight& weight) {
  const int64_t out = weight.out, in = weight.in;
  RowsHeader header = {};
  header.packed = make_header(format, weight);
  // At least eight groups where there are rows enough, so that threads find equal shares.
  const int64_t eighth = ((out + 7) / 8 + 7) / 8 * 8;
  header.group_rows = eighth < kSparseGroup ? (eighth < 8 ? 8 : eighth) : kSparseGroup;
  header.groups = (out + header.group_rows - 1) / header.group_rows;
  header.blocks = (in + kSparseBlock - 1) / kSparseBlock;
  return header;
}

Bounds bounds(const RowsHeader& header, int64_t group, int64_t block) {
  Bounds b;
  b.row_begin = group * header.group_rows;
  b.row_end = b.row_begin + header.group_rows < header.packed.out ? b.row_begin + header.group_rows
                                                                  : header.packed.out;
  b.col_begin = block * kSparseBlock;
  b.col_end =
      b.col_begin + kSparseBlock < header.packed.in ? b.col_begin + kSparseBlock : header.packed.in;
  return b;
}

// Nonzeros of each row of a segment.
void count_rows(const secateur_sparse_format& format, const secateur_sparse_weight& weights,
                const Bounds& b, uint16_t* counts) {
  for (int64_t row = b.row_begin; row < b.row_end; ++row) counts[row - b.row_begin] = 0;
  if (weights.transposed) {
    for (int64_t col = b.col_begin; col < b.col_end; ++col) {
      for (int64_t row = b.row_begin; row < b.row_end; ++row) {
        counts[row - b.row_begin] += is_stored(format, weights, stored_index(weights, row, col));
      }
    }
  } else {
    for (int64_t row = b.row_begin; row < b.row_end; ++row) {
      for (int64_t col = b.col_begin; col < b.col_end; ++col) {
        counts[row - b.row_begin] += is_stored(format, weights, stored_index(weights, row, col));
      }
    }
  }
}

// The rows of a segment and its entries, as numbers.
SparseSegment size_segment(const secateur_sparse_format& format,
                           const secateur_sparse_weight& weights, const Bounds& b) {
  uint16_t counts[kSparseGroup];
  count_rows(format, weights, b, counts);
  SparseSegment size = {};
  for (int64_t r = 0; r < b.row_end - b.row_begin; ++r) {
    size.row += counts[r] != 0;
    size.entry += counts[r];
  }
  return size;
}

// Rows with nonzeros, most first, equals in order (a counting sort).
void sort_rows(const uint16_t* counts, int64_t rows, SparseRow* sorted) {
  int64_t place[kSparseBlock + 2] = {};
  for (int64_t r = 0; r < rows; ++r) ++place[counts[r]];
  int64_t before = 0;
  for (int64_t count = kSparseBlock; count > 0; --count) {
    const int64_t here = place[count];
    place[count] = before;
    before += here;
  }
  for (int64_t r = 0; r < rows; ++r) {
    if (counts[r] != 0) sorted[place[counts[r]]++] = {static_cast<uint16_t>(r), counts[r]};
  }
}

// indices, of a trainable matrix, get every entry's place in w as stored.
void fill_segment(const secateur_sparse_format& format, const secateur_sparse_weight& weights,
                  const Bounds& b, SparseRow* rows, int64_t row_count, SparseEntry* entry,
                  uint32_t* indices) {
  uint16_t counts[kSparseGroup];
  count_rows(format, weights, b, counts);
  sort_rows(counts, b.row_end - b.row_begin, rows);
  constexpr int64_t kRowBytes = kPanelColumns * static_cast<int64_t>(sizeof(float));
  for (int64_t r = 0; r < row_count; ++r) {
    for (int64_t col = b.col_begin; col < b.col_end; ++col) {
      const int64_t i = stored_index(weights, b.row_begin + rows[r].row, col);
      if (!is_stored(format, weights, i)) continue;
      if (indices != nullptr) *indices++ = static_cast<uint32_t>(i);
      *entry++ = {static_cast<uint32_t>((col - b.col_begin) * kRowBytes), weights.w[i]};
    }
  }
}

size_t packed_size(const RowsHeader& header) {
  return sizeof(RowsHeader) +
         static_cast<size_t>(header.groups * header.blocks + 1) * sizeof(SparseSegment) +
         static_cast<size_t>(header.rows + header.rows % 2) * sizeof(SparseRow) +
         static_cast<size_t>(header.packed.stored) *
             (sizeof(SparseEntry) + (header.packed.format.trainable ? sizeof(uint32_t) : 0));
}

// Calls body(group, block) for all segments, groups on the pool.
template <class Body>
void for_segments(const RowsHeader& header, Body&& body) {
  parallel_for(header.groups, [&](int64_t group) {
    for (int64_t block = 0; block < header.blocks; ++block) body(group, block);
  });
}

void measure(const secateur_sparse_weight& weights, RowsHeader* header) {
  header->rows = header->packed.stored = 0;
  for (int64_t group = 0; group < header->groups; ++group) {
    for (int64_t block = 0; block < header->blocks; ++block) {
      const SparseSegment size =
          size_segment(header->packed.format, weights, bounds(*header, group, block));
      header->rows += size.row;
      header->packed.stored += size.entry;
    }
  }
}

void fill_packed(const secateur_sparse_weight& weights, const RowsHeader& measured, void* packed) {
  auto* const header = static_cast<RowsHeader*>(packed);
  *header = measured;
  header->rows += header->rows % 2;  // entries stay 8-byte aligned
  const SparseView view = view_sparse(packed);
  auto* const segments = const_cast<SparseSegment*>(view.segments);
  auto* const rows = const_cast<SparseRow*>(view.rows);
  auto* const entries = const_cast<SparseEntry*>(view.entries);
  auto* const indices = const_cast<uint32_t*>(view.indices);
  const int64_t count = measured.groups * measured.blocks;
  for_segments(measured, [&](int64_t group, int64_t block) {
    segments[group * measured.blocks + block] =
        size_segment(measured.packed.format, weights, bounds(measured, group, block));
  });
  SparseSegment next = {};
  for (int64_t s = 0; s < count; ++s) {
    const SparseSegment size = segments[s];
    segments[s] = next;
    next = {next.row + size.row, next.entry + size.entry};
  }
  segments[count] = next;
  if (measured.rows % 2 != 0) rows[measured.rows] = {0, 0};
  for_segments(measured, [&](int64_t group, int64_t block) {
    const SparseSegment* const s = segments + group * measured.blocks + block;
    fill_segment(measured.packed.format, weights, bounds(measured, group, block), rows + s[0].row,
                 s[1].row - s[0].row, entries + s[0].entry,
                 indices == nullptr ? nullptr : indices + s[0].entry);
  });
}

}  // namespace

size_t rows_pack_bytes(const secateur_sparse_format& format, const secateur_sparse_weight& weight) {
  RowsHeader header = rows_header(format, weight);
  measure(weight, &header);
  return packed_size(header);
}

void rows_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
               void* packed) {
  RowsHeader header = rows_header(format, weight);
  measure(weight, &header);
  fill_packed(weight, header, packed);
}

}  // namespace secateur
