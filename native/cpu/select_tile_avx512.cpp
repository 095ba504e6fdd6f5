#include <immintrin.h>

#include "select_tile_loop.h"

namespace {

using secateur::common::kInfinityKey;

class Lanes {
 public:
  static constexpr bool kStoresNone = true;  // compact() without a branch

  // Returns which of the 32 scores are NaN.
  template <bool kSigned>
  SECATEUR_HD uint32_t load(const float* scores) {
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    const __m512i low = _mm512_loadu_si512(scores);
    const __m512i high = _mm512_loadu_si512(scores + 16);
    low_ = _mm512_and_si512(low, magnitude);
    high_ = _mm512_and_si512(high, magnitude);
    const __m512i infinity = _mm512_set1_epi32(kInfinityKey);
    const uint32_t nans =
        join(_mm512_cmpgt_epi32_mask(low_, infinity), _mm512_cmpgt_epi32_mask(high_, infinity));
    if (kSigned) {
      const __m512i zero = _mm512_setzero_si512();
      low_ = _mm512_mask_sub_epi32(low_, _mm512_movepi32_mask(low), zero, low_);
      high_ = _mm512_mask_sub_epi32(high_, _mm512_movepi32_mask(high), zero, high_);
    }
    return nans;
  }

  SECATEUR_HD uint32_t at_least(int32_t key) const {
    const __m512i k = _mm512_set1_epi32(key);
    return join(_mm512_cmpge_epi32_mask(low_, k), _mm512_cmpge_epi32_mask(high_, k));
  }
  SECATEUR_HD uint32_t at_most(int32_t key) const {
    const __m512i k = _mm512_set1_epi32(key);
    return join(_mm512_cmple_epi32_mask(low_, k), _mm512_cmple_epi32_mask(high_, k));
  }
  SECATEUR_HD uint32_t equal(int32_t key) const {
    const __m512i k = _mm512_set1_epi32(key);
    return join(_mm512_cmpeq_epi32_mask(low_, k), _mm512_cmpeq_epi32_mask(high_, k));
  }

  // Stores the keys whose bit is set, and base + their place, packed.
  SECATEUR_HD void compact(uint32_t bits, int base, int32_t* keys, uint16_t* offsets) const {
    const auto low = static_cast<__mmask16>(bits);
    const auto high = static_cast<__mmask16>(bits >> 16);
    const int count = __builtin_popcount(low);
    const __m512i places =
        _mm512_add_epi32(_mm512_set1_epi32(base),
                         _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    store(keys, offsets, low, low_, places);
    store(keys + count, offsets + count, high, high_,
          _mm512_add_epi32(places, _mm512_set1_epi32(16)));
  }

 private:
  static SECATEUR_HD uint32_t join(__mmask16 low, __mmask16 high) {
    return static_cast<uint32_t>(low) | static_cast<uint32_t>(high) << 16;
  }
  static SECATEUR_HD void store(int32_t* keys, uint16_t* offsets, __mmask16 bits, __m512i key,
                                __m512i place) {
    _mm512_storeu_si512(keys, _mm512_maskz_compress_epi32(bits, key));
    _mm256_storeu_si256(
        reinterpret_cast<__m256i*>(offsets),
        _mm512_maskz_cvtepi32_epi16(0xffff, _mm512_maskz_compress_epi32(bits, place)));
  }

  __m512i low_;
  __m512i high_;
};

}  // namespace

secateur::select::TileCounts secateur::select::classify_tile_avx512(const TileInput& input,
                                                                    uint32_t* mask,
                                                                    TileCandidates* candidates) {
  return common::tile::classify<Lanes>(input, mask, candidates);
}
