// Gradients of a trainable matrix: of the product A^T B only the elements that are stored, +0
// elsewhere. In the order in which the weight is stored, [rows, cols]: A [batch, rows] and
// B [batch, cols] are dY and X, or X and dY for a weight stored input-major; nothing else depends
// on that.
//
// The pattern, kept behind the matrix's layout: tiles of 64 columns x kSampledRows rows, the row
// tiles of a column of tiles one after another. A tile has one SampledRow for each of its rows,
// those with most elements first, so that trip counts repeat and predict. 16 bytes for every 64
// weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "secateur.h"

namespace secateur {

constexpr int64_t kSampledRows = 128;
constexpr int64_t kSampledColumns = 64;  // their panel rows are 16 KiB: half a first-level cache

struct SampledRow {
  uint64_t bits;   // stored elements of the row, the tile's first column lowest
  uint32_t row;    // within the tile
  uint32_t count;  // of bits
};

// A tile for the inner loop that sums.
struct SampledTile {
  int64_t rows;
  const SampledRow* row;
  const float *a, *b;  // a panel's rows of the tile's rows, and of its columns
};

// Where the sums of a tile's row begin.
struct SampledSums {
  uint64_t bits;
  const float* first;
};

// Tiles beside each other, for the loop that writes: tile after tile the kSampledRows places.
struct SampledStrip {
  int64_t rows, columns;
  const SampledSums* sums;
  float* gradient;
  int64_t stride;  // of the gradient's rows
};

size_t sampled_pattern_bytes(const secateur_sparse_weight& weight);
void fill_sampled_pattern(const secateur_sparse_format& format,
                          const secateur_sparse_weight& weight, SampledRow* pattern);

size_t sddmm_workspace_bytes(int64_t batch, int64_t rows, int64_t cols);

// a [batch, rows], b [batch, cols], gradient [rows, cols]; workspace is 64-byte aligned.
struct SampledProduct {
  int64_t batch, rows, cols;
  const SampledRow* pattern;
  const float *a, *b;
  float* gradient;
  float* workspace;
};
void sampled_product(const SampledProduct& product);

}  // namespace secateur
