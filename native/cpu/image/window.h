// A window of the C ABI as kernels/common/window.h has it.
#pragma once

#include "common/window.h"
#include "secateur.h"

namespace secateur {

// The entries have checked that all fits 32 bits.
inline common::Window axes(const secateur_window& w) {
  const auto narrow = [](int64_t extent) { return static_cast<int32_t>(extent); };
  return {{narrow(w.in_h), narrow(w.out_h), w.kernel_h, w.stride_h, w.dilation_h, w.pad_top},
          {narrow(w.in_w), narrow(w.out_w), w.kernel_w, w.stride_w, w.dilation_w, w.pad_left}};
}

}  // namespace secateur
