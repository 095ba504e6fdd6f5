// The CUDA device behind the ABI: a primary context, the loaded kernels and a little scratch.
//
// memory.cpp holds its memory, launch.cpp the launch path, and each file of launchers the
// operations of one topic: geometry and parameters, the kernels themselves are in kernels/.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "abi/device.h"
#include "cuda/driver.h"
#include "cuda/kernel.h"

namespace secateur::cuda {

// 4 MiB: the tile sums of a reduction over 2^32 elements (kernels/common/reduce.h) fit.
constexpr size_t kScratchBytes = size_t{4} << 20;

class CudaDevice final : public secateur_device {
 public:
  // Throws UNAVAILABLE with the reason and the cure.
  static CudaDevice* open(int32_t ordinal);
  ~CudaDevice() override;

  // Enqueues a kernel. Arguments are converted to the kernel's parameter types and copied.
  template <class... Params>
  void launch(void* stream, const Kernel<Params...>& kernel, Geometry geometry,
              std::common_type_t<Params>... params) {
    void* addresses[] = {static_cast<void*>(&params)..., nullptr};
    launch_raw(stream, kernel, geometry, addresses);
  }

  // Scratch of kScratchBytes on the device, for one operation at a time (see secateur.h).
  void* scratch() const { return scratch_; }

  // Sets every byte to a value.
  void set_bytes(void* stream, void* dst, uint8_t value, size_t bytes);

  // Streaming multiprocessors: a grid-stride kernel takes some blocks for each.
  int multiprocessors() const { return multiprocessors_; }

  secateur_device_kind kind() const override;

  void require_stream(const void* stream) const override;

  void require_closable() const override;

  // ---- memory
  void* alloc(size_t bytes) override;
  void free(void* pointer) override;
  void memory(int64_t* blocks, int64_t* bytes) override;
  void upload(void* stream, const void* host, void* dst, size_t bytes) override;
  void download(void* stream, const void* src, void* host, size_t bytes) override;
  void copy(void* stream, const void* src, void* dst, size_t bytes) override;
  void zero(void* stream, void* dst, size_t bytes) override;
  void fill(void* stream, float value, int64_t n, float* dst) override;
  void synchronize(void* stream) override;

  // ---- dense products
  void gemm(void* stream, const secateur_gemm_args& args, const float* a, const float* b,
            float* c) override;

  // ---- elementwise and neural-network operations
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

  // ---- images
  void im2col(void* stream, const secateur_window& window, const float* x, float* columns) override;
  void col2im(void* stream, const secateur_window& window, const float* columns, float* x) override;
  void max_pool(void* stream, const secateur_window& window, const float* x, float* y,
                int32_t* places) override;
  void max_pool_grad(void* stream, const secateur_window& window, const float* dy,
                     const int32_t* places, float* dx) override;
  void average_pool(void* stream, const secateur_window& window, int32_t count_padding,
                    const float* x, float* y) override;
  void average_pool_grad(void* stream, const secateur_window& window, int32_t count_padding,
                         const float* dy, float* dx) override;
  void normalize(void* stream, const secateur_norm_shape& norm, const float* x, const float* scale,
                 const float* shift, const float* mean, const float* variance, float* y) override;
  void normalize_train(void* stream, const secateur_norm_shape& norm, const float* x,
                       const float* scale, const float* shift, float* mean, float* variance,
                       float* y, float* statistics) override;
  void normalize_grad(void* stream, const secateur_norm_shape& norm, const float* x,
                      const float* dy, const float* scale, const float* statistics, float* dx,
                      float* dnorm) override;
  void clip(void* stream, float low, float high, int64_t n, const float* x, float* y) override;
  void clip_grad(void* stream, float low, float high, int64_t n, const float* x, const float* dy,
                 float* dx) override;
  void copy_box(void* stream, const secateur_box& box, const void* src, void* dst) override;

  // ---- optimizer steps
  void sgd_step(void* stream, int64_t n, const secateur_sgd_params* params, float* w,
                const float* g, float* buf, const uint32_t* mask) override;
  void adam_step(void* stream, int64_t n, const secateur_adam_params* params, float* w,
                 const float* g, float* m, float* v, const uint32_t* mask) override;

  // ---- sparsification
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

  // ---- scores
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

  // ---- thresholds and masks
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

  // ---- sparse layouts
  size_t compress_workspace(const secateur_matrix& matrix) override;
  void compress_offsets(void* stream, const secateur_matrix& matrix, const float* w,
                        const uint32_t* mask, int32_t* offsets, void* workspace) override;
  void compress_fill(void* stream, const secateur_matrix& matrix, const float* w,
                     const uint32_t* mask, const int32_t* offsets, bool columns_given,
                     int32_t* columns, float* values) override;
  void compress_scatter(void* stream, const secateur_matrix& matrix, const int32_t* offsets,
                        const int32_t* columns, const float* values, float* w) override;

  // ---- sparse products of the CPU device
  size_t sparse_pack_bytes(void* stream, const secateur_sparse_format& format,
                           const secateur_sparse_weight& weight) override;
  void sparse_pack(void* stream, const secateur_sparse_format& format,
                   const secateur_sparse_weight& weight, void* packed, size_t bytes) override;
  void sparse_info(const void* packed, int64_t* out, int64_t* in, int64_t* stored) override;
  void sparse_refresh(void* stream, const float* w, void* packed) override;
  size_t spmm_workspace(int64_t batch, const void* packed) override;
  void spmm(void* stream, int64_t batch, const void* packed, const float* x,
            const secateur_epilogue& epilogue, float* y, void* workspace) override;
  size_t sddmm_workspace(int64_t batch, const void* packed) override;
  void sddmm(void* stream, int64_t batch, const void* packed, const float* x, const float* dy,
             float* gradient, void* workspace) override;
  void peak(double* flops, double* read_bytes, const void* workspace, size_t bytes) override;

 private:
  CudaDevice() = default;
  void find_kernels();
  void launch_raw(void* stream, const KernelBase& kernel, Geometry geometry, void** params);

  // Makes the primary context current for a scope.
  ContextGuard enter() const;

  // Throws, when a driver call failed, an Error that names the operation and the GPU.
  void require(CUresult result, const char* operation);
  [[noreturn]] void fail_call(CUresult result, const char* format, ...)
      __attribute__((format(printf, 3, 4)));
  [[noreturn]] void fail_memory(size_t bytes);

  bool pinned(const void* host) const;
  void require_no_capture(void* stream, const char* operation);

  const Driver* driver_ = nullptr;
  int32_t ordinal_ = 0;
  CUdevice gpu_ = 0;
  std::string name_;
  CUcontext context_ = nullptr;  // the primary one
  int multiprocessors_ = 0;
  std::vector<CUmodule> modules_;
  std::vector<CUfunction> functions_;  // by kernel id
  void* scratch_ = nullptr;
  mutable std::atomic<bool> lost_{false};  // every later call fails; allocations are gone
  mutable std::mutex mutex_;               // guards the two below
  std::unordered_map<void*, size_t> blocks_;
  int64_t bytes_ = 0;
};

}  // namespace secateur::cuda
