// Entries of the CPU device's sparse products. What a packed matrix holds is the device's to check.
#include <limits>

#include "abi/check.h"

using namespace secateur;

secateur_status secateur_sparse_pack(secateur_device* device, void* stream, int64_t out, int64_t in,
                                     int32_t transposed, const float* w, const uint32_t* mask,
                                     void* packed, size_t* packed_bytes) {
  return guard([&] {
    require_device(device, stream);
    require_count(out, "out");
    require_count(in, "in");
    SECATEUR_REQUIRE(in == 0 || out <= std::numeric_limits<int64_t>::max() / 64 / in,
                     "A matrix of %" PRId64 " x %" PRId64 " weights is too large.", out, in);
    require_pointer(w, out * in, "w");
    require_place(packed_bytes, "the packed size");
    SECATEUR_REQUIRE(reinterpret_cast<uintptr_t>(packed) % 8 == 0,
                     "The packed matrix at %p must be 8-byte aligned.", packed);
    if (packed == nullptr) {
      *packed_bytes = device->sparse_pack_bytes(stream, out, in, transposed, w, mask);
    } else {
      device->sparse_pack(stream, out, in, transposed, w, mask, packed, *packed_bytes);
    }
  });
}

secateur_status secateur_spmm(secateur_device* device, void* stream, int64_t batch,
                              const void* packed, const float* x, const float* bias, float* y,
                              void* workspace, size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    require_count(batch, "batch");
    require_place(workspace_bytes, "the workspace's size");
    const size_t needed = device->spmm_workspace(batch, packed);
    if (require_workspace(needed, workspace, workspace_bytes)) {
      device->spmm(stream, batch, packed, x, bias, y, workspace);
    }
  });
}

secateur_status secateur_sparse_info(secateur_device* device, const void* packed, int64_t* out,
                                     int64_t* in, int64_t* nonzeros) {
  return guard([&] {
    require_device(device);
    require_place(out, "the number of outputs");
    require_place(in, "the number of inputs");
    require_place(nonzeros, "the number of nonzeros");
    device->sparse_info(packed, out, in, nonzeros);
  });
}
