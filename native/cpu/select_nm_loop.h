// The loops of select_nm.h over a class Pack that turns 64 flags into bits. Included by one file
// for each instruction set.
//
// Of a group, those elements are pruned that rank among the lowest `prune`, elements pruned before
// counting as the lowest of all, and of equal keys the higher index as the lower rank. For i < j, j
// ranks below i where key j <= key i, else i below j.
#pragma once

#include <string.h>

#include "common/half.h"
#include "select_nm.h"

SECATEUR_COMMON_BEGIN

namespace nm {

using secateur::nm::kMost;
using secateur::nm::kWidth;
using secateur::nm::Order;
using secateur::nm::Task;

SECATEUR_HD int32_t magnitude_of(int32_t bits) { return abs_key(static_cast<uint32_t>(bits)); }
SECATEUR_HD int16_t magnitude_of(int16_t bits) { return static_cast<int16_t>(bits & 0x7fff); }

SECATEUR_HD int32_t key_of(int32_t bits, bool is_signed) {
  const auto word = static_cast<uint32_t>(bits);
  return is_signed ? signed_key(word) : abs_key(word);
}
SECATEUR_HD int16_t key_of(int16_t bits, bool is_signed) {
  const auto half = static_cast<uint16_t>(bits);
  return static_cast<int16_t>(is_signed ? signed_key16(half) : abs_key16(half));
}

template <class Key>
SECATEUR_HD Key load_bits(const Key* scores) {
  Key bits;
  memcpy(&bits, scores, sizeof bits);
  return bits;
}

// Below every key: an element pruned before.
SECATEUR_HD int32_t dead(int32_t) { return INT32_MIN; }
SECATEUR_HD int16_t dead(int16_t) { return INT16_MIN; }

template <class Key>
struct Vector {
  typedef Key Type __attribute__((vector_size(64), may_alias));
  static constexpr int kLanes = static_cast<int>(64 / sizeof(Key));
};

template <class Key>
struct Block {
  alignas(64) Key keys[kMost][kWidth];  // rank() leaves -1 where an element is to be pruned, else 0
  alignas(64) Key line[kMost * kWidth];
  uint64_t pruned[kMost];  // [element], a bit a group
};

// kLength is the groups' length where it is worth loops of its own, else 0.
template <class Pack, int kLength, class Key>
SECATEUR_HD void rank(Block<Key>* block, int given_length, int prune) {
  using V = typename Vector<Key>::Type;
  constexpr int kLanes = Vector<Key>::kLanes;
  constexpr int kRoom = kLength == 0 ? kMost : kLength;
  const int length = kLength == 0 ? given_length : kLength;
  for (int g = 0; g < kWidth; g += kLanes) {
    V keys[kRoom], below[kRoom];
    for (int i = 0; i < length; ++i) {
      keys[i] = *reinterpret_cast<const V*>(block->keys[i] + g);
      below[i] = V{} + static_cast<Key>(i);
    }
    for (int i = 0; i < length; ++i) {
      for (int j = i + 1; j < length; ++j) {
        const V lower = keys[j] <= keys[i];  // -1 where true
        below[i] -= lower;
        below[j] += lower;
      }
    }
    for (int i = 0; i < length; ++i) {
      *reinterpret_cast<V*>(block->keys[i] + g) = below[i] < static_cast<Key>(prune);
    }
  }
  for (int i = 0; i < length; ++i) block->pruned[i] = Pack::bits(block->keys[i]);
}

template <class Pack, class Key>
inline void rank(Block<Key>* block, int length, int prune) {
  switch (length) {
    case 2:
      return rank<Pack, 2>(block, 2, prune);
    case 4:
      return rank<Pack, 4>(block, 4, prune);
    case 8:
      return rank<Pack, 8>(block, 8, prune);
    default:
      return rank<Pack, 0>(block, length, prune);
  }
}

// A mask whose words other threads may be changing, in bits of their own.
class Bits {
 public:
  Bits(uint32_t* words, int64_t n, bool shared) : words_(words), n_(n), shared_(shared) {}

  // 64 bits from `at` on, or as many as there are.
  SECATEUR_HD uint64_t load(int64_t at) const {
    const int64_t word = at >> 5, last = (n_ - 1) >> 5;
    const int shift = static_cast<int>(at & 31);
    uint64_t bits = read(word);
    if (word < last) bits |= static_cast<uint64_t>(read(word + 1)) << 32;
    if (shift == 0) return bits;
    bits >>= shift;
    if (word + 1 < last) bits |= static_cast<uint64_t>(read(word + 2)) << (64 - shift);
    return bits;
  }

