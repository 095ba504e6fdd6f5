/*
 * Secateur's C ABI: the one boundary between the native devices and everything else (the Java
 * engine, other tools).
 *
 * Conventions
 *  - C11; every function returns a secateur_status. On failure secateur_last_error() gives one
 *    sentence for the calling thread: what, where, and the cure. Output arguments are then
 * untouched unless the function says otherwise.
 *  - Every operation names its device and a stream. On the CPU device the stream must be NULL and
 * the operation has finished when the call returns. On a CUDA device `stream` is a CUstream (NULL:
 * the legacy default stream) and the operation is only enqueued: nothing is synchronized, and it
 * may be captured into a graph. All tensors, masks, workspaces and results then live on that
 * device; "host" marks the exceptions. Every call works in the device's primary context, whatever
 * the calling thread has current, and leaves the thread's context as it was.
 *  - A CUDA device's handle owns a few MiB of scratch for reductions, so the operations of one
 * handle must be ordered: one stream, or streams ordered by events. For more, open more handles.
 *  - Tensors are dense, row-major, little-endian; float pointers are at least 4-byte aligned. n
 * counts elements, never bytes. An n of 0 is valid and does nothing; its pointers may then be NULL.
 *  - Outputs may alias inputs only where the comment says "in place allowed".
 *  - Operations allocate nothing: a caller gives workspace. A call with workspace == NULL writes
 * the number of bytes needed to *workspace_bytes and does nothing else.
 *  - Masks are bit-packed: bit (i & 31) of the 32-bit word i >> 5 is 1 where element i is kept and
 * 0 where it is pruned. Bits past the last element are 0. SECATEUR_MASK_WORDS(n) words hold n bits.
 *  - Results do not depend on the number of threads. Sums have one order, given in
 *    kernels/common/reduce.h, so that every device returns the same bits.
 */
#ifndef SECATEUR_H
#define SECATEUR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define SECATEUR_API __declspec(dllexport)
#else
#define SECATEUR_API __attribute__((visibility("default")))
#endif

/* Bumped whenever a signature or a structure below changes. */
#define SECATEUR_ABI_VERSION 5

#define SECATEUR_MASK_WORDS(n) (((n) + 31) / 32)

typedef enum secateur_status {
  SECATEUR_OK = 0,
  SECATEUR_INVALID_ARGUMENT = 1, /* a wrong pointer, shape, size or option */
  SECATEUR_OUT_OF_MEMORY = 2,
  SECATEUR_NAN_SCORE = 3, /* a score was NaN; the result structure names segment and index */
  SECATEUR_UNAVAILABLE =
      4, /* device, library or data type not usable here; the sentence says why */
  SECATEUR_DEVICE_LOST = 5, /* terminal: the device must be closed */
  SECATEUR_INTERNAL = 6
} secateur_status;

typedef enum secateur_device_kind { SECATEUR_CPU = 0, SECATEUR_CUDA = 1 } secateur_device_kind;

typedef enum secateur_dtype {
  SECATEUR_F32 = 0,
  SECATEUR_F16 = 1,
  SECATEUR_BF16 = 2
} secateur_dtype;

typedef struct secateur_device secateur_device;

/* ---- library ------------------------------------------------------------------------------- */

SECATEUR_API int32_t secateur_abi_version(void);

/* The last error of the calling thread; "" when there was none. Valid until its next failing call.
 */
SECATEUR_API const char *secateur_last_error(void);

/* Instruction set in use by the CPU device: "avx512", "avx2" or "plain". */
SECATEUR_API const char *secateur_cpu_isa(void);

/* Restricts the CPU device to an instruction set, for tests: one of the names above; NULL or "auto"
 * restores detection. UNAVAILABLE when the processor lacks it. Not to be called beside running
 * operations. */
SECATEUR_API secateur_status secateur_cpu_set_isa(const char *isa);

/* Number of threads of the process-wide CPU pool, 1..1024, the calling thread included; 0 = all
 * processors this process may run on. Not to be called beside running operations. */
SECATEUR_API secateur_status secateur_set_threads(int32_t threads);
SECATEUR_API int32_t secateur_threads(void);

/* Loads a CBLAS library (OpenBLAS) for secateur_gemm on the CPU device. It is set to one thread of
 * its own; products are split over our pool in pieces whose bounds do not depend on the number of
 * threads. UNAVAILABLE when the file cannot be loaded or lacks cblas_sgemm. */
SECATEUR_API secateur_status secateur_blas_load(const char *path);

/* OpenBLAS's configuration line and the core name it chose, "" when none is loaded. */
SECATEUR_API const char *secateur_blas_config(void);
SECATEUR_API const char *secateur_blas_core(void);

/* ---- devices and memory ---------------------------------------------------------------------- */

/* Opens a device; ordinal is 0 for the CPU, the driver's device number for CUDA. UNAVAILABLE, with
 * the reason and the cure, when it is not usable. Opening a CUDA device retains its primary context
 * and loads every kernel, so that nothing is loaded lazily inside a capture. */
SECATEUR_API secateur_status secateur_device_open(secateur_device_kind kind, int32_t ordinal,
                                                  secateur_device **device);
/* Closes it. INVALID_ARGUMENT, and nothing closed, while allocations of it are alive. */
SECATEUR_API secateur_status secateur_device_close(secateur_device *device);

/* 128-byte aligned memory, contents undefined; bytes may be 0 (a distinct non-NULL pointer).
 * Blocks of 2 MiB and more are aligned to 2 MiB and advised to use huge pages. */
