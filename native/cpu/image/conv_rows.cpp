// Bands and blocks: what lies in a thread's buffer at once, so that tiles find it in a cache.
#include "image/conv_rows.h"

#include <algorithm>

namespace secateur {
namespace {

constexpr int64_t kLanes = 16;          // of the widest vector
constexpr int64_t kBlockDepth = 256;    // weights of a row that a block of channels has, about
constexpr int64_t kLeastDepth = 128;    // or has at least, where bands of few rows allow it
constexpr int64_t kLeastBand = 8;       // output rows of such a band
constexpr int64_t kLeastPieces = 8;     // pieces of work that a product is cut into
constexpr double kPieceWork = 1 << 17;  // where each has as many multiply-adds

// Of a weight gradient, at once: weights of a row, about (a multiple of a tile's), and places.
constexpr int64_t kGradientWeights = 18;
constexpr int64_t kGradientPlaces = 2048;

bool within_limits(const ConvProduct& p) {
  return p.h.taps >= 1 && p.h.taps <= kRowKernel && p.w.taps >= 1 && p.taps() <= kRowTaps &&
         p.h.stride <= kRowPhases && p.w.out <= kRowWidth && p.pixels() > 0;
}

// Whether at most a quarter of the lanes of an image's vectors lie behind its last place.
bool fills_vectors(const ConvProduct& p) {
  return 3 * divide_up(p.plane(), kLanes) * kLanes <= 4 * p.plane();
}

}  // namespace

ConvRows conv_rows(const ConvProduct& p, int64_t band, int64_t channels) {
  ConvRows r = {};
  r.band = band;
  r.channels = channels;
  const int64_t stride = p.h.stride;
  for (int64_t residue = 0; residue < stride; ++residue) {
    int64_t low = 0, high = -1;  // of k * step = quotient * stride + residue
    const auto each = [&](const auto& use) {
      for (int32_t k = 0; k < p.h.taps; ++k) {
        const int64_t reach = static_cast<int64_t>(k) * p.h.step;
        const int64_t rest = (reach % stride + stride) % stride;
        if (rest == residue) use(k, (reach - rest) / stride);
      }
    };
    each([&](int32_t, int64_t quotient) {
      if (high < low) low = high = quotient;
      low = std::min(low, quotient);
      high = std::max(high, quotient);
    });
    if (high < low) continue;
    each([&](int32_t k, int64_t quotient) {
      r.first_row[k] = static_cast<int32_t>(r.rows + quotient - low);
    });
    const int64_t end = r.rows + band + high - low;
    r.phase[r.phases++] = {r.rows, end, p.h.start + low * stride + residue};
    r.rows = end;
  }
  return r;
}

ConvRows product_rows(const ConvProduct& p) {
  const auto most_channels = [&](int64_t depth) {
    return std::min(p.channels, std::max<int64_t>(1, depth / p.taps()));
  };
  // Windows of one row share no rows, so that bands may be low.
  const int64_t least =
      std::min<int64_t>(p.h.out, p.h.taps == 1 ? divide_up(4 * kLanes, p.w.out) : kLeastBand);
  const int64_t depth = p.h.taps == 1 ? kBlockDepth : kLeastDepth;
  const auto fits = [&](int64_t band) {
    return conv_rows(p, band, most_channels(depth)).block(p) <= kRowFloats;
  };
  int64_t band = p.h.out;
  const double work = static_cast<double>(p.outputs) * static_cast<double>(p.depth()) *
                      static_cast<double>(p.pixels());
  const int64_t pieces = std::min({kLeastPieces, divide_up(p.plane(), 2 * kLanes),
                                   static_cast<int64_t>(std::min(work / kPieceWork, 64.0))});
  while (band > 1 && p.batch * divide_up(p.h.out, band) < pieces) band = (band + 1) / 2;
  while (band > least && !fits(band)) band = (band + 1) / 2;
  band = divide_up(p.h.out, divide_up(p.h.out, band));
  // A few rows more where that fills vectors.
  const auto vectors = [&](int64_t rows) {
    return p.h.out / rows * divide_up(rows * p.w.out, kLanes) +
           divide_up(p.h.out % rows * p.w.out, kLanes);
  };
  for (int64_t more = band + 1; more < std::min<int64_t>(2 * band, p.h.out) && fits(more); ++more) {
    if (vectors(more) < vectors(band)) band = more;
  }
  const int64_t most = std::max<int64_t>(1, kRowFloats / conv_rows(p, band, 1).block(p));
  const int64_t channels = std::min(most, most_channels(kBlockDepth));
  return conv_rows(p, band, divide_up(p.channels, divide_up(p.channels, channels)));
}

bool suits_rows(const ConvProduct& p) {
  if (!within_limits(p) || (p.batch > 1 && !fills_vectors(p))) return false;
  const int64_t band = std::min<int64_t>(p.h.out, kLeastBand);
  const ConvRows r = conv_rows(p, band, 1);
  return r.rows <= band * p.h.taps && r.block(p) <= kRowFloats;
}

ConvRows gradient_rows(const ConvProduct& p) {
  int64_t band = p.h.out;
  while (band > 1 && conv_rows(p, band, 1).block(p) > kRowFloats) band = (band + 1) / 2;
  band = divide_up(p.h.out, divide_up(p.h.out, band));
  const int64_t fit = std::max<int64_t>(1, kRowFloats / conv_rows(p, band, 1).block(p));
  return conv_rows(p, band, std::min({p.channels, fit, divide_up(kGradientWeights, p.taps())}));
}

int64_t gradient_images(const ConvProduct& p, const ConvRows& rows) {
  if (rows.band < p.h.out) return 1;
  return std::max<int64_t>(
      1, std::min({p.batch, kGradientPlaces / p.plane(), kRowFloats / rows.block(p)}));
}

bool gradient_suits_rows(const ConvProduct& p) {
  if (!within_limits(p) || !fills_vectors(p)) return false;
  const ConvRows r = gradient_rows(p);
  return r.rows <= r.band * p.h.taps && r.block(p) <= kRowFloats;
}

}  // namespace secateur
