#include <immintrin.h>

#include "select_nm_loop.h"

namespace {

// Of flags that are 0 or -1.
struct Pack {
  static SECATEUR_HD uint64_t bits(const int32_t* flags) {
    uint64_t all = 0;
    for (int v = 0; v < 8; ++v) {
      const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(flags + 8 * v));
      const int byte = _mm256_movemask_ps(_mm256_castsi256_ps(eight));
      all |= static_cast<uint64_t>(static_cast<uint32_t>(byte)) << 8 * v;
    }
    return all;
  }
  static SECATEUR_HD uint64_t bits(const int16_t* flags) {
    uint64_t all = 0;
    for (int v = 0; v < 2; ++v) {
      const auto* from = reinterpret_cast<const __m256i*>(flags + 32 * v);
      const __m256i bytes = _mm256_permute4x64_epi64(
          _mm256_packs_epi16(_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)), 0xd8);
      all |= static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(bytes))) << 32 * v;
    }
    return all;
  }
};

}  // namespace

void secateur::nm::get_code_avx2(Code<int32_t>* code) { common::nm::get_code<Pack>(code); }
void secateur::nm::get_code_avx2(Code<int16_t>* code) { common::nm::get_code<Pack>(code); }
