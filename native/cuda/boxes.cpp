// Launchers of kernels/boxes.cu.
#include "common/boxes.h"

#include "cuda/device.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using common::Boxes;

const Kernel<Boxes, int32_t, const float*, const uint32_t*, float*, uint32_t*> kScore(
    "secateur_score_boxes");
const Kernel<Boxes, const uint32_t*, uint32_t*> kMask("secateur_mask_boxes");

Boxes of(const secateur_boxes& b) {
  return {{b.shape[0], b.shape[1], b.shape[2]}, {b.box[0], b.box[1], b.box[2]}};
}

}  // namespace

void CudaDevice::score_boxes(void* stream, int32_t pooling, const secateur_boxes& boxes,
                             const float* scores, const uint32_t* mask, float* pooled,
                             uint32_t* live) {
  const Boxes cut = of(boxes);
  const int64_t count = cut.count();
  set_bytes(stream, live, 0, static_cast<size_t>((count + 31) / 32) * sizeof *live);
  launch(stream, kScore, grid(*this, count, kThreads / 32, kThreads), cut, pooling, scores, mask,
         pooled, live);
}

void CudaDevice::mask_boxes(void* stream, const secateur_boxes& boxes, const uint32_t* kept,
                            uint32_t* mask) {
  const Boxes cut = of(boxes);
  launch(stream, kMask, grid(*this, (cut.elements() + 31) / 32, kThreads, kThreads), cut, kept,
         mask);
}

}  // namespace secateur::cuda
