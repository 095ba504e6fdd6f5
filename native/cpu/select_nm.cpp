// N:M selection: of every m consecutive weights the n with the highest scores are kept.
//
// A pass looks for NaN, so that masks stay untouched where there is one. The mask is then set to
// the previous one, and blocks of groups (select_nm.h) clear bits of it, atomically where a word
// may be of two blocks.
#include "select_nm.h"

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstring>
#include <type_traits>

#include "abi/error.h"
#include "common/half.h"
#include "device.h"
#include "isa.h"
#include "mask.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrainWords = 2048;  // mask words a chunk
constexpr int64_t kGrainKeys = 16384;  // elements a chunk of blocks, about

template <class Key>
nm::Code<Key> nm_code() {
  nm::Code<Key> code;
  nm::get_code_plain(&code);
#if SECATEUR_X86
  if (isa() == Isa::kAvx2) nm::get_code_avx2(&code);
  if (isa() == Isa::kAvx512) nm::get_code_avx512(&code);
#endif
  return code;
}

// The lowest index of a NaN that the previous mask keeps, else n.
template <class Type, class Key>
int64_t first_nan(const nm::Code<Key>& code, const Key* scores, int64_t n,
                  const uint32_t* previous) {
  std::atomic<int64_t> first{n};
  parallel_ranges(n, kGrainWords * 32, [&](int64_t begin, int64_t end) {
    if (code.highest(scores + begin, end - begin) <= Type::kInfinity) return;
    for (int64_t i = begin; i < end; ++i) {
      if (previous != nullptr && (previous[i >> 5] >> (i & 31) & 1u) == 0) continue;
      if (code.highest(scores + i, 1) <= Type::kInfinity) continue;
      int64_t known = first.load(std::memory_order_relaxed);
      while (i < known && !first.compare_exchange_weak(known, i)) {
      }
      return;
    }
  });
  return first;
}

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
                          int32_t axis, int64_t outer, int64_t rows, int64_t cols,
                          const void* scores, const uint32_t* previous, uint32_t* mask,
                          int64_t* nan) {
  if (axis == 1) {  // rows of several matrices are as those of one
    rows *= outer;
    outer = 1;
  }
  const int64_t elements = outer * rows * cols;
  *nan = -1;
  if (elements == 0) return;
  common::with_type(dtype, [=](auto type) {
    using Type = decltype(type);
    using Key = std::conditional_t<sizeof(typename Type::Storage) == 4, int32_t, int16_t>;
    const nm::Code<Key> code = nm_code<Key>();
    const auto* const keys = static_cast<const Key*>(scores);
    const int64_t first = first_nan<Type>(code, keys, elements, previous);
    if (first < elements) {
      *nan = first;
      fail(SECATEUR_NAN_SCORE, "The score of element %" PRId64 " is NaN.", first);
    }
    copy_mask(elements, previous, mask);
    const nm::Order order = axis == 0       ? nm::Order::kRows
                            : cols % m == 0 ? nm::Order::kFlat
                                            : nm::Order::kScattered;
    const nm::Task<Key> task = {
        keys, mask, previous == nullptr, key == SECATEUR_KEY_SIGNED, n, m, outer, rows,
        cols, order};
    const int64_t grain = std::max<int64_t>(1, kGrainKeys / (nm::kWidth * m));
    parallel_ranges(task.blocks(), grain,
                    [&](int64_t begin, int64_t end) { code.prune(task, begin, end); });
  });
}

}  // namespace secateur
