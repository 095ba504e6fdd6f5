// SECATEUR_SPARSE_NM: at most N of every M consecutive inputs of an output are stored (N =
// format.rows, M = format.cols). Every group of M inputs has N slots, so there are no counts and no
// tables: trip counts are constant, and what belongs to an output and an input is found by
// arithmetic.
//
// Outputs are taken in strips of 16, side by side: slot s of a strip is 16 values and 16 places. A
// place is the slot's input, counted from its slice of `depth` inputs (at most 256, so that it fits
// a byte, and few enough that a panel's slice of activations stays in the first-level cache). Slots
// left over have the value +0 and the place of their group's first input: like a dense product of
// zeros, they turn an infinite activation into NaN. `stored` does not count them.
//
// In memory: NmHeader, float[strips * slots * 16], uint8[strips * slots * 16].
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"
#include "sparse/layout.h"

namespace secateur {

constexpr int64_t kNmStrip = 16;   // outputs side by side
constexpr int64_t kNmGroup = 128;  // outputs a piece of work at most
constexpr int64_t kNmFew = 8;      // rows of a batch that are multiplied at once without panels
constexpr int64_t kNmMostInputs = 256;  // a slice at most

struct NmHeader {
  PackedHeader packed;
  int64_t window;  // inputs, whole groups, that a register or two hold; see few
  int64_t depth;   // of a slice: whole windows
  int64_t slots;   // of an output
  int64_t strips;
  int64_t strips_a_group;  // of every group but the last
};

// The parts of a packed matrix.
struct NmView {
  const NmHeader* header;
  const float* values;
  const uint8_t* places;
};

inline NmView view_nm(const void* packed) {
  const auto* header = static_cast<const NmHeader*>(packed);
  const auto* values = reinterpret_cast<const float*>(header + 1);
  const auto* places =
      reinterpret_cast<const uint8_t*>(values + header->strips * header->slots * kNmStrip);
  return {header, values, places};
}

// Loops of one instruction set.
struct NmKernels {
  // sums[r][c] = strips begin .. end times the columns of a panel [in, width], width 64 or 16; r
  // counts outputs from the first strip's first.
  void (*panel)(const NmView& packed, int64_t begin, int64_t end, int64_t columns, int64_t width,
                const float* panel, float* sums);
  // sums[b][r] = one strip times `batch` rows of X; b rows `stride` apart.
  void (*few)(const NmView& packed, int64_t strip, int64_t batch, const float* x, float* sums,
              int64_t stride);
  // Rows of a batch up to which `few` beats panels, for windows of at most 16 inputs and of more.
  int64_t most_narrow, most_wide;
};

extern const NmKernels kNmPlain, kNmAvx2, kNmAvx512;

inline const NmKernels& nm_kernels() noexcept {
#if SECATEUR_X86
  switch (isa()) {
    case Isa::kAvx512:
      return kNmAvx512;
    case Isa::kAvx2:
      return kNmAvx2;
    case Isa::kPlain:
      break;
  }
#endif
  return kNmPlain;
}

size_t nm_pack_bytes(const secateur_sparse_format& format, const secateur_sparse_weight& weight);
void nm_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
             void* packed);

}  // namespace secateur
