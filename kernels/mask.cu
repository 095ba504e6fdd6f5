// Operations on bit-packed masks (bit i & 31 of word i >> 5 is 1 where element i is kept).
//
//   secateur_mask_apply        w [n] = +0 where the mask prunes
//   secateur_mask_apply_many   the same over up to kMasked tensors in one launch
//   secateur_mask_count        kept elements, and kept +-0 of w: a partial a block
//   secateur_mask_count_total  sums the partials
//   secateur_mask_units        mask &= the mask that keeps whole rows or columns of a matrix
//
// Bytes: apply reads n / 8 and writes 4 for each pruned element, the floor (kept weights are
// neither read nor written, whole vectors of pruned ones take one store); count reads n / 8, and
// 4 n with w; units reads and writes n / 8. One launch each, count two. Blocks of 256 threads, any
// grid. Tested against the CPU device.
#include "common/grid.h"
#include "common/masked.h"

using namespace secateur::common;

namespace {

// Elements i .. i + kWidth - 1 of w whose bits are 0 become +0.
SECATEUR_DEVICE void zero_pruned(uint32_t bits, float* w, Width<1>) {
  if ((bits & 1u) == 0) w[0] = 0.0f;
}
SECATEUR_DEVICE void zero_pruned(uint32_t bits, float* w, Width<4>) {
  const uint32_t kept = bits & 0xfu;
  if (kept == 0) {
    *reinterpret_cast<float4*>(w) = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    return;
  }
  if (kept == 0xfu) return;
  SECATEUR_UNROLL(4)
  for (int j = 0; j < 4; ++j) {
    if ((kept >> j & 1u) == 0) w[j] = 0.0f;
  }
}

}  // namespace

SECATEUR_KERNEL(256) secateur_mask_apply(int64_t n, const uint32_t* mask, float* w) {
  for_elements(n, vectors_of(n, w), [=](int64_t i, auto width) {
    zero_pruned(kept_bits<decltype(width)::count>(mask, i), w + i, width);
  });
}
SECATEUR_REGISTER(secateur_mask_apply);

// A block takes tiles of kMaskTile elements of the tensors laid end to end, each tensor's last one
// ragged: blocks are spread evenly however the lengths differ.
SECATEUR_KERNEL(256) secateur_mask_apply_many(const __grid_constant__ MaskedTensors tensors) {
  const int64_t tiles = tensors.first_tile[tensors.count];
  int t = 0;
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    while (tile >= tensors.first_tile[t + 1]) ++t;
    const int64_t begin = (tile - tensors.first_tile[t]) * kMaskTile;
    const int64_t left = tensors.length[t] - begin;
    const int64_t length = left < kMaskTile ? left : kMaskTile;
    float* const w = tensors.w[t] + begin;
    const uint32_t* const mask = tensors.mask[t] + begin / 32;
    const Vectors vectors = vectors_of(length, w);
    for (int64_t k = threadIdx.x; k < vectors.count; k += blockDim.x) {
      const int64_t i = vectors.head + 4 * k;
      zero_pruned(kept_bits<4>(mask, i), w + i, Width<4>());
    }
    const int64_t loose = length - 4 * vectors.count;
    for (int64_t k = threadIdx.x; k < loose; k += blockDim.x) {
      const int64_t i = k < vectors.head ? k : k + 4 * vectors.count;
      zero_pruned(kept_bits<1>(mask, i), w + i, Width<1>());
    }
  }
}
SECATEUR_REGISTER(secateur_mask_apply_many);

namespace {

struct Counts {
  unsigned long long kept, zeros;
};

// Adds this thread's counts to the block's; thread 0 writes the block's to *out.
SECATEUR_DEVICE void store_counts(long long kept, long long zeros, Counts& shared,
                                  MaskCounts* out) {
  if (threadIdx.x == 0) shared = {0, 0};
  __syncthreads();
  if (kept != 0) atomicAdd(&shared.kept, static_cast<unsigned long long>(kept));
  if (zeros != 0) atomicAdd(&shared.zeros, static_cast<unsigned long long>(zeros));
  __syncthreads();
  if (threadIdx.x == 0) {
    out->kept = static_cast<int64_t>(shared.kept);
    out->zeros = static_cast<int64_t>(shared.zeros);
  }
}

}  // namespace

