// The few calls that the stand-ins for cuBLAS and cuSPARSE make to the simulated driver, as the
// real libraries make theirs through the CUDA runtime.
#pragma once

#include <cstddef>

namespace sim {

// Like the CUDA runtime: takes the thread's context, or the first device's primary one.
bool make_context_current();
int capability();              // of the current device, 75 for 7.5
void* allocate(size_t bytes);  // device memory; nullptr when refused
void release(void* memory);
bool is_capturing(void* stream);
bool synchronize(void* stream);  // false when refused or when something went wrong

}  // namespace sim
