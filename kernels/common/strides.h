// Nested loops over a tensor's axes that walk several arrays of different strides together.
//
// The host describes the axes once in a Strides, passed to a kernel by value; each thread walks
// them with a StridedWalk: it divides once to find its first element, and then only adds and
// compares.
#pragma once

#include "common/hd.h"

#if defined(__CUDACC__)
#define SECATEUR_UNROLL_AXES _Pragma("unroll")
#else
#define SECATEUR_UNROLL_AXES
#endif

SECATEUR_COMMON_BEGIN

// Axes innermost first; strides in elements, one for each of kArrays arrays.
template <int kArrays, int kRank>
struct Strides {
  int64_t extent[kRank];
  int64_t stride[kArrays][kRank];
  int64_t step[kRank];           // digits of the number of elements that a walk advances by
  int64_t step_offset[kArrays];  // and what it adds to the offsets, before carrying
  int32_t rank;
  int32_t reserved;

  // Adds an axis outside those there are.
  SECATEUR_HD void add(int64_t extent_, const int64_t (&strides)[kArrays]) {
    extent[rank] = extent_;
    for (int a = 0; a < kArrays; ++a) stride[a][rank] = strides[a];
    ++rank;
  }

  SECATEUR_HD void set_step(int64_t elements) {
    for (int a = 0; a < kArrays; ++a) step_offset[a] = 0;
    for (int d = 0; d < rank; ++d) {
      step[d] = d + 1 < rank ? elements % extent[d] : elements;
      elements /= extent[d];
      for (int a = 0; a < kArrays; ++a) step_offset[a] += step[d] * stride[a][d];
    }
  }

  SECATEUR_HD int64_t count() const {
    int64_t product = 1;
    for (int d = 0; d < rank; ++d) product *= extent[d];
    return product;
  }
};

template <int kArrays, int kRank>
class StridedWalk {
 public:
  // Begins at this element, counted along the axes with the innermost fastest.
  SECATEUR_HD StridedWalk(const Strides<kArrays, kRank>& axes, int64_t element) {
    SECATEUR_UNROLL_AXES
    for (int a = 0; a < kArrays; ++a) offset[a] = 0;
    SECATEUR_UNROLL_AXES
    for (int d = 0; d < kRank; ++d) {
      index_[d] = 0;
      if (d < axes.rank) {
        const int64_t next = d + 1 < axes.rank ? element / axes.extent[d] : 0;
        index_[d] = element - next * axes.extent[d];
        element = next;
        SECATEUR_UNROLL_AXES
        for (int a = 0; a < kArrays; ++a) offset[a] += index_[d] * axes.stride[a][d];
      }
    }
  }

  // Goes on by the step set; past the last element the offsets mean nothing.
  SECATEUR_HD void advance(const Strides<kArrays, kRank>& axes) {
    SECATEUR_UNROLL_AXES
    for (int a = 0; a < kArrays; ++a) offset[a] += axes.step_offset[a];
    SECATEUR_UNROLL_AXES
    for (int d = 0; d + 1 < kRank; ++d) {
      if (d + 1 >= axes.rank) break;  // the outermost never wraps
      index_[d] += axes.step[d];
      if (index_[d] >= axes.extent[d]) {
        index_[d] -= axes.extent[d];
        ++index_[d + 1];
        SECATEUR_UNROLL_AXES
        for (int a = 0; a < kArrays; ++a) {
          offset[a] += axes.stride[a][d + 1] - axes.extent[d] * axes.stride[a][d];
        }
      }
    }
  }

  int64_t offset[kArrays];

 private:
  int64_t index_[kRank];
};

SECATEUR_COMMON_END
