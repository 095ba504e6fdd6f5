// Launchers of kernels/score.cu and kernels/activation.cu.
#include "cuda/device.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

const Kernel<int32_t, int32_t, int64_t, const void*, float*> kMagnitude("secateur_score_magnitude");
const Kernel<int32_t, int32_t, int32_t, int64_t, const void*, const void*, float*> kGradient(
    "secateur_score_gradient");
const Kernel<int32_t, int32_t, int64_t, int64_t, const void*, float*> kRows("secateur_score_rows");
const Kernel<int32_t, int32_t, int64_t, int64_t, const void*, float*> kColumns(
    "secateur_score_columns");
const Kernel<int32_t, int64_t, int64_t, const void*, double*> kAccumulate(
    "secateur_activation_accumulate");
const Kernel<int32_t, int64_t, int64_t, const double*, float*> kScores(
    "secateur_activation_scores");

constexpr int64_t kElements = 4 * kThreads;  // a block's, one vector a thread
constexpr int64_t kRowsOfBlock = 8;          // a warp each
constexpr int64_t kColumnsOfBlock = 8;       // 32 threads each

}  // namespace

void CudaDevice::score_magnitude(void* stream, int32_t norm, secateur_dtype dtype, int64_t n,
                                 const void* w, float* scores) {
  launch(stream, kMagnitude, grid(*this, n, kElements, kThreads), norm, dtype, n, w, scores);
}

void CudaDevice::score_gradient(void* stream, int32_t kind, int32_t accumulate,
                                secateur_dtype dtype, int64_t n, const void* w, const void* g,
                                float* scores) {
  launch(stream, kGradient, grid(*this, n, kElements, kThreads), kind, accumulate, dtype, n, w, g,
         scores);
}

void CudaDevice::score_units(void* stream, int32_t norm, int32_t axis, secateur_dtype dtype,
                             int64_t rows, int64_t cols, const void* w, float* scores) {
  if (axis == 0) {
    launch(stream, kRows, grid(*this, rows, kRowsOfBlock, kThreads), norm, dtype, rows, cols, w,
           scores);
  } else {
    launch(stream, kColumns, grid(*this, cols, kColumnsOfBlock, kThreads), norm, dtype, rows, cols,
           w, scores);
  }
}

void CudaDevice::activation_accumulate(void* stream, secateur_dtype dtype, int64_t rows,
                                       int64_t units, const void* x, double* accumulators) {
  if (rows == 0) return;
  launch(stream, kAccumulate, grid(*this, units, kColumnsOfBlock, kThreads), dtype, rows, units, x,
         accumulators);
}

void CudaDevice::activation_scores(void* stream, int32_t statistic, int64_t count, int64_t units,
                                   const double* accumulators, float* scores) {
  launch(stream, kScores, grid(*this, units, kThreads, kThreads), statistic, count, units,
         accumulators, scores);
}

}  // namespace secateur::cuda
