// out = x with its axes permuted.
//
// The launcher drops axes of extent 1 and merges neighbours that stay neighbours. What is left is
//
//   secateur_transpose_tiles  the innermost axes of x and of out differ: 32 x 32 tiles of the plane
//   of
//                             these two go through shared memory, so that both are read and written
//                             in runs of 128 bytes; the other axes number the planes
//   secateur_permute          otherwise, or where the plane is too narrow for tiles: neighbouring
//                             threads write neighbouring elements
//   secateur_permute_vectors  the same by 16 bytes, where the innermost axis stays and every
//   stride,
//                             extent and pointer is a multiple of that
//
// 8 n bytes, the floor, in one launch of any grid of 256 threads. Tested against secateur_transpose
// of the CPU device.
#include "common/grid.h"
#include "common/strides.h"

using namespace secateur::common;

template <class Element>
SECATEUR_DEVICE void permute(int64_t n, const Strides<1, 8>& axes, const Element* x, Element* out) {
  const int64_t step = grid_threads();
  StridedWalk<1, 8> at(axes, grid_thread());
  for (int64_t i = grid_thread(); i < n; i += step, at.advance(axes)) out[i] = x[at.offset[0]];
}

// axes: those of out with the strides of x, and the step of the whole grid.
SECATEUR_KERNEL(256)
secateur_permute(int64_t n, Strides<1, 8> axes, const float* x, float* out) {
  permute(n, axes, x, out);
}
SECATEUR_REGISTER(secateur_permute);

// n, extents and strides count vectors.
SECATEUR_KERNEL(256)
secateur_permute_vectors(int64_t n, Strides<1, 8> axes, const float4* x, float4* out) {
  permute(n, axes, x, out);
}
SECATEUR_REGISTER(secateur_permute_vectors);

constexpr int kTile = 32;

struct TransposeTile {
  float element[kTile][kTile + 1];
};

// A plane x[r * x_row + c], r < rows, c < cols, becomes out[c * out_row + r]; planes number the
// other axes, with strides in x and in out.
SECATEUR_KERNEL(256)
secateur_transpose_tiles(int64_t rows, int64_t cols, int64_t x_row, int64_t out_row, int64_t count,
                         Strides<2, 8> planes, const float* x, float* out) {
  SECATEUR_SHARED(TransposeTile, tile);
  const int64_t down = (rows + kTile - 1) / kTile, across = (cols + kTile - 1) / kTile;
  const int along = threadIdx.x % kTile, first = threadIdx.x / kTile, step = 256 / kTile;
  for (int64_t unit = blockIdx.x; unit < count * down * across; unit += gridDim.x) {
    const int64_t strip = unit / across, plane = strip / down;
    const int64_t row = (strip - plane * down) * kTile, col = (unit - strip * across) * kTile;
    const StridedWalk<2, 8> at(planes, plane);
    const float* const from = x + at.offset[0] + row * x_row + col;
    float* const to = out + at.offset[1] + col * out_row + row;
    SECATEUR_UNROLL(4)
    for (int r = first; r < kTile; r += step) {
      if (row + r < rows && col + along < cols) tile.element[r][along] = from[r * x_row + along];
    }
    __syncthreads();
    SECATEUR_UNROLL(4)
    for (int c = first; c < kTile; c += step) {
      if (col + c < cols && row + along < rows) to[c * out_row + along] = tile.element[along][c];
    }
    __syncthreads();
  }
}
SECATEUR_REGISTER(secateur_transpose_tiles);
