// How secateur_device_open makes each kind of device. Both throw UNAVAILABLE, with the reason and
// the cure, when it cannot be used.
#pragma once

#include <cstdint>

#include "abi/device.h"

namespace secateur {

secateur_device* open_cpu_device(int32_t ordinal);   // cpu/device.cpp
secateur_device* open_cuda_device(int32_t ordinal);  // in cuda/, or no_cuda.cpp without it

}  // namespace secateur
