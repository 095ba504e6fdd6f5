// Order-preserving integer keys of float scores, for exact selection by comparing and counting.
//
//   KEY_ABS     key = bits & 0x7fffffff, the magnitude: 0 .. 0x7f800000 (infinity)
//   KEY_SIGNED  key = magnitude, negated where the sign bit is set: -0x7f800000 .. 0x7f800000
//
// For scores that are no NaN, a < b as reals (by magnitude for KEY_ABS) exactly when key(a) <
// key(b), and -0 and +0 have the same key 0. Keys are signed, as the vector instructions of every
// target compare signed integers. A NaN's magnitude lies above 0x7f800000.
#pragma once

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

constexpr int32_t kInfinityKey = 0x7f800000;

// Bounds of the keys of scores that are no NaN.
SECATEUR_HD int32_t lowest_key(bool is_signed) { return is_signed ? -kInfinityKey : 0; }
SECATEUR_HD int32_t highest_key() { return kInfinityKey; }

SECATEUR_HD int32_t abs_key(uint32_t bits) { return static_cast<int32_t>(bits & 0x7fffffffu); }

SECATEUR_HD int32_t signed_key(uint32_t bits) {
  const int32_t magnitude = abs_key(bits);
  const int32_t sign = -static_cast<int32_t>(bits >> 31);
  return (magnitude ^ sign) - sign;
}

SECATEUR_HD bool is_nan(uint32_t bits) { return abs_key(bits) > kInfinityKey; }

// Bits of the score (the magnitude for KEY_ABS) with this key; +0 for key 0.
SECATEUR_HD uint32_t key_bits(int32_t key) {
  return key < 0 ? 0x80000000u | static_cast<uint32_t>(-key) : static_cast<uint32_t>(key);
}

SECATEUR_COMMON_END
