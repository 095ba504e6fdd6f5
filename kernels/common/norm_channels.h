// Channels of images on a GPU, summed and walked over: what batch_norm.cu and batch_norm_grad.cu
// share.
#pragma once

#include "common/grid.h"
#include "common/strides.h"
#include "common/warp_sum.h"

SECATEUR_COMMON_BEGIN

// x [batch, channels, spatial]; a channel is summed over its n = batch * spatial elements in
// `tiles` tiles of 4096.
struct NormShape {
  int64_t batch, channels, spatial, tiles;

  SECATEUR_HD int64_t n() const { return batch * spatial; }
};

struct NormPair {
  double first, second;
};

// sums [channels, tiles] of pairs = the tile sums of channels [from, from + channels of `sums`): a
// warp takes a tile, its threads the lanes. term(channel, i) is the pair of element i of the whole
// tensor.
template <class Term>
SECATEUR_DEVICE void norm_tile_sums(const NormShape& shape, int64_t from, int64_t channels,
                                    NormPair* sums, const Term& term) {
  const int lane = threadIdx.x & 31;
  const int64_t warps = grid_threads() / 32;
  for (int64_t unit = grid_thread() / 32; unit < channels * shape.tiles; unit += warps) {
    const int64_t index = unit / shape.tiles, begin = (unit - index * shape.tiles) * kSumTile;
    const int64_t end = shape.n() - begin < kSumTile ? shape.n() : begin + kSumTile;
    const int64_t channel = from + index;
    MatrixWalk at(shape.spatial, begin + lane, kSumLanes);  // image and place
    NormPair sum = {0.0, 0.0};
    SECATEUR_UNROLL(4)
    for (int64_t i = begin + lane; i < end; i += kSumLanes, at.advance()) {
      const NormPair value =
          term(channel, (at.row * shape.channels + channel) * shape.spatial + at.col);
      sum.first += value.first;
      sum.second += value.second;
    }
    sum.first = warp_tree(sum.first);
    sum.second = warp_tree(sum.second);
    if (lane == 0) sums[unit] = sum;
  }
}

// The sum of a channel's tile sums, by a warp; lane 0 holds it. A sum of one tile is that tile's.
SECATEUR_DEVICE NormPair norm_total(const NormShape& shape, const NormPair* tiles) {
  WarpTileSums<double> first, second;
  for (int64_t begin = 0; begin < shape.tiles; begin += kSumTile) {
    const int64_t end = shape.tiles - begin < kSumTile ? shape.tiles : begin + kSumTile;
    first.add(warp_sum_tile<double>(begin, end, [=](int64_t t) { return tiles[t].first; }));
    second.add(warp_sum_tile<double>(begin, end, [=](int64_t t) { return tiles[t].second; }));
  }
  return {first.total(), second.total()};
}

// Calls body(i, channel) for the elements, or vectors, of the tensor that axes describe.
template <class Body>
SECATEUR_DEVICE void for_channels(int64_t n, const Strides<1, 3>& axes, const Body& body) {
  const int64_t step = grid_threads();
  StridedWalk<1, 3> at(axes, grid_thread());
  for (int64_t i = grid_thread(); i < n; i += step, at.advance(axes)) body(i, at.offset[0]);
}

SECATEUR_COMMON_END