SECATEUR_API secateur_status secateur_alloc(secateur_device *device, size_t bytes, void **out);
SECATEUR_API secateur_status secateur_free(secateur_device *device, void *pointer);
/* Live allocations and their bytes. */
SECATEUR_API secateur_status secateur_memory(secateur_device *device, int64_t *blocks,
                                             int64_t *bytes);

/* Copies between host and device, and within the device. Ranges must not overlap. On a CUDA device
 * upload and download of pageable host memory finish with the host range before they return; of
 * pinned memory they are enqueued, and the host range must stay as it is until the stream has
 * passed. */
SECATEUR_API secateur_status secateur_upload(secateur_device *device, void *stream,
                                             const void *host, void *dst, size_t bytes);
SECATEUR_API secateur_status secateur_download(secateur_device *device, void *stream,
                                               const void *src, void *host, size_t bytes);
SECATEUR_API secateur_status secateur_copy(secateur_device *device, void *stream, const void *src,
                                           void *dst, size_t bytes);
/* Sets bytes to zero. */
SECATEUR_API secateur_status secateur_zero(secateur_device *device, void *stream, void *dst,
                                           size_t bytes);
SECATEUR_API secateur_status secateur_fill(secateur_device *device, void *stream, float value,
                                           int64_t n, float *dst);
SECATEUR_API secateur_status secateur_synchronize(secateur_device *device, void *stream);

/* ---- dense products -------------------------------------------------------------------------- */

/* C = alpha * op(A) op(B) + beta * C; op(A) [m, k], op(B) [k, n], C [m, n], all row-major with
 * leading dimensions lda, ldb, ldc (elements between rows as stored). With beta = 0, C is not read.
 */
typedef struct secateur_gemm_args {
  int32_t trans_a, trans_b;
  int64_t m, n, k;
  float alpha, beta;
  int64_t lda, ldb, ldc;
} secateur_gemm_args;
SECATEUR_API secateur_status secateur_gemm(secateur_device *device, void *stream,
                                           const secateur_gemm_args *args, const float *a,
                                           const float *b, float *c);

/* ---- elementwise and neural-network operations -------------------------------------------------
 */

typedef enum secateur_unary_op {
  SECATEUR_RELU = 0,       /* max(x, 0); NaN stays NaN */
  SECATEUR_LEAKY_RELU = 1, /* x < 0 ? alpha * x : x */
  SECATEUR_SIGMOID = 2,    /* 1 / (1 + exp(-x)) */
  SECATEUR_TANH = 3,
  SECATEUR_GELU = 4,      /* x/2 * (1 + erf(x / sqrt 2)) */
  SECATEUR_GELU_TANH = 5, /* x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))) */
  SECATEUR_NEG = 6,
  SECATEUR_EXP = 7,
  SECATEUR_LOG = 8,
  SECATEUR_SQRT = 9,
  SECATEUR_ERF = 10,
  SECATEUR_ABS = 11
} secateur_unary_op;

/* y = f(x); alpha is the slope of LEAKY_RELU, else ignored. In place allowed. */
SECATEUR_API secateur_status secateur_unary(secateur_device *device, void *stream, int32_t op,
                                            float alpha, int64_t n, const float *x, float *y);
/* dx = dy * f'(x), with y = f(x) given too: each operator reads whichever it needs. dx may be dy.
 * The derivative of RELU, LEAKY_RELU at 0 is 0 and alpha; of ABS at 0 is 0. */
SECATEUR_API secateur_status secateur_unary_grad(secateur_device *device, void *stream, int32_t op,
                                                 float alpha, int64_t n, const float *x,
                                                 const float *y, const float *dy, float *dx);

typedef enum secateur_binary_op {
  SECATEUR_ADD = 0,
  SECATEUR_SUB = 1,
  SECATEUR_MUL = 2,
  SECATEUR_DIV = 3
} secateur_binary_op;

#define SECATEUR_MAX_RANK 8

/* out[i0..] = a[...] op b[...] over `shape` (rank 0..8); strides are in elements, 0 along a
 * broadcast dimension. out is dense; in place allowed where the input's strides are dense too. */
typedef struct secateur_broadcast {
  int32_t rank;
  int64_t shape[SECATEUR_MAX_RANK];
  int64_t a_strides[SECATEUR_MAX_RANK];
  int64_t b_strides[SECATEUR_MAX_RANK];
} secateur_broadcast;
SECATEUR_API secateur_status secateur_binary(secateur_device *device, void *stream, int32_t op,
                                             const secateur_broadcast *broadcast, const float *a,
                                             const float *b, float *out);

/* out = sum of x over the axes whose bit is set in axes (bit d = axis d); out has the remaining
 * axes in order. Order of summation: kernels/common/reduce.h over the reduced elements in flat
 * order. */
SECATEUR_API secateur_status secateur_reduce_sum(secateur_device *device, void *stream,
                                                 int32_t rank, const int64_t *shape, uint32_t axes,
                                                 const float *x, float *out);

/* out = x transposed: x dense of `shape`, out axis d is x axis perm[d]. */
SECATEUR_API secateur_status secateur_transpose(secateur_device *device, void *stream, int32_t rank,
                                                const int64_t *shape, const int32_t *perm,
                                                const float *x, float *out);

/* Softmax over the columns of x [rows, cols] (maximum subtracted first). In place allowed. */
SECATEUR_API secateur_status secateur_softmax(secateur_device *device, void *stream, int64_t rows,
                                              int64_t cols, const float *x, float *y);
