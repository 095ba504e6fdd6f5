// Packs a weight matrix into the layout of gather.h, slice by slice on the pool: tiles are measured
// as words of bits, one bit a weight, then their nonzeros written to their steps.
#include <atomic>
#include <cstring>

#include "pool.h"
#include "sparse/gather.h"

namespace secateur {
namespace {

struct Size {
  int64_t stored, lines;
};

// The number of steps of each tile of a slice to steps, if that is not NULL.
Size measure_slice(const secateur_sparse_weight& weight, int64_t slice, int64_t blocks,
                   uint8_t* steps) {
  const GatherKernels& run = gather_kernels();
  Size size = {};
  for (int64_t block = 0; block < blocks; ++block) {
    uint32_t lanes[kGatherLanes];
    run.tile_bits(weight, slice * kGatherLanes, block * kGatherInputs, lanes);
    int64_t most;
    size.stored += run.count_bits(lanes, &most);
    size.lines += gather_lines(most);
    if (steps != nullptr) steps[block] = static_cast<uint8_t>(most);
  }
  return size;
}

// Writes a tile of at least one step, from output row and input col on.
void fill_tile(const secateur_sparse_weight& weight, int64_t row, int64_t col, int64_t steps,
               uint32_t* lines) {
  uint32_t lanes[kGatherLanes];
  gather_kernels().tile_bits(weight, row, col, lanes);
  std::memset(lines, 0, static_cast<size_t>(gather_lines(steps)) * kPackedAlignment);
  constexpr int64_t kGroupWords = (1 + kGatherGroup) * kGatherLanes;
  for (int64_t r = 0; r < kGatherLanes; ++r) {
    uint32_t left = lanes[r];
    for (int64_t s = 0; s < steps; s += kGatherGroup) {
      uint32_t* const group = lines + s / kGatherGroup * kGroupWords + r;
      uint32_t indices = 0;
      for (int64_t i = 0; i < kGatherGroup; ++i) {
        uint32_t k = kGatherFiller;
        if (left != 0) {
          k = static_cast<uint32_t>(__builtin_ctz(left));
          left &= left - 1;
          const int64_t at = stored_index(weight, row + r, col + k);
          std::memcpy(group + (1 + i) * kGatherLanes, weight.w + at, sizeof(float));
        }
        indices |= k << (5 * i);
      }
      *group = indices;
    }
  }
}

GatherHeader gather_header(const secateur_sparse_format& format,
                           const secateur_sparse_weight& weight) {
  GatherHeader header = {};
  header.packed = make_header(format, weight);
  header.slices = (weight.out + kGatherLanes - 1) / kGatherLanes;
  header.blocks = (weight.in + kGatherInputs - 1) / kGatherInputs;
  return header;
}

}  // namespace

size_t gather_pack_bytes(const secateur_sparse_format& format,
                         const secateur_sparse_weight& weight) {
  const GatherHeader header = gather_header(format, weight);
  std::atomic<int64_t> lines{0};
  parallel_for(header.slices, [&](int64_t slice) {
    lines += measure_slice(weight, slice, header.blocks, nullptr).lines;
  });
  return gather_offset(header) + static_cast<size_t>(lines) * kPackedAlignment;
}

void gather_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
                 void* packed) {
  auto* const header = static_cast<GatherHeader*>(packed);
  *header = gather_header(format, weight);
  const int64_t slices = header->slices, blocks = header->blocks;
  const GatherView view = view_gather(packed);
  auto* const starts = const_cast<int64_t*>(view.starts);
  auto* const steps = const_cast<uint8_t*>(view.steps);
  auto* const lines = const_cast<uint32_t*>(view.lines);
  std::atomic<int64_t> stored{0};
  parallel_for(slices, [&](int64_t slice) {
    const Size size = measure_slice(weight, slice, blocks, steps + slice * blocks);
    starts[slice + 1] = size.lines;
    stored += size.stored;
  });
  starts[0] = 0;
  for (int64_t slice = 0; slice < slices; ++slice) starts[slice + 1] += starts[slice];
  header->lines = starts[slices];
  header->packed.stored = stored;
  parallel_for(slices, [&](int64_t slice) {
    uint32_t* line = lines + starts[slice] * kGatherLanes;
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t count = steps[slice * blocks + block];
      if (count == 0) continue;
      fill_tile(weight, slice * kGatherLanes, block * kGatherInputs, count, line);
      line += gather_lines(count) * kGatherLanes;
    }
  });
}

}  // namespace secateur
