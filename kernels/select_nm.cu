// N:M selection: of every m consecutive weights along an axis the n with the highest scores are
// kept; among equal keys the lower flat index is. Elements pruned in `previous` count first.
//
//   secateur_nm_nan     *nan (-1 before) = the lowest index of a NaN among elements not pruned
//   secateur_nm_words   groups along rows that lie within mask words (m divides 32 and cols): a
//                       warp takes a word, a thread an element; the word is written whole
//   secateur_nm_start   mask = previous (all kept without one), for secateur_nm_groups
//   secateur_nm_groups  any groups: a thread takes one and clears its bits
//
// An element is pruned when fewer unpruned elements of its group rank below it (by key; among
// equals the higher index is lower) than are to be pruned: r - ceil(r n / m), less those pruned
// before, for a group of r. All but the first kernel return at once when *nan is not -1, so a NaN
// leaves the mask alone. previous may be mask: bits of a group are read before they are cleared, by
// the one who clears them.
//
// Scores are f32, f16 or bf16 (dtype), ranked by magnitude or signed (common/keys.h). Bytes: the
// scores twice (once for NaN, 4 n each of f32) and n / 8 of masks; the words path, which 2:4 and
// 4:8 take, is at this floor, the general one rereads scores through the caches. Blocks of 256
// threads. Tested against secateur_select_nm of the CPU device.
#include "common/grid.h"
#include "common/half.h"

using namespace secateur::common;

namespace {

SECATEUR_DEVICE bool is_kept(const uint32_t* mask, int64_t i) {
  return mask == nullptr || (mask[i >> 5] >> (i & 31) & 1u) != 0;
}

// How many of `length` elements a group prunes.
SECATEUR_DEVICE int to_prune(int length, int n, int m) { return length - (length * n + m - 1) / m; }

}  // namespace

SECATEUR_KERNEL(256)
secateur_nm_nan(int32_t dtype, int64_t count, const void* scores, const uint32_t* previous,
                unsigned long long* nan) {
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* const x = static_cast<const typename Type::Storage*>(scores);
    for (int64_t i = grid_thread(); i < count; i += grid_threads()) {
      if (Type::magnitude(x[i]) > Type::kInfinity && is_kept(previous, i)) {
        atomicMin(nan, static_cast<unsigned long long>(i));
      }
    }
  });
}
SECATEUR_REGISTER(secateur_nm_nan);

SECATEUR_KERNEL(256)
secateur_nm_words(int32_t dtype, int32_t is_signed, int32_t n, int32_t m, int64_t count,
                  const void* scores, const uint32_t* previous, uint32_t* mask,
                  const int64_t* nan) {
  if (*nan != -1) return;
  const int lane = threadIdx.x & 31;
  const int first = lane / m * m;  // lane of the group's first element
  const int64_t words = (count + 31) / 32, warps = grid_threads() / 32;
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* const x = static_cast<const typename Type::Storage*>(scores);
    for (int64_t word = grid_thread() / 32; word < words; word += warps) {
      const int64_t i = word * 32 + lane;
      const bool exists = i < count;  // groups end where the matrix ends
      const uint32_t before = previous == nullptr ? 0xffffffffu : previous[word];
      const bool live = exists && (before >> lane & 1u) != 0;
      const int32_t key = exists ? score_key<Type>(is_signed != 0, x[i]) : 0;
      int lower = 0, gone = 0;
      for (int j = 0; j < m; ++j) {
        const int32_t other = __shfl_sync(0xffffffffu, key, first + j);
        const bool counts = __shfl_sync(0xffffffffu, live ? 1 : 0, first + j) != 0;
        gone += !counts;
        lower += counts && (other < key || (other == key && first + j > lane));
      }
      const bool pruned = live && lower < m - n - gone;
      const uint32_t kept = __ballot_sync(0xffffffffu, live && !pruned);
      if (lane == 0) mask[word] = kept;
    }
  });
}
SECATEUR_REGISTER(secateur_nm_words);

SECATEUR_KERNEL(256)
secateur_nm_start(int64_t count, const uint32_t* previous, uint32_t* mask, const int64_t* nan) {
  if (*nan != -1) return;
  const int64_t words = (count + 31) / 32;
  for (int64_t word = grid_thread(); word < words; word += grid_threads()) {
    const int64_t left = count - word * 32;
    const uint32_t valid = left < 32 ? (1u << left) - 1 : 0xffffffffu;
    mask[word] = (previous == nullptr ? 0xffffffffu : previous[word]) & valid;
  }
}
SECATEUR_REGISTER(secateur_nm_start);

// Groups along the columns of a row (axis 1) or the rows of a column (axis 0) of each of `outer`
// matrices; neighbouring threads take neighbouring groups.
SECATEUR_KERNEL(256)
secateur_nm_groups(int32_t dtype, int32_t is_signed, int32_t n, int32_t m, int32_t axis,
                   int64_t outer, int64_t rows, int64_t cols, const void* scores, uint32_t* mask,
                   const int64_t* nan) {
  if (*nan != -1) return;
  const int64_t extent = axis == 0 ? rows : cols, lines = outer * (axis == 0 ? cols : rows);
  const int64_t across = (extent + m - 1) / m;  // groups of a line
  const int64_t stride = axis == 0 ? cols : 1;
  with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const auto* const x = static_cast<const typename Type::Storage*>(scores);
    const auto key = [=](int64_t i) { return score_key<Type>(is_signed != 0, x[i]); };
    for (int64_t g = grid_thread(); g < lines * across; g += grid_threads()) {
      const int64_t group = axis == 0 ? g / lines : g % across;
      const int64_t line = axis == 0 ? g - group * lines : g / across;
      const int64_t begin = axis == 0 ? group * m * cols + line + line / cols * (rows - 1) * cols
                                      : line * cols + group * m;
      const int64_t left = extent - group * m;
      const int length = left < m ? static_cast<int>(left) : m;
      uint32_t live = 0;
      for (int j = 0; j < length; ++j) {
        // Neighbours clear other bits of the same word meanwhile: read it as they do.
        const int64_t i = begin + j * stride;
        if ((atomicOr(mask + (i >> 5), 0u) >> (i & 31) & 1u) != 0) live |= 1u << j;
      }
      const int wanted = to_prune(length, n, m) - (length - __popc(live));
      for (int j = 0; j < length && wanted > 0; ++j) {
        if ((live >> j & 1u) == 0) continue;
        const int64_t i = begin + j * stride;
        const int32_t own = key(i);
        int lower = 0;
        for (int other = 0; other < length; ++other) {
          if (other == j || (live >> other & 1u) == 0) continue;
          const int32_t theirs = key(begin + other * stride);
          lower += theirs < own || (theirs == own && other > j);
        }
        if (lower < wanted) atomicAnd(mask + (i >> 5), ~(1u << (i & 31)));
      }
    }
  });
}
SECATEUR_REGISTER(secateur_nm_groups);
