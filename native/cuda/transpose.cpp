// Transposes: merges axes and picks the kernel of kernels/transpose.cu.
#include "common/strides.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using Axes = common::Strides<1, SECATEUR_MAX_RANK>;
using Planes = common::Strides<2, SECATEUR_MAX_RANK>;

const Kernel<int64_t, Axes, const float*, float*> kPermute("secateur_permute");
const Kernel<int64_t, Axes, const float*, float*> kPermuteVectors("secateur_permute_vectors");
const Kernel<int64_t, int64_t, int64_t, int64_t, int64_t, Planes, const float*, float*> kTiles(
    "secateur_transpose_tiles");

constexpr int64_t kTile = 32;
constexpr int64_t kNarrow = 8;  // planes narrower than this leave most of a tile empty

struct Axis {
  int64_t extent, from, to;  // strides in x and in out
};

// The axes of out, innermost first, without those of extent 1 and with neighbours merged that are
// neighbours in x too. Returns their number.
int merge(int32_t rank, const int64_t* shape, const int32_t* perm, Axis* axes) {
  int64_t from[SECATEUR_MAX_RANK];
  int64_t stride = 1;
  for (int32_t d = rank; d-- > 0; stride *= shape[d]) from[d] = stride;
  int count = 0;
  stride = 1;
  for (int32_t d = rank; d-- > 0;) {
    const Axis axis{shape[perm[d]], from[perm[d]], stride};
    if (axis.extent == 1) continue;
    stride *= axis.extent;
    if (count > 0 && axis.from == axes[count - 1].from * axes[count - 1].extent) {
      axes[count - 1].extent *= axis.extent;
    } else {
      axes[count++] = axis;
    }
  }
  return count;
}

bool is_vector_aligned(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % (4 * sizeof(float)) == 0;
}

// Whether x and out can be moved by vectors of four along the innermost axis, which stays.
bool by_vectors(int count, const Axis* axes, const float* x, const float* out) {
  bool even = axes[0].extent % 4 == 0 && is_vector_aligned(x) && is_vector_aligned(out);
  for (int d = 1; d < count; ++d) even = even && axes[d].from % 4 == 0;
  return even;
}

void permute(CudaDevice& device, void* stream, int count, const Axis* axes, int64_t n,
             const float* x, float* out) {
  const bool vectors = axes[0].from == 1 && by_vectors(count, axes, x, out);
  const int64_t width = vectors ? 4 : 1;
  Axes strides{};
  strides.add(axes[0].extent / width, {axes[0].from});
  for (int d = 1; d < count; ++d) strides.add(axes[d].extent, {axes[d].from / width});
  const Geometry geometry = grid(device, n / width, kThreads, kThreads);
  strides.set_step(int64_t{geometry.blocks} * geometry.threads);
  device.launch(stream, vectors ? kPermuteVectors : kPermute, geometry, n / width, strides, x, out);
}

void move_tiles(CudaDevice& device, void* stream, int count, const Axis* axes, int column,
                const float* x, float* out) {
  const Axis row = axes[0], col = axes[column];
  Planes planes{};
  for (int d = 1; d < count; ++d) {
    if (d != column) planes.add(axes[d].extent, {axes[d].from, axes[d].to});
  }
  const int64_t down = (row.extent + kTile - 1) / kTile, across = (col.extent + kTile - 1) / kTile;
  device.launch(stream, kTiles, grid(device, planes.count() * down * across, 1, kThreads),
                row.extent, col.extent, row.from, col.to, planes.count(), planes, x, out);
}

}  // namespace

void CudaDevice::transpose(void* stream, int32_t rank, const int64_t* shape, const int32_t* perm,
                           const float* x, float* out) {
  Axis axes[SECATEUR_MAX_RANK] = {{1, 1, 1}};
  const int count = std::max(merge(rank, shape, perm, axes), 1);
  int64_t n = 1;
  for (int d = 0; d < count; ++d) n *= axes[d].extent;
  if (count == 1) return copy(stream, x, out, static_cast<size_t>(n) * sizeof(float));
  int column = 0;  // the axis innermost in x
  while (axes[column].from != 1) ++column;
  if (column != 0 && std::min(axes[0].extent, axes[column].extent) >= kNarrow) {
    move_tiles(*this, stream, count, axes, column, x, out);
  } else {
    permute(*this, stream, count, axes, n, x, out);
  }
}

}  // namespace secateur::cuda
