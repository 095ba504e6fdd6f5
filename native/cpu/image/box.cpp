// Copies a box of one tensor to a box of another: axes that are neighbours in both are merged, and
// rows that are dense in both are copied whole.
#include <cstring>

#include "device.h"
#include "odometer.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 16384;  // elements a chunk
constexpr size_t kElement = 4;     // bytes

// The axes longer than 1, outermost first.
Odometer<2> merge(const secateur_box& box) {
  Odometer<2> axes;
  for (int32_t d = 0; d < box.rank; ++d) {
    const int64_t extent = box.shape[d], from = box.src_strides[d], to = box.dst_strides[d];
    if (extent == 1) continue;
    const int32_t last = axes.rank - 1;
    if (last >= 0 && axes.stride[0][last] == extent * from && axes.stride[1][last] == extent * to) {
      axes.extent[last] *= extent;
      axes.stride[0][last] = from;
      axes.stride[1][last] = to;
    } else {
      axes.add(extent, {from, to});
    }
  }
  return axes;
}

}  // namespace

void CpuDevice::copy_box(void*, const secateur_box& box, const void* src, void* dst) {
  Odometer<2> outer = merge(box);
  int64_t row = 1, from = 1, to = 1;
  if (outer.rank > 0) {
    const int32_t last = --outer.rank;
    row = outer.extent[last];
    from = outer.stride[0][last];
    to = outer.stride[1][last];
  }
  const char* const source = static_cast<const char*>(src);
  char* const target = static_cast<char*>(dst);
  const auto at = [](int64_t element) { return element * static_cast<int64_t>(kElement); };
  parallel_ranges(outer.count(), row >= kGrain ? 1 : kGrain / row, [&](int64_t begin, int64_t end) {
    Odometer<2> walk = outer;
    walk.seek(begin);
    for (int64_t r = begin; r < end; ++r, walk.next()) {
      const char* const read = source + at(walk.offset[0]);
      char* const write = target + at(walk.offset[1]);
      if (from == 1 && to == 1) {
        std::memcpy(write, read, static_cast<size_t>(row) * kElement);
      } else {
        for (int64_t i = 0; i < row; ++i) {
          std::memcpy(write + at(i * to), read + at(i * from), kElement);
        }
      }
    }
  });
}

}  // namespace secateur
