// dst row i = src row indices[i].
#include <cinttypes>
#include <cstring>

#include "abi/error.h"
#include "device.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = int64_t{1} << 16;  // bytes a chunk, at least one row

}  // namespace

void CpuDevice::gather_rows(void*, int64_t count, size_t row_bytes, int64_t src_rows,
                            const void* src, const int32_t* indices, void* dst) {
  for (int64_t i = 0; i < count; ++i) {
    SECATEUR_REQUIRE(indices[i] >= 0 && indices[i] < src_rows,
                     "indices[%" PRId64 "] = %" PRId32 " is not one of the %" PRId64 " rows.", i,
                     indices[i], src_rows);
  }
  const auto* from = static_cast<const char*>(src);
  auto* to = static_cast<char*>(dst);
  const auto bytes = static_cast<int64_t>(row_bytes);
  parallel_ranges(count, bytes >= kGrain ? 1 : kGrain / bytes, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::memcpy(to + i * bytes, from + indices[i] * bytes, row_bytes);
    }
  });
}

}  // namespace secateur
