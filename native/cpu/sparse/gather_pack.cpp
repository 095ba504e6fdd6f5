// Packs a weight matrix into the layout of gather.h, slice by slice on the pool: tiles are measured
// as words of bits, one bit a weight, then their nonzeros written to their steps.
#include <atomic>
#include <cstring>

#include "pool.h"
#include "sparse/gather.h"

namespace secateur {
namespace {

// Slices that are packed together, so that a line of a weight stored as [in, out] is read whole.
constexpr int64_t kStrip = 32;

struct Size {
  int64_t stored, lines;
};

// Calls body(begin, end) for strips of slices, on the pool.
template <class Body>
void for_strips(const GatherHeader& header, Body&& body) {
  parallel_ranges(header.slices, header.packed.transposed ? kStrip : 1, body);
}

// Calls body(slice, block, the tile's bits) for the tiles of a strip, block by block.
template <class Body>
void for_tiles(const secateur_sparse_weight& weight, int64_t blocks, int64_t begin, int64_t end,
               Body&& body) {
  const auto tile_bits = gather_kernels().tile_bits;
  uint32_t lanes[kStrip * kGatherLanes];
  for (int64_t block = 0; block < blocks; ++block) {
    tile_bits(weight, begin * kGatherLanes, block * kGatherInputs, end - begin, lanes);
    for (int64_t slice = begin; slice < end; ++slice) {
      body(slice, block, lanes + (slice - begin) * kGatherLanes);
    }
  }
}

// The steps of a tile; adds what it holds to size.
int64_t measure_tile(const uint32_t* lanes, Size* size) {
  int64_t steps;
  size->stored += gather_kernels().count_bits(lanes, &steps);
  size->lines += gather_lines(steps);
  return steps;
}

// Writes a tile of at least one step, from output row and input col on.
void fill_tile(const secateur_sparse_weight& weight, int64_t row, int64_t col,
               const uint32_t* lanes, int64_t steps, uint32_t* lines) {
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
  for_strips(header, [&](int64_t begin, int64_t end) {
    Size size = {};
    for_tiles(weight, header.blocks, begin, end,
              [&](int64_t, int64_t, const uint32_t* lanes) { measure_tile(lanes, &size); });
    lines += size.lines;
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
  for_strips(*header, [&](int64_t begin, int64_t end) {
    Size sizes[kStrip] = {};
    for_tiles(weight, blocks, begin, end, [&](int64_t slice, int64_t block, const uint32_t* lanes) {
      const int64_t count = measure_tile(lanes, &sizes[slice - begin]);
      steps[slice * blocks + block] = static_cast<uint8_t>(count);
    });
    for (int64_t slice = begin; slice < end; ++slice) {
      starts[slice + 1] = sizes[slice - begin].lines;
      stored += sizes[slice - begin].stored;
    }
  });
  starts[0] = 0;
  for (int64_t slice = 0; slice < slices; ++slice) starts[slice + 1] += starts[slice];
  header->lines = starts[slices];
  header->packed.stored = stored;

  for_strips(*header, [&](int64_t begin, int64_t end) {
    uint32_t* next[kStrip];
    for (int64_t slice = begin; slice < end; ++slice) {
      next[slice - begin] = lines + starts[slice] * kGatherLanes;
    }
    for_tiles(weight, blocks, begin, end, [&](int64_t slice, int64_t block, const uint32_t* lanes) {
      const int64_t count = steps[slice * blocks + block];
      uint32_t*& line = next[slice - begin];
      if (count != 0)
        fill_tile(weight, slice * kGatherLanes, block * kGatherInputs, lanes, count, line);
      line += gather_lines(count) * kGatherLanes;
    });
  });
}

}  // namespace secateur
