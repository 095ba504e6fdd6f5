// Batch normalization, y = scale (x - mean) / sqrt(variance + epsilon) + shift for each channel:
// Ioffe & Szegedy, arXiv 1502.03167, algorithms 1 and 2; formulas in common/norm.h.
//
//   secateur_norm_sums           tile sums of a channel's differences and of their squares
//   secateur_norm_statistics     mean and 1 / sqrt(variance + epsilon) of the batch, and the
//                                running statistics moved towards it
//   secateur_norm_inverse        inverse = 1 / sqrt(variance + epsilon) of the running variance
//   secateur_norm_apply          y from x and a channel's mean, inverse, scale and shift
//   secateur_norm_apply_vectors  the same by 16 bytes, where spatial and the pointers are multiples
//
// x and y [batch, channels, spatial], dense; parameters [channels]. Training runs the first two and
// apply, inference inverse and apply. Sums are double, in the order of common/reduce.h over (image,
// place): a warp takes a tile of 4096 elements of a channel, then a warp a channel sums its tiles.
// Elements are floats. Bytes: 8 n for inference, the floor; 12 n for training, which must read x
// before it can write y. Blocks of 256 threads, any grid. y may be x. NaN or infinity in a channel
// makes NaN of it in training. Tested against secateur_normalize and secateur_normalize_train of
// the CPU device, bit for bit.
#include "common/norm.h"
#include "common/norm_channels.h"

using namespace secateur::common;

// sums [channels, tiles] of channels [from, from + channels).
SECATEUR_KERNEL(256)
secateur_norm_sums(const __grid_constant__ NormShape shape, int64_t from, int64_t channels,
                   const float* x, NormPair* sums) {
  norm_tile_sums(shape, from, channels, sums, [=](int64_t channel, int64_t i) {
    const double d = norm_difference(x[i], x[channel * shape.spatial]);
    return NormPair{d, d * d};
  });
}
SECATEUR_REGISTER(secateur_norm_sums);

// statistics [2, shape.channels]; mean and variance are the running ones.
SECATEUR_KERNEL(256)
secateur_norm_statistics(const __grid_constant__ NormShape shape, int64_t from, int64_t channels,
                         float epsilon, float momentum, const float* x, const NormPair* sums,
                         float* mean, float* variance, float* statistics) {
  const int64_t warps = grid_threads() / 32;
  for (int64_t index = grid_thread() / 32; index < channels; index += warps) {
    const NormPair total = norm_total(shape, sums + index * shape.tiles);
    if ((threadIdx.x & 31) != 0) continue;
    const int64_t channel = from + index;
    const BatchMoments batch =
        batch_moments(x[channel * shape.spatial], total.first, total.second, shape.n());
    statistics[channel] = static_cast<float>(batch.mean);
    statistics[shape.channels + channel] = inverse_deviation(batch.variance, epsilon);
    mean[channel] = running_statistic(momentum, mean[channel], batch.mean);
    variance[channel] = running_statistic(momentum, variance[channel], batch.variance);
  }
}
SECATEUR_REGISTER(secateur_norm_statistics);

SECATEUR_KERNEL(256)
secateur_norm_inverse(int64_t channels, float epsilon, const float* variance, float* inverse) {
  for (int64_t c = grid_thread(); c < channels; c += grid_threads()) {
    inverse[c] = inverse_deviation(static_cast<double>(variance[c]), epsilon);
  }
}
SECATEUR_REGISTER(secateur_norm_inverse);

// axes: place, channel and image with the strides 0, 1 and 0, and the step of the whole grid.
SECATEUR_KERNEL(256)
secateur_norm_apply(int64_t n, Strides<1, 3> axes, const float* x, const float* mean,
                    const float* inverse, const float* scale, const float* shift, float* y) {
  for_channels(n, axes, [=](int64_t i, int64_t c) {
    y[i] = normalized(x[i], mean[c], scale[c] * inverse[c], shift[c]);
  });
}
SECATEUR_REGISTER(secateur_norm_apply);

// n and the extent of places count vectors.
SECATEUR_KERNEL(256)
secateur_norm_apply_vectors(int64_t n, Strides<1, 3> axes, const float4* x, const float* mean,
                            const float* inverse, const float* scale, const float* shift,
                            float4* y) {
  for_channels(n, axes, [=](int64_t i, int64_t c) {
    const float center = mean[c], factor = scale[c] * inverse[c], base = shift[c];
    const float4 v = x[i];
    y[i] =
        make_float4(normalized(v.x, center, factor, base), normalized(v.y, center, factor, base),
                    normalized(v.z, center, factor, base), normalized(v.w, center, factor, base));
  });
}
SECATEUR_REGISTER(secateur_norm_apply_vectors);
