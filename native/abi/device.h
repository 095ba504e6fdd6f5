// A device behind the C ABI. The entries in abi/ have checked every argument (pointers, counts,
// shapes, enumerations, workspace sizes) before a method here is called; methods throw Error.
//
// One method an operation, with the operation's name and, but for the device, its arguments in
// order; secateur.h says what each does. An operation on no elements never comes here: the entry
// does nothing, or fills what there is of a result with zeros. Exceptions are select, select_nm and
// mask_count, whose results are due even then, and spmm.
//
// What lies in tensors, parameter blocks and k is not checked: it may be where the host cannot
// read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "secateur.h"

struct secateur_device {
  virtual ~secateur_device() = default;

  virtual secateur_device_kind kind() const = 0;

  // Throws unless operations may be enqueued to this stream: the CPU device has none but NULL.
  virtual void require_stream(const void* stream) const = 0;

  // Throws when the device cannot be closed because allocations are alive.
  virtual void require_closable() const = 0;

  // ---- memory
  virtual void* alloc(size_t bytes) = 0;
  virtual void free(void* pointer) = 0;
  virtual void memory(int64_t* blocks, int64_t* bytes) = 0;
  virtual void upload(void* stream, const void* host, void* dst, size_t bytes) = 0;
  virtual void download(void* stream, const void* src, void* host, size_t bytes) = 0;
  virtual void copy(void* stream, const void* src, void* dst, size_t bytes) = 0;
  virtual void zero(void* stream, void* dst, size_t bytes) = 0;
  virtual void fill(void* stream, float value, int64_t n, float* dst) = 0;
  virtual void synchronize(void* stream) = 0;

  // ---- dense products
  virtual void gemm(void* stream, const secateur_gemm_args& args, const float* a, const float* b,
                    float* c) = 0;

  // ---- elementwise and neural-network operations
  virtual void unary(void* stream, int32_t op, float alpha, int64_t n, const float* x,
                     float* y) = 0;
  virtual void unary_grad(void* stream, int32_t op, float alpha, int64_t n, const float* x,
                          const float* y, const float* dy, float* dx) = 0;
  virtual void binary(void* stream, int32_t op, const secateur_broadcast& broadcast, const float* a,
                      const float* b, float* out) = 0;
  virtual void reduce_sum(void* stream, int32_t rank, const int64_t* shape, uint32_t axes,
                          const float* x, float* out) = 0;
  virtual void transpose(void* stream, int32_t rank, const int64_t* shape, const int32_t* perm,
                         const float* x, float* out) = 0;
  virtual void softmax(void* stream, int64_t rows, int64_t cols, const float* x, float* y) = 0;
  virtual void softmax_grad(void* stream, int64_t rows, int64_t cols, const float* y,
                            const float* dy, float* dx) = 0;
  virtual void softmax_cross_entropy(void* stream, int64_t rows, int64_t cols, const float* x,
                                     const int32_t* labels, float* p, float* loss) = 0;
  virtual void softmax_cross_entropy_grad(void* stream, int64_t rows, int64_t cols, const float* p,
                                          const int32_t* labels, const float* dloss, float* dx) = 0;
  virtual void mse(void* stream, int64_t n, const float* x, const float* t, float* loss) = 0;
  virtual void mse_grad(void* stream, int64_t n, const float* x, const float* t, const float* dloss,
                        float* dx) = 0;
  virtual void uniform(void* stream, const uint64_t* state, uint64_t salt, int64_t n,
                       float* out) = 0;
  virtual void dropout(void* stream, const uint64_t* state, uint64_t salt, float ratio, int64_t n,
                       const float* x, float* y) = 0;
  virtual void gather_rows(void* stream, int64_t count, size_t row_bytes, int64_t src_rows,
                           const void* src, const int32_t* indices, void* dst) = 0;

