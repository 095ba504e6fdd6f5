/*
 * IEEE binary16 (f16) and bfloat16 (bf16) numbers, held as uint16_t, to and from float, by integer
 * operations on their bits: the same bits on every device, and loops over them vectorise.
 *
 *   f16   1 sign, 5 exponent (bias 15), 10 fraction bits; to 65504; denormals k * 2^-24
 *   bf16  1 sign, 8 exponent, 7 fraction bits: the upper half of a float
 *
 * To float is exact, denormals, infinities and signs of zero included. From float rounds to
 * nearest, ties to even, overflows to infinity and underflows gradually. NaN stays NaN, with its
 * sign and the upper bits of its payload (made quiet from float, as payload bits are lost).
 *
 * F32, F16 and BF16 name the three types of tensors to templates:
 *
 *   template <class Type> ... const typename Type::Storage* x ... load_float<Type>(x, i)
 */
#pragma once

#include <stdint.h>

#include "common/elementwise.h"
#include "common/hd.h"
#include "common/keys.h"

SECATEUR_COMMON_BEGIN

SECATEUR_HD float f16_to_float(uint16_t half) {
  const uint32_t magnitude = half & 0x7fffu;
  const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
  const uint32_t normal = (magnitude << 13) + (112u << 23); /* another bias */
  const uint32_t special = (magnitude << 13) | 0x7f800000u; /* infinity, NaN */
  const uint32_t denormal = float_bits((float)(int32_t)magnitude * 5.96046448e-8f); /* 2^-24 */
  const uint32_t finite = magnitude < 0x400u ? denormal : normal;
  return bits_float(sign | (magnitude < 0x7c00u ? finite : special));
}

SECATEUR_HD uint16_t float_to_f16(float x) {
  const uint32_t bits = float_bits(x), magnitude = bits & 0x7fffffffu;
  const uint32_t sign = bits >> 16 & 0x8000u;
  /* From half an ulp above the largest number on, the carry runs into the exponent of infinity. */
  const uint32_t odd = magnitude >> 13 & 1u;
  const uint32_t rounded = (magnitude - (112u << 23) + 0xfffu + odd) >> 13;
  const uint32_t normal = magnitude < 0x47800000u ? rounded : 0x7c00u;
  /* An ulp of 0.5 is 2^-24, the unit of denormals, so that the addition rounds to it. */
  const uint32_t small = magnitude < 0x38800000u ? magnitude : 0u;
  const uint32_t denormal = float_bits(bits_float(small) + 0.5f) - 0x3f000000u;
  const uint32_t number = magnitude < 0x38800000u ? denormal : normal; /* 2^-14 */
  const uint32_t nan = 0x7e00u | (magnitude >> 13 & 0x3ffu);
  return (uint16_t)(sign | (magnitude > 0x7f800000u ? nan : number));
}

SECATEUR_HD float bf16_to_float(uint16_t half) { return bits_float((uint32_t)half << 16); }

SECATEUR_HD uint16_t float_to_bf16(float x) {
  const uint32_t bits = float_bits(x);
  const uint32_t number = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  const uint32_t nan = bits >> 16 | 0x40u;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? nan : number);
}

/* kDtype is the type's secateur_dtype. Keys are those of keys.h: of a 16-bit type, of its own bits,
 * so that 0 .. kInfinity (and their negatives for KEY_SIGNED) are the keys of numbers. */
struct F32 {
  typedef float Storage;
  static constexpr int32_t kDtype = 0;
  static constexpr int32_t kInfinity = kInfinityKey;
  static SECATEUR_HD float to_float(float x) { return x; }
  static SECATEUR_HD float from_float(float x) { return x; }
  static SECATEUR_HD int32_t magnitude(float x) { return abs_key(float_bits(x)); }
  static SECATEUR_HD int32_t signed_key(float x) { return common::signed_key(float_bits(x)); }
};

/* Keys of 16-bit numbers, by their bits. */
SECATEUR_HD int32_t abs_key16(uint16_t bits) { return bits & 0x7fff; }

SECATEUR_HD int32_t signed_key16(uint16_t bits) {
  const int32_t sign = -(int32_t)(bits >> 15);
  return (abs_key16(bits) ^ sign) - sign;
}

/* Bits of the number (the magnitude for KEY_ABS) with this key; +0 for key 0. */
SECATEUR_HD uint16_t key_bits16(int32_t key) { return (uint16_t)(key < 0 ? 0x8000 | -key : key); }

struct F16 {
  typedef uint16_t Storage;
  static constexpr int32_t kDtype = 1;
  static constexpr int32_t kInfinity = 0x7c00;
  static SECATEUR_HD float to_float(uint16_t x) { return f16_to_float(x); }
  static SECATEUR_HD uint16_t from_float(float x) { return float_to_f16(x); }
  static SECATEUR_HD int32_t magnitude(uint16_t x) { return abs_key16(x); }
  static SECATEUR_HD int32_t signed_key(uint16_t x) { return signed_key16(x); }
};

struct BF16 {
  typedef uint16_t Storage;
  static constexpr int32_t kDtype = 2;
  static constexpr int32_t kInfinity = 0x7f80;
  static SECATEUR_HD float to_float(uint16_t x) { return bf16_to_float(x); }
  static SECATEUR_HD uint16_t from_float(float x) { return float_to_bf16(x); }
  static SECATEUR_HD int32_t magnitude(uint16_t x) { return abs_key16(x); }
  static SECATEUR_HD int32_t signed_key(uint16_t x) { return signed_key16(x); }
};

/* Returns body(F32{}), body(F16{}) or body(BF16{}), by a secateur_dtype. */
template <class Body>
SECATEUR_HD auto with_type(int32_t dtype, const Body& body) {
  if (dtype == F16::kDtype) return body(F16{});
  if (dtype == BF16::kDtype) return body(BF16{});
  return body(F32{});
}

/* Element i of x as a float. */
template <class Type>
SECATEUR_HD float load_float(const typename Type::Storage* x, int64_t i) {
  return Type::to_float(x[i]);
}

/* The key of a score, by magnitude or signed. A NaN's magnitude is above Type::kInfinity. */
template <class Type>
SECATEUR_HD int32_t score_key(bool is_signed, typename Type::Storage x) {
  return is_signed ? Type::signed_key(x) : Type::magnitude(x);
}

SECATEUR_COMMON_END
