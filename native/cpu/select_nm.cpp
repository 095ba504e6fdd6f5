// N:M selection: of every m consecutive weights the n with the highest scores are kept.
//
// A pass looks for NaN, so that masks stay untouched where there is one. The mask is then set to
// the previous one, and groups clear bits of it: up to kWidth groups at a time, laid side by side
// so that the loops over them vectorise. Within a group an element is pruned when fewer elements
// rank below it (by key, among equals the higher index) than are to be pruned beyond those pruned
// before. A word that two batches share is cleared atomically, by each its own bits.
#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstring>
#include <limits>

#include "abi/error.h"
#include "common/half.h"
#include "device.h"
#include "mask.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int kMost = 32;               // m
constexpr int kWidth = 32;              // groups a batch
constexpr int64_t kGrainWords = 2048;   // mask words a chunk
constexpr int64_t kGrainBatches = 256;  // batches a chunk

// The groups of a matrix: element i of group g of line l is at l * line + g * group + i * element.
// Groups are numbered so that a batch lies in one line. All have `length` elements, but for the
// last line's (axis 0), or each line's last (axis 1), which have `ragged`.
struct Grid {
  int64_t lines, line;
  int64_t groups, group;  // in a line
  int64_t element;
  int length, ragged;
  bool ragged_line;  // axis 0
};

Grid make_grid(int32_t m, int32_t axis, int64_t rows, int64_t cols) {
  const int64_t extent = axis == 0 ? rows : cols, count = (extent + m - 1) / m;
  const int ragged = static_cast<int>(extent - (count - 1) * m);
  if (axis == 0) return {count, m * cols, cols, 1, cols, m, ragged, true};
  if (ragged == m) return {1, 0, rows * count, m, 1, m, m, true};  // rows do not matter
  return {rows, cols, count, m, 1, m, ragged, false};
}

// Clears bits of a mask that other threads clear too, word by word.
class Clearer {
 public:
  explicit Clearer(uint32_t* mask) : mask_(mask) {}
  ~Clearer() { flush(); }

  void clear(int64_t i) {
    if (i >> 5 != word_) {
      flush();
      word_ = i >> 5;
    }
    bits_ |= uint32_t{1} << (i & 31);
  }

 private:
  void flush() {
    if (bits_ != 0) __atomic_fetch_and(mask_ + word_, ~bits_, __ATOMIC_RELAXED);
    bits_ = 0;
  }

  uint32_t* mask_;
  int64_t word_ = -1;
  uint32_t bits_ = 0;
};

// `width` groups of `length` elements side by side: [element][group].
struct Batch {
  int length, width;
  int32_t keys[kMost][kWidth];
  int32_t live[kMost][kWidth];    // 1 where not pruned before
  int32_t pruned[kMost][kWidth];  // 1 where to be pruned now

  void rank(int prune) {
    int32_t wanted[kWidth];  // still to be pruned
    for (int g = 0; g < kWidth; ++g) wanted[g] = prune - length;
    for (int i = 0; i < length; ++i) {
      for (int g = 0; g < kWidth; ++g) wanted[g] += live[i][g];
    }
    for (int i = 0; i < length; ++i) {
      int32_t below[kWidth] = {};
      for (int j = 0; j < i; ++j) {
        for (int g = 0; g < kWidth; ++g) below[g] += live[j][g] & (keys[j][g] < keys[i][g]);
      }
      for (int j = i + 1; j < length; ++j) {
        for (int g = 0; g < kWidth; ++g) below[g] += live[j][g] & (keys[j][g] <= keys[i][g]);
      }
      for (int g = 0; g < kWidth; ++g) pruned[i][g] = live[i][g] & (below[g] < wanted[g]);
    }
  }
};

template <class Type>
struct Scores {
  bool is_signed;
  const typename Type::Storage* x;

