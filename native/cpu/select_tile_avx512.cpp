#include <immintrin.h>

#include "select_tile_loop.h"

namespace {

using secateur::common::tile::Compared;

// _mm512_maskz_max_epi32 with all lanes, as GCC 12 warns of _mm512_max_epi32's own code.

class Lines {
 public:
  static SECATEUR_HD void stream(const void* from, size_t bytes, void* to) {
    for (size_t at = 0; at < bytes; at += 64) {
      _mm512_stream_si512(reinterpret_cast<__m512i*>(static_cast<char*>(to) + at),
                          _mm512_load_si512(static_cast<const char*>(from) + at));
    }
  }
};

template <class Key>
class Lanes;

template <>
class Lanes<int32_t> : public Lines {
 public:
  Lanes(int32_t lo, int32_t hi, int32_t tied)
      : lo_(_mm512_set1_epi32(lo)), hi_(_mm512_set1_epi32(hi)), tied_(_mm512_set1_epi32(tied)) {}

  template <bool kSigned, bool kTied>
  SECATEUR_HD Compared compare(const int32_t* scores) {
    __mmask16 kept[4], inside[4], ties[4] = {};
    for (int v = 0; v < 4; ++v) {
      const __m512i bits = _mm512_loadu_si512(scores + 16 * v);
      __m512i key = _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff));
      highest_ = _mm512_maskz_max_epi32(0xffff, highest_, key);
      if (kSigned) {
        key = _mm512_mask_sub_epi32(key, _mm512_movepi32_mask(bits), _mm512_setzero_si512(), key);
      }
      kept[v] = _mm512_cmpge_epi32_mask(key, lo_);
      inside[v] = _mm512_mask_cmple_epi32_mask(kept[v], key, hi_);
      if (kTied) ties[v] = _mm512_cmpeq_epi32_mask(key, tied_);
    }
    return {join(kept), join(inside), kTied ? join(ties) : 0};
  }

  int32_t highest() const {
    int32_t keys[16], most = 0;
    _mm512_storeu_si512(keys, highest_);
    for (int32_t key : keys) most = key > most ? key : most;
    return most;
  }

  static int count_equal(const int32_t* keys, int n, int32_t key) {
    const __m512i wanted = _mm512_set1_epi32(static_cast<int32_t>(key));
    int count = 0;
    for (int i = 0; i < n; i += 16) {
      const int left = n - i;
      const auto lanes = static_cast<__mmask16>(left < 16 ? (1u << left) - 1 : ~0u);
      const __m512i some = _mm512_maskz_loadu_epi32(lanes, keys + i);
      count += __builtin_popcount(_mm512_mask_cmpeq_epi32_mask(lanes, some, wanted));
    }
    return count;
  }

 private:
  static SECATEUR_HD uint64_t join(const __mmask16* part) {
    return _cvtmask64_u64(
        _mm512_kunpackd(_mm512_kunpackw(part[3], part[2]), _mm512_kunpackw(part[1], part[0])));
  }

  __m512i lo_, hi_, tied_;
  __m512i highest_ = _mm512_setzero_si512();
};

template <>
class Lanes<int16_t> : public Lines {
 public:
  Lanes(int16_t lo, int16_t hi, int16_t tied)
      : lo_(_mm512_set1_epi16(lo)), hi_(_mm512_set1_epi16(hi)), tied_(_mm512_set1_epi16(tied)) {}

  template <bool kSigned, bool kTied>
  SECATEUR_HD Compared compare(const int16_t* scores) {
    __mmask32 kept[2], inside[2], ties[2] = {};
    for (int v = 0; v < 2; ++v) {
      const __m512i bits = _mm512_loadu_si512(scores + 32 * v);
      __m512i key = _mm512_and_si512(bits, _mm512_set1_epi16(0x7fff));
      highest_ = _mm512_max_epi16(highest_, key);
      if (kSigned) {
        key = _mm512_mask_sub_epi16(key, _mm512_movepi16_mask(bits), _mm512_setzero_si512(), key);
      }
      kept[v] = _mm512_cmpge_epi16_mask(key, lo_);
      inside[v] = _mm512_mask_cmple_epi16_mask(kept[v], key, hi_);
      if (kTied) ties[v] = _mm512_cmpeq_epi16_mask(key, tied_);
    }
    return {join(kept), join(inside), kTied ? join(ties) : 0};
  }

  int32_t highest() const {
    int16_t keys[32], most = 0;
    _mm512_storeu_si512(keys, highest_);
    for (int16_t key : keys) most = key > most ? key : most;
    return most;
  }

  static int count_equal(const int16_t* keys, int n, int32_t key) {
    const __m512i wanted = _mm512_set1_epi16(static_cast<int16_t>(key));
    int count = 0;
    for (int i = 0; i < n; i += 32) {
      const int left = n - i;
      const auto lanes = static_cast<__mmask32>(left < 32 ? (1u << left) - 1 : ~0u);
      const __m512i some = _mm512_maskz_loadu_epi16(lanes, keys + i);
      count += __builtin_popcount(_mm512_mask_cmpeq_epi16_mask(lanes, some, wanted));
    }
    return count;
  }

 private:
  static SECATEUR_HD uint64_t join(const __mmask32* part) {
    return _cvtmask64_u64(_mm512_kunpackd(part[1], part[0]));
  }

  __m512i lo_, hi_, tied_;
  __m512i highest_ = _mm512_setzero_si512();
};

}  // namespace

void secateur::select::get_tile_code_avx512(TileCode<int32_t>* code) {
  common::tile::get_code<Lanes>(code);
}
void secateur::select::get_tile_code_avx512(TileCode<int16_t>* code) {
  common::tile::get_code<Lanes>(code);
}
