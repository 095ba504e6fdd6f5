// Operations on masks. Work is cut at mask words, so that no two threads write the same word.
#include "mask.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "abi/error.h"
#include "device.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrainWords = 2048;  // 65536 elements

// w[0..count) = +0 where the word's bit is 0.
void apply_word(uint32_t word, int count, float* w) {
  if (word == ~uint32_t{0}) return;
  uint32_t bits[32];
  std::memcpy(bits, w, sizeof(float) * static_cast<size_t>(count));
  if (count == 32) {  // a loop of constant length for the vectorizer
    for (int l = 0; l < 32; ++l) bits[l] = (word & kBits.bit[l]) != 0 ? bits[l] : 0;
  } else {
    for (int l = 0; l < count; ++l) bits[l] = (word & kBits.bit[l]) != 0 ? bits[l] : 0;
  }
  std::memcpy(w, bits, sizeof(float) * static_cast<size_t>(count));
}

// The bits of the kept elements of w[0..count) that are +0 or -0.
uint32_t zero_bits(int count, const float* w) {
  uint32_t zeros = 0;
  for (int l = 0; l < count; ++l) zeros |= w[l] == 0 ? kBits.bit[l] : 0;
  return zeros;
}

// bits[at .. at + count) &= pattern(offset), whose bit j stands for bit at + offset + j.
template <class Pattern>
void and_bits(uint32_t* bits, int64_t at, int64_t count, const Pattern& pattern) {
  for (int64_t done = 0; done < count;) {
    const int shift = static_cast<int>((at + done) & 31);
    const int64_t width = std::min<int64_t>(32 - shift, count - done);
    const uint32_t touched = (width == 32 ? ~uint32_t{0} : (uint32_t{1} << width) - 1) << shift;
    bits[(at + done) >> 5] &= (pattern(done) << shift) | ~touched;
    done += width;
  }
}

}  // namespace

void CpuDevice::mask_apply(void*, int64_t n, const uint32_t* mask, float* w) {
  parallel_ranges(mask_words(n), kGrainWords, [=](int64_t begin, int64_t end) {
    for (int64_t word = begin; word < end; ++word) {
      apply_word(mask[word], static_cast<int>(std::min<int64_t>(32, n - word * 32)), w + word * 32);
    }
  });
}

// Tensor after tensor: each is cut for the pool by itself.
void CpuDevice::mask_apply_many(void* stream, int32_t count, const secateur_masked* tensors) {
  for (int32_t t = 0; t < count; ++t) {
    mask_apply(stream, tensors[t].length, tensors[t].mask, tensors[t].w);
  }
}

void CpuDevice::mask_count(void*, int64_t n, const uint32_t* mask, const float* w, int64_t* kept,
                           int64_t* kept_zeros) {
  std::atomic<int64_t> all_kept{0};
  std::atomic<int64_t> all_zeros{0};
  parallel_ranges(mask_words(n), kGrainWords, [&](int64_t begin, int64_t end) {
    int64_t chunk_kept = 0;
    int64_t chunk_zeros = 0;
    for (int64_t word = begin; word < end; ++word) {
      const uint32_t bits = mask[word] & valid_bits(n, word);
      chunk_kept += __builtin_popcount(bits);
      if (w != nullptr && bits != 0) {
        const int elements = static_cast<int>(std::min<int64_t>(32, n - word * 32));
        chunk_zeros += __builtin_popcount(bits & zero_bits(elements, w + word * 32));
      }
    }
    all_kept.fetch_add(chunk_kept, std::memory_order_relaxed);
    all_zeros.fetch_add(chunk_zeros, std::memory_order_relaxed);
  });
  *kept = all_kept;
  *kept_zeros = w == nullptr ? -1 : all_zeros.load();
}

void CpuDevice::mask_units(void*, int32_t axis, int64_t rows, int64_t cols, const uint32_t* units,
                           uint32_t* mask) {
  const int64_t n = rows * cols;
  parallel_ranges(mask_words(n), kGrainWords, [=](int64_t first, int64_t last) {
    const int64_t end = std::min(n, last * 32);
    for (int64_t begin = first * 32; begin < end;) {
      const int64_t row = begin / cols;
      const int64_t column = begin - row * cols;
      const int64_t length = std::min(cols - column, end - begin);
      if (axis == 1) {
        and_bits(mask, begin, length,
                 [=](int64_t offset) { return load_bits(units, cols, column + offset); });
      } else if ((units[row >> 5] >> (row & 31) & 1) == 0) {
        and_bits(mask, begin, length, [](int64_t) { return uint32_t{0}; });
      }
      begin += length;
    }
  });
}

}  // namespace secateur
