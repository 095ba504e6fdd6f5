#include "isa.h"
#include "select_tile_loop.h"

namespace secateur {
namespace select {
namespace {

class Lanes {
 public:
  static constexpr bool kStoresNone = false;  // compact() without a branch

  // Returns which of the 32 scores are NaN.
  template <bool kSigned>
  SECATEUR_HD uint32_t load(const float* scores) {
    uint32_t bits[32];
    memcpy(bits, scores, sizeof bits);
    for (int l = 0; l < 32; ++l) key_[l] = common::abs_key(bits[l]);
    const uint32_t nans = ~at_most(common::kInfinityKey);
    if (kSigned) {
      for (int l = 0; l < 32; ++l) key_[l] = common::signed_key(bits[l]);
    }
    return nans;
  }

  SECATEUR_HD uint32_t at_least(int32_t key) const {
    return join([=](int32_t x) { return x >= key; });
  }
  SECATEUR_HD uint32_t at_most(int32_t key) const {
    return join([=](int32_t x) { return x <= key; });
  }
  SECATEUR_HD uint32_t equal(int32_t key) const {
    return join([=](int32_t x) { return x == key; });
  }

  // Stores the keys whose bit is set, and base + their place, packed.
  SECATEUR_HD void compact(uint32_t bits, int base, int32_t* keys, uint16_t* offsets) const {
    for (; bits != 0; bits &= bits - 1) {
      const int place = __builtin_ctz(bits);
      *keys++ = key_[place];
      *offsets++ = static_cast<uint16_t>(base + place);
    }
  }

 private:
  // One byte a lane, which the compiler vectorizes; then eight bytes to eight bits by a product
  // that moves the bit of byte b to bit 56 + b (little-endian).
  template <class Compare>
  SECATEUR_HD uint32_t join(const Compare& compare) const {
    uint8_t flags[32];
    for (int l = 0; l < 32; ++l) flags[l] = compare(key_[l]) ? 1 : 0;
    uint32_t bits = 0;
    for (int v = 0; v < 4; ++v) {
      uint64_t bytes;
      memcpy(&bytes, flags + 8 * v, sizeof bytes);
      bits |= static_cast<uint32_t>(bytes * 0x0102040810204080u >> 56) << 8 * v;
    }
    return bits;
  }

  int32_t key_[32];
};

}  // namespace

TileCounts classify_tile_plain(const TileInput& input, uint32_t* mask, TileCandidates* candidates) {
  return common::tile::classify<Lanes>(input, mask, candidates);
}

ClassifyTile classify_tile() noexcept {
#if SECATEUR_X86
  switch (isa()) {
    case Isa::kAvx512:
      return classify_tile_avx512;
    case Isa::kAvx2:
      return classify_tile_avx2;
    case Isa::kPlain:
      break;
  }
#endif
  return classify_tile_plain;
}

}  // namespace select
}  // namespace secateur
