// Copies of boxes: merges axes and picks the kernel of kernels/copy_box.cu.
#include "common/strides.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using Axes = common::Strides<2, SECATEUR_MAX_RANK>;

const Kernel<int64_t, Axes, const void*, void*> kWords("secateur_copy_box");
const Kernel<int64_t, Axes, const void*, void*> kVectors("secateur_copy_box_vectors");

struct Axis {
  int64_t extent, from, to;  // strides in src and in dst
};

// The axes, innermost first, without those of extent 1 and with neighbours merged along which both
// sides go on evenly. Returns their number.
int merge(const secateur_box& box, Axis* axes) {
  int count = 0;
  for (int32_t d = box.rank; d-- > 0;) {
    const Axis axis{box.shape[d], box.src_strides[d], box.dst_strides[d]};
    if (axis.extent == 1) continue;
    Axis* const inner = count > 0 ? &axes[count - 1] : nullptr;
    if (inner != nullptr && axis.from == inner->from * inner->extent &&
        axis.to == inner->to * inner->extent) {
      inner->extent *= axis.extent;
    } else {
      axes[count++] = axis;
    }
  }
  return count;
}

bool by_vectors(int count, const Axis* axes, const void* src, void* dst) {
  const uint64_t pointers = reinterpret_cast<uintptr_t>(src) | reinterpret_cast<uintptr_t>(dst);
  bool even = axes[0].from == 1 && axes[0].to == 1 && axes[0].extent % 4 == 0 &&
              pointers % (4 * sizeof(float)) == 0;
  for (int d = 1; d < count; ++d) even = even && axes[d].from % 4 == 0 && axes[d].to % 4 == 0;
  return even;
}

}  // namespace

void CudaDevice::copy_box(void* stream, const secateur_box& box, const void* src, void* dst) {
  Axis axes[SECATEUR_MAX_RANK] = {{1, 1, 1}};
  const int count = std::max(merge(box, axes), 1);
  const int64_t width = by_vectors(count, axes, src, dst) ? 4 : 1;
  Axes strides{};
  strides.add(axes[0].extent / width, {axes[0].from, axes[0].to});
  for (int d = 1; d < count; ++d) {
    strides.add(axes[d].extent, {axes[d].from / width, axes[d].to / width});
  }
  const int64_t n = strides.count();
  const Geometry geometry = grid(*this, n, kThreads, kThreads);
  strides.set_step(int64_t{geometry.blocks} * geometry.threads);
  launch(stream, width == 4 ? kVectors : kWords, geometry, n, strides, src, dst);
}

}  // namespace secateur::cuda