/* dx = y * (dy - sum_j dy_j y_j). dx may be dy. */
SECATEUR_API secateur_status secateur_softmax_grad(secateur_device *device, void *stream,
                                                   int64_t rows, int64_t cols, const float *y,
                                                   const float *dy, float *dx);

/* Mean softmax cross-entropy: loss[0] = mean_r(logsumexp(x_r) - x_r[label_r]); also writes the
 * softmax p [rows, cols] for the gradient. Labels are int32 in [0, cols): one outside gives
 * INVALID_ARGUMENT on the CPU device and loss NaN; a CUDA device makes the loss NaN, and in the
 * gradient that row. */
SECATEUR_API secateur_status secateur_softmax_cross_entropy(secateur_device *device, void *stream,
                                                            int64_t rows, int64_t cols,
                                                            const float *x, const int32_t *labels,
                                                            float *p, float *loss);
/* dx = dloss[0] / rows * (p - onehot(labels)). dx may be p. */
SECATEUR_API secateur_status secateur_softmax_cross_entropy_grad(secateur_device *device,
                                                                 void *stream, int64_t rows,
                                                                 int64_t cols, const float *p,
                                                                 const int32_t *labels,
                                                                 const float *dloss, float *dx);

/* loss[0] = mean((x - t)^2) over n elements. */
SECATEUR_API secateur_status secateur_mse(secateur_device *device, void *stream, int64_t n,
                                          const float *x, const float *t, float *loss);
/* dx = dloss[0] * 2 (x - t) / n. */
SECATEUR_API secateur_status secateur_mse_grad(secateur_device *device, void *stream, int64_t n,
                                               const float *x, const float *t, const float *dloss,
                                               float *dx);

/* Counter-based randomness (Philox4x32-10, kernels/common/philox.h): state is a device block of two
 * uint64 {seed, counter}; element i of a draw with `salt` is a pure function of (seed, counter,
 * salt, i). Uniforms are (bits >> 8 + 0.5) * 2^-24, in (0, 1). */
SECATEUR_API secateur_status secateur_uniform(secateur_device *device, void *stream,
                                              const uint64_t *state, uint64_t salt, int64_t n,
                                              float *out);
/* y = u < ratio ? 0 : x / (1 - ratio), u drawn as above; the gradient is the same call on dy. In
 * place allowed. 0 <= ratio < 1. */
SECATEUR_API secateur_status secateur_dropout(secateur_device *device, void *stream,
                                              const uint64_t *state, uint64_t salt, float ratio,
                                              int64_t n, const float *x, float *y);

/* dst row i = src row indices[i]; rows of row_bytes bytes; indices int32 in [0, src_rows): one
 * outside gives INVALID_ARGUMENT on the CPU device; a CUDA device fills that row with bytes 0xff
 * (NaN, -1). */
SECATEUR_API secateur_status secateur_gather_rows(secateur_device *device, void *stream,
                                                  int64_t count, size_t row_bytes, int64_t src_rows,
                                                  const void *src, const int32_t *indices,
                                                  void *dst);

/* ---- images ------------------------------------------------------------------------------------
 */

/* A window that slides over images x [batch, channels, in_h, in_w], row-major, to
 * [batch, channels, out_h, out_w]. Output (i, j) and place (k, l) of the window meet at input
 * (i stride_h + k dilation_h - pad_top, j stride_w + l dilation_w - pad_left); what lies outside
 * the image is padding. out_h and out_w are the caller's: padding at the bottom and at the right
 * follows. All extents 1 or more, pads 0 or more; batch may be 0; at most 2^31 - 1 elements a
 * plane. */
typedef struct secateur_window {
  int64_t batch, channels, in_h, in_w, out_h, out_w;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t pad_top, pad_left;
} secateur_window;

/* columns [channels * kernel_h * kernel_w, batch * out_h * out_w]: row (c, k, l), column (n, i, j);
 * 0 for padding. col2im is its adjoint: every element of x is written, as the sum over the windows
 * that see it in the order of (k, l). */
SECATEUR_API secateur_status secateur_im2col(secateur_device *device, void *stream,
                                             const secateur_window *window, const float *x,
                                             float *columns);
SECATEUR_API secateur_status secateur_col2im(secateur_device *device, void *stream,
                                             const secateur_window *window, const float *columns,
                                             float *x);

/* Convolution with channels input and `outputs` output channels in `groups` groups:
 * y[n, o, i, j] = bias[o] + sum over c, k, l of w[o, c, k, l] x[n, (o's group, c), ...], w
 * [outputs, channels / groups, kernel_h, kernel_w], bias [outputs] or NULL, y [batch, outputs,
 * out_h, out_w]; and its adjoints in x and in w. One fixed order of sums whatever the number of
 * threads. CPU device only (UNAVAILABLE on CUDA: im2col and cuBLAS); no BLAS is needed. */
typedef struct secateur_conv {
  secateur_window window;
  int64_t outputs;
  int32_t groups;
  int32_t reserved; /* 0 */
} secateur_conv;
SECATEUR_API secateur_status secateur_convolve(secateur_device *device, void *stream,
                                               const secateur_conv *conv, const float *x,
                                               const float *w, const float *bias, float *y,
                                               void *workspace, size_t *workspace_bytes);
SECATEUR_API secateur_status secateur_convolve_input_grad(secateur_device *device, void *stream,
                                                          const secateur_conv *conv,
                                                          const float *dy, const float *w,
                                                          float *dx, void *workspace,
                                                          size_t *workspace_bytes);