  SECATEUR_HD void clear(int64_t at, uint64_t bits) const {
    const int64_t word = at >> 5;
    const int shift = static_cast<int>(at & 31);
    clear_word(word, static_cast<uint32_t>(bits << shift));
    clear_word(word + 1, static_cast<uint32_t>(bits << shift >> 32));
    if (shift != 0) clear_word(word + 2, static_cast<uint32_t>(bits >> (64 - shift)));
  }

 private:
  SECATEUR_HD uint32_t read(int64_t word) const {
    return __atomic_load_n(words_ + word, __ATOMIC_RELAXED);
  }
  SECATEUR_HD void clear_word(int64_t word, uint32_t bits) const {
    if (bits == 0) return;
    if (shared_) {
      __atomic_fetch_and(words_ + word, ~bits, __ATOMIC_RELAXED);
    } else {
      words_[word] &= ~bits;
    }
  }

  uint32_t* words_;
  int64_t n_;
  bool shared_;
};

// Keys of `count` adjacent scores, the first being element `at`.
template <bool kSigned, class Key>
SECATEUR_HD void load_line(const Task<Key>& task, const Bits& bits, int64_t at, int count,
                           Key* to) {
  const Key* const from = task.scores + at;
  int begin = 0;
  for (; begin + 64 <= count; begin += 64) {
    for (int l = 0; l < 64; ++l) to[begin + l] = key_of(load_bits(from + begin + l), kSigned);
  }
  for (int i = begin; i < count; ++i) to[i] = key_of(load_bits(from + i), kSigned);
  if (task.all_live) return;
  for (begin = 0; begin < count; begin += 64) {
    uint64_t gone = ~bits.load(at + begin);
    if (count - begin < 64) gone &= (uint64_t{1} << (count - begin)) - 1;
    for (; gone != 0; gone &= gone - 1) to[begin + __builtin_ctzll(gone)] = dead(Key{});
  }
}

template <class Pack, bool kSigned, class Key>
inline void prune_rows(const Task<Key>& task, const Bits& bits, int64_t index, Block<Key>* block) {
  const int64_t line = index / task.row_blocks(), column = index % task.row_blocks() * kWidth;
  const int64_t lines = (task.rows + task.m - 1) / task.m;  // of a matrix
  const int64_t row = line % lines * task.m;
  const int64_t begin = (line / lines * task.rows + row) * task.cols + column;
  const auto length = static_cast<int>(task.rows - row < task.m ? task.rows - row : task.m);
  const auto width = static_cast<int>(task.cols - column < kWidth ? task.cols - column : kWidth);
  const uint64_t there = width == kWidth ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  for (int i = 0; i < length; ++i) {
    load_line<kSigned>(task, bits, begin + i * task.cols, width, block->keys[i]);
  }
  const int keep = (length * task.n + task.m - 1) / task.m;
  rank<Pack>(block, length, length - keep);
  for (int i = 0; i < length; ++i) {
    bits.clear(begin + i * task.cols, block->pruned[i] & there);
  }
}

// keys[i][g] = line[g * m + i], or back.
template <int kM, class Key>
SECATEUR_HD void spread(const Key* line, int given_m, Key (*keys)[kWidth]) {
  const int m = kM == 0 ? given_m : kM;
  for (int g = 0; g < kWidth; ++g) {
    for (int i = 0; i < m; ++i) keys[i][g] = line[g * m + i];
  }
}
template <class Key>
inline void gather(const Key (*keys)[kWidth], int m, Key* line) {
  for (int g = 0; g < kWidth; ++g) {
    for (int i = 0; i < m; ++i) line[g * m + i] = keys[i][g];
  }
}

// The bits of the block's elements in their order, [m] words.
template <class Pack, class Key>
inline void flatten(Block<Key>* block, int m, uint64_t* words) {
#if defined(__BMI2__)
  if ((m & (m - 1)) == 0) {
    uint64_t first = 1;  // a bit in m
    for (int step = m; step < 64; step *= 2) first |= first << step;
    const int groups = 64 / m;
    for (int w = 0; w < m; ++w) {
      uint64_t bits = 0;
      for (int i = 0; i < m; ++i) {
        bits |= __builtin_ia32_pdep_di(block->pruned[i] >> (w * groups), first << i);
      }
      words[w] = bits;
    }
    return;
  }
#endif
  gather(block->keys, m, block->line);
  for (int w = 0; w < m; ++w) words[w] = Pack::bits(block->line + 64 * w);
}

template <class Pack, bool kSigned, class Key>
inline void prune_flat(const Task<Key>& task, const Bits& bits, int64_t index, Block<Key>* block) {
  const int m = task.m;
  const int64_t begin = index * kWidth * m, left = task.rows * task.cols - begin;
  const auto count = static_cast<int>(left < kWidth * m ? left : kWidth * m);
  load_line<kSigned>(task, bits, begin, count, block->line);
  switch (m) {
    case 2:
      spread<2>(block->line, m, block->keys);
      break;
    case 4:
      spread<4>(block->line, m, block->keys);
      break;
    case 8:
      spread<8>(block->line, m, block->keys);
      break;
    default:
      spread<0>(block->line, m, block->keys);
  }
  rank<Pack>(block, m, m - task.n);
  uint64_t words[kMost];
  flatten<Pack>(block, m, words);
  for (int w = 0; w * 64 < count; ++w) {
    const int rest = count - w * 64;
    bits.clear(begin + w * 64, rest < 64 ? words[w] & ((uint64_t{1} << rest) - 1) : words[w]);
  }
}

template <class Pack, bool kSigned, class Key>
inline void prune_scattered(const Task<Key>& task, const Bits& bits, int64_t index,
                            Block<Key>* block) {
  const int64_t wholes = task.cols / task.m, blocks = task.whole_blocks();
  const bool last = index >= blocks;  // groups of their rows
  const int64_t first = (last ? index - blocks : index) * kWidth;
  const int64_t groups = last ? task.rows : task.rows * wholes;
  const auto width = static_cast<int>(groups - first < kWidth ? groups - first : kWidth);
  const int length = last ? static_cast<int>(task.cols % task.m) : task.m;
  int64_t starts[kWidth];
  int64_t row = last ? first : first / wholes, place = last ? wholes : first % wholes;
  for (int g = 0; g < width; ++g) {
    starts[g] = row * task.cols + place * task.m;
    if (last || ++place == wholes) {
      ++row;
      if (!last) place = 0;
    }
    const uint64_t live = task.all_live ? ~uint64_t{0} : bits.load(starts[g]);
    for (int i = 0; i < length; ++i) {
      const Key key = key_of(load_bits(task.scores + starts[g] + i), kSigned);
      block->keys[i][g] = (live >> i & 1) != 0 ? key : dead(Key{});
    }
  }
  const int keep = (length * task.n + task.m - 1) / task.m;
  rank<Pack>(block, length, length - keep);
  // Of adjacent groups together, as far as they go into 64 bits.
  int64_t at = starts[0];
  uint64_t pruned = 0;
  for (int g = 0; g < width; ++g) {
    uint64_t group = 0;
    for (int i = 0; i < length; ++i) {
      group |= static_cast<uint64_t>(block->keys[i][g] != 0) << i;
    }
    if (starts[g] - at + length > 64) {
      bits.clear(at, pruned);
      at = starts[g];
      pruned = 0;
    }
    pruned |= group << (starts[g] - at);
  }
  bits.clear(at, pruned);
}

template <class Pack, bool kSigned, class Key>
inline void prune_blocks(const Task<Key>& task, int64_t begin, int64_t end) {
  const bool shared =
      task.order == Order::kScattered || (task.order == Order::kRows && task.cols % 32 != 0);
  const Bits bits(task.mask, task.outer * task.rows * task.cols, shared);
  Block<Key> block = {};
  for (int64_t b = begin; b < end; ++b) {
    if (task.order == Order::kRows) prune_rows<Pack, kSigned>(task, bits, b, &block);
    if (task.order == Order::kFlat) prune_flat<Pack, kSigned>(task, bits, b, &block);
    if (task.order == Order::kScattered) prune_scattered<Pack, kSigned>(task, bits, b, &block);
  }
}

template <class Pack, class Key>
inline void prune(const Task<Key>& task, int64_t begin, int64_t end) {
  if (task.is_signed) {
    prune_blocks<Pack, true>(task, begin, end);
  } else {
    prune_blocks<Pack, false>(task, begin, end);
  }
}

template <class Key>
inline int32_t highest(const Key* scores, int64_t n) {
  Key most = 0;
  for (int64_t i = 0; i < n; ++i) {
    const Key magnitude = magnitude_of(load_bits(scores + i));
    most = magnitude > most ? magnitude : most;
  }
  return most;
}

template <class Pack, class Key>
inline void get_code(secateur::nm::Code<Key>* code) {
  *code = {highest<Key>, prune<Pack, Key>};
}

}  // namespace nm

SECATEUR_COMMON_END
