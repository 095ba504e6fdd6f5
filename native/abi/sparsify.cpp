// Entries of what drives weights to zero during training: soft thresholds and hard-concrete gates.
#include "abi/check.h"

using namespace secateur;

secateur_status secateur_soft_threshold(secateur_device* device, void* stream, int64_t n,
                                        const float* threshold, float* w, const uint32_t* mask) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    if (n == 0) return;
    require_pointer(threshold, n, "threshold");
    require_pointer(w, n, "w");
    device->soft_threshold(stream, n, threshold, w, mask);
  });
}

secateur_status secateur_soft_threshold_adam(secateur_device* device, void* stream, int64_t n,
                                             const secateur_adam_params* params,
                                             const float* lambda, const float* v, float* w,
                                             const uint32_t* mask) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    if (n == 0) return;
    require_pointer(params, n, "params");
    require_pointer(lambda, n, "lambda");
    require_pointer(v, n, "v");
    require_pointer(w, n, "w");
    device->soft_threshold_adam(stream, n, params, lambda, v, w, mask);
  });
}

secateur_status secateur_hard_concrete(secateur_device* device, void* stream, const uint64_t* state,
                                       uint64_t salt, int64_t n, const float* log_alpha, float* z) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    require_pointer(state, n, "state");
    require_pointer(log_alpha, n, "log_alpha");
    require_pointer(z, n, "z");
    if (n != 0) device->hard_concrete(stream, state, salt, n, log_alpha, z);
  });
}

secateur_status secateur_hard_concrete_grad(secateur_device* device, void* stream,
                                            const uint64_t* state, uint64_t salt, int64_t n,
                                            const float* log_alpha, const float* dz,
                                            float* dlog_alpha) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    require_pointer(state, n, "state");
    require_pointer(log_alpha, n, "log_alpha");
    require_pointer(dz, n, "dz");
    require_pointer(dlog_alpha, n, "dlog_alpha");
    if (n != 0) device->hard_concrete_grad(stream, state, salt, n, log_alpha, dz, dlog_alpha);
  });
}

secateur_status secateur_hard_concrete_eval(secateur_device* device, void* stream, int64_t n,
                                            const float* log_alpha, float* z) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    require_pointer(log_alpha, n, "log_alpha");
    require_pointer(z, n, "z");
    if (n != 0) device->hard_concrete_eval(stream, n, log_alpha, z);
  });
}

secateur_status secateur_hard_concrete_l0(secateur_device* device, void* stream, int64_t n,
                                          const float* log_alpha, const float* scale,
                                          float* expected, float* dlog_alpha) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    if (n == 0) return;
    require_pointer(log_alpha, n, "log_alpha");
    require_place(expected, "the expected number of gates");
    if (dlog_alpha != nullptr) require_pointer(scale, n, "scale");
    device->hard_concrete_l0(stream, n, log_alpha, scale, expected, dlog_alpha);
  });
}