SECATEUR_API secateur_status secateur_convolve_weight_grad(secateur_device *device, void *stream,
                                                           const secateur_conv *conv,
                                                           const float *x, const float *dy,
                                                           float *dw, void *workspace,
                                                           size_t *workspace_bytes);

/* Largest value under the window; padding never wins, NaN wins, of equal values the first in order
 * of (k, l). places (may be NULL) [batch, channels, out_h, out_w]: the winner's index in its plane.
 * A window that sees only padding gives -infinity and place -1. */
SECATEUR_API secateur_status secateur_max_pool(secateur_device *device, void *stream,
                                               const secateur_window *window, const float *x,
                                               float *y, int32_t *places);
/* dx = sum of dy over the windows each place won, in order of (i, j); every element is written. */
SECATEUR_API secateur_status secateur_max_pool_grad(secateur_device *device, void *stream,
                                                    const secateur_window *window, const float *dy,
                                                    const int32_t *places, float *dx);
/* Mean under the window: over kernel_h kernel_w places (count_padding = 1) or those in the image.
 */
SECATEUR_API secateur_status secateur_average_pool(secateur_device *device, void *stream,
                                                   const secateur_window *window,
                                                   int32_t count_padding, const float *x, float *y);
SECATEUR_API secateur_status secateur_average_pool_grad(secateur_device *device, void *stream,
                                                        const secateur_window *window,
                                                        int32_t count_padding, const float *dy,
                                                        float *dx);

/* Batch normalization of x [batch, channels, spatial]. All parameters [channels]. Sums are double,
 * in the order of kernels/common/reduce.h over (n, spatial), one rounding to float at the end.
 * normalize: y = scale (x - mean) / sqrt(variance + epsilon) + shift. In place allowed.
 * train: with the batch's mean and biased variance; statistics [2, channels] = mean, 1 /
 * sqrt(variance + epsilon); then mean = momentum mean + (1 - momentum) batch's, and so the variance
 * (ONNX; Ioffe & Szegedy 2015, algorithm 1). grad: dx (may be dy) and dnorm [2, channels] = dscale,
 * dshift, from statistics of the forward pass. */
typedef struct secateur_norm_shape {
  int64_t batch, channels, spatial;
  float epsilon, momentum;
} secateur_norm_shape;
SECATEUR_API secateur_status secateur_normalize(secateur_device *device, void *stream,
                                                const secateur_norm_shape *shape, const float *x,
                                                const float *scale, const float *shift,
                                                const float *mean, const float *variance, float *y);
SECATEUR_API secateur_status secateur_normalize_train(secateur_device *device, void *stream,
                                                      const secateur_norm_shape *shape,
                                                      const float *x, const float *scale,
                                                      const float *shift, float *mean,
                                                      float *variance, float *y, float *statistics);
SECATEUR_API secateur_status secateur_normalize_grad(secateur_device *device, void *stream,
                                                     const secateur_norm_shape *shape,
                                                     const float *x, const float *dy,
                                                     const float *scale, const float *statistics,
                                                     float *dx, float *dnorm);

/* y = min(max(x, low), high), NaN stays NaN, in place allowed; dx = low < x < high ? dy : 0, dx may
 * be dy. */
SECATEUR_API secateur_status secateur_clip(secateur_device *device, void *stream, float low,
                                           float high, int64_t n, const float *x, float *y);
SECATEUR_API secateur_status secateur_clip_grad(secateur_device *device, void *stream, float low,
                                                float high, int64_t n, const float *x,
                                                const float *dy, float *dx);

/* dst[sum of i_d dst_strides_d] = src[sum of i_d src_strides_d] for all i within shape (rank 0..8);
 * strides in elements of 4 bytes. src and dst already point at the first element of each box. */
typedef struct secateur_box {
  int32_t rank;
  int64_t shape[SECATEUR_MAX_RANK];
  int64_t src_strides[SECATEUR_MAX_RANK];
  int64_t dst_strides[SECATEUR_MAX_RANK];
} secateur_box;
SECATEUR_API secateur_status secateur_copy_box(secateur_device *device, void *stream,
                                               const secateur_box *box, const void *src, void *dst);

/* ---- optimizer steps ---------------------------------------------------------------------------
 */

/* Device-resident, so that a captured step can be replayed with other values. */
typedef struct secateur_sgd_params {
  float lr, momentum, weight_decay;
  int32_t nesterov; /* 0 or 1 */
  int32_t step;     /* 1 for the first step: the buffer then starts as the gradient */
} secateur_sgd_params;

/* g' = g + weight_decay w; buf = step == 1 ? g' : momentum buf + g'; d = nesterov ? g' + momentum
 * buf : buf (g' when momentum = 0); w -= lr d. Where mask (may be NULL) prunes, w and buf become +0
 * whatever they were. Sutskever et al. 2013, as in PyTorch (dampening 0). buf may be NULL when
 * momentum = 0. */
SECATEUR_API secateur_status secateur_sgd_step(secateur_device *device, void *stream, int64_t n,
                                               const secateur_sgd_params *params, float *w,
                                               const float *g, float *buf, const uint32_t *mask);

typedef struct secateur_adam_params {
  float lr, beta1, beta2, epsilon, weight_decay;
  int32_t decoupled;      /* 1: AdamW (Loshchilov & Hutter 2019), 0: L2 added to the gradient */
  float correction1;      /* 1 - beta1^step, computed on the host in double */
  float correction2_sqrt; /* sqrt(1 - beta2^step) */
} secateur_adam_params;

