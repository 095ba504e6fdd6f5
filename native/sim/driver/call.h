// How every exported call begins and ends.
#pragma once

#include <new>
#include <utility>

#include "sim/driver/queue.h"
#include "sim/driver/state.h"

// Declared as the product expects them, so that a definition that differs does not compile.
extern "C" {
#define F(name, parameters) secateur::cu::name##_t name;
SECATEUR_DRIVER_API(F)
#undef F
}

#define SECATEUR_SIM_EXPORT extern "C" __attribute__((visibility("default")))

namespace sim {

enum class Needs {
  kNothing,
  kInit,     // cuInit
  kContext,  // a current context that is not broken
};

// Runs the body under the lock, after what may run by chance has run.
template <class Body>
CUresult call(const char* name, Needs needs, Body&& body) {
  State& all = state();
  std::lock_guard<std::recursive_mutex> guard(all.lock);
  try {
    if (needs != Needs::kNothing && !all.initialized) return CUDA_ERROR_NOT_INITIALIZED;
    if (needs == Needs::kContext) {
      current_context();
      if (all.sticky != CUDA_SUCCESS) return all.sticky;
      run_by_chance();
    }
    std::forward<Body>(body)(all);
    return CUDA_SUCCESS;
  } catch (const Refusal& refusal) {
    if (!refusal.sentence.empty()) record_fault(std::string(name) + ": " + refusal.sentence);
    return refusal.code;
  } catch (const std::bad_alloc&) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
}

}  // namespace sim
