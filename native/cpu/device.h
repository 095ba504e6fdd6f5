// The CPU device. Each file defines the operations of its topic, one member function each, which
// cuts the work into chunks for the pool; an operation has finished when it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "abi/device.h"

namespace secateur {

class CpuDevice final : public secateur_device {
 public:
  secateur_device_kind kind() const override;
  void require_stream(const void* stream) const override;
  void require_closable() const override;

  // ---- memory: device.cpp
  void* alloc(size_t bytes) override;
  void free(void* pointer) override;
  void memory(int64_t* blocks, int64_t* bytes) override;
  void upload(void* stream, const void* host, void* dst, size_t bytes) override;
  void download(void* stream, const void* src, void* host, size_t bytes) override;
  void copy(void* stream, const void* src, void* dst, size_t bytes) override;
  void zero(void* stream, void* dst, size_t bytes) override;
  void fill(void* stream, float value, int64_t n, float* dst) override;
  void synchronize(void* stream) override;

  // ---- dense products: gemm.cpp
  void gemm(void* stream, const secateur_gemm_args& args, const float* a, const float* b,
            float* c) override;

  // ---- elementwise and neural-network operations: unary.cpp, binary.cpp, reduce_sum.cpp,
  // transpose.cpp, loss.cpp, random.cpp, gather.cpp
  void unary(void* stream, int32_t op, float alpha, int64_t n, const float* x, float* y) override;
  void unary_grad(void* stream, int32_t op, float alpha, int64_t n, const float* x, const float* y,
                  const float* dy, float* dx) override;
  void binary(void* stream, int32_t op, const secateur_broadcast& broadcast, const float* a,
              const float* b, float* out) override;
  void reduce_sum(void* stream, int32_t rank, const int64_t* shape, uint32_t axes, const float* x,
                  float* out) override;
  void transpose(void* stream, int32_t rank, const int64_t* shape, const int32_t* perm,
                 const float* x, float* out) override;
  void softmax(void* stream, int64_t rows, int64_t cols, const float* x, float* y) override;
  void softmax_grad(void* stream, int64_t rows, int64_t cols, const float* y, const float* dy,
                    float* dx) override;
  void softmax_cross_entropy(void* stream, int64_t rows, int64_t cols, const float* x,
                             const int32_t* labels, float* p, float* loss) override;
  void softmax_cross_entropy_grad(void* stream, int64_t rows, int64_t cols, const float* p,
                                  const int32_t* labels, const float* dloss, float* dx) override;
  void mse(void* stream, int64_t n, const float* x, const float* t, float* loss) override;
  void mse_grad(void* stream, int64_t n, const float* x, const float* t, const float* dloss,
                float* dx) override;
  void uniform(void* stream, const uint64_t* state, uint64_t salt, int64_t n, float* out) override;
  void dropout(void* stream, const uint64_t* state, uint64_t salt, float ratio, int64_t n,
               const float* x, float* y) override;
  void gather_rows(void* stream, int64_t count, size_t row_bytes, int64_t src_rows, const void* src,
                   const int32_t* indices, void* dst) override;

  // ---- images: image/
  void im2col(void* stream, const secateur_window& window, const float* x, float* columns) override;
  void col2im(void* stream, const secateur_window& window, const float* columns, float* x) override;
  ConvWorkspace conv_workspace(const secateur_conv& conv) override;
  void convolve(void* stream, const secateur_conv& conv, const float* x, const float* w,
                const float* bias, float* y, void* workspace) override;
  void convolve_input_grad(void* stream, const secateur_conv& conv, const float* dy, const float* w,
                           float* dx, void* workspace) override;
  void convolve_weight_grad(void* stream, const secateur_conv& conv, const float* x,
                            const float* dy, float* dw, void* workspace) override;
  void max_pool(void* stream, const secateur_window& window, const float* x, float* y,
                int32_t* places) override;
  void max_pool_grad(void* stream, const secateur_window& window, const float* dy,
                     const int32_t* places, float* dx) override;
  void average_pool(void* stream, const secateur_window& window, int32_t count_padding,
                    const float* x, float* y) override;
  void average_pool_grad(void* stream, const secateur_window& window, int32_t count_padding,
                         const float* dy, float* dx) override;
  void normalize(void* stream, const secateur_norm_shape& shape, const float* x, const float* scale,
                 const float* shift, const float* mean, const float* variance, float* y) override;
  void normalize_train(void* stream, const secateur_norm_shape& shape, const float* x,
                       const float* scale, const float* shift, float* mean, float* variance,
                       float* y, float* statistics) override;
  void normalize_grad(void* stream, const secateur_norm_shape& shape, const float* x,
                      const float* dy, const float* scale, const float* statistics, float* dx,
                      float* dnorm) override;
  void clip(void* stream, float low, float high, int64_t n, const float* x, float* y) override;
  void clip_grad(void* stream, float low, float high, int64_t n, const float* x, const float* dy,
                 float* dx) override;
  void copy_box(void* stream, const secateur_box& box, const void* src, void* dst) override;

  // ---- optimizer steps: optimizer.cpp
  void sgd_step(void* stream, int64_t n, const secateur_sgd_params* params, float* w,
                const float* g, float* buf, const uint32_t* mask) override;
  void adam_step(void* stream, int64_t n, const secateur_adam_params* params, float* w,
                 const float* g, float* m, float* v, const uint32_t* mask) override;