/* Kingma & Ba 2015: m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2,
 * w -= lr / correction1 * m / (sqrt(v) / correction2_sqrt + epsilon). Where mask prunes, w, m, v
 * are +0. */
SECATEUR_API secateur_status secateur_adam_step(secateur_device *device, void *stream, int64_t n,
                                                const secateur_adam_params *params, float *w,
                                                const float *g, float *m, float *v,
                                                const uint32_t *mask);

/* ---- sparsification
 * ------------------------------------------------------------------------------ */

/* w = sign(w) * max(|w| - *threshold, 0): the proximal step of an L1 penalty, applied after the
 * optimizer step with threshold = lr * lambda (device scalar). Where mask (may be NULL) prunes: +0.
 */
SECATEUR_API secateur_status secateur_soft_threshold(secateur_device *device, void *stream,
                                                     int64_t n, const float *threshold, float *w,
                                                     const uint32_t *mask);

/* The same step in the metric of Adam, after secateur_adam_step with the same params and v:
 * t_i = lr * *lambda / (sqrt(v_i) / correction2_sqrt + epsilon), w_i = sign(w_i) * max(|w_i| - t_i,
 * 0). A weight rests at 0 where its mean gradient is below lambda, however large Adam's own step
 * would be. Yun, Lozano & Yang 2021 (ProxGen, arXiv 2003.07336), section 4. lambda: device scalar,
 * >= 0. */
SECATEUR_API secateur_status secateur_soft_threshold_adam(secateur_device *device, void *stream,
                                                          int64_t n,
                                                          const secateur_adam_params *params,
                                                          const float *lambda, const float *v,
                                                          float *w, const uint32_t *mask);

/* Hard-concrete gates (Louizos et al. 2018, arXiv 1712.01312, eq. 10-13): beta = 2/3, gamma = -0.1,
 * zeta = 1.1. Training draws u as secateur_uniform does; s = sigmoid((log u - log(1-u) + log_alpha)
 * / beta); z = clamp(s (zeta - gamma) + gamma, 0, 1); z == 0 or 1 exactly where clamped. */
SECATEUR_API secateur_status secateur_hard_concrete(secateur_device *device, void *stream,
                                                    const uint64_t *state, uint64_t salt, int64_t n,
                                                    const float *log_alpha, float *z);
/* dlog_alpha = dz * dz/dlog_alpha for the same draw (0 where z was clamped). In place on dz
 * allowed. */
SECATEUR_API secateur_status secateur_hard_concrete_grad(secateur_device *device, void *stream,
                                                         const uint64_t *state, uint64_t salt,
                                                         int64_t n, const float *log_alpha,
                                                         const float *dz, float *dlog_alpha);
/* Evaluation gate: z = clamp(sigmoid(log_alpha) (zeta - gamma) + gamma, 0, 1). */
SECATEUR_API secateur_status secateur_hard_concrete_eval(secateur_device *device, void *stream,
                                                         int64_t n, const float *log_alpha,
                                                         float *z);
/* Expected number of open gates, sum_i sigmoid(log_alpha_i - beta log(-gamma/zeta)), to
 * expected[0]; and, when dlog_alpha is not NULL, dlog_alpha_i += scale[0] * its derivative. scale
 * is a device scalar. */
SECATEUR_API secateur_status secateur_hard_concrete_l0(secateur_device *device, void *stream,
                                                       int64_t n, const float *log_alpha,
                                                       const float *scale, float *expected,
                                                       float *dlog_alpha);

/* ---- pruning: scores
 * ------------------------------------------------------------------------------ */

typedef enum secateur_norm { SECATEUR_L1 = 1, SECATEUR_L2 = 2 } secateur_norm;

/* scores = |w| (L1) or w * w (L2), one a weight, in float. w is of dtype. NaN stays NaN. */
SECATEUR_API secateur_status secateur_score_magnitude(secateur_device *device, void *stream,
                                                      int32_t norm, secateur_dtype dtype, int64_t n,
                                                      const void *w, float *scores);

typedef enum secateur_gradient_score {
  SECATEUR_TAYLOR = 0, /* |w g|: first-order Taylor (Molchanov et al. 2019, arXiv 1906.10771, eq. 8
                          without the square); with the gradient at initialisation, SNIP (Lee et al.
                          2019, arXiv 1810.02340, eq. 3-5) before its normalisation */
  SECATEUR_MOVEMENT =
      1,              /* -w g (Sanh et al. 2020, arXiv 2005.07683, eq. 3), accumulated over steps;
                         signed; GraSP's score (arXiv 2002.07376, eq. 8) with g = H grad */
  SECATEUR_FISHER = 2 /* g^2: diagonal of the empirical Fisher, accumulated over batches */
} secateur_gradient_score;

/* scores = f(w, g), or scores + f(w, g) with accumulate = 1, one a weight, in float: products first
 * rounded, then added. w and g are of dtype; w may be NULL for FISHER. */
SECATEUR_API secateur_status secateur_score_gradient(secateur_device *device, void *stream,
                                                     int32_t kind, int32_t accumulate,
                                                     secateur_dtype dtype, int64_t n, const void *w,
                                                     const void *g, float *scores);
/* Score of each unit of a weight matrix w [rows, cols]: the L1 or L2 norm over its row (axis = 0,
 * rows scores) or its column (axis = 1, cols scores); L2 takes the square root (correctly rounded).
 * w is of dtype; squares and sums are double (kernels/common/score.h), rounded to float at the end.
 */
