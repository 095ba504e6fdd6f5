#include <immintrin.h>

#include "select_nm_loop.h"

namespace {

// Of flags that are 0 or -1.
struct Pack {
  static SECATEUR_HD uint64_t bits(const int32_t* flags) {
    uint64_t all = 0;
    for (int v = 0; v < 4; ++v) {
      all |= static_cast<uint64_t>(_mm512_movepi32_mask(_mm512_loadu_si512(flags + 16 * v)))
             << 16 * v;
    }
    return all;
  }
  static SECATEUR_HD uint64_t bits(const int16_t* flags) {
    uint64_t all = 0;
    for (int v = 0; v < 2; ++v) {
      all |= static_cast<uint64_t>(_mm512_movepi16_mask(_mm512_loadu_si512(flags + 32 * v)))
             << 32 * v;
    }
    return all;
  }
};

}  // namespace

void secateur::nm::get_code_avx512(Code<int32_t>* code) { common::nm::get_code<Pack>(code); }
void secateur::nm::get_code_avx512(Code<int16_t>* code) { common::nm::get_code<Pack>(code); }
