#include "isa.h"
#include "select_tile_loop.h"

namespace secateur {
namespace select {
namespace {

using common::tile::Compared;

template <class Key>
class Lanes {
 public:
  Lanes(Key lo, Key hi, Key tied) : lo_(lo), hi_(hi), tied_(tied) {}

  template <bool kSigned, bool kTied>
  SECATEUR_HD Compared compare(const Key* scores) {
    Key keys[64];
    memcpy(keys, scores, sizeof keys);
    Key highest = highest_;
    for (int l = 0; l < 64; ++l) {
      const Key magnitude = common::tile::magnitude_of(keys[l]);
      highest = magnitude > highest ? magnitude : highest;
      keys[l] = common::tile::key_of<kSigned>(keys[l]);
    }
    highest_ = highest;
    const uint64_t kept = join(keys, [lo = lo_](Key key) { return key >= lo; });
    const uint64_t inside = kept & join(keys, [hi = hi_](Key key) { return key <= hi; });
    return {kept, inside, kTied ? join(keys, [tied = tied_](Key key) { return key == tied; }) : 0};
  }

  int32_t highest() const { return highest_; }

  static int count_equal(const Key* keys, int n, int32_t key) {
    int count = 0;
    for (int i = 0; i < n; ++i) count += keys[i] == key;
    return count;
  }

  static void stream(const void* from, size_t bytes, void* to) { memcpy(to, from, bytes); }

 private:
  // One byte a lane, which the compiler vectorizes; then eight bytes to eight bits by a product
  // that moves the bit of byte b to bit 56 + b (little-endian).
  template <class Compare>
  static SECATEUR_HD uint64_t join(const Key* keys, const Compare& compare) {
    uint8_t flags[64];
    for (int l = 0; l < 64; ++l) flags[l] = compare(keys[l]) ? 1 : 0;
    uint64_t bits = 0;
    for (int v = 0; v < 8; ++v) {
      uint64_t bytes;
      memcpy(&bytes, flags + 8 * v, sizeof bytes);
      bits |= (bytes * 0x0102040810204080u >> 56) << 8 * v;
    }
    return bits;
  }

  Key lo_, hi_, tied_;
  Key highest_ = 0;
};

}  // namespace

void get_tile_code_plain(TileCode<int32_t>* code) { common::tile::get_code<Lanes>(code); }
void get_tile_code_plain(TileCode<int16_t>* code) { common::tile::get_code<Lanes>(code); }

template <class Key>
TileCode<Key> tile_code() noexcept {
  TileCode<Key> code;
  get_tile_code_plain(&code);
#if SECATEUR_X86
  if (isa() == Isa::kAvx2) get_tile_code_avx2(&code);
  if (isa() == Isa::kAvx512) get_tile_code_avx512(&code);
#endif
  return code;
}

template TileCode<int32_t> tile_code() noexcept;
template TileCode<int16_t> tile_code() noexcept;

}  // namespace select
}  // namespace secateur