SECATEUR_API secateur_status secateur_score_units(secateur_device *device, void *stream,
                                                  int32_t norm, int32_t axis, secateur_dtype dtype,
                                                  int64_t rows, int64_t cols, const void *w,
                                                  float *scores);

typedef enum secateur_activation_statistic {
  SECATEUR_MEAN = 0,
  SECATEUR_MEAN_ABS = 1,
  SECATEUR_RMS = 2,
  SECATEUR_ONE_MINUS_APOZ =
      3 /* 1 - average percentage of zeros (Hu et al. 2016, arXiv 1607.03250) */
} secateur_activation_statistic;

/* Adds a batch x [rows, units] of dtype to the accumulators [4, units] double: sum, sum |x|, sum
 * x^2, nonzeros. They must be zeroed before the first batch. The order of summation is that of
 * reduce.h, per batch. */
SECATEUR_API secateur_status secateur_activation_accumulate(secateur_device *device, void *stream,
                                                            secateur_dtype dtype, int64_t rows,
                                                            int64_t units, const void *x,
                                                            double *accumulators);
/* scores [units] from the accumulators over `count` samples. */
SECATEUR_API secateur_status secateur_activation_scores(secateur_device *device, void *stream,
                                                        int32_t statistic, int64_t count,
                                                        int64_t units, const double *accumulators,
                                                        float *scores);

/* ---- pruning: thresholds and masks
 * ------------------------------------------------------------------ */

typedef enum secateur_key {
  SECATEUR_KEY_ABS = 0,   /* ranks |x|: key = bits & 0x7fffffff; weights can be ranked directly */
  SECATEUR_KEY_SIGNED = 1 /* ranks x; -0 and +0 are equal */
} secateur_key;

/* One tensor of a selection. mask must start on a 128-byte line of its own (also when it is a part
 * of a larger allocation). previous may be NULL (all kept) or may be mask. Tie order among segments
 * of a group is their order in the array, then the index within the segment. */
typedef struct secateur_segment {
  const void *scores; /* device, length elements of the selection's dtype */
  int64_t length;
  const uint32_t *previous; /* device, mask words or NULL */
  uint32_t *mask;           /* device, mask words, written whole */
  int32_t group;            /* which of the selection's groups ranks this segment */
  int32_t reserved;         /* 0 */
} secateur_segment;

typedef struct secateur_select_result {
  int64_t pruned;  /* exactly k */
  float threshold; /* the largest pruned score (its magnitude for KEY_ABS); NaN when k = 0 or when
                      only already-pruned elements were pruned */
  int32_t path;    /* 0 nothing new pruned (k = 0 or already pruned), 1 one pass, 2 fallback */
  int64_t tied;    /* elements, not pruned before, whose key equals the threshold's */
  int64_t bytes_read;  /* of scores and previous masks, all passes and samples */
  int32_t nan_segment; /* with NAN_SCORE: the first segment with a NaN in order, the same in all
                          results; else -1 */
  int32_t reserved;
  int64_t nan_index; /* its lowest index holding NaN, else -1 */
} secateur_select_result;

/*
 * Exact selection over many tensors at once: for each group g the k[g] lowest-ranked elements are
 * pruned (mask bit 0), all others kept. Elements already pruned in `previous` count first toward k,
 * whatever their scores (a NaN there is ignored); when k is below their number, they all stay
 * pruned and result.pruned says how many. Among equal keys the lower flat index (segment order,
 * then index) is KEPT. A NaN score among the elements not yet pruned fails with NAN_SCORE and
 * leaves every mask untouched. 0 <= k[g] <= total length of group g. k and results are host memory
 * on the CPU device, device memory elsewhere; segments is host memory.
 */
SECATEUR_API secateur_status secateur_select(secateur_device *device, void *stream,
                                             secateur_dtype dtype, secateur_key key,
                                             int32_t segment_count,
                                             const secateur_segment *segments, int32_t group_count,
                                             const int64_t *k, secateur_select_result *results,
                                             void *workspace, size_t *workspace_bytes);

/* Forces a path of secateur_select for tests: 0 automatic, 2 the fallback. Process-wide. */
SECATEUR_API secateur_status secateur_select_force(int32_t path);

/*
 * N:M pruning: of every m consecutive weights along an axis of a matrix the n with the highest
 * scores are kept. scores [outer, rows, cols] of dtype are `outer` matrices; groups run along the
 * columns of a row (axis = 1) or along the rows of a column (axis = 0), never from one matrix to
 * the next; a last group of r < m elements keeps ceil(r n / m). Elements pruned in previous (may be
 * NULL, may be mask) count first toward what is pruned; among equal keys the lower flat index is
 * kept. 1 <= n <= m <= 32. A NaN among elements not yet pruned leaves every mask untouched and is
 * told in `nan` (host memory on the CPU device and then also NAN_SCORE, device memory elsewhere):
 * its lowest flat index, else -1.
 */
SECATEUR_API secateur_status secateur_select_nm(secateur_device *device, void *stream,
                                                secateur_dtype dtype, secateur_key key, int32_t n,
                                                int32_t m, int32_t axis, int64_t outer,
                                                int64_t rows, int64_t cols, const void *scores,
                                                const uint32_t *previous, uint32_t *mask,
                                                int64_t *nan);

/* w = 0 (exactly +0) where the mask prunes. */
SECATEUR_API secateur_status secateur_mask_apply(secateur_device *device, void *stream, int64_t n,
                                                 const uint32_t *mask, float *w);
/* The same over many tensors at once: on a CUDA device one launch for up to 64 tensors. The array
 * is host memory, read during the call. */
