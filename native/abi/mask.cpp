// Entries of operations on masks.
#include "abi/check.h"

using namespace secateur;

namespace {

// Checks the cut; returns the number of elements.
int64_t require_boxes(const secateur_boxes* boxes) {
  require_place(boxes, "the boxes");
  for (int d = 0; d < 3; ++d) {
    SECATEUR_REQUIRE(boxes->shape[d] >= 1 && boxes->box[d] >= 1 && boxes->box[d] <= boxes->shape[d],
                     "Boxes of %" PRId64 " along axis %d of %" PRId64
                     " elements do not exist; use 1 to the extent.",
                     boxes->box[d], d, boxes->shape[d]);
  }
  return require_matrix(boxes->shape[0], require_matrix(boxes->shape[1], boxes->shape[2]));
}

}  // namespace

secateur_status secateur_mask_apply(secateur_device* device, void* stream, int64_t n,
                                    const uint32_t* mask, float* w) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    require_pointer(mask, n, "mask");
    require_pointer(w, n, "w");
    if (n != 0) device->mask_apply(stream, n, mask, w);
  });
}

secateur_status secateur_mask_apply_many(secateur_device* device, void* stream, int32_t count,
                                         const secateur_masked* tensors) {
  return guard([&] {
    require_device(device, stream);
    require_count(count, "count");
    require_pointer(tensors, count, "tensors");
    for (int32_t t = 0; t < count; ++t) {
      SECATEUR_REQUIRE(tensors[t].length >= 0,
                       "Tensor %" PRId32 " has the impossible length %" PRId64 ".", t,
                       tensors[t].length);
      SECATEUR_REQUIRE(
          tensors[t].length == 0 || (tensors[t].mask != nullptr && tensors[t].w != nullptr),
          "The mask or the weights of tensor %" PRId32 " are NULL.", t);
    }
    if (count != 0) device->mask_apply_many(stream, count, tensors);
  });
}

secateur_status secateur_mask_count(secateur_device* device, void* stream, int64_t n,
                                    const uint32_t* mask, const float* w, int64_t* kept,
                                    int64_t* kept_zeros) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    require_pointer(mask, n, "mask");
    require_place(kept, "the number of kept elements");
    require_place(kept_zeros, "the number of kept zeros");
    device->mask_count(stream, n, mask, w, kept, kept_zeros);
  });
}

secateur_status secateur_mask_units(secateur_device* device, void* stream, int32_t axis,
                                    int64_t rows, int64_t cols, const uint32_t* units,
                                    uint32_t* mask) {
  return guard([&] {
    require_device(device, stream);
    require_axis(axis);
    const int64_t n = require_matrix(rows, cols);
    require_pointer(units, n, "units");
    require_pointer(mask, n, "mask");
    if (n != 0) device->mask_units(stream, axis, rows, cols, units, mask);
  });
}

secateur_status secateur_score_boxes(secateur_device* device, void* stream, int32_t pooling,
                                     const secateur_boxes* boxes, const float* scores,
                                     const uint32_t* mask, float* pooled, uint32_t* live) {
  return guard([&] {
    require_device(device, stream);
    SECATEUR_REQUIRE(pooling >= SECATEUR_POOL_MEAN && pooling <= SECATEUR_POOL_LARGEST,
                     "Unknown pooling %" PRId32 "; use 0 to 3.", pooling);
    const int64_t n = require_boxes(boxes);
    require_pointer(scores, n, "scores");
    require_pointer(pooled, n, "pooled");
    require_pointer(live, n, "live");
    device->score_boxes(stream, pooling, *boxes, scores, mask, pooled, live);
  });
}

secateur_status secateur_mask_boxes(secateur_device* device, void* stream,
                                    const secateur_boxes* boxes, const uint32_t* kept,
                                    uint32_t* mask) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_boxes(boxes);
    require_pointer(kept, n, "kept");
    require_pointer(mask, n, "mask");
    device->mask_boxes(stream, *boxes, kept, mask);
  });
}
