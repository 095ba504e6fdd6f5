// Packs the nonzeros of a weight matrix into the layout of sparse.h, group by group on the pool.
#include "sparse_pack.h"

#include <cinttypes>

#include "abi/error.h"
#include "device.h"
#include "pool.h"
#include "sparse.h"

namespace secateur {
namespace {

constexpr uint64_t kMagic = 0x31b5ec47e0a95d03;

// W [out, in] as it is stored, under its mask.
struct Weights {
  int64_t out, in;
  bool transposed;
  const float* w;
  const uint32_t* mask;

  int64_t index(int64_t row, int64_t col) const {
    return transposed ? col * out + row : row * in + col;
  }
  bool kept(int64_t i) const {
    return w[i] != 0.0f && (mask == nullptr || (mask[i / 32] >> (i % 32) & 1u) != 0);
  }
};

// Rows and inputs of a segment.
struct Bounds {
  int64_t row_begin, row_end, col_begin, col_end;
};

SparseHeader make_header(int64_t out, int64_t in) {
  SparseHeader header = {};
  header.magic = kMagic;
  header.out = out;
  header.in = in;
  // At least eight groups where there are rows enough, so that threads find equal shares.
  const int64_t eighth = ((out + 7) / 8 + 7) / 8 * 8;
  header.group_rows = eighth < kSparseGroup ? (eighth < 8 ? 8 : eighth) : kSparseGroup;
  header.groups = (out + header.group_rows - 1) / header.group_rows;
  header.blocks = (in + kSparseBlock - 1) / kSparseBlock;
  return header;
}

Bounds bounds(const SparseHeader& header, int64_t group, int64_t block) {
  Bounds b;
  b.row_begin = group * header.group_rows;
  b.row_end =
      b.row_begin + header.group_rows < header.out ? b.row_begin + header.group_rows : header.out;
  b.col_begin = block * kSparseBlock;
  b.col_end = b.col_begin + kSparseBlock < header.in ? b.col_begin + kSparseBlock : header.in;
  return b;
}

// Nonzeros of each row of a segment.
void count_rows(const Weights& weights, const Bounds& b, uint16_t* counts) {
  for (int64_t row = b.row_begin; row < b.row_end; ++row) counts[row - b.row_begin] = 0;
  if (weights.transposed) {
    for (int64_t col = b.col_begin; col < b.col_end; ++col) {
      for (int64_t row = b.row_begin; row < b.row_end; ++row) {
        counts[row - b.row_begin] += weights.kept(weights.index(row, col));
      }
    }
  } else {
    for (int64_t row = b.row_begin; row < b.row_end; ++row) {
      for (int64_t col = b.col_begin; col < b.col_end; ++col) {
        counts[row - b.row_begin] += weights.kept(weights.index(row, col));
      }
    }
  }
}

// The rows of a segment and its entries, as numbers.
SparseSegment size_segment(const Weights& weights, const Bounds& b) {
  uint16_t counts[kSparseGroup];
  count_rows(weights, b, counts);
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

void fill_segment(const Weights& weights, const Bounds& b, SparseRow* rows, int64_t row_count,
                  SparseEntry* entry) {
  uint16_t counts[kSparseGroup];
  count_rows(weights, b, counts);
  sort_rows(counts, b.row_end - b.row_begin, rows);
  constexpr int64_t kRowBytes = kSparseColumns * static_cast<int64_t>(sizeof(float));
  for (int64_t r = 0; r < row_count; ++r) {
    for (int64_t col = b.col_begin; col < b.col_end; ++col) {
      const int64_t i = weights.index(b.row_begin + rows[r].row, col);
      if (!weights.kept(i)) continue;
      *entry++ = {static_cast<uint32_t>((col - b.col_begin) * kRowBytes), weights.w[i]};
    }
  }
}

size_t packed_size(const SparseHeader& header) {
  return sizeof(SparseHeader) +
         static_cast<size_t>(header.groups * header.blocks + 1) * sizeof(SparseSegment) +
         static_cast<size_t>(header.rows + header.rows % 2) * sizeof(SparseRow) +
         static_cast<size_t>(header.nonzeros) * sizeof(SparseEntry);
}

// Calls body(group, block) for all segments, groups on the pool.
template <class Body>
void for_segments(const SparseHeader& header, Body&& body) {
  parallel_for(header.groups, [&](int64_t group) {
    for (int64_t block = 0; block < header.blocks; ++block) body(group, block);
  });
}

void measure(const Weights& weights, SparseHeader* header) {
  header->rows = header->nonzeros = 0;
  for (int64_t group = 0; group < header->groups; ++group) {
    for (int64_t block = 0; block < header->blocks; ++block) {
      const SparseSegment size = size_segment(weights, bounds(*header, group, block));
      header->rows += size.row;
      header->nonzeros += size.entry;
    }
  }
}

void fill_packed(const Weights& weights, const SparseHeader& measured, void* packed) {
  auto* const header = static_cast<SparseHeader*>(packed);
  *header = measured;
  header->rows += header->rows % 2;  // entries stay 8-byte aligned
  const SparseView view = view_sparse(packed);
  auto* const segments = const_cast<SparseSegment*>(view.segments);
  auto* const rows = const_cast<SparseRow*>(view.rows);
  auto* const entries = const_cast<SparseEntry*>(view.entries);
  const int64_t count = measured.groups * measured.blocks;
  for_segments(measured, [&](int64_t group, int64_t block) {
    segments[group * measured.blocks + block] =
        size_segment(weights, bounds(measured, group, block));
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
    fill_segment(weights, bounds(measured, group, block), rows + s[0].row, s[1].row - s[0].row,
                 entries + s[0].entry);
  });
}

}  // namespace

SparseView require_packed(const void* packed) {
  SECATEUR_REQUIRE(packed != nullptr && reinterpret_cast<uintptr_t>(packed) % 8 == 0 &&
                       static_cast<const SparseHeader*>(packed)->magic == kMagic,
                   "Pointer %p is no matrix packed by secateur_sparse_pack.", packed);
  return view_sparse(packed);
}

size_t CpuDevice::sparse_pack_bytes(void*, int64_t out, int64_t in, int32_t transposed,
                                    const float* w, const uint32_t* mask) {
  SparseHeader header = make_header(out, in);
  measure({out, in, transposed != 0, w, mask}, &header);
  return packed_size(header);
}

void CpuDevice::sparse_pack(void*, int64_t out, int64_t in, int32_t transposed, const float* w,
                            const uint32_t* mask, void* packed, size_t bytes) {
  const Weights weights{out, in, transposed != 0, w, mask};
  SparseHeader header = make_header(out, in);
  measure(weights, &header);
  const size_t needed = packed_size(header);
  SECATEUR_REQUIRE(bytes >= needed,
                   "The packed matrix needs %zu bytes, but %zu are given; ask for the size first.",
                   needed, bytes);
  fill_packed(weights, header, packed);
}

void CpuDevice::sparse_info(const void* packed, int64_t* out, int64_t* in, int64_t* nonzeros) {
  const SparseHeader& header = *require_packed(packed).header;
  *out = header.out;
  *in = header.in;
  *nonzeros = header.nonzeros;
}

}  // namespace secateur
