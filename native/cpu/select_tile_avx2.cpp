#include <immintrin.h>

#include "select_tile_loop.h"

namespace {

using secateur::common::kInfinityKey;

class Lanes {
 public:
  static constexpr bool kStoresNone = false;  // compact() without a branch

  // Returns which of the 32 scores are NaN.
  template <bool kSigned>
  SECATEUR_HD uint32_t load(const float* scores) {
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i bits[4];
    for (int v = 0; v < 4; ++v) {
      bits[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(scores + 8 * v));
      key_[v] = _mm256_and_si256(bits[v], magnitude);
    }
    const uint32_t nans = ~at_most(kInfinityKey);
    if (kSigned) {
      for (int v = 0; v < 4; ++v) {
        const __m256i sign = _mm256_srai_epi32(bits[v], 31);
        key_[v] = _mm256_sub_epi32(_mm256_xor_si256(key_[v], sign), sign);
      }
    }
    return nans;
  }

  SECATEUR_HD uint32_t at_least(int32_t key) const {
    const __m256i k = _mm256_set1_epi32(key);
    return ~join([&](__m256i x) { return _mm256_cmpgt_epi32(k, x); });
  }
  SECATEUR_HD uint32_t at_most(int32_t key) const {
    const __m256i k = _mm256_set1_epi32(key);
    return ~join([&](__m256i x) { return _mm256_cmpgt_epi32(x, k); });
  }
  SECATEUR_HD uint32_t equal(int32_t key) const {
    const __m256i k = _mm256_set1_epi32(key);
    return join([&](__m256i x) { return _mm256_cmpeq_epi32(x, k); });
  }

  // Stores the keys whose bit is set, and base + their place, packed.
  SECATEUR_HD void compact(uint32_t bits, int base, int32_t* keys, uint16_t* offsets) const {
    alignas(32) int32_t key[32];
    for (int v = 0; v < 4; ++v) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(key + 8 * v), key_[v]);
    }
    for (; bits != 0; bits &= bits - 1) {
      const int place = __builtin_ctz(bits);
      *keys++ = key[place];
      *offsets++ = static_cast<uint16_t>(base + place);
    }
  }

 private:
  template <class Compare>
  SECATEUR_HD uint32_t join(const Compare& compare) const {
    uint32_t bits = 0;
    for (int v = 0; v < 4; ++v) {
      const int byte = _mm256_movemask_ps(_mm256_castsi256_ps(compare(key_[v])));
      bits |= static_cast<uint32_t>(byte) << 8 * v;
    }
    return bits;
  }

  __m256i key_[4];
};

}  // namespace

secateur::select::TileCounts secateur::select::classify_tile_avx2(const TileInput& input,
                                                                  uint32_t* mask,
                                                                  TileCandidates* candidates) {
  return common::tile::classify<Lanes>(input, mask, candidates);
}