typedef struct secateur_masked {
  const uint32_t *mask;
  float *w;
  int64_t length;
} secateur_masked;
SECATEUR_API secateur_status secateur_mask_apply_many(secateur_device *device, void *stream,
                                                      int32_t count,
                                                      const secateur_masked *tensors);
/* Number of kept elements, and of kept elements of w that are +-0 (w may be NULL: then -1), to host
 * on the CPU device, to device memory elsewhere. */
SECATEUR_API secateur_status secateur_mask_count(secateur_device *device, void *stream, int64_t n,
                                                 const uint32_t *mask, const float *w,
                                                 int64_t *kept, int64_t *kept_zeros);
/* mask &= the mask over a matrix [rows, cols] that keeps whole units: rows (axis = 0) or columns
 * (axis = 1) whose bit is set in units. */
SECATEUR_API secateur_status secateur_mask_units(secateur_device *device, void *stream,
                                                 int32_t axis, int64_t rows, int64_t cols,
                                                 const uint32_t *units, uint32_t *mask);

/* A tensor [shape[0], shape[1], shape[2]] cut into boxes from its corner, box[d] (1 to shape[d])
 * along axis d, cut off at the far edges; boxes are numbered row-major. */
typedef struct secateur_boxes {
  int64_t shape[3];
  int64_t box[3];
} secateur_boxes;
/* How the scores of a box become one: the mean of them, of their magnitudes, of their squares; the
 * largest magnitude. */
typedef enum secateur_pooling {
  SECATEUR_POOL_MEAN = 0,
  SECATEUR_POOL_MAGNITUDES = 1,
  SECATEUR_POOL_SQUARES = 2,
  SECATEUR_POOL_LARGEST = 3
} secateur_pooling;
/* pooled [boxes] from scores [elements]. Pruned elements count as 0, whatever their scores; the
 * mean is over all elements of the box. Sums are double, in the order of kernels/common/reduce.h
 * over the elements of a box row by row. live (a mask over the boxes) is written: 1 where an
 * element is kept. mask may be NULL: all kept. A kept NaN makes its box's score NaN. */
SECATEUR_API secateur_status secateur_score_boxes(secateur_device *device, void *stream,
                                                  int32_t pooling, const secateur_boxes *boxes,
                                                  const float *scores, const uint32_t *mask,
                                                  float *pooled, uint32_t *live);
/* mask &= the mask that keeps whole boxes, those whose bit is set in kept. */
SECATEUR_API secateur_status secateur_mask_boxes(secateur_device *device, void *stream,
                                                 const secateur_boxes *boxes, const uint32_t *kept,
                                                 uint32_t *mask);

/* ---- sparse layouts
 * ---------------------------------------------------------------------------------- */

/* How a weight matrix, logical W [out, in], is stored and compressed. The compressed rows are the
 * outputs (CSR of W), or the inputs with by_input = 1 (CSR of W^T). Blocks of block_rows x
 * block_cols (of compressed rows and columns; 1 x 1 is CSR, else BSR) must divide the extents. */
typedef struct secateur_matrix {
  int64_t out, in;
  int32_t transposed; /* stored as [out, in] (0) or [in, out] (1) */
  int32_t by_input;
  int32_t block_rows, block_cols;
  int32_t keep_zeros; /* 1: what a mask keeps is stored even where it is +-0, so that it can grow */
} secateur_matrix;

/* Row offsets of the compressed matrix: offsets [rows / block_rows + 1] int32, the last is the
 * number of stored blocks. An element is stored when it is not +-0 and mask (over w as stored, may
 * be NULL) keeps it, with keep_zeros and a mask whenever it is kept; a block when any of its
 * elements is. INVALID_ARGUMENT when the matrix has 2^31 elements or more. */
SECATEUR_API secateur_status secateur_compress_offsets(secateur_device *device, void *stream,
                                                       const secateur_matrix *matrix,
                                                       const float *w, const uint32_t *mask,
                                                       int32_t *offsets, void *workspace,
                                                       size_t *workspace_bytes);
/* Column (of blocks) and values of every stored block, rows in order, columns ascending; the values
 * of a block are row-major, its masked elements +0. offsets as made from the same w and mask;
 * called again with offsets and columns of an unchanged pattern and columns_given = 1, it refreshes
 * the values alone, zeros included. */
SECATEUR_API secateur_status secateur_compress_fill(secateur_device *device, void *stream,
                                                    const secateur_matrix *matrix, const float *w,
                                                    const uint32_t *mask, const int32_t *offsets,
                                                    int32_t columns_given, int32_t *columns,
                                                    float *values);
/* The reverse for values alone: w (as stored) at every stored element of a CSR pattern (1 x 1
 * blocks) = its value; everything else +0. */
SECATEUR_API secateur_status secateur_compress_scatter(secateur_device *device, void *stream,
                                                       const secateur_matrix *matrix,
                                                       const int32_t *offsets,
                                                       const int32_t *columns, const float *values,
                                                       float *w);

/* ---- sparse products of the CPU device; UNAVAILABLE on CUDA, use cuSPARSE ------------- */

/* How a sparse weight matrix, logical W [out, in], is laid out and multiplied. */
typedef enum secateur_sparse_kind {
  SECATEUR_SPARSE_ROWS = 0, /* single nonzeros by row, any pattern; for batches from about 16 on */
  SECATEUR_SPARSE_GATHER = 1, /* single nonzeros, any pattern; for batches of 1 to 8 */
  SECATEUR_SPARSE_BLOCK = 2,  /* blocks of `rows` outputs x `cols` inputs (each 1..16, not both 1),
                                 from  the matrix's corner; those at its edges may be cut off. A
                                 block  is  stored whole when any of its elements is stored */
  SECATEUR_SPARSE_NM = 3 /* at most `rows` stored elements in every `cols` consecutive inputs of a
                            row (N:M with N = rows, M = cols; 1 <= N < M <= 32); any other pattern
                            is refused, naming the first group with more */
} secateur_sparse_kind;

