// Entries of operations along axes: sums, transposes, gathered rows.
#include "abi/check.h"
#include "abi/dims.h"

using namespace secateur;

secateur_status secateur_reduce_sum(secateur_device* device, void* stream, int32_t rank,
                                    const int64_t* shape, uint32_t axes, const float* x,
                                    float* out) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_shape(rank, shape);
    SECATEUR_REQUIRE(axes >> rank == 0,
                     "Axes 0x%x are not all among the %" PRId32 " of the tensor.", axes, rank);
    int64_t outputs = 1;
    for (int32_t d = 0; d < rank; ++d) outputs *= (axes >> d & 1u) != 0 ? 1 : shape[d];
    require_pointer(x, n, "x");
    require_pointer(out, outputs, "out");
    if (n != 0) {
      device->reduce_sum(stream, rank, shape, axes, x, out);
    } else if (outputs != 0) {
      device->fill(stream, 0.0f, outputs, out);
    }
  });
}

secateur_status secateur_transpose(secateur_device* device, void* stream, int32_t rank,
                                   const int64_t* shape, const int32_t* perm, const float* x,
                                   float* out) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_shape(rank, shape);
    SECATEUR_REQUIRE(perm != nullptr || rank == 0, "The permutation is NULL.");
    uint32_t seen = 0;
    for (int32_t d = 0; d < rank; ++d) {
      SECATEUR_REQUIRE(perm[d] >= 0 && perm[d] < rank && (seen >> perm[d] & 1u) == 0,
                       "perm[%" PRId32 "] = %" PRId32 " is not an axis, or is one named before.", d,
                       perm[d]);
      seen |= 1u << perm[d];
    }
    require_pointer(x, n, "x");
    require_pointer(out, n, "out");
    if (n != 0) device->transpose(stream, rank, shape, perm, x, out);
  });
}

secateur_status secateur_gather_rows(secateur_device* device, void* stream, int64_t count,
                                     size_t row_bytes, int64_t src_rows, const void* src,
                                     const int32_t* indices, void* dst) {
  return guard([&] {
    require_device(device, stream);
    require_count(count, "count");
    require_count(src_rows, "src_rows");
    if (count == 0 || row_bytes == 0) return;
    require_pointer(src, count, "src");
    require_pointer(indices, count, "indices");
    require_pointer(dst, count, "dst");
    device->gather_rows(stream, count, row_bytes, src_rows, src, indices, dst);
  });
}