  // ---- sparsification: optimizer.cpp, random.cpp, gates.cpp
  void soft_threshold(void* stream, int64_t n, const float* threshold, float* w,
                      const uint32_t* mask) override;
  void soft_threshold_adam(void* stream, int64_t n, const secateur_adam_params* params,
                           const float* lambda, const float* v, float* w,
                           const uint32_t* mask) override;
  void hard_concrete(void* stream, const uint64_t* state, uint64_t salt, int64_t n,
                     const float* log_alpha, float* z) override;
  void hard_concrete_grad(void* stream, const uint64_t* state, uint64_t salt, int64_t n,
                          const float* log_alpha, const float* dz, float* dlog_alpha) override;
  void hard_concrete_eval(void* stream, int64_t n, const float* log_alpha, float* z) override;
  void hard_concrete_l0(void* stream, int64_t n, const float* log_alpha, const float* scale,
                        float* expected, float* dlog_alpha) override;

  // ---- scores: score.cpp, activation.cpp
  void score_magnitude(void* stream, int32_t norm, secateur_dtype dtype, int64_t n, const void* w,
                       float* scores) override;
  void score_gradient(void* stream, int32_t kind, int32_t accumulate, secateur_dtype dtype,
                      int64_t n, const void* w, const void* g, float* scores) override;
  void score_units(void* stream, int32_t norm, int32_t axis, secateur_dtype dtype, int64_t rows,
                   int64_t cols, const void* w, float* scores) override;
  void activation_accumulate(void* stream, secateur_dtype dtype, int64_t rows, int64_t units,
                             const void* x, double* accumulators) override;
  void activation_scores(void* stream, int32_t statistic, int64_t count, int64_t units,
                         const double* accumulators, float* scores) override;

  // ---- thresholds and masks: select.cpp, select_nm.cpp, mask.cpp
  size_t select_workspace(const Selection& selection) override;
  void select(void* stream, const Selection& selection, void* workspace) override;
  void select_nm(void* stream, secateur_dtype dtype, secateur_key key, int32_t n, int32_t m,
                 int32_t axis, int64_t outer, int64_t rows, int64_t cols, const void* scores,
                 const uint32_t* previous, uint32_t* mask, int64_t* nan) override;
  void mask_apply(void* stream, int64_t n, const uint32_t* mask, float* w) override;
  void mask_apply_many(void* stream, int32_t count, const secateur_masked* tensors) override;
  void mask_count(void* stream, int64_t n, const uint32_t* mask, const float* w, int64_t* kept,
                  int64_t* kept_zeros) override;
  void mask_units(void* stream, int32_t axis, int64_t rows, int64_t cols, const uint32_t* units,
                  uint32_t* mask) override;

  // ---- boxes of weights: boxes.cpp
  void score_boxes(void* stream, int32_t pooling, const secateur_boxes& boxes, const float* scores,
                   const uint32_t* mask, float* pooled, uint32_t* live) override;
  void mask_boxes(void* stream, const secateur_boxes& boxes, const uint32_t* kept,
                  uint32_t* mask) override;

  // ---- sparse layouts: compress.cpp
  size_t compress_workspace(const secateur_matrix& matrix) override;
  void compress_offsets(void* stream, const secateur_matrix& matrix, const float* w,
                        const uint32_t* mask, int32_t* offsets, void* workspace) override;
  void compress_fill(void* stream, const secateur_matrix& matrix, const float* w,
                     const uint32_t* mask, const int32_t* offsets, bool columns_given,
                     int32_t* columns, float* values) override;
  void compress_scatter(void* stream, const secateur_matrix& matrix, const int32_t* offsets,
                        const int32_t* columns, const float* values, float* w) override;

  // ---- sparse products: sparse.cpp dispatches to the layouts, sddmm.cpp; rates: peak.cpp
  size_t sparse_pack_bytes(void* stream, const secateur_sparse_format& format,
                           const secateur_sparse_weight& weight) override;
  void sparse_pack(void* stream, const secateur_sparse_format& format,
                   const secateur_sparse_weight& weight, void* packed, size_t bytes) override;
  void sparse_info(const void* packed, int64_t* out, int64_t* in, int64_t* stored) override;
  void sparse_refresh(void* stream, const float* w, void* packed) override;
  size_t sparse_conv_pack_bytes(const secateur_conv& conv, const float* w,
                                const uint32_t* mask) override;
  void sparse_conv_pack(const secateur_conv& conv, const float* w, const uint32_t* mask,
                        void* packed) override;
  size_t sparse_convolve_workspace(int64_t batch, const void* packed) override;
  void sparse_convolve(int64_t batch, const void* packed, const float* x,
                       const secateur_epilogue& epilogue, float* y, void* workspace) override;
  size_t spmm_workspace(int64_t batch, const void* packed) override;
  void spmm(void* stream, int64_t batch, const void* packed, const float* x,
            const secateur_epilogue& epilogue, float* y, void* workspace) override;
  size_t sddmm_workspace(int64_t batch, const void* packed) override;
  void sddmm(void* stream, int64_t batch, const void* packed, const float* x, const float* dy,
             float* gradient, void* workspace) override;
  void peak(double* flops, double* read_bytes, const void* workspace, size_t bytes) override;

 private:
  mutable std::mutex mutex_;  // guards the two below
  std::unordered_map<void*, size_t> blocks_;
  int64_t bytes_ = 0;
};

}  // namespace secateur
