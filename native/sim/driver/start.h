// What the environment says about the simulated device (see simulator.h).
#pragma once

#include <cstddef>

namespace sim {

size_t device_memory();  // bytes

}  // namespace sim
