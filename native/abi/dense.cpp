// The entry of dense products.
#include <climits>

#include "abi/check.h"

using namespace secateur;

namespace {

void require_extent(int64_t value, const char* name) {
  SECATEUR_REQUIRE(value >= 0 && value <= INT_MAX,
                   "%s of a product is %" PRId64 "; it must be in 0..2147483647.", name, value);
}

void require_leading(int64_t leading, int64_t width, const char* name) {
  SECATEUR_REQUIRE(leading >= width && leading <= INT_MAX,
                   "%s of a product is %" PRId64 "; rows have %" PRId64 " elements.", name, leading,
                   width);
}

}  // namespace

secateur_status secateur_gemm(secateur_device* device, void* stream, const secateur_gemm_args* args,
                              const float* a, const float* b, float* c) {
  return guard([&] {
    require_device(device, stream);
    SECATEUR_REQUIRE(args != nullptr, "The arguments of the product are NULL.");
    require_extent(args->m, "m");
    require_extent(args->n, "n");
    require_extent(args->k, "k");
    require_leading(args->lda, args->trans_a ? args->m : args->k, "lda");
    require_leading(args->ldb, args->trans_b ? args->k : args->n, "ldb");
    require_leading(args->ldc, args->n, "ldc");
    if (args->m == 0 || args->n == 0) return;
    require_pointer(a, args->k, "A");
    require_pointer(b, args->k, "B");
    require_pointer(c, 1, "C");
    device->gemm(stream, *args, a, b, c);
  });
}
