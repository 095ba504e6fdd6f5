/*
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011), ten rounds of two 32 x 32 -> 64 bit products.
 *
 * A draw is named by (seed, counter, salt). Its element i is word i & 3 of the block i >> 2:
 *
 *   key     = seed ^ mix(salt)                       (two 32-bit words, low first)
 *   counter = {low(i >> 2), high(i >> 2), low(counter), high(counter)}
 *
 * mix is a bijection with mix(0) = 0, so draws that differ in salt alone never share a key, and
 * draws that differ in counter alone never share a block. Every element is a pure function of
 * (seed, counter, salt, i): order, threads and devices do not matter.
 */
#pragma once

#include <stdint.h>

#include "common/hd.h"

SECATEUR_COMMON_BEGIN

struct PhiloxBlock {
  uint32_t word[4];
};

/* The generator itself: ten rounds over a 128-bit counter under a 64-bit key. */
SECATEUR_HD PhiloxBlock philox4x32_10(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                                      uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t left = (uint64_t)0xd2511f53u * c0;
    const uint64_t right = (uint64_t)0xcd9e8d57u * c2;
    c0 = (uint32_t)(right >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)right;
    c2 = (uint32_t)(left >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)left;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  const PhiloxBlock block = {{c0, c1, c2, c3}};
  return block;
}

/* Stafford's 13th variant of the 64-bit finaliser of MurmurHash3: a bijection that fixes 0. */
SECATEUR_HD uint64_t mix_salt(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

SECATEUR_HD uint64_t draw_key(uint64_t seed, uint64_t salt) { return seed ^ mix_salt(salt); }

/* Block b (elements 4b .. 4b+3) of the draw with this key and counter. */
SECATEUR_HD PhiloxBlock draw_block(uint64_t key, uint64_t counter, uint64_t b) {
  return philox4x32_10((uint32_t)b, (uint32_t)(b >> 32), (uint32_t)counter,
                       (uint32_t)(counter >> 32), (uint32_t)key, (uint32_t)(key >> 32));
}

/*
 * ((bits >> 8) + 0.5) * 2^-24, in (0, 1), except that the half step above 2^23 is rounded to even
 * as a float must be; the largest value is therefore clamped to 1 - 2^-24.
 */
SECATEUR_HD float uniform_float(uint32_t bits) {
  const float u = ((float)(int32_t)(bits >> 8) + 0.5f) * 5.96046448e-8f;
  return u < 1.0f ? u : 0.999999940f;
}

/* x / keep where the uniform u is not below the ratio, else 0; keep = 1 - ratio. */
SECATEUR_HD float dropout_float(float u, float ratio, float keep, float x) {
  const float kept = x / keep;
  return u < ratio ? 0.0f : kept;
}

SECATEUR_COMMON_END
