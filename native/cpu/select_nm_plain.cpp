#include "select_nm_loop.h"

namespace secateur {
namespace nm {
namespace {

// One byte a lane; then eight bytes to eight bits by a product that moves the bit of byte b to bit
// 56 + b (little-endian).
struct Pack {
  template <class Key>
  static SECATEUR_HD uint64_t bits(const Key* flags) {
    uint8_t bytes[64];
    for (int l = 0; l < 64; ++l) bytes[l] = flags[l] != 0 ? 1 : 0;
    uint64_t all = 0;
    for (int v = 0; v < 8; ++v) {
      uint64_t eight;
      memcpy(&eight, bytes + 8 * v, sizeof eight);
      all |= (eight * 0x0102040810204080u >> 56) << 8 * v;
    }
    return all;
  }
};

}  // namespace

void get_code_plain(Code<int32_t>* code) { common::nm::get_code<Pack>(code); }
void get_code_plain(Code<int16_t>* code) { common::nm::get_code<Pack>(code); }

}  // namespace nm
}  // namespace secateur