  // ---- images: images.cpp; a device that does not override these refuses them (UNAVAILABLE)
  virtual void im2col(void* stream, const secateur_window& window, const float* x, float* columns);
  virtual void col2im(void* stream, const secateur_window& window, const float* columns, float* x);
  struct ConvWorkspace {
    size_t forward, input_grad, weight_grad;
  };
  virtual ConvWorkspace conv_workspace(const secateur_conv& conv);
  virtual void convolve(void* stream, const secateur_conv& conv, const float* x, const float* w,
                        const float* bias, float* y, void* workspace);
  virtual void convolve_input_grad(void* stream, const secateur_conv& conv, const float* dy,
                                   const float* w, float* dx, void* workspace);
  virtual void convolve_weight_grad(void* stream, const secateur_conv& conv, const float* x,
                                    const float* dy, float* dw, void* workspace);
  virtual void max_pool(void* stream, const secateur_window& window, const float* x, float* y,
                        int32_t* places);
  virtual void max_pool_grad(void* stream, const secateur_window& window, const float* dy,
                             const int32_t* places, float* dx);
  virtual void average_pool(void* stream, const secateur_window& window, int32_t count_padding,
                            const float* x, float* y);
  virtual void average_pool_grad(void* stream, const secateur_window& window, int32_t count_padding,
                                 const float* dy, float* dx);
  virtual void normalize(void* stream, const secateur_norm_shape& shape, const float* x,
                         const float* scale, const float* shift, const float* mean,
                         const float* variance, float* y);
  virtual void normalize_train(void* stream, const secateur_norm_shape& shape, const float* x,
                               const float* scale, const float* shift, float* mean, float* variance,
                               float* y, float* statistics);
  virtual void normalize_grad(void* stream, const secateur_norm_shape& shape, const float* x,
                              const float* dy, const float* scale, const float* statistics,
                              float* dx, float* dnorm);
  virtual void clip(void* stream, float low, float high, int64_t n, const float* x, float* y);
  virtual void clip_grad(void* stream, float low, float high, int64_t n, const float* x,
                         const float* dy, float* dx);
  virtual void copy_box(void* stream, const secateur_box& box, const void* src, void* dst);

  // ---- optimizer steps
  virtual void sgd_step(void* stream, int64_t n, const secateur_sgd_params* params, float* w,
                        const float* g, float* buf, const uint32_t* mask) = 0;
  virtual void adam_step(void* stream, int64_t n, const secateur_adam_params* params, float* w,
                         const float* g, float* m, float* v, const uint32_t* mask) = 0;

  // ---- sparsification
  virtual void soft_threshold(void* stream, int64_t n, const float* threshold, float* w,
                              const uint32_t* mask) = 0;
  virtual void soft_threshold_adam(void* stream, int64_t n, const secateur_adam_params* params,
                                   const float* lambda, const float* v, float* w,
                                   const uint32_t* mask) = 0;
  virtual void hard_concrete(void* stream, const uint64_t* state, uint64_t salt, int64_t n,
                             const float* log_alpha, float* z) = 0;
  virtual void hard_concrete_grad(void* stream, const uint64_t* state, uint64_t salt, int64_t n,
                                  const float* log_alpha, const float* dz, float* dlog_alpha) = 0;
  virtual void hard_concrete_eval(void* stream, int64_t n, const float* log_alpha, float* z) = 0;
  virtual void hard_concrete_l0(void* stream, int64_t n, const float* log_alpha, const float* scale,
                                float* expected, float* dlog_alpha) = 0;

  // ---- scores
  virtual void score_magnitude(void* stream, int32_t norm, secateur_dtype dtype, int64_t n,
                               const void* w, float* scores) = 0;
  virtual void score_gradient(void* stream, int32_t kind, int32_t accumulate, secateur_dtype dtype,
                              int64_t n, const void* w, const void* g, float* scores) = 0;
  virtual void score_units(void* stream, int32_t norm, int32_t axis, secateur_dtype dtype,
                           int64_t rows, int64_t cols, const void* w, float* scores) = 0;
  virtual void activation_accumulate(void* stream, secateur_dtype dtype, int64_t rows,
                                     int64_t units, const void* x, double* accumulators) = 0;
  virtual void activation_scores(void* stream, int32_t statistic, int64_t count, int64_t units,
                                 const double* accumulators, float* scores) = 0;

