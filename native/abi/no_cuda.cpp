// In the place of native/cuda where a build leaves it out.
#include "abi/error.h"
#include "abi/open.h"

namespace secateur {

secateur_device* open_cuda_device(int32_t) {
  fail(SECATEUR_UNAVAILABLE, "This build of Secateur has no CUDA device; use the CPU device.");
}

}  // namespace secateur
