// Entries of the CPU device's sparse products. What a packed matrix holds is the device's to check.
#include <limits>

#include "abi/check.h"

using namespace secateur;

namespace {

void require_format(const secateur_sparse_format* format) {
  SECATEUR_REQUIRE(format != nullptr, "The sparse format is NULL.");
  const secateur_sparse_format& f = *format;
  SECATEUR_REQUIRE(
      f.kind >= SECATEUR_SPARSE_ROWS && f.kind <= SECATEUR_SPARSE_NM,
      "Unknown sparse format %" PRId32 "; use 0 (rows), 1 (gather), 2 (block) or 3 (N:M).", f.kind);
  SECATEUR_REQUIRE(f.kind != SECATEUR_SPARSE_BLOCK || (f.rows >= 1 && f.rows <= 16 && f.cols >= 1 &&
                                                       f.cols <= 16 && f.rows * f.cols > 1),
                   "Blocks of %" PRId32 " x %" PRId32
                   " weights are not laid out; each extent is 1 to 16, and not both are 1.",
                   f.rows, f.cols);
  SECATEUR_REQUIRE(f.kind != SECATEUR_SPARSE_NM || (f.rows >= 1 && f.rows < f.cols && f.cols <= 32),
                   "%" PRId32 ":%" PRId32 " is no N:M pattern; 1 <= N < M <= 32.", f.rows, f.cols);
  SECATEUR_REQUIRE(f.trainable == 0 || f.kind == SECATEUR_SPARSE_ROWS,
                   "Only the format of rows is trainable, not kind %" PRId32 ".", f.kind);
}

void require_weight(const secateur_sparse_weight* weight) {
  SECATEUR_REQUIRE(weight != nullptr, "The weight is NULL.");
  require_count(weight->out, "out");
  require_count(weight->in, "in");
  SECATEUR_REQUIRE(
      weight->in == 0 || weight->out <= std::numeric_limits<int64_t>::max() / 64 / weight->in,
      "A matrix of %" PRId64 " x %" PRId64 " weights is too large.", weight->out, weight->in);
  require_pointer(weight->w, weight->out * weight->in, "w");
}

}  // namespace

secateur_status secateur_sparse_pack(secateur_device* device, void* stream,
                                     const secateur_sparse_format* format,
                                     const secateur_sparse_weight* weight, void* packed,
                                     size_t* packed_bytes) {
  return guard([&] {
    require_device(device, stream);
    require_format(format);
    require_weight(weight);
    require_place(packed_bytes, "the packed size");
    SECATEUR_REQUIRE(reinterpret_cast<uintptr_t>(packed) % 64 == 0,
                     "The packed matrix at %p must be 64-byte aligned.", packed);
    if (packed == nullptr) {
      *packed_bytes = device->sparse_pack_bytes(stream, *format, *weight);
    } else {
      device->sparse_pack(stream, *format, *weight, packed, *packed_bytes);
    }
  });
}

secateur_status secateur_sparse_info(secateur_device* device, const void* packed, int64_t* out,
                                     int64_t* in, int64_t* stored) {
  return guard([&] {
    require_device(device);
    require_place(out, "the number of outputs");
    require_place(in, "the number of inputs");
    require_place(stored, "the number of stored elements");
    device->sparse_info(packed, out, in, stored);
  });
}

secateur_status secateur_sparse_refresh(secateur_device* device, void* stream, const float* w,
                                        void* packed) {
  return guard([&] {
    require_device(device, stream);
    device->sparse_refresh(stream, w, packed);
  });
}

secateur_status secateur_spmm(secateur_device* device, void* stream, int64_t batch,
                              const void* packed, const float* x, const secateur_epilogue* epilogue,
                              float* y, void* workspace, size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    require_count(batch, "batch");
    require_place(workspace_bytes, "the workspace's size");
    const secateur_epilogue none = {nullptr, SECATEUR_IDENTITY, 0};
    const secateur_epilogue& after = epilogue == nullptr ? none : *epilogue;
    require_epilogue(after);
    const size_t needed = device->spmm_workspace(batch, packed);
    if (require_workspace(needed, workspace, workspace_bytes)) {
      device->spmm(stream, batch, packed, x, after, y, workspace);
    }
  });
}

secateur_status secateur_sddmm(secateur_device* device, void* stream, int64_t batch,
                               const void* packed, const float* x, const float* dy, float* gradient,
                               void* workspace, size_t* workspace_bytes) {
  return guard([&] {
    require_device(device, stream);
    require_count(batch, "batch");
    require_place(workspace_bytes, "the workspace's size");
    const size_t needed = device->sddmm_workspace(batch, packed);
    if (require_workspace(needed, workspace, workspace_bytes)) {
      device->sddmm(stream, batch, packed, x, dy, gradient, workspace);
    }
  });
}

secateur_status secateur_cpu_peak(secateur_device* device, double* flops_per_second,
                                  double* read_bytes_per_second, const void* workspace,
                                  size_t workspace_bytes) {
  return guard([&] {
    require_device(device);
    require_place(flops_per_second, "the rate of multiply-adds");
    require_place(read_bytes_per_second, "the rate of reads");
    require_place(workspace, "the read");
    device->peak(flops_per_second, read_bytes_per_second, workspace, workspace_bytes);
  });
}
