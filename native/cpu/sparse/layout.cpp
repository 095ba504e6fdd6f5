// The CPU device's operations on packed matrices: each finds the layout and calls it.
#include "sparse/layout.h"

#include <cinttypes>
#include <limits>

#include "abi/check.h"
#include "device.h"
#include "sparse/sddmm.h"

namespace secateur {
namespace {

constexpr uint64_t kMagic = 0x31b5ec47e0a95d04;

const SparseLayout& layout(const secateur_sparse_format& format) {
  switch (format.kind) {
    case SECATEUR_SPARSE_ROWS:
      return kRowsLayout;
    case SECATEUR_SPARSE_GATHER:
      return kGatherLayout;
    case SECATEUR_SPARSE_BLOCK:
      return kBlockLayout;
    case SECATEUR_SPARSE_NM:
      return kNmLayout;
    default:
      fail(SECATEUR_UNAVAILABLE, "This build has no sparse layout of kind %" PRId32 ".",
           format.kind);
  }
}

size_t round_up(size_t bytes) {
  return (bytes + kPackedAlignment - 1) / kPackedAlignment * kPackedAlignment;
}

void* align(void* pointer) {
  return reinterpret_cast<void*>(round_up(reinterpret_cast<uintptr_t>(pointer)));
}

const SampledRow* sampled_pattern(const PackedHeader& header) {
  return reinterpret_cast<const SampledRow*>(reinterpret_cast<const char*>(&header) +
                                             header.pattern);
}

const PackedHeader& require_trainable(const void* packed) {
  const PackedHeader& header = *require_packed(packed);
  SECATEUR_REQUIRE(header.format.trainable,
                   "The matrix was packed for products alone; pack it with trainable = 1.");
  return header;
}

void require_batch(const PackedHeader& header, int64_t batch) {
  const int64_t most = std::numeric_limits<int64_t>::max() / 8;
  SECATEUR_REQUIRE(batch <= most / (header.in + 1) - 64 && batch <= most / (header.out + 1) - 64,
                   "A batch of %" PRId64 " rows is too large.", batch);
}

}  // namespace

const PackedHeader* require_packed(const void* packed) {
  const auto* header = static_cast<const PackedHeader*>(packed);
  SECATEUR_REQUIRE(packed != nullptr &&
                       reinterpret_cast<uintptr_t>(packed) % kPackedAlignment == 0 &&
                       header->magic == kMagic,
                   "Pointer %p is no matrix packed by secateur_sparse_pack.", packed);
  return header;
}

PackedHeader make_header(const secateur_sparse_format& format,
                         const secateur_sparse_weight& weight) {
  PackedHeader header = {};
  header.magic = kMagic;
  header.format = format;
  header.out = weight.out;
  header.in = weight.in;
  header.transposed = weight.transposed;
  return header;
}

size_t CpuDevice::sparse_pack_bytes(void*, const secateur_sparse_format& format,
                                    const secateur_sparse_weight& weight) {
  const size_t bytes = layout(format).pack_bytes(format, weight);
  if (!format.trainable) return bytes;
  SECATEUR_REQUIRE(weight.out == 0 || weight.in <= (int64_t{1} << 31) / weight.out,
                   "A trainable matrix of %" PRId64 " x %" PRId64
                   " weights is too large; 2^31 is the most.",
                   weight.out, weight.in);
  return round_up(bytes) + sampled_pattern_bytes(weight);
}

void CpuDevice::sparse_pack(void*, const secateur_sparse_format& format,
                            const secateur_sparse_weight& weight, void* packed, size_t bytes) {
  const size_t needed = sparse_pack_bytes(nullptr, format, weight);
  SECATEUR_REQUIRE(bytes >= needed,
                   "The packed matrix needs %zu bytes, but %zu are given; ask for the size first.",
                   needed, bytes);
  layout(format).pack(format, weight, packed);
  if (!format.trainable) return;
  auto* const header = static_cast<PackedHeader*>(packed);
  header->pattern = static_cast<int64_t>(needed - sampled_pattern_bytes(weight));
  fill_sampled_pattern(format, weight, const_cast<SampledRow*>(sampled_pattern(*header)));
}

void CpuDevice::sparse_info(const void* packed, int64_t* out, int64_t* in, int64_t* stored) {
  const PackedHeader& header = *require_packed(packed);
  *out = header.out;
  *in = header.in;
  *stored = header.stored;
}

void CpuDevice::sparse_refresh(void*, const float* w, void* packed) {
  const PackedHeader& header = require_trainable(packed);
  require_pointer(w, header.stored, "w");
  layout(header.format).refresh(w, packed);
}

size_t CpuDevice::spmm_workspace(int64_t batch, const void* packed) {
  const PackedHeader& header = *require_packed(packed);
  require_batch(header, batch);
  return layout(header.format).workspace(packed, batch) + kPackedAlignment;
}

void CpuDevice::spmm(void*, int64_t batch, const void* packed, const float* x,
                     const secateur_epilogue& epilogue, float* y, void* workspace) {
  const PackedHeader& header = *require_packed(packed);
  require_pointer(x, batch * header.in, "x");
  require_pointer(y, batch * header.out, "y");
  if (batch == 0 || header.out == 0) return;
  layout(header.format).multiply(packed, {batch, x, epilogue, y, align(workspace)});
}

size_t CpuDevice::sddmm_workspace(int64_t batch, const void* packed) {
  const PackedHeader& header = require_trainable(packed);
  require_batch(header, batch);
  return sddmm_workspace_bytes(batch, header.out, header.in) + kPackedAlignment;
}

void CpuDevice::sddmm(void*, int64_t batch, const void* packed, const float* x, const float* dy,
                      float* gradient, void* workspace) {
  const PackedHeader& header = require_trainable(packed);
  require_pointer(x, batch * header.in, "x");
  require_pointer(dy, batch * header.out, "dy");
  require_pointer(gradient, header.out * header.in, "the gradient");
  auto* const scratch = static_cast<float*>(align(workspace));
  const SampledRow* const pattern = sampled_pattern(header);
  if (header.transposed) {
    sampled_product({batch, header.in, header.out, pattern, x, dy, gradient, scratch});
  } else {
    sampled_product({batch, header.out, header.in, pattern, dy, x, gradient, scratch});
  }
}

}  // namespace secateur
