// dst row i = src row indices[i].
#include <cinttypes>
#include <cstring>

#include "device.h"
#include "abi/error.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = int64_t{1} << 16;  // bytes a chunk, at least one row

void gather_rows(int64_t count, size_t row_bytes, int64_t src_rows, const char* src,
                 const int32_t* indices, char* dst) {
  for (int64_t i = 0; i < count; ++i) {
    SECATEUR_REQUIRE(indices[i] >= 0 && indices[i] < src_rows,
                     "indices[%" PRId64 "] = %" PRId32 " is not one of the %" PRId64 " rows.", i,
                     indices[i], src_rows);
  }
  const auto bytes = static_cast<int64_t>(row_bytes);
  parallel_ranges(count, bytes >= kGrain ? 1 : kGrain / bytes, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::memcpy(dst + i * bytes, src + indices[i] * bytes, row_bytes);
    }
  });
}

}  // namespace
}  // namespace secateur

secateur_status secateur_gather_rows(secateur_device* device, void* stream, int64_t count,
                                     size_t row_bytes, int64_t src_rows, const void* src,
                                     const int32_t* indices, void* dst) {
  return secateur::guard([&] {
    secateur::require_cpu(device, stream);
    secateur::require_count(count, "count");
    secateur::require_count(src_rows, "src_rows");
    if (count == 0 || row_bytes == 0) return;
    secateur::require_pointer(src, count, "src");
    secateur::require_pointer(indices, count, "indices");
    secateur::require_pointer(dst, count, "dst");
    secateur::gather_rows(count, row_bytes, src_rows, static_cast<const char*>(src), indices,
                          static_cast<char*>(dst));
  });
}
