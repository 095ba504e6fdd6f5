// f16 and bf16 to and from float for the simulator's products, written for them alone: they share
// no arithmetic with the devices that they check.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace sim {

inline float f16_to_float(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
  float value;
  if (exponent == 31)
    value = mantissa ? NAN : INFINITY;
  else if (exponent == 0)
    value = std::ldexp(static_cast<float>(mantissa), -24);
  else
    value = std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  return bits & 0x8000 ? -value : value;
}

// To nearest, ties to even; infinity from 65520 on.
inline uint16_t float_to_f16(float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (magnitude >= 65520.0f) return sign | 0x7c00;
  if (magnitude < 0x1p-14f)  // nearbyint rounds ties to even; 1024 steps is the first normal number
    return sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f));
  int exponent;  // magnitude = fraction 2^exponent, fraction in [0.5, 1)
  const float fraction = std::frexp(magnitude, &exponent);
  const int steps = static_cast<int>(std::nearbyint(fraction * 2048.0f));  // 1024 ... 2048
  return sign | static_cast<uint16_t>(((exponent + 13) << 10) + steps);
}

inline float bf16_to_float(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

inline uint16_t float_to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

}  // namespace sim
