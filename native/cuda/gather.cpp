// Gathers rows by the largest unit that fits (kernels/gather.cu).
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using Gather = Kernel<int64_t, int64_t, int64_t, const void*, const int32_t*, void*>;

const Gather kVectors("secateur_gather_vectors"), kWords("secateur_gather_words"),
    kBytes("secateur_gather_bytes");

}  // namespace

void CudaDevice::gather_rows(void* stream, int64_t count, size_t row_bytes, int64_t src_rows,
                             const void* src, const int32_t* indices, void* dst) {
  const uint64_t sizes =
      row_bytes | reinterpret_cast<uintptr_t>(src) | reinterpret_cast<uintptr_t>(dst);
  const int64_t unit = sizes % 16 == 0 ? 16 : sizes % 4 == 0 ? 4 : 1;
  const int64_t units = static_cast<int64_t>(row_bytes) / unit;
  launch(stream,
         unit == 16  ? kVectors
         : unit == 4 ? kWords
                     : kBytes,
         grid(*this, count * units, kThreads, kThreads), count, units, src_rows, src, indices, dst);
}

}  // namespace secateur::cuda
