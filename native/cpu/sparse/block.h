// SECATEUR_SPARSE_BLOCK: stored blocks of R outputs x C inputs (format.rows x format.cols) of a
// weight matrix W [out, in], counted from its corner.
//
// A block row is R outputs. Block rows are taken in groups of about equally many stored blocks (a
// group and a panel of activations are one piece of work for the pool), the inputs in slices of
// `depth`. A segment is a group x slice: its block rows that have blocks there, those with most
// first, so that trip counts predict; and their blocks in that order, by ascending input.
//
// A block is its first input, counted from the slice, and its C x R values, input by input: four
// outputs that share an input lie side by side, so that one load of activations serves four
// multiply-adds, and in batches of a few rows one load of weights serves as many outputs. Rows
// past the last output are zeros; a block cut off by the last input has zeros there, and its
// activations there are not read. Elements of a stored block that are not stored are +0 and are
// multiplied: like a dense product of zeros, they turn an infinite activation into NaN.
//
// In memory: BlockHeader, int64[groups + 1] first block rows, BlockSegment[groups * slices + 1],
// BlockRow[rows], uint16[blocks], and at a multiple of 64 bytes float[blocks * C * R] and a vector
// of zeros, for loads of whole vectors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"
#include "sparse/layout.h"

namespace secateur {

constexpr int64_t kBlockGroup = 128;  // outputs a group at most
constexpr int64_t kBlockDeep = 1024;  // inputs a slice: a panel's slice stays in the second-level
                                      // cache, which four outputs a load can do with;
constexpr int64_t kBlockFlat = 96;    // for fewer outputs it must stay in the first-level cache
constexpr int64_t kBlockSlack = 16;   // zeros behind the values
constexpr int64_t kBlockFew = 8;      // rows of a batch that is multiplied without panels

struct BlockHeader {
  PackedHeader packed;
  int64_t depth, slices;
  int64_t block_rows, groups;
  int64_t rows;    // entries of the table of block rows
  int64_t blocks;  // stored
};

// Where a segment's block rows and blocks begin; they end where the next one's begin.
struct BlockSegment {
  int64_t row, block;
};

struct BlockRow {
  uint16_t row;  // within the group
  uint16_t count;
};

// The parts of a packed matrix.
struct BlockView {
  const BlockHeader* header;
  const int64_t* firsts;
  const BlockSegment* segments;
  const BlockRow* rows;
  const uint16_t* inputs;
  const float* values;
};

inline BlockView view_blocks(const void* packed) {
  const auto* header = static_cast<const BlockHeader*>(packed);
  const auto* firsts = reinterpret_cast<const int64_t*>(header + 1);
  const auto* segments = reinterpret_cast<const BlockSegment*>(firsts + header->groups + 1);
  const auto* rows =
      reinterpret_cast<const BlockRow*>(segments + header->groups * header->slices + 1);
  const auto* inputs = reinterpret_cast<const uint16_t*>(rows + header->rows);
  const auto end = reinterpret_cast<uintptr_t>(inputs + header->blocks);
  const auto* values = reinterpret_cast<const float*>((end + 63) / 64 * 64);
  return {header, firsts, segments, rows, inputs, values};
}

// Loops of one instruction set.
struct BlockKernels {
  // sums[r][c] = group times the columns of a panel [in, width], width 64 or 16; r counts outputs
  // from the group's first, whole blocks of them.
  void (*panel)(const BlockView& packed, int64_t group, int64_t columns, int64_t width,
                const float* panel, float* sums);
  // For batch <= kBlockFew rows of X, `stride` floats apart: sums[b][r], b rows kBlockGroup
  // apart. For blocks of one output X has 16 floats of zeros behind each row. NULL for none.
  void (*few)(const BlockView& packed, int64_t group, int64_t batch, int64_t stride, const float* x,
              float* sums);
  // bits[i] = w[i] is not +-0 and kept[i]; kept may be NULL (all); clean[i] = w[i] or +0, unless
  // clean is NULL. Bits past n are 0.
  void (*occupy)(int64_t n, const float* w, const uint64_t* kept, uint64_t* bits, float* clean);
};

extern const BlockKernels kBlockPlain, kBlockAvx2, kBlockAvx512;

inline const BlockKernels& block_kernels() noexcept {
#if SECATEUR_X86
  switch (isa()) {
    case Isa::kAvx512:
      return kBlockAvx512;
    case Isa::kAvx2:
      return kBlockAvx2;
    case Isa::kPlain:
      break;
  }
#endif
  return kBlockPlain;
}

size_t block_pack_bytes(const secateur_sparse_format& format, const secateur_sparse_weight& weight);
void block_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
                void* packed);

}  // namespace secateur
