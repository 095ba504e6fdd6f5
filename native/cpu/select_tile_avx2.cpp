#include <immintrin.h>

#include "select_tile_loop.h"

namespace {

using secateur::common::tile::Compared;

// AVX2 compares by "greater" and "equal" alone: key >= lo is !(lo > key).
template <class Key>
class Lanes;

class Lines {
 public:
  static SECATEUR_HD void stream(const void* from, size_t bytes, void* to) {
    for (size_t at = 0; at < bytes; at += 32) {
      _mm256_stream_si256(
          reinterpret_cast<__m256i*>(static_cast<char*>(to) + at),
          _mm256_load_si256(reinterpret_cast<const __m256i*>(static_cast<const char*>(from) + at)));
    }
  }
};

template <>
class Lanes<int32_t> : public Lines {
 public:
  Lanes(int32_t lo, int32_t hi, int32_t tied)
      : lo_(_mm256_set1_epi32(lo)), hi_(_mm256_set1_epi32(hi)), tied_(_mm256_set1_epi32(tied)) {}

  template <bool kSigned, bool kTied>
  SECATEUR_HD Compared compare(const int32_t* scores) {
    uint64_t below = 0, above = 0, ties = 0;
    for (int v = 0; v < 8; ++v) {
      const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(scores + 8 * v));
      __m256i key = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
      highest_ = _mm256_max_epi32(highest_, key);
      if (kSigned) key = _mm256_sign_epi32(key, _mm256_or_si256(bits, _mm256_set1_epi32(1)));
      below |= byte(_mm256_cmpgt_epi32(lo_, key)) << 8 * v;
      above |= byte(_mm256_cmpgt_epi32(key, hi_)) << 8 * v;
      if (kTied) ties |= byte(_mm256_cmpeq_epi32(key, tied_)) << 8 * v;
    }
    return {~below, ~below & ~above, ties};
  }

  int32_t highest() const {
    int32_t keys[8], most = 0;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(keys), highest_);
    for (int32_t key : keys) most = key > most ? key : most;
    return most;
  }

  static int count_equal(const int32_t* keys, int n, int32_t key) {
    int count = 0;
    for (int i = 0; i < n; ++i) count += keys[i] == key;
    return count;
  }

 private:
  static SECATEUR_HD uint64_t byte(__m256i flags) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(flags)));
  }

  __m256i lo_, hi_, tied_;
  __m256i highest_ = _mm256_setzero_si256();
};

template <>
class Lanes<int16_t> : public Lines {
 public:
  Lanes(int16_t lo, int16_t hi, int16_t tied)
      : lo_(_mm256_set1_epi16(lo)), hi_(_mm256_set1_epi16(hi)), tied_(_mm256_set1_epi16(tied)) {}

  template <bool kSigned, bool kTied>
  SECATEUR_HD Compared compare(const int16_t* scores) {
    uint64_t below = 0, above = 0, ties = 0;
    for (int v = 0; v < 2; ++v) {
      const __m256i a = load<kSigned>(scores + 32 * v), b = load<kSigned>(scores + 32 * v + 16);
      below |= bits(_mm256_cmpgt_epi16(lo_, a), _mm256_cmpgt_epi16(lo_, b)) << 32 * v;
      above |= bits(_mm256_cmpgt_epi16(a, hi_), _mm256_cmpgt_epi16(b, hi_)) << 32 * v;
      if (kTied) {
        ties |= bits(_mm256_cmpeq_epi16(a, tied_), _mm256_cmpeq_epi16(b, tied_)) << 32 * v;
      }
    }
    return {~below, ~below & ~above, ties};
  }

  int32_t highest() const {
    int16_t keys[16], most = 0;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(keys), highest_);
    for (int16_t key : keys) most = key > most ? key : most;
    return most;
  }

  static int count_equal(const int16_t* keys, int n, int32_t key) {
    int count = 0;
    for (int i = 0; i < n; ++i) count += keys[i] == key;
    return count;
  }

 private:
  template <bool kSigned>
  SECATEUR_HD __m256i load(const int16_t* scores) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(scores));
    const __m256i key = _mm256_and_si256(bits, _mm256_set1_epi16(0x7fff));
    highest_ = _mm256_max_epi16(highest_, key);
    if (!kSigned) return key;
    return _mm256_sign_epi16(key, _mm256_or_si256(bits, _mm256_set1_epi16(1)));
  }
  // The flags of 16 and 16 keys as bits.
  static SECATEUR_HD uint64_t bits(__m256i low, __m256i high) {
    const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
    return static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
  }

  __m256i lo_, hi_, tied_;
  __m256i highest_ = _mm256_setzero_si256();
};

}  // namespace

void secateur::select::get_tile_code_avx2(TileCode<int32_t>* code) {
  common::tile::get_code<Lanes>(code);
}
void secateur::select::get_tile_code_avx2(TileCode<int16_t>* code) {
  common::tile::get_code<Lanes>(code);
}
