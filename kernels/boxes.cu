// Pruning whole boxes of a weight tensor (common/boxes.h): blocks, rows, columns.
//
//   secateur_score_boxes  pooled [boxes] = the mean over a box of its kept elements' scores (their
//                         magnitudes, their squares), or the largest magnitude; live: bit 1 for
//                         boxes with a kept element
//   secateur_mask_boxes   mask &= the mask that keeps the boxes whose bit is set
//
// A warp takes a box: its threads are the lanes of the order of common/reduce.h, over the box's
// elements row by row, in double; the mean over the box's own size is rounded to float once. The
// largest magnitude is taken of bits, so that NaN wins. live is 0 before, bits are set atomically.
// A thread takes a word of the mask.
//
// Bytes: scores read 4 n + n / 8, as far as boxes fill whole sectors; the mask is read and written
// once, n / 4. One launch each, blocks of 256 threads, any grid. Tested against the CPU device, bit
// for bit.
#include "common/boxes.h"
#include "common/grid.h"
#include "common/warp_sum.h"

using namespace secateur::common;

namespace {

SECATEUR_DEVICE bool is_kept(const uint32_t* mask, int64_t i) {
  return mask == nullptr || (mask[i >> 5] >> (i & 31) & 1u) != 0;
}

// Lane 0 holds the pooled score.
SECATEUR_DEVICE float largest(const Box& box, const float* scores, const uint32_t* mask) {
  uint32_t most = 0;
  for (int64_t e = threadIdx.x & 31; e < box.size; e += 32) {
    const int64_t i = box.at(e);
    const uint32_t magnitude = is_kept(mask, i) ? __float_as_uint(scores[i]) & 0x7fffffffu : 0;
    most = magnitude > most ? magnitude : most;
  }
  for (int half = 16; half > 0; half /= 2) {
    const uint32_t other = __shfl_down_sync(kWholeWarp, most, half);
    most = other > most ? other : most;
  }
  return __uint_as_float(most);
}

// As warp_sum_tile, but a step after the other: the places of several would not fit in registers.
template <class Term>
SECATEUR_DEVICE double tile_sum(int64_t begin, int64_t end, const Term& term) {
  double sum = 0.0;
  SECATEUR_UNROLL(1)
  for (int64_t e = begin + (threadIdx.x & 31); e < end; e += kSumLanes) sum += term(e);
  return warp_tree(sum);
}

SECATEUR_DEVICE float mean(const Box& box, int32_t pooling, const float* scores,
                           const uint32_t* mask) {
  const auto term = [=](int64_t e) {
    const int64_t i = box.at(e);
    return is_kept(mask, i) ? box_term(pooling, scores[i]) : 0.0;
  };
  double total;
  if (box.size <= kSumTile) {
    total = tile_sum(0, box.size, term);
  } else {
    WarpTileSums<double> tiles;
    for (int64_t begin = 0; begin < box.size; begin += kSumTile) {
      const int64_t end = box.size - begin < kSumTile ? box.size : begin + kSumTile;
      tiles.add(tile_sum(begin, end, term));
    }
    total = tiles.total();
  }
  return static_cast<float>(total / static_cast<double>(box.size));
}

}  // namespace

SECATEUR_KERNEL(256)
secateur_score_boxes(Boxes boxes, int32_t pooling, const float* scores, const uint32_t* mask,
                     float* pooled, uint32_t* live) {
  const int64_t count = boxes.count(), warps = grid_threads() / 32;
  const int lane = threadIdx.x & 31;
  for (int64_t b = grid_thread() / 32; b < count; b += warps) {
    const Box box = box_at(boxes, b);
    const float score =
        pooling == 3 ? largest(box, scores, mask) : mean(box, pooling, scores, mask);
    bool any = false;
    for (int64_t e = lane; e < box.size && !any; e += 32) any = is_kept(mask, box.at(e));
    const uint32_t lanes = __ballot_sync(kWholeWarp, any);
    if (lane == 0) {
      pooled[b] = score;
      if (lanes != 0) atomicOr(live + (b >> 5), 1u << (b & 31));
    }
  }
}
SECATEUR_REGISTER(secateur_score_boxes);

SECATEUR_KERNEL(256) secateur_mask_boxes(Boxes boxes, const uint32_t* kept, uint32_t* mask) {
  const int64_t words = (boxes.elements() + 31) / 32;
  for (int64_t word = grid_thread(); word < words; word += grid_threads()) {
    mask[word] &= box_word(boxes, kept, word);
  }
}
SECATEUR_REGISTER(secateur_mask_boxes);
