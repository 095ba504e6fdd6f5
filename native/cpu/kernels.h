// The inner loops of the operations, compiled once for each instruction set: kernels_plain.cpp,
// kernels_avx2.cpp and kernels_avx512.cpp each include all of kernels/*.inc and fill one table. An
// operation checks its arguments, cuts the work into chunks for the pool, and calls the table's
// loop on each chunk. All sets give the same bits (sparse products excepted).
#pragma once

#include <cstdint>

#include "image/conv.h"
#include "image/max_pool.h"
#include "isa.h"
#include "secateur.h"
#include "sparse/panels.h"
#include "sparse/sddmm.h"

namespace secateur {

// Columns that Kernels::column_tile takes at once; their lanes stay in the first-level cache.
constexpr int64_t kColumnBlock = 64;

// What the gradient of a normalized channel is made of; names as in kernels/common/norm.h.
struct NormChannel {
  float mean, inverse, factor, shift_share, scale_share;
};

// A run of n elements; pointers are those of its first element. Masks start at a whole word.
struct Kernels {
  void (*unary)(int32_t op, float alpha, int64_t n, const float* x, float* y);
  void (*unary_grad)(int32_t op, float alpha, int64_t n, const float* x, const float* y,
                     const float* dy, float* dx);
  void (*clip)(float low, float high, int64_t n, const float* x, float* y);
  void (*clip_grad)(float low, float high, int64_t n, const float* x, const float* dy, float* dx);
  // out[r][c] = a[r * a_row + c * a_col] op b[...]; out dense [rows, cols].
  void (*binary)(int32_t op, int64_t rows, int64_t cols, const float* a, int64_t a_row,
                 int64_t a_col, const float* b, int64_t b_row, int64_t b_col, float* out);

  // Sums in the order of kernels/common/reduce.h, of one tile (kSumTile elements or rows) at most.
  float (*sum_tile)(int64_t n, const float* x);
  float (*square_error_tile)(int64_t n, const float* x, const float* t);
  // out[c] = sum over rows r of x[offsets[r] + c], cols <= kColumnBlock.
  void (*column_tile)(int64_t rows, int64_t cols, const float* x, const int64_t* offsets,
                      float* out);

  // A channel of a batch normalization (kernels/common/norm.h). Sums of one tile: of the
  // differences to `first` and of their squares, and of dy and of dy x^, to two[0] and two[1].
  void (*norm_sums_tile)(int64_t n, const float* x, float first, double* two);
  void (*norm_products_tile)(int64_t n, const float* x, const float* dy, float mean, float inverse,
                             double* two);
  void (*normalize)(int64_t n, float mean, float factor, float shift, const float* x, float* y);
  void (*normalize_grad)(int64_t n, const NormChannel& channel, const float* x, const float* dy,
                         float* dx);

  void (*softmax)(int64_t rows, int64_t cols, const float* x, float* y);
  void (*softmax_grad)(int64_t rows, int64_t cols, const float* y, const float* dy, float* dx);
  // Softmax to p, and logsumexp(x_r) - x_r[label_r] to losses[r].
  void (*cross_entropy)(int64_t rows, int64_t cols, const float* x, const int32_t* labels, float* p,
                        float* losses);
  void (*cross_entropy_grad)(int64_t rows, int64_t cols, float scale, const float* p,
                             const int32_t* labels, float* dx);
  void (*mse_grad)(int64_t n, float scale, const float* x, const float* t, float* dx);

  // Elements first .. first + n of the draw (key, counter); first is a multiple of 4.
  void (*uniform)(uint64_t key, uint64_t counter, uint64_t first, int64_t n, float* out);
  void (*dropout)(int64_t n, const float* u, float ratio, const float* x, float* y);

  // mask may be NULL.
  void (*sgd)(int64_t n, const secateur_sgd_params& params, float* w, const float* g, float* buf,
              const uint32_t* mask);
  void (*adam)(int64_t n, const secateur_adam_params& params, float* w, const float* g, float* m,
               float* v, const uint32_t* mask);
  void (*soft_threshold)(int64_t n, float threshold, float* w, const uint32_t* mask);
  void (*soft_threshold_adam)(int64_t n, const secateur_adam_params& params, float lambda,
                              const float* v, float* w, const uint32_t* mask);

  void (*gate_sample)(int64_t n, const float* u, const float* log_alpha, float* z);
  void (*gate_sample_grad)(int64_t n, const float* u, const float* log_alpha, const float* dz,
                           float* dlog_alpha);
  void (*gate_eval)(int64_t n, const float* log_alpha, float* z);
  void (*gate_open)(int64_t n, const float* log_alpha, float* open);
  void (*gate_open_grad)(int64_t n, const float* open, float scale, float* dlog_alpha);

  // Sums of a tile's stored elements over a panel, in the tile's order; added to those there are,
  // or not. Up to 16 floats behind the last may be written.
  void (*sampled_sums)(const SampledTile& tile, int64_t columns, bool narrow, bool add,
                       float* sums);
  // The rows of a strip: its sums where bits are set, +0 elsewhere. Up to 16 floats behind the last
  // sum may be read.
  void (*sampled_write)(const SampledStrip& strip);

  // Convolutions. All outputs of at most conv_pixels pixels; all outputs of the band of an image
  // that begins at output row `first`; a block of a weight gradient; a part of one by rows, and the
  // fold of such sums' lanes to weights [outputs, columns].
  int64_t conv_pixels;
  void (*conv_panel)(const ConvProduct& product, int64_t first, int64_t pixels);
  void (*conv_band)(const ConvProduct& product, const ConvRows& rows, int64_t image, int64_t first);
  void (*conv_weight)(const ConvProduct& product, const ConvWeightBlock& block);
  void (*conv_weight_rows)(const ConvProduct& product, const ConvRows& rows,
                           const ConvWeightRows& part);
  void (*conv_weight_fold)(int64_t outputs, int64_t columns, const float* sums, float* out,
                           int64_t out_row);

  // The largest values, and their places, of windows that see the same taps.
  void (*max_pool)(const MaxPoolRun& run);

  // Multiply-adds in registers, `times` rounds of them: returns their number, and a sum of the
  // registers in *sum. And the sum of n elements, n a multiple of 256, read as fast as they come.
  int64_t (*multiply_adds)(int64_t times, float* sum);
  float (*read)(int64_t n, const float* x);
};

extern const Kernels kKernelsPlain, kKernelsAvx2, kKernelsAvx512;

// The loops of the instruction set in use.
inline const Kernels& kernels() noexcept {
#if SECATEUR_X86
  switch (isa()) {
    case Isa::kAvx512:
      return kKernelsAvx512;
    case Isa::kAvx2:
      return kKernelsAvx2;
    case Isa::kPlain:
      break;
  }
#endif
  return kKernelsPlain;
}

}  // namespace secateur
