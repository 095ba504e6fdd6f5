// out = a op b with broadcasting. Axes along which both inputs go on evenly are merged; the
// innermost that remain are the columns of the vectorised loop, the next its rows, the others an
// odometer.
#include "device.h"
#include "kernels.h"
#include "odometer.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 16384;  // elements a chunk

struct Axis {
  int64_t extent, a, b;  // strides of a and b
};

// The axes, outermost first, without those of extent 1 and with neighbours merged. Returns their
// number.
int merge(const secateur_broadcast& broadcast, Axis* axes) {
  int rank = 0;
  for (int32_t d = 0; d < broadcast.rank; ++d) {
    const Axis axis{broadcast.shape[d], broadcast.a_strides[d], broadcast.b_strides[d]};
    if (axis.extent == 1) continue;
    if (rank > 0 && axes[rank - 1].a == axis.a * axis.extent &&
        axes[rank - 1].b == axis.b * axis.extent) {
      axes[rank - 1] = {axes[rank - 1].extent * axis.extent, axis.a, axis.b};
    } else {
      axes[rank++] = axis;
    }
  }
  return rank;
}

}  // namespace

void CpuDevice::binary(void*, int32_t op, const secateur_broadcast& broadcast, const float* a,
                       const float* b, float* out) {
  int64_t n = 1;
  for (int32_t d = 0; d < broadcast.rank; ++d) n *= broadcast.shape[d];
  Axis axes[SECATEUR_MAX_RANK];
  const int rank = merge(broadcast, axes);
  const auto run = kernels().binary;
  const Axis column = rank > 0 ? axes[rank - 1] : Axis{1, 1, 1};
  if (rank <= 1) {
    parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
      run(op, 1, end - begin, a + begin * column.a, 0, column.a, b + begin * column.b, 0, column.b,
          out + begin);
    });
    return;
  }
  const Axis row = axes[rank - 2];
  Odometer<2> outer;  // all but the columns
  for (int d = 0; d < rank - 1; ++d) outer.add(axes[d].extent, {axes[d].a, axes[d].b});
  const int64_t grain = column.extent >= kGrain ? 1 : kGrain / column.extent;
  parallel_ranges(n / column.extent, grain, [&](int64_t begin, int64_t end) {
    Odometer<2> at = outer;
    while (begin < end) {
      at.seek(begin);
      const int64_t whole = row.extent - at.index[at.rank - 1];  // up to the end of this block
      const int64_t rows = end - begin < whole ? end - begin : whole;
      run(op, rows, column.extent, a + at.offset[0], row.a, column.a, b + at.offset[1], row.b,
          column.b, out + begin * column.extent);
      begin += rows;
    }
  });
}

}  // namespace secateur
