// Gradients of batch normalization in training, for each channel of n elements:
//
//   dshift = sum of dy, dscale = sum of dy x^, x^ = (x - mean) / sqrt(variance + epsilon)
//   dx = scale / sqrt(variance + epsilon) (dy - dshift / n - x^ dscale / n)
//
// (Ioffe & Szegedy, arXiv 1502.03167, section 3; formulas in common/norm.h.)
//
//   secateur_norm_grad_sums           tile sums of dy x^ and of dy
//   secateur_norm_grad_totals         dscale and dshift
//   secateur_norm_grad_apply          dx
//   secateur_norm_grad_apply_vectors  the same by 16 bytes, where spatial and the pointers are
//                                     multiples
//
// x, dy, dx [batch, channels, spatial], dense; scale [channels], statistics [2, channels] of the
// forward pass: mean and inverse deviation; dnorm [2, channels]: dscale and dshift. Three launches.
// Sums are double, in the order of common/reduce.h over (image, place): a warp takes a tile of 4096
// elements of a channel, then a warp a channel sums its tiles. Bytes: 20 n; x and dy are read
// twice, as dx needs their sums. Blocks of 256 threads, any grid. dx may be dy. Tested against
// secateur_normalize_grad of the CPU device, bit for bit.
#include "common/norm.h"
#include "common/norm_channels.h"

using namespace secateur::common;

// sums [channels, tiles] of channels [from, from + channels).
SECATEUR_KERNEL(256)
secateur_norm_grad_sums(const __grid_constant__ NormShape shape, int64_t from, int64_t channels,
                        const float* x, const float* dy, const float* statistics, NormPair* sums) {
  norm_tile_sums(shape, from, channels, sums, [=](int64_t channel, int64_t i) {
    const double slope = static_cast<double>(dy[i]);
    const float standard =
        standardized(x[i], statistics[channel], statistics[shape.channels + channel]);
    return NormPair{slope * static_cast<double>(standard), slope};
  });
}
SECATEUR_REGISTER(secateur_norm_grad_sums);

SECATEUR_KERNEL(256)
secateur_norm_grad_totals(const __grid_constant__ NormShape shape, int64_t from, int64_t channels,
                          const NormPair* sums, float* dnorm) {
  const int64_t warps = grid_threads() / 32;
  for (int64_t index = grid_thread() / 32; index < channels; index += warps) {
    const NormPair total = norm_total(shape, sums + index * shape.tiles);
    if ((threadIdx.x & 31) != 0) continue;
    dnorm[from + index] = static_cast<float>(total.first);
    dnorm[shape.channels + from + index] = static_cast<float>(total.second);
  }
}
SECATEUR_REGISTER(secateur_norm_grad_totals);

namespace {

// What dx of a channel needs.
struct Slopes {
  float mean, inverse, factor, shift_share, scale_share;

  SECATEUR_DEVICE Slopes(const NormShape& shape, int64_t c, const float* scale,
                         const float* statistics, const float* dnorm)
      : mean(statistics[c]),
        inverse(statistics[shape.channels + c]),
        factor(scale[c] * inverse),
        shift_share(norm_share(dnorm[shape.channels + c], shape.n())),
        scale_share(norm_share(dnorm[c], shape.n())) {}

  SECATEUR_DEVICE float dx(float x, float dy) const {
    return norm_derivative(dy, standardized(x, mean, inverse), factor, shift_share, scale_share);
  }
};

}  // namespace

// axes: place, channel and image with the strides 0, 1 and 0, and the step of the whole grid.
SECATEUR_KERNEL(256)
secateur_norm_grad_apply(int64_t n, Strides<1, 3> axes, const __grid_constant__ NormShape shape,
                         const float* x, const float* dy, const float* scale,
                         const float* statistics, const float* dnorm, float* dx) {
  for_channels(n, axes, [=](int64_t i, int64_t c) {
    dx[i] = Slopes(shape, c, scale, statistics, dnorm).dx(x[i], dy[i]);
  });
}
SECATEUR_REGISTER(secateur_norm_grad_apply);

// n and the extent of places count vectors.
SECATEUR_KERNEL(256)
secateur_norm_grad_apply_vectors(int64_t n, Strides<1, 3> axes,
                                 const __grid_constant__ NormShape shape, const float4* x,
                                 const float4* dy, const float* scale, const float* statistics,
                                 const float* dnorm, float4* dx) {
  for_channels(n, axes, [=](int64_t i, int64_t c) {
    const Slopes slopes(shape, c, scale, statistics, dnorm);
    const float4 v = x[i], d = dy[i];
    dx[i] = make_float4(slopes.dx(v.x, d.x), slopes.dx(v.y, d.y), slopes.dx(v.z, d.z),
                        slopes.dx(v.w, d.w));
  });
}
SECATEUR_REGISTER(secateur_norm_grad_apply_vectors);
