// Finding ranks by counting keys by digit: a histogram splits a range of keys into equal bins, the
// bin that holds the rank is the next, narrower range. Its parts count in parallel, each into a
// slot of its own, so nothing is atomic and many equal keys do not queue up for one address.
#pragma once

#include <cstdint>
#include <cstring>

#include "pool.h"
#include "select_tile.h"

namespace secateur {
namespace select {

// Keys lo..hi, `count` of them in the data; the wanted one is the rank-th lowest of these (from 1).
struct KeyRange {
  int32_t lo;
  int32_t hi;
  int64_t count;
  int64_t rank;
};

class Histogram {
 public:
  // slots: parts << bits counters. The range [lo, hi] is split into at most 1 << bits bins.
  Histogram(uint32_t* slots, int parts, int bits, int32_t lo, int32_t hi)
      : slots_(slots), parts_(parts), bits_(bits), lo_(lo), hi_(hi) {
    const uint32_t widest = static_cast<uint32_t>(hi) - static_cast<uint32_t>(lo);
    while (widest >> shift_ >> bits != 0) ++shift_;
    bins_ = static_cast<int>(widest >> shift_) + 1;
  }

  // Counts: part(p, slot) does ++slot[(key - lo) >> shift()] for the keys of part p in [lo, hi].
  template <class Part>
  void count(const Part& part) {
    parallel_for(parts_, [&](int64_t p) {
      uint32_t* slot = slots_ + (p << bits_);
      std::memset(slot, 0, sizeof(uint32_t) * static_cast<size_t>(bins_));
      part(p, slot);
    });
  }

  // The same for a list of keys.
  template <class Key>
  void count_keys(const TileCode<Key>& code, const Key* keys, int64_t n) {
    count([&](int64_t p, uint32_t* slot) {
      const int64_t begin = n * p / parts_, end = n * (p + 1) / parts_;
      code.count_keys(keys + begin, end - begin, lo_, hi_, shift_, slot);
    });
  }

  // Counts n more of a key.
  void add(int32_t key, uint32_t n) { slots_[bin(key)] += n; }

  int shift() const { return shift_; }
  int bins() const { return bins_; }
  int64_t total() const {
    int64_t count = 0;
    for (int b = 0; b < bins_; ++b) count += count_of(b);
    return count;
  }
  int bin(int32_t key) const {
    return static_cast<int>((static_cast<uint32_t>(key) - static_cast<uint32_t>(lo_)) >> shift_);
  }
  int64_t count_of(int bin) const {
    int64_t count = 0;
    for (int p = 0; p < parts_; ++p) count += slots_[(int64_t{p} << bits_) + bin];
    return count;
  }
  int32_t first_key(int bin) const {
    return static_cast<int32_t>(static_cast<uint32_t>(lo_) +
                                (static_cast<uint32_t>(bin) << shift_));
  }
  int32_t last_key(int bin) const { return bin + 1 < bins_ ? first_key(bin + 1) - 1 : hi_; }

  // The bin of the rank-th lowest key counted; false when fewer were.
  bool locate(int64_t rank, KeyRange* found) const {
    constexpr int kBlock = 256;
    int64_t before = 0;
    for (int begin = 0; begin < bins_; begin += kBlock) {
      const int end = begin + kBlock < bins_ ? begin + kBlock : bins_;
      int64_t block = 0;
      for (int p = 0; p < parts_; ++p) {
        const uint32_t* slot = slots_ + (int64_t{p} << bits_);
        for (int b = begin; b < end; ++b) block += slot[b];
      }
      if (before + block < rank) {
        before += block;
        continue;
      }
      for (int b = begin;; ++b) {
        const int64_t count = count_of(b);
        if (before + count >= rank) {
          *found = {first_key(b), last_key(b), count, rank - before};
          return true;
        }
        before += count;
      }
    }
    return false;
  }

 private:
  uint32_t* slots_;
  int parts_;
  int bits_;
  int32_t lo_;
  int32_t hi_;
  int shift_ = 0;
  int bins_;
};

}  // namespace select
}  // namespace secateur
