// Launchers of kernels/mask.cu.
#include "common/masked.h"
#include "cuda/device.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using common::kMasked;
using common::kMaskTile;
using common::MaskCounts;
using common::MaskedTensors;

const Kernel<int64_t, const uint32_t*, float*> kApply("secateur_mask_apply");
const Kernel<MaskedTensors> kApplyMany("secateur_mask_apply_many");
const Kernel<int64_t, const uint32_t*, const float*, MaskCounts*> kCount("secateur_mask_count");
const Kernel<int32_t, const MaskCounts*, int32_t, int64_t*, int64_t*> kCountTotal(
    "secateur_mask_count_total");
const Kernel<int32_t, int64_t, int64_t, const uint32_t*, uint32_t*> kUnits("secateur_mask_units");

}  // namespace

void CudaDevice::mask_apply(void* stream, int64_t n, const uint32_t* mask, float* w) {
  launch(stream, kApply, grid(*this, n, 4 * kThreads, kThreads), n, mask, w);
}

void CudaDevice::mask_apply_many(void* stream, int32_t count, const secateur_masked* tensors) {
  for (int32_t first = 0; first < count; first += kMasked) {
    MaskedTensors some = {};
    for (int32_t t = first; t < count && t < first + kMasked; ++t) {
      const secateur_masked& tensor = tensors[t];
      const int32_t at = some.count++;
      some.mask[at] = tensor.mask;
      some.w[at] = tensor.w;
      some.length[at] = tensor.length;
      some.first_tile[at + 1] = some.first_tile[at] + (tensor.length + kMaskTile - 1) / kMaskTile;
    }
    launch(stream, kApplyMany, grid(*this, some.first_tile[some.count], 1, kThreads), some);
  }
}

void CudaDevice::mask_count(void* stream, int64_t n, const uint32_t* mask, const float* w,
                            int64_t* kept, int64_t* kept_zeros) {
  // A thread takes some words alone, with weights a warp does.
  const int64_t words = (n + 31) / 32;
  const Geometry geometry = grid(*this, words, w == nullptr ? kThreads : kThreads / 32, kThreads);
  auto* const partials = static_cast<MaskCounts*>(scratch());
  static_assert(kBlocksPerMultiprocessor * 1024 * sizeof(MaskCounts) <= kScratchBytes);
  launch(stream, kCount, geometry, n, mask, w, partials);
  launch(stream, kCountTotal, {1, kThreads}, static_cast<int32_t>(geometry.blocks), partials,
         w != nullptr, kept, kept_zeros);
}

void CudaDevice::mask_units(void* stream, int32_t axis, int64_t rows, int64_t cols,
                            const uint32_t* units, uint32_t* mask) {
  launch(stream, kUnits, grid(*this, (rows * cols + 31) / 32, kThreads, kThreads), axis, rows, cols,
         units, mask);
}

}  // namespace secateur::cuda
