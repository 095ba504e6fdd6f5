// How a product is cut into bands of rows and blocks of channels (conv.h).
#pragma once

#include "image/conv.h"

namespace secateur {

inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The planes of a band of `band` output rows and blocks of `channels`.
ConvRows conv_rows(const ConvProduct& p, int64_t band, int64_t channels);

// Bands and blocks of channels for the product; and whether rows suit it better than columns of
// single pixels: their planes fit, are no larger than columns, and few lanes of the vectors lie
// behind the last place of an image.
ConvRows product_rows(const ConvProduct& p);
bool suits_rows(const ConvProduct& p);

// The same for the product's weight gradient, and how many images are taken at once.
ConvRows gradient_rows(const ConvProduct& p);
int64_t gradient_images(const ConvProduct& p, const ConvRows& rows);
bool gradient_suits_rows(const ConvProduct& p);

}  // namespace secateur
