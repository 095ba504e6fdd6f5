// Y = f(X W^T + bias) for few activations: X is copied into blocks of 31 inputs and a zero, up to
// eight activations a chunk; then each slice of 16 outputs takes each chunk. The pool gets runs of
// slices (and of chunks, where slices are few) with about equal numbers of steps; a product of a
// few microseconds stays on its thread.
#include "sparse/gather.h"

#include <algorithm>
#include <cstring>

#include "kernels.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kPieceWork = 4096;  // steps times activations, about 3 us
constexpr int64_t kMostPieces = 64;
constexpr int64_t kCopyGrain = 256;  // blocks of eight activations

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t chunk_columns(int64_t batch, int64_t chunk) {
  return std::min(batch - chunk * kGatherColumns, kGatherColumns);
}

size_t workspace(const void* packed, int64_t batch) {
  const int64_t blocks = view_gather(packed).header->blocks;
  return static_cast<size_t>(blocks * batch * kGatherTable) * sizeof(float);
}

// blocks[block][column][32] of one chunk, its blocks begin .. end.
void copy_chunk(int64_t begin, int64_t end, int64_t columns, int64_t in, const float* x,
                float* blocks) {
  for (int64_t block = begin; block < end; ++block) {
    const int64_t first = block * kGatherInputs, count = std::min(in - first, kGatherInputs);
    float* to = blocks + block * columns * kGatherTable;
    for (int64_t c = 0; c < columns; ++c, to += kGatherTable) {
      const float* const from = x + c * in + first;
      if (count == kGatherInputs) {
        std::memcpy(to, from, kGatherInputs * sizeof(float));
        to[kGatherInputs] = 0;
      } else {
        std::memset(to, 0, kGatherTable * sizeof(float));
        std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
      }
    }
  }
}

void copy_activations(const GatherHeader& header, int64_t batch, const float* x, float* blocks) {
  const int64_t chunks = ceil_div(batch, kGatherColumns);
  const int64_t runs = ceil_div(header.blocks, kCopyGrain);
  parallel_for(chunks * runs, [&](int64_t index) {
    const int64_t chunk = index / runs, begin = index % runs * kCopyGrain;
    const int64_t first = chunk * kGatherColumns, columns = chunk_columns(batch, chunk);
    copy_chunk(begin, std::min(begin + kCopyGrain, header.blocks), columns, header.packed.in,
               x + first * header.packed.in, blocks + first * header.blocks * kGatherTable);
  });
}

// Slices and chunks of one piece of work.
struct Piece {
  int64_t slice_begin, slice_end, chunk_begin, chunk_end;
};

void multiply_piece(const GatherView& packed, const SparseProduct& product, const Piece& piece) {
  const GatherHeader& header = *packed.header;
  const GatherKernels& run = gather_kernels();
  const secateur_epilogue& epilogue = product.epilogue;
  const auto* const x = static_cast<const float*>(product.workspace);
  const int64_t out = header.packed.out;
  for (int64_t s = piece.slice_begin; s < piece.slice_end; ++s) {
    const int64_t row = s * kGatherLanes, rows = std::min(out - row, kGatherLanes);
    const float* const bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + row;
    for (int64_t chunk = piece.chunk_begin; chunk < piece.chunk_end; ++chunk) {
      const int64_t first = chunk * kGatherColumns, columns = chunk_columns(product.batch, chunk);
      alignas(64) float sums[kGatherColumns * kGatherLanes];
      run.slice(packed.steps + s * header.blocks, header.blocks,
                packed.lines + packed.starts[s] * kGatherLanes, columns,
                x + first * header.blocks * kGatherTable, sums);
      for (int64_t c = 0; c < columns; ++c) {
        float* const y = product.y + (first + c) * out + row;
        for (int64_t r = 0; r < rows; ++r) {
          const float sum = sums[c * kGatherLanes + r];
          y[r] = bias == nullptr ? sum : sum + bias[r];
        }
      }
    }
  }
  if (epilogue.activation == SECATEUR_IDENTITY) return;
  const int64_t row = piece.slice_begin * kGatherLanes;
  const int64_t rows = std::min(out, piece.slice_end * kGatherLanes) - row;
  const int64_t end = std::min(product.batch, piece.chunk_end * kGatherColumns);
  for (int64_t c = piece.chunk_begin * kGatherColumns; c < end; ++c) {
    float* const y = product.y + c * out + row;
    kernels().unary(epilogue.activation, epilogue.alpha, rows, y, y);
  }
}

void multiply(const void* matrix, const SparseProduct& product) {
  const GatherView packed = view_gather(matrix);
  const GatherHeader& header = *packed.header;
  copy_activations(header, product.batch, product.x, static_cast<float*>(product.workspace));
  const int64_t chunks = ceil_div(product.batch, kGatherColumns);
  const int64_t most =
      std::min(kMostPieces, header.lines / kPieceWork * product.batch +
                                header.lines % kPieceWork * product.batch / kPieceWork);
  const int64_t down = std::max<int64_t>(1, std::min(most, header.slices));
  const int64_t across = std::max<int64_t>(1, std::min(most / down, chunks));
  // Slices begin a run where their lines pass the next `down`th part of all lines.
  const auto cut = [&](int64_t part) {
    const int64_t line = header.lines / down * part + header.lines % down * part / down;
    return std::lower_bound(packed.starts, packed.starts + header.slices, line) - packed.starts;
  };
  parallel_for(down * across, [&](int64_t index) {
    const int64_t part = index / across, group = index % across;
    multiply_piece(packed, product,
                   {part == 0 ? 0 : cut(part), part + 1 == down ? header.slices : cut(part + 1),
                    group * chunks / across, (group + 1) * chunks / across});
  });
}

}  // namespace

const GatherKernels& gather_kernels() noexcept {
#if SECATEUR_X86
  if (isa() == Isa::kAvx512) return kGatherAvx512;
  if (isa() == Isa::kAvx2) return kGatherAvx2;
#endif
  return kGatherPlain;
}

const SparseLayout kGatherLayout = {gather_pack_bytes, gather_pack, workspace, multiply, nullptr};

}  // namespace secateur