  // The lowest index of a NaN that the previous mask keeps, else n.
  int64_t first_nan(int64_t n, const uint32_t* previous) const {
    std::atomic<int64_t> first{n};
    parallel_ranges(mask_words(n), kGrainWords, [&](int64_t begin, int64_t end) {
      for (int64_t word = begin; word < end; ++word) {
        const int count = static_cast<int>(std::min<int64_t>(32, n - word * 32));
        int32_t most = 0;
        for (int l = 0; l < count; ++l) most = std::max(most, Type::magnitude(x[word * 32 + l]));
        if (most <= Type::kInfinity) continue;
        for (int l = 0; l < count; ++l) {
          if (previous != nullptr && (previous[word] >> l & 1u) == 0) continue;
          if (Type::magnitude(x[word * 32 + l]) <= Type::kInfinity) continue;
          int64_t known = first.load(std::memory_order_relaxed);
          while (word * 32 + l < known && !first.compare_exchange_weak(known, word * 32 + l)) {
          }
          return;
        }
      }
    });
    return first;
  }

  void prune_batch(const Grid& grid, int64_t first, int prune, Batch* batch, uint32_t* mask) const {
    for (int i = 0; i < batch->length; ++i) {
      const int64_t at = first + i * grid.element;
      for (int g = 0; g < batch->width; ++g) {
        const int64_t index = at + g * grid.group;
        batch->keys[i][g] = common::score_key<Type>(is_signed, x[index]);
        // Others may be clearing other bits of the word.
        const uint32_t word = __atomic_load_n(mask + (index >> 5), __ATOMIC_RELAXED);
        batch->live[i][g] = static_cast<int32_t>(word >> (index & 31) & 1u);
      }
    }
    batch->rank(prune);
    Clearer bits(mask);
    if (grid.element == 1) {  // in the order of the mask
      for (int g = 0; g < batch->width; ++g) {
        for (int i = 0; i < batch->length; ++i) {
          if (batch->pruned[i][g] != 0) bits.clear(first + g * grid.group + i);
        }
      }
    } else {
      for (int i = 0; i < batch->length; ++i) {
        for (int g = 0; g < batch->width; ++g) {
          if (batch->pruned[i][g] != 0) bits.clear(first + i * grid.element + g);
        }
      }
    }
  }

  void prune(const Grid& grid, int32_t n, int32_t m, uint32_t* mask) const {
    // The groups of a line in batches, a ragged last one by itself.
    const int64_t whole = grid.ragged_line ? grid.groups : grid.groups - 1;
    const int64_t whole_batches = (whole + kWidth - 1) / kWidth;
    const int64_t batches = whole_batches + (grid.ragged_line ? 0 : 1);
    parallel_ranges(grid.lines * batches, kGrainBatches, [&](int64_t begin, int64_t end) {
      Batch batch = {};
      for (int64_t b = begin; b < end; ++b) {
        const int64_t line = b / batches, place = b % batches;
        const bool single = place == whole_batches;
        const bool ragged = grid.ragged_line ? line == grid.lines - 1 : single;
        const int64_t group = single ? whole : place * kWidth;
        batch.width = static_cast<int>(single ? 1 : std::min<int64_t>(kWidth, whole - group));
        batch.length = ragged ? grid.ragged : grid.length;
        const int keep = (batch.length * n + m - 1) / m;
        prune_batch(grid, line * grid.line + group * grid.group, batch.length - keep, &batch, mask);
      }
    });
  }
};

void copy_mask(int64_t n, const uint32_t* previous, uint32_t* mask) {
  if (previous == mask) return;
  parallel_ranges(mask_words(n), kGrainWords, [=](int64_t begin, int64_t end) {
    for (int64_t word = begin; word < end; ++word) {
      mask[word] = (previous == nullptr ? ~uint32_t{0} : previous[word]) & valid_bits(n, word);
    }
  });
}

}  // namespace

void CpuDevice::select_nm(void*, secateur_dtype dtype, secateur_key key, int32_t n, int32_t m,
                          int32_t axis, int64_t rows, int64_t cols, const void* scores,
                          const uint32_t* previous, uint32_t* mask, int64_t* nan) {
  const int64_t elements = rows * cols;
  *nan = -1;
  if (elements == 0) return;
  common::with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    const Scores<Type> all = {key == SECATEUR_KEY_SIGNED,
                              static_cast<const typename Type::Storage*>(scores)};
    const int64_t first = all.first_nan(elements, previous);
    if (first < elements) {
      *nan = first;
      fail(SECATEUR_NAN_SCORE, "The score of element %" PRId64 " is NaN.", first);
    }
    copy_mask(elements, previous, mask);
    all.prune(make_grid(m, axis, rows, cols), n, m, mask);
  });
}

}  // namespace secateur
