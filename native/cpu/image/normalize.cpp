// Batch normalization of x [batch, channels, spatial]: a channel's sums over (n, spatial) are
// double, in the order of kernels/common/reduce.h; formulas: kernels/common/norm.h. Channels are
// shared out over the pool; where there are few, so are the tiles of their sums. Training reads x
// twice and writes y once; the gradient reads x and dy twice and writes dx once.
#include "../kernels.h"
#include "common/norm.h"
#include "common/reduce.h"
#include "device.h"
#include "pool.h"

namespace secateur {
namespace {

using common::kSumTile;

constexpr int64_t kGrain = 16384;  // elements a chunk

// Where the values of one channel lie: image n's are spatial elements from at(n) on.
struct Channel {
  const secateur_norm_shape& shape;
  int64_t index;

  int64_t count() const { return shape.batch * shape.spatial; }
  int64_t at(int64_t n) const { return (n * shape.channels + index) * shape.spatial; }
};

// Values begin .. end of a channel in flat order, from the tensor or, where they span images,
// gathered to buffer [kSumTile].
const float* values(const Channel& channel, int64_t begin, int64_t end, const float* x,
                    float* buffer) {
  const int64_t spatial = channel.shape.spatial;
  int64_t image = begin / spatial, place = begin % spatial;
  if (end - begin <= spatial - place) return x + channel.at(image) + place;
  for (int64_t i = 0; i < end - begin; ++image, place = 0) {
    const float* const from = x + channel.at(image);
    for (; place < spatial && i < end - begin; ++place, ++i) buffer[i] = from[place];
  }
  return buffer;
}

// The channel's two sums of what tile(begin, end, two) gives for each tile.
template <class Tile>
void sum_channel(const Channel& channel, const Tile& tile, double* two) {
  const int64_t n = channel.count();
  if (n <= kSumTile) return tile(int64_t{0}, n, two);
  common::TileSums<double> first, second;
  for (int64_t begin = 0; begin < n; begin += kSumTile) {
    tile(begin, n - begin < kSumTile ? n : begin + kSumTile, two);
    first.add(two[0]);
    second.add(two[1]);
  }
  two[0] = first.total();
  two[1] = second.total();
}

int64_t channels_a_chunk(const secateur_norm_shape& shape) {
  const int64_t n = shape.batch * shape.spatial;
  return n >= kGrain ? 1 : kGrain / n;
}

// Calls run(channel) for each, on the pool.
template <class Run>
void for_channels(const secateur_norm_shape& shape, const Run& run) {
  parallel_ranges(shape.channels, channels_a_chunk(shape), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) run(Channel{shape, c});
  });
}

}  // namespace

void CpuDevice::normalize(void*, const secateur_norm_shape& shape, const float* x,
                          const float* scale, const float* shift, const float* mean,
                          const float* variance, float* y) {
  const auto run = kernels().normalize;
  const int64_t spatial = shape.spatial;
  parallel_ranges(shape.batch * shape.channels, spatial >= kGrain ? 1 : kGrain / spatial,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t row = begin; row < end; ++row) {
                      const int64_t c = row % shape.channels;
                      const float factor =
                          scale[c] * common::inverse_deviation(static_cast<double>(variance[c]),
                                                               shape.epsilon);
                      run(spatial, mean[c], factor, shift[c], x + row * spatial, y + row * spatial);
                    }
                  });
}

void CpuDevice::normalize_train(void*, const secateur_norm_shape& shape, const float* x,
                                const float* scale, const float* shift, float* mean,
                                float* variance, float* y, float* statistics) {
  const Kernels& loops = kernels();
  for_channels(shape, [&](const Channel& channel) {
    const int64_t c = channel.index;
    const float first = x[channel.at(0)];
    double sums[2];
    sum_channel(
        channel,
        [&](int64_t begin, int64_t end, double* two) {
          float buffer[kSumTile];
          loops.norm_sums_tile(end - begin, values(channel, begin, end, x, buffer), first, two);
        },
        sums);
    const common::BatchMoments batch =
        common::batch_moments(first, sums[0], sums[1], channel.count());
    const float center = static_cast<float>(batch.mean);
    const float inverse = common::inverse_deviation(batch.variance, shape.epsilon);
    statistics[c] = center;
    statistics[shape.channels + c] = inverse;
    mean[c] = common::running_statistic(shape.momentum, mean[c], batch.mean);
    variance[c] = common::running_statistic(shape.momentum, variance[c], batch.variance);
    for (int64_t n = 0; n < shape.batch; ++n) {
      loops.normalize(shape.spatial, center, scale[c] * inverse, shift[c], x + channel.at(n),
                      y + channel.at(n));
    }
  });
}

void CpuDevice::normalize_grad(void*, const secateur_norm_shape& shape, const float* x,
                               const float* dy, const float* scale, const float* statistics,
                               float* dx, float* dnorm) {
  const Kernels& loops = kernels();
  for_channels(shape, [&](const Channel& channel) {
    const int64_t c = channel.index;
    const float mean = statistics[c], inverse = statistics[shape.channels + c];
    double sums[2];
    sum_channel(
        channel,
        [&](int64_t begin, int64_t end, double* two) {
          float buffer[kSumTile], gradients[kSumTile];
          loops.norm_products_tile(end - begin, values(channel, begin, end, x, buffer),
                                   values(channel, begin, end, dy, gradients), mean, inverse, two);
        },
        sums);
    const float dshift = static_cast<float>(sums[0]), dscale = static_cast<float>(sums[1]);
    dnorm[c] = dscale;
    dnorm[shape.channels + c] = dshift;
    const NormChannel values = {mean, inverse, scale[c] * inverse,
                                common::norm_share(dshift, channel.count()),
                                common::norm_share(dscale, channel.count())};
    for (int64_t n = 0; n < shape.batch; ++n) {
      const int64_t at = channel.at(n);
      loops.normalize_grad(shape.spatial, values, x + at, dy + at, dx + at);
    }
  });
}

}  // namespace secateur
