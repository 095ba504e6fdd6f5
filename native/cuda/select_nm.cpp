// Launcher of kernels/select_nm.cu.
#include "cuda/device.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

const Kernel<int32_t, int64_t, const void*, const uint32_t*, unsigned long long*> kNan(
    "secateur_nm_nan");
const Kernel<int32_t, int32_t, int32_t, int32_t, int64_t, const void*, const uint32_t*, uint32_t*,
             const int64_t*>
    kWords("secateur_nm_words");
const Kernel<int64_t, const uint32_t*, uint32_t*, const int64_t*> kStart("secateur_nm_start");
const Kernel<int32_t, int32_t, int32_t, int32_t, int32_t, int64_t, int64_t, int64_t, const void*,
             uint32_t*, const int64_t*>
    kGroups("secateur_nm_groups");

}  // namespace

void CudaDevice::select_nm(void* stream, secateur_dtype dtype, secateur_key key, int32_t n,
                           int32_t m, int32_t axis, int64_t outer, int64_t rows, int64_t cols,
                           const void* scores, const uint32_t* previous, uint32_t* mask,
                           int64_t* nan) {
  const int64_t count = outer * rows * cols, words = (count + 31) / 32;
  const int32_t is_signed = key == SECATEUR_KEY_SIGNED;
  set_bytes(stream, nan, 0xff, sizeof *nan);  // -1: no NaN
  launch(stream, kNan, grid(*this, count, kThreads, kThreads), dtype, count, scores, previous,
         reinterpret_cast<unsigned long long*>(nan));
  if (axis == 1 && 32 % m == 0 && cols % m == 0) {
    launch(stream, kWords, grid(*this, words, kThreads / 32, kThreads), dtype, is_signed, n, m,
           count, scores, previous, mask, nan);
    return;
  }
  launch(stream, kStart, grid(*this, words, kThreads, kThreads), count, previous, mask, nan);
  const int64_t extent = axis == 0 ? rows : cols, lines = outer * (axis == 0 ? cols : rows);
  launch(stream, kGroups, grid(*this, lines * ((extent + m - 1) / m), kThreads, kThreads), dtype,
         is_signed, n, m, axis, outer, rows, cols, scores, mask, nan);
}

}  // namespace secateur::cuda
