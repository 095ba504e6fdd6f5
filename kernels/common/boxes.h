// A tensor cut into boxes: blocks, rows or columns of weights that are pruned together.
//
// The tensor has three axes (fewer are led by axes of 1); boxes start at its corner, are box[d]
// long along axis d and cut off at the far edges. Boxes are numbered row-major, and so are the
// elements of each.
#pragma once

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

struct Boxes {
  int64_t shape[3];  // each 1 or more
  int64_t box[3];    // 1 to shape

  SECATEUR_HD int64_t across(int d) const { return (shape[d] + box[d] - 1) / box[d]; }
  SECATEUR_HD int64_t count() const { return across(0) * across(1) * across(2); }
  SECATEUR_HD int64_t elements() const { return shape[0] * shape[1] * shape[2]; }
};

// One box: where its elements lie in the tensor.
struct Box {
  int64_t begin;             // flat index of its first element
  int64_t plane, row;        // elements of a step along axis 0 and 1
  int64_t extent1, extent2;  // along axis 1 and 2
  int64_t size;
  int64_t stride;  // between its elements when they lie along one axis, else 0

  SECATEUR_HD int64_t at(int64_t element) const {
    if (stride != 0) return begin + element * stride;
    const int64_t line = element / extent2, i2 = element - line * extent2;
    const int64_t i0 = line / extent1, i1 = line - i0 * extent1;
    return begin + i0 * plane + i1 * row + i2;
  }
};

SECATEUR_HD int64_t box_extent(int64_t shape, int64_t box, int64_t begin) {
  return shape - begin < box ? shape - begin : box;
}

SECATEUR_HD Box box_at(const Boxes& boxes, int64_t index) {
  const int64_t line = index / boxes.across(2), plane = line / boxes.across(1);
  const int64_t begin0 = plane * boxes.box[0];
  const int64_t begin1 = (line - plane * boxes.across(1)) * boxes.box[1];
  const int64_t begin2 = (index - line * boxes.across(2)) * boxes.box[2];
  const int64_t extent0 = box_extent(boxes.shape[0], boxes.box[0], begin0);
  Box box;
  box.row = boxes.shape[2];
  box.plane = boxes.shape[1] * boxes.shape[2];
  box.begin = begin0 * box.plane + begin1 * box.row + begin2;
  box.extent1 = box_extent(boxes.shape[1], boxes.box[1], begin1);
  box.extent2 = box_extent(boxes.shape[2], boxes.box[2], begin2);
  box.size = extent0 * box.extent1 * box.extent2;
  box.stride = extent0 == 1 && box.extent1 == 1       ? 1
               : extent0 == 1 && box.extent2 == 1     ? box.row
               : box.extent1 == 1 && box.extent2 == 1 ? box.plane
                                                      : 0;
  return box;
}

// What a score adds to its box's, in double: itself (0), its magnitude (1) or its square (2).
SECATEUR_HD double box_term(int32_t pooling, float score) {
  const double value = score;
  return pooling == 2 ? value * value : pooling == 1 && value < 0 ? -value : value;
}

// Word `word` of the mask that keeps the elements of boxes whose bit is set. Walks the runs of
// elements that share a box.
SECATEUR_HD uint32_t box_word(const Boxes& boxes, const uint32_t* kept, int64_t word) {
  const int64_t begin = word * 32, left = boxes.elements() - begin;
  const int total = left < 32 ? static_cast<int>(left) : 32;
  const int64_t line = begin / boxes.shape[2];
  int64_t i0 = line / boxes.shape[1], i1 = line - i0 * boxes.shape[1];
  int64_t i2 = begin - line * boxes.shape[2];
  int64_t box2 = i2 / boxes.box[2];
  uint32_t bits = 0;
  for (int done = 0; done < total;) {
    const int64_t first =
        (i0 / boxes.box[0] * boxes.across(1) + i1 / boxes.box[1]) * boxes.across(2);
    while (done < total && i2 < boxes.shape[2]) {
      const int64_t end = (box2 + 1) * boxes.box[2];
      const int64_t run = (end < boxes.shape[2] ? end : boxes.shape[2]) - i2;
      const int length = run < total - done ? static_cast<int>(run) : total - done;
      const int64_t box = first + box2;
      if ((kept[box >> 5] >> (box & 31) & 1u) != 0) {
        bits |= (length == 32 ? 0xffffffffu : (1u << length) - 1) << done;
      }
      done += length;
      i2 += length;
      ++box2;
    }
    i2 = box2 = 0;
    if (++i1 == boxes.shape[1]) {
      i1 = 0;
      ++i0;
    }
  }
  return bits;
}

SECATEUR_COMMON_END