  // ---- thresholds and masks. A selection's checked parts; group lengths are those of its
  // segments.
  struct Selection {
    secateur_dtype dtype;
    secateur_key key;
    int32_t segment_count;
    const secateur_segment* segments;
    int32_t group_count;
    const int64_t* k;
    secateur_select_result* results;
    bool force_fallback;  // secateur_select_force
  };
  virtual size_t select_workspace(const Selection& selection) = 0;
  virtual void select(void* stream, const Selection& selection, void* workspace) = 0;
  // *nan: see secateur_select_nm; the CPU device also throws NAN_SCORE.
  virtual void select_nm(void* stream, secateur_dtype dtype, secateur_key key, int32_t n, int32_t m,
                         int32_t axis, int64_t outer, int64_t rows, int64_t cols,
                         const void* scores, const uint32_t* previous, uint32_t* mask,
                         int64_t* nan) = 0;
  virtual void mask_apply(void* stream, int64_t n, const uint32_t* mask, float* w) = 0;
  virtual void mask_apply_many(void* stream, int32_t count, const secateur_masked* tensors) = 0;
  virtual void mask_count(void* stream, int64_t n, const uint32_t* mask, const float* w,
                          int64_t* kept, int64_t* kept_zeros) = 0;
  virtual void mask_units(void* stream, int32_t axis, int64_t rows, int64_t cols,
                          const uint32_t* units, uint32_t* mask) = 0;
  virtual void score_boxes(void* stream, int32_t pooling, const secateur_boxes& boxes,
                           const float* scores, const uint32_t* mask, float* pooled,
                           uint32_t* live) = 0;
  virtual void mask_boxes(void* stream, const secateur_boxes& boxes, const uint32_t* kept,
                          uint32_t* mask) = 0;

  // ---- sparse layouts
  virtual size_t compress_workspace(const secateur_matrix& matrix) = 0;
  virtual void compress_offsets(void* stream, const secateur_matrix& matrix, const float* w,
                                const uint32_t* mask, int32_t* offsets, void* workspace) = 0;
  virtual void compress_fill(void* stream, const secateur_matrix& matrix, const float* w,
                             const uint32_t* mask, const int32_t* offsets, bool columns_given,
                             int32_t* columns, float* values) = 0;
  virtual void compress_scatter(void* stream, const secateur_matrix& matrix, const int32_t* offsets,
                                const int32_t* columns, const float* values, float* w) = 0;

  // ---- sparse products of the CPU device; `packed` is not checked
  virtual size_t sparse_pack_bytes(void* stream, const secateur_sparse_format& format,
                                   const secateur_sparse_weight& weight) = 0;
  virtual void sparse_pack(void* stream, const secateur_sparse_format& format,
                           const secateur_sparse_weight& weight, void* packed, size_t bytes) = 0;
  virtual void sparse_info(const void* packed, int64_t* out, int64_t* in, int64_t* stored) = 0;
  virtual void sparse_refresh(void* stream, const float* w, void* packed) = 0;
  // UNAVAILABLE unless a device has them. Batches and arguments have been checked but for `packed`.
  virtual size_t sparse_conv_pack_bytes(const secateur_conv& conv, const float* w,
                                        const uint32_t* mask);
  virtual void sparse_conv_pack(const secateur_conv& conv, const float* w, const uint32_t* mask,
                                void* packed);
  virtual size_t sparse_convolve_workspace(int64_t batch, const void* packed);
  virtual void sparse_convolve(int64_t batch, const void* packed, const float* x,
                               const secateur_epilogue& epilogue, float* y, void* workspace);
  virtual size_t spmm_workspace(int64_t batch, const void* packed) = 0;
  virtual void spmm(void* stream, int64_t batch, const void* packed, const float* x,
                    const secateur_epilogue& epilogue, float* y, void* workspace) = 0;
  virtual size_t sddmm_workspace(int64_t batch, const void* packed) = 0;
  virtual void sddmm(void* stream, int64_t batch, const void* packed, const float* x,
                     const float* dy, float* gradient, void* workspace) = 0;
  virtual void peak(double* flops, double* read_bytes, const void* workspace, size_t bytes) = 0;
};
