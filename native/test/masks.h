// A mask for the tests of selections.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "secateur.h"

namespace test {

// A mask on a 128-byte line of its own, with guards on both sides.
class Mask {
 public:
  static constexpr uint32_t kGuard = 0xdeadbeef;  // in the guards, and in the mask at first

  explicit Mask(int64_t n) : words_(SECATEUR_MASK_WORDS(n)), room_(words_ + 97, kGuard) {
    const uintptr_t address = reinterpret_cast<uintptr_t>(room_.data() + 1);
    first_ = 1 + static_cast<size_t>((128 - address % 128) % 128 / 4);
  }
  uint32_t* data() { return room_.data() + first_; }
  bool bit(int64_t i) const {
    return (room_[first_ + static_cast<size_t>(i >> 5)] >> (i & 31) & 1) != 0;
  }
  void set(int64_t i, bool kept) {
    uint32_t& word = data()[i >> 5];
    word = (word & ~(1u << (i & 31))) | static_cast<uint32_t>(kept) << (i & 31);
  }
  const uint32_t* data() const { return room_.data() + first_; }
  void clear() { std::fill_n(data(), words_, 0u); }
  bool guarded() const {
    for (size_t i = 0; i < room_.size(); ++i) {
      if ((i < first_ || i >= first_ + words_) && room_[i] != kGuard) return false;
    }
    return true;
  }
  bool clean_tail(int64_t n) const {
    return n % 32 == 0 || room_[first_ + words_ - 1] >> (n % 32) == 0;
  }

 private:
  size_t words_;
  std::vector<uint32_t> room_;
  size_t first_;
};

}  // namespace test
