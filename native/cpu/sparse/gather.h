// SECATEUR_SPARSE_GATHER: single nonzeros of a weight matrix W [out, in], for few activations.
//
// Sliced ELLPACK cut into blocks of inputs. A slice is 16 outputs, one a lane; a block is 31
// inputs. In a tile (slice x block) step s holds each lane's s-th nonzero, so a tile has as many
// steps as its fullest lane has nonzeros, and lanes that have fewer are filled up. A block of
// activations and a zero are 32 floats: two 512-bit registers, of which one instruction takes 16
// elements by 16 indices of five bits. So nothing is gathered from memory and lanes are never added
// up, and a filler is a zero weight times that zero: activations without a weight, NaN among them,
// meet none.
//
// In memory: GatherHeader; int64 starts[slices + 1], the line each slice begins at; uint8
// steps[slices * blocks] of each tile; and 64-byte lines. A tile's lines are groups of up to 6
// steps: one of indices, that of step s of the group in bits 5 s .. 5 s + 4 of a lane, then one of
// values a step. At 90 % sparsity half of the values are fillers: 10 bytes a nonzero,
// 8 at 80 %, 6 at 50 %. One activation costs what these bytes take to come from the cache; from
// two on, a step's instructions count: about two cycles an activation with AVX-512 on Zen 4.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sparse/layout.h"

namespace secateur {

constexpr int64_t kGatherLanes = 16;    // outputs a slice
constexpr int64_t kGatherInputs = 31;   // a block
constexpr int64_t kGatherTable = 32;    // floats of a block of activations, the last 0
constexpr int64_t kGatherGroup = 6;     // steps that share a line of indices
constexpr int64_t kGatherColumns = 8;   // activations taken together
constexpr uint32_t kGatherFiller = 31;  // the index of the zero

struct GatherHeader {
  PackedHeader packed;
  int64_t slices, blocks;
  int64_t lines;
};

// Lines of a tile.
inline int64_t gather_lines(int64_t steps) {
  return steps + (steps + kGatherGroup - 1) / kGatherGroup;
}

// The parts of a packed matrix.
struct GatherView {
  const GatherHeader* header;
  const int64_t* starts;
  const uint8_t* steps;
  const uint32_t* lines;  // 16 words each
};

// Bytes before the first line.
inline size_t gather_offset(const GatherHeader& header) {
  const size_t bytes = sizeof(GatherHeader) +
                       static_cast<size_t>(header.slices + 1) * sizeof(int64_t) +
                       static_cast<size_t>(header.slices * header.blocks);
  return (bytes + kPackedAlignment - 1) / kPackedAlignment * kPackedAlignment;
}

inline GatherView view_gather(const void* packed) {
  const auto* header = static_cast<const GatherHeader*>(packed);
  const auto* starts = reinterpret_cast<const int64_t*>(header + 1);
  const auto* steps = reinterpret_cast<const uint8_t*>(starts + header->slices + 1);
  const char* const lines = static_cast<const char*>(packed) + gather_offset(*header);
  return {header, starts, steps, reinterpret_cast<const uint32_t*>(lines)};
}

// The inner loops, compiled for each instruction set from gather.inc.
struct GatherKernels {
  // sums[column][16] = one slice times `columns` (1 .. 8) activations, x [blocks][columns][32].
  // A sum runs over its lane's nonzeros in the order of the inputs, even and odd steps of a tile
  // apart and added in the end. Instruction sets with fused multiply-add use it.
  void (*slice)(const uint8_t* steps, int64_t blocks, const uint32_t* lines, int64_t columns,
                const float* x, float* sums);
  // Bit k of lanes[r]: whether the element of output row + r and input col + k is stored, for a
  // block of inputs and the outputs of `tiles` slices; 0 beyond the matrix.
  void (*tile_bits)(const secateur_sparse_weight& weight, int64_t row, int64_t col, int64_t tiles,
                    uint32_t* lanes);
  // The number of those bits of one tile, and the most that one lane has.
  int64_t (*count_bits)(const uint32_t lanes[kGatherLanes], int64_t* most);
};

extern const GatherKernels kGatherPlain, kGatherAvx2, kGatherAvx512;

// Those of the instruction set in use.
const GatherKernels& gather_kernels() noexcept;

// See SparseLayout.
size_t gather_pack_bytes(const secateur_sparse_format& format,
                         const secateur_sparse_weight& weight);
void gather_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
                 void* packed);

}  // namespace secateur
