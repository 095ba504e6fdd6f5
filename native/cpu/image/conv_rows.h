// How a product is cut into bands of rows (conv.h).
#pragma once

#include "image/conv.h"

namespace secateur {

// The planes of a band of `band` output rows and blocks of `channels`; p has to suit.
ConvRows conv_rows(const ConvProduct& p, int64_t band, int64_t channels);

// Whether rows serve a product better than columns of single pixels: several rows of the window
// share them, and few lanes of the vectors lie behind the last place of an image.
bool suits_rows(const ConvProduct& p);

// Bands and blocks of channels for the product itself.
ConvRows product_rows(const ConvProduct& p);

// For a weight gradient of the product: whether rows suit, the bands and blocks, and how many
// images are taken at once.
bool weight_suits_rows(const ConvProduct& p);
ConvRows weight_rows(const ConvProduct& p);
int64_t weight_images(const ConvProduct& p, const ConvRows& rows);

}  // namespace secateur
