// Permutes axes: rows are copied where the innermost axis stays, else 32 x 32 tiles of the plane of
// the two axes that are innermost in x and in out.
#include <cstring>

#include "device.h"
#include "odometer.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 16384;  // elements a chunk
constexpr int64_t kTile = 32;

struct Axis {
  int64_t extent, from, to;  // strides in x and in out
};

// The axes in the order of out, neighbours that are neighbours in x too merged. Returns their
// number.
int merge(int32_t rank, const int64_t* shape, const int32_t* perm, Axis* axes) {
  int64_t from[SECATEUR_MAX_RANK];
  int64_t stride = 1;
  for (int32_t d = rank; d-- > 0; stride *= shape[d]) from[d] = stride;
  int count = 0;
  for (int32_t d = 0; d < rank; ++d) {
    const Axis axis{shape[perm[d]], from[perm[d]], 0};
    if (axis.extent == 1) continue;
    if (count > 0 && axes[count - 1].from == axis.from * axis.extent) {
      axes[count - 1] = {axes[count - 1].extent * axis.extent, axis.from, 0};
    } else {
      axes[count++] = axis;
    }
  }
  stride = 1;
  for (int d = count; d-- > 0; stride *= axes[d].extent) axes[d].to = stride;
  return count;
}

// out[c * out_row + r] = x[r * x_row + c] for r < rows, c < cols, both at most kTile.
void move_tile(int64_t rows, int64_t cols, const float* x, int64_t x_row, float* out,
               int64_t out_row) {
  float buffer[kTile][kTile];
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) buffer[c][r] = x[r * x_row + c];
  }
  for (int64_t c = 0; c < cols; ++c) {
    std::memcpy(out + c * out_row, buffer[c], static_cast<size_t>(rows) * sizeof(float));
  }
}

void permute(int rank, const Axis* axes, int64_t n, const float* x, float* out) {
  const Axis last = axes[rank - 1];  // innermost in out
  if (last.from == 1) {
    Odometer<1> outer;
    for (int d = 0; d < rank - 1; ++d) outer.add(axes[d].extent, {axes[d].from});
    const int64_t grain = last.extent >= kGrain ? 1 : kGrain / last.extent;
    parallel_ranges(n / last.extent, grain, [&](int64_t begin, int64_t end) {
      Odometer<1> at = outer;
      at.seek(begin);
      for (int64_t row = begin; row < end; ++row, at.next()) {
        std::memcpy(out + row * last.extent, x + at.offset[0],
                    static_cast<size_t>(last.extent) * sizeof(float));
      }
    });
    return;
  }
  int inner = 0;  // the axis innermost in x
  while (axes[inner].from != 1) ++inner;
  const Axis column = axes[inner];
  const int64_t down = (last.extent + kTile - 1) / kTile;
  const int64_t across = (column.extent + kTile - 1) / kTile;
  Odometer<2> outer;  // the other axes, then the tiles of the plane
  for (int d = 0; d < rank - 1; ++d) {
    if (d != inner) outer.add(axes[d].extent, {axes[d].from, axes[d].to});
  }
  outer.add(across, {kTile, kTile * column.to});
  outer.add(down, {kTile * last.from, kTile});
  parallel_ranges(outer.count(), kGrain / (kTile * kTile), [&](int64_t begin, int64_t end) {
    Odometer<2> at = outer;
    at.seek(begin);
    for (int64_t tile = begin; tile < end; ++tile, at.next()) {
      const int64_t row = at.index[at.rank - 1] * kTile, col = at.index[at.rank - 2] * kTile;
      move_tile(last.extent - row < kTile ? last.extent - row : kTile,
                column.extent - col < kTile ? column.extent - col : kTile, x + at.offset[0],
                last.from, out + at.offset[1], column.to);
    }
  });
}

}  // namespace

void CpuDevice::transpose(void*, int32_t rank, const int64_t* shape, const int32_t* perm,
                          const float* x, float* out) {
  int64_t n = 1;
  for (int32_t d = 0; d < rank; ++d) n *= shape[d];
  Axis axes[SECATEUR_MAX_RANK];
  int count = merge(rank, shape, perm, axes);
  if (count == 0) axes[count++] = {1, 1, 1};
  permute(count, axes, n, x, out);
}

}  // namespace secateur
