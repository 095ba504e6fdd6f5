// Entries of the optimizer steps. What a parameter block holds is the device's to check: it may be
// where the host cannot read.
#include "abi/check.h"

using namespace secateur;

secateur_status secateur_sgd_step(secateur_device* device, void* stream, int64_t n,
                                  const secateur_sgd_params* params, float* w, const float* g,
                                  float* buf, const uint32_t* mask) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    if (n == 0) return;
    require_pointer(params, n, "params");
    require_pointer(w, n, "w");
    require_pointer(g, n, "g");
    device->sgd_step(stream, n, params, w, g, buf, mask);
  });
}

secateur_status secateur_adam_step(secateur_device* device, void* stream, int64_t n,
                                   const secateur_adam_params* params, float* w, const float* g,
                                   float* m, float* v, const uint32_t* mask) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    if (n == 0) return;
    require_pointer(params, n, "params");
    require_pointer(w, n, "w");
    require_pointer(g, n, "g");
    require_pointer(m, n, "m");
    require_pointer(v, n, "v");
    device->adam_step(stream, n, params, w, g, m, v, mask);
  });
}
