// kernels/common/half.h on every pattern of 16 bits, and the roundings between all neighbours,
// against the definition of the formats in double precision.
#include <cmath>
#include <initializer_list>
#include <limits>

#include "check.h"
#include "common/half.h"

using namespace secateur::common;

namespace {

// The value of a pattern by the definition: (-1)^s 2^(e - bias) 1.f, or 2^(1 - bias) 0.f.
double defined_value(uint32_t bits, int fraction_bits, int bias) {
  const int exponent_bits = 15 - fraction_bits;
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = static_cast<int>(bits) & ((1 << fraction_bits) - 1);
  const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  const int leading = exponent == 0 ? 0 : 1 << fraction_bits;
  return sign *
         std::ldexp(leading + fraction, (exponent == 0 ? 1 : exponent) - bias - fraction_bits);
}

template <class Type>
void converts_all(int fraction_bits, int bias) {
  for (uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    const auto bits = static_cast<uint16_t>(pattern);
    const double value = defined_value(pattern, fraction_bits, bias);
    const float got = Type::to_float(bits);
    CHECK_NOTE((value != value) == (got != got), "pattern %04x", pattern);
    CHECK_NOTE(std::signbit(got) == (pattern >= 0x8000), "pattern %04x", pattern);
    CHECK_NOTE((value != value) == (Type::magnitude(bits) > Type::kInfinity), "pattern %04x",
               pattern);
    if (value != value) {  // NaN there and back, quiet, sign and payload kept
      const uint32_t quiet = 1u << (fraction_bits - 1);
      CHECK_NOTE(Type::from_float(got) == (pattern | quiet), "pattern %04x", pattern);
      continue;
    }
    CHECK_NOTE(static_cast<double>(got) == value, "pattern %04x: %a, not %a", pattern, got, value);
    CHECK_NOTE(Type::from_float(got) == pattern, "pattern %04x", pattern);
    CHECK_NOTE(key_bits16(Type::signed_key(bits)) == (value == 0 ? 0 : pattern), "pattern %04x",
               pattern);
  }
}

// Between a number and the next larger, the middle goes to the even one, its neighbours to theirs.
// The number after the largest is where infinity begins: what it would be with more exponents.
template <class Type>
void rounds_to_nearest_even(int fraction_bits, int bias) {
  const float largest = std::numeric_limits<float>::max();
  for (uint32_t pattern = 0; pattern < static_cast<uint32_t>(Type::kInfinity); ++pattern) {
    const double below = defined_value(pattern, fraction_bits, bias);
    const double above = static_cast<int>(pattern + 1) == Type::kInfinity
                             ? 2 * below - defined_value(pattern - 1, fraction_bits, bias)
                             : defined_value(pattern + 1, fraction_bits, bias);
    const double middle = (below + above) / 2;
    const auto exact = static_cast<float>(middle);
    CHECK(static_cast<double>(exact) == middle);
    const float lower = std::nextafter(exact, 0.0f), upper = std::nextafter(exact, largest);
    const uint32_t even = pattern + (pattern & 1);
    for (uint32_t sign : {0u, 0x8000u}) {
      const float s = sign == 0 ? 1 : -1;
      CHECK_NOTE(Type::from_float(s * lower) == (sign | pattern), "below %a", exact);
      CHECK_NOTE(Type::from_float(s * exact) == (sign | even), "at %a", exact);
      CHECK_NOTE(Type::from_float(s * upper) == (sign | (pattern + 1)), "above %a", exact);
    }
  }
  for (float beyond : {largest, std::numeric_limits<float>::infinity()}) {
    CHECK(Type::from_float(beyond) == Type::kInfinity);
    CHECK(Type::from_float(-beyond) == (0x8000 | Type::kInfinity));
  }
  CHECK(Type::from_float(std::numeric_limits<float>::denorm_min()) == 0);
  CHECK(Type::from_float(-std::numeric_limits<float>::denorm_min()) == 0x8000);
  for (uint32_t payload : {1u, 0x1fffu, 0x3fffffu, 0x400000u, 0x7fffffu}) {
    const uint16_t nan = Type::from_float(bits_float(0x7f800000u | payload));
    CHECK(Type::magnitude(nan) > Type::kInfinity);
  }
}

// Keys rise with the numbers, by magnitude and signed.
template <class Type>
void orders_keys() {
  for (int32_t key = -Type::kInfinity; key < Type::kInfinity; ++key) {
    const uint16_t low = key_bits16(key), high = key_bits16(key + 1);
    CHECK(Type::to_float(low) < Type::to_float(high));
    CHECK(score_key<Type>(true, low) == key && score_key<Type>(true, high) == key + 1);
    CHECK(score_key<Type>(false, low) == std::abs(key));
  }
  CHECK(score_key<Type>(true, 0x8000) == 0 && score_key<Type>(false, 0x8000) == 0);
  const uint16_t two[] = {Type::from_float(1.5f), Type::from_float(-2)};
  CHECK(load_float<Type>(two, 0) == 1.5f && load_float<Type>(two, 1) == -2);
}

}  // namespace

int main() {
  converts_all<F16>(10, 15);
  converts_all<BF16>(7, 127);
  rounds_to_nearest_even<F16>(10, 15);
  rounds_to_nearest_even<BF16>(7, 127);
  orders_keys<F16>();
  orders_keys<BF16>();
  const float x[] = {-2.5f};
  CHECK(load_float<F32>(x, 0) == -2.5f && score_key<F32>(false, x[0]) == 0x40200000);
  return 0;
}
