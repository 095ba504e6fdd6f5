// Copies a box of one tensor to a box of the same size in another: concatenation, slices, padding.
//
// The launcher drops axes of extent 1 and merges axes along which both go on evenly;
// neighbouring threads write neighbouring elements of the innermost axis.
//
//   secateur_copy_box          elements of 4 bytes, whatever they are
//   secateur_copy_box_vectors  by 16 bytes, where the innermost axis is dense on both sides and
//                              every extent, stride and pointer is a multiple of that
//
// 8 n bytes, the floor, in one launch of any grid of 256 threads. Bits are copied as they are.
// Tested against secateur_copy_box of the CPU device.
#include "common/grid.h"
#include "common/strides.h"

using namespace secateur::common;

template <class Element>
SECATEUR_DEVICE void copy_box(int64_t n, const Strides<2, 8>& axes, const Element* src,
                              Element* dst) {
  const int64_t step = grid_threads();
  StridedWalk<2, 8> at(axes, grid_thread());
  for (int64_t i = grid_thread(); i < n; i += step, at.advance(axes)) {
    dst[at.offset[1]] = src[at.offset[0]];
  }
}

// axes: the strides of src and dst, and the step of the whole grid.
SECATEUR_KERNEL(256)
secateur_copy_box(int64_t n, Strides<2, 8> axes, const uint32_t* src, uint32_t* dst) {
  copy_box(n, axes, src, dst);
}
SECATEUR_REGISTER(secateur_copy_box);

// n, extents and strides count vectors.
SECATEUR_KERNEL(256)
secateur_copy_box_vectors(int64_t n, Strides<2, 8> axes, const uint4* src, uint4* dst) {
  copy_box(n, axes, src, dst);
}
SECATEUR_REGISTER(secateur_copy_box_vectors);
