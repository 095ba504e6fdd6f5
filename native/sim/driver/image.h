// What a real driver refuses of an image given to cuModuleLoadData.
#pragma once

#include "sim/driver/state.h"

namespace sim {

// CUDA_SUCCESS for a cubin or PTX that the simulated GPU could run, and for a text of comments
// only: the image of a build without nvcc, whose kernels the simulator has nevertheless.
Refusal check_image(const void* image, const Limits& limits);

}  // namespace sim
