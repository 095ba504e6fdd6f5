// What the CPU device's sparse layouts have in common: a packed matrix begins with a PackedHeader,
// whose kind says which layout follows; a layout is a table of functions, found by kind.
//
//   layout.cpp      the device's operations: checks, and a call to the layout
//   panels.h        activations transposed into panels, which most layouts read; the epilogue
//   rows*           SECATEUR_SPARSE_ROWS
//   gather*         SECATEUR_SPARSE_GATHER
//   block*          SECATEUR_SPARSE_BLOCK
//   nm*             SECATEUR_SPARSE_NM
//   conv*           sparse convolutions, beside the table of layouts: secateur_sparse_conv_pack
//   sddmm*          gradients of a trainable matrix
#pragma once

#include <cstddef>
#include <cstdint>

#include "secateur.h"

namespace secateur {

struct alignas(64) PackedHeader {
  uint64_t magic;
  secateur_sparse_format format;
  int64_t out, in, stored;
  int64_t transposed;  // how the weight was stored, for refresh and sddmm
  int64_t pattern;     // byte offset of a trainable matrix's pattern (sddmm.h), behind its layout
};

constexpr size_t kPackedAlignment = 64;

// The header of a matrix made by secateur_sparse_pack; INVALID_ARGUMENT for anything else.
const PackedHeader* require_packed(const void* packed);

// A new header of a weight, its count of stored elements left 0.
PackedHeader make_header(const secateur_sparse_format& format,
                         const secateur_sparse_weight& weight);

// Where the element of an output and an input lies in a weight as stored.
inline int64_t stored_index(const secateur_sparse_weight& weight, int64_t out, int64_t in) {
  return weight.transposed ? in * weight.out + out : out * weight.in + in;
}

// Whether element i of w as stored gets a place: it is kept and not +-0; of a trainable matrix all
// that a mask keeps, so that zeros can grow. Masked elements are not read.
inline bool is_stored(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
                      int64_t i) {
  if (weight.mask == nullptr) return weight.w[i] != 0.0f;
  return (weight.mask[i / 32] >> (i % 32) & 1u) != 0 &&
         (format.trainable != 0 || weight.w[i] != 0.0f);
}

// Y [batch, out] = f(X [batch, in] W^T + bias).
struct SparseProduct {
  int64_t batch;
  const float* x;
  secateur_epilogue epilogue;
  float* y;
  void* workspace;  // 64-byte aligned
};

// A layout's functions. Arguments have been checked; bytes are those that were asked for.
struct SparseLayout {
  size_t (*pack_bytes)(const secateur_sparse_format& format, const secateur_sparse_weight& weight);
  void (*pack)(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
               void* packed);
  size_t (*workspace)(const void* packed, int64_t batch);
  void (*multiply)(const void* packed, const SparseProduct& product);
  // Values of a trainable matrix anew; NULL where the layout has none.
  void (*refresh)(const float* w, void* packed);
};

extern const SparseLayout kRowsLayout;
extern const SparseLayout kGatherLayout;
extern const SparseLayout kBlockLayout;
extern const SparseLayout kNmLayout;

}  // namespace secateur
