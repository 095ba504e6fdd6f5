// The weight gradient of a convolution, beside conv.cpp.
#pragma once

#include <cstddef>

#include "image/conv.h"
#include "image/window.h"

namespace secateur {

// A convolution's shapes as the product of its first group; x, weights, bias and y are NULL.
ConvProduct conv_product(const secateur_conv& conv);

size_t conv_weight_workspace(const secateur_conv& conv);

}  // namespace secateur