// A warp takes a word at a time: its threads look at the 32 weights. w may be NULL.
SECATEUR_KERNEL(256)
secateur_mask_count(int64_t n, const uint32_t* mask, const float* w, MaskCounts* partials) {
  SECATEUR_SHARED(Counts, shared);
  const int64_t words = (n + 31) / 32;
  long long kept = 0, zeros = 0;
  if (w == nullptr) {
    for (int64_t word = grid_thread(); word < words; word += grid_threads()) {
      kept += __popc(mask[word]);
    }
  } else {
    const int lane = threadIdx.x & 31;
    for (int64_t word = grid_thread() / 32; word < words; word += grid_threads() / 32) {
      const bool is_kept = (mask[word] >> lane & 1u) != 0;  // never past n
      kept += is_kept;
      if (is_kept) zeros += w[word * 32 + lane] == 0.0f;
    }
  }
  store_counts(kept, zeros, shared, partials + blockIdx.x);
}
SECATEUR_REGISTER(secateur_mask_count);

SECATEUR_KERNEL(256)
secateur_mask_count_total(int32_t count, const MaskCounts* partials, int32_t has_weights,
                          int64_t* kept, int64_t* kept_zeros) {
  SECATEUR_SHARED(Counts, shared);
  long long all_kept = 0, all_zeros = 0;
  for (int32_t i = threadIdx.x; i < count; i += blockDim.x) {
    all_kept += partials[i].kept;
    all_zeros += partials[i].zeros;
  }
  MaskCounts total;
  store_counts(all_kept, all_zeros, shared, &total);
  if (threadIdx.x == 0) {
    *kept = total.kept;
    *kept_zeros = has_weights != 0 ? total.zeros : -1;
  }
}
SECATEUR_REGISTER(secateur_mask_count_total);

namespace {

// The 32 bits of an array of n bits that start at bit `at`; what lies past its end is 0.
SECATEUR_DEVICE uint32_t load_bits(const uint32_t* bits, int64_t n, int64_t at) {
  const int64_t word = at >> 5;
  const int shift = static_cast<int>(at & 31);
  uint32_t low = bits[word] >> shift;
  if (shift != 0 && (word + 1) * 32 < n) low |= bits[word + 1] << (32 - shift);
  return low;
}

}  // namespace

// A thread takes a word of the mask and walks the parts of rows that it covers.
SECATEUR_KERNEL(256)
secateur_mask_units(int32_t axis, int64_t rows, int64_t cols, const uint32_t* units,
                    uint32_t* mask) {
  const int64_t n = rows * cols, words = (n + 31) / 32;
  for (int64_t word = grid_thread(); word < words; word += grid_threads()) {
    const int64_t begin = word * 32;
    int64_t row = begin / cols, column = begin - row * cols;
    const int total = n - begin < 32 ? static_cast<int>(n - begin) : 32;
    uint32_t keep = 0;
    for (int done = 0; done < total;) {
      const int64_t left = cols - column;
      const int length = left < total - done ? static_cast<int>(left) : total - done;
      uint32_t bits;
      if (axis == 1) {
        bits = load_bits(units, cols, column);
      } else {
        bits = (units[row >> 5] >> (row & 31) & 1u) != 0 ? 0xffffffffu : 0u;
      }
      if (length < 32) bits &= (1u << length) - 1;
      keep |= bits << done;
      done += length;
      column = 0;
      ++row;
    }
    mask[word] &= keep;
  }
}
SECATEUR_REGISTER(secateur_mask_units);