typedef struct secateur_sparse_format {
  int32_t kind;       /* secateur_sparse_kind */
  int32_t rows, cols; /* see the kinds; 0 for ROWS and GATHER */
  int32_t trainable;  /* 1 (ROWS only): secateur_sparse_refresh and secateur_sddmm may follow, and
                         what  the mask keeps is stored even where it is +-0, so that it can grow */
} secateur_sparse_format;

/* A weight matrix to pack: logical W [out, in], stored as [out, in] (transposed = 0) or [in, out]
 * (transposed = 1). An element is stored when it is not +-0 and mask (over w as stored, may be
 * NULL) keeps it; masked elements are never read. */
typedef struct secateur_sparse_weight {
  int64_t out, in;
  int32_t transposed;
  const float *w;
  const uint32_t *mask;
} secateur_sparse_weight;

/*
 * Packs a weight matrix. A call with packed == NULL writes the size to *packed_bytes. The layout is
 * private to the device and build, and is never stored in files. packed is 64-byte aligned.
 */
SECATEUR_API secateur_status secateur_sparse_pack(secateur_device *device, void *stream,
                                                  const secateur_sparse_format *format,
                                                  const secateur_sparse_weight *weight,
                                                  void *packed, size_t *packed_bytes);
/* Out, in and stored elements of a packed matrix (those of a stored block all count), to host. */
SECATEUR_API secateur_status secateur_sparse_info(secateur_device *device, const void *packed,
                                                  int64_t *out, int64_t *in, int64_t *stored);
/* Takes the values of a trainable matrix anew from w, stored as it was when packed: the pattern
 * stays, and elements outside it are not read. */
SECATEUR_API secateur_status secateur_sparse_refresh(secateur_device *device, void *stream,
                                                     const float *w, void *packed);

/* What follows a product's sums: y = f(sum + bias), bias [out] or NULL; f is a secateur_unary_op
 * with its alpha, or SECATEUR_IDENTITY. The bits are those of the sums followed by the single
 * operations. */
#define SECATEUR_IDENTITY (-1)
typedef struct secateur_epilogue {
  const float *bias;
  int32_t activation;
  float alpha;
} secateur_epilogue;

/* Y [batch, out] = f(X [batch, in] W^T + bias); epilogue may be NULL (no bias, identity). The batch
 * may be anything; packing of the activations happens inside, in the workspace. */
SECATEUR_API secateur_status secateur_spmm(secateur_device *device, void *stream, int64_t batch,
                                           const void *packed, const float *x,
                                           const secateur_epilogue *epilogue, float *y,
                                           void *workspace, size_t *workspace_bytes);
/* Sampled dense-dense product: gradient [as W is stored] = dY^T X (dY [batch, out], X [batch, in])
 * at the stored elements of a trainable matrix, exactly +0 elsewhere. */
SECATEUR_API secateur_status secateur_sddmm(secateur_device *device, void *stream, int64_t batch,
                                            const void *packed, const float *x, const float *dy,
                                            float *gradient, void *workspace,
                                            size_t *workspace_bytes);

/*
 * Sparse convolution: the weights w [outputs, channels / groups, kernel_h, kernel_w] of conv,
 * packed for images of its size; stored is what secateur_sparse_pack stores (mask over w, may be
 * NULL). It is laid out for batches of conv->window.batch images; others run too. Nothing is
 * unrolled: a stored weight multiplies rows of the image where they lie (direct sparse convolution,
 * Park et al. 2017, arXiv 1608.01409). packed == NULL asks for the size; 64-byte aligned;
 * secateur_sparse_info tells outputs, channels / groups kernel_h kernel_w, and stored weights.
 */
SECATEUR_API secateur_status secateur_sparse_conv_pack(secateur_device *device, void *stream,
                                                       const secateur_conv *conv, const float *w,
                                                       const uint32_t *mask, void *packed,
                                                       size_t *packed_bytes);
/* y [batch, outputs, out_h, out_w] = f(convolution of x [batch, channels, in_h, in_w] + bias), bias
 * [outputs]. Sums run over a filter's stored weights in the order of (channel, k, l), whatever the
 * number of threads. The workspace holds for the number of threads at which it was asked for, or
 * less. */
SECATEUR_API secateur_status secateur_sparse_convolve(secateur_device *device, void *stream,
                                                      int64_t batch, const void *packed,
                                                      const float *x,
                                                      const secateur_epilogue *epilogue, float *y,
                                                      void *workspace, size_t *workspace_bytes);

/* ---- what the processor can do; CPU device only ------------------------------------------------
 */

/* Rates measured now with the pool's threads and the instruction set in use, in about 0.2 s: fp32
 * multiply-adds in registers (flops: 2 each), and bytes read from a block of memory larger than the
 * caches (workspace of at least 64 MiB, better 256 MiB, already written to). To host. */
SECATEUR_API secateur_status secateur_cpu_peak(secateur_device *device, double *flops_per_second,
                                               double *read_bytes_per_second, const void *workspace,
                                               size_t workspace_bytes);

#ifdef __cplusplus
}
#endif

#endif
