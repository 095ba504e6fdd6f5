// CUDA's vector types for kernels compiled for the host.
//
// nvcc loads a float4 as one access, which must be 16-byte aligned; the compiler for the host may
// split the copy into scalars. So copies of these types check the alignment by themselves where
// kernels are checked.
#pragma once

#include <cstdint>

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

namespace sim {

#if SECATEUR_SIM_CHECKED
// Faults unless the device or shared address is a multiple of bytes.
void vector_access(const void* address, unsigned bytes);
#define SECATEUR_SIM_VECTOR(Type, bytes)   \
  Type() = default;                        \
  Type(const Type& from) { *this = from; } \
  Type& operator=(const Type& from) {      \
    ::sim::vector_access(&from, bytes);    \
    ::sim::vector_access(this, bytes);     \
    return copy(from);                     \
  }
#endif

}  // namespace sim

#if SECATEUR_SIM_CHECKED
#define SECATEUR_SIM_VECTOR2(Type, Element)        \
  struct alignas(2 * sizeof(Element)) Type {       \
    Element x, y;                                  \
    SECATEUR_SIM_VECTOR(Type, 2 * sizeof(Element)) \
    Type(Element x_, Element y_) : x(x_), y(y_) {} \
                                                   \
   private:                                        \
    Type& copy(const Type& from) {                 \
      x = from.x;                                  \
      y = from.y;                                  \
      return *this;                                \
    }                                              \
  };                                               \
  inline Type make_##Type(Element x, Element y) { return Type(x, y); }
#define SECATEUR_SIM_VECTOR4(Type, Element)                                              \
  struct alignas(4 * sizeof(Element) < 16 ? 4 * sizeof(Element) : 16) Type {             \
    Element x, y, z, w;                                                                  \
    SECATEUR_SIM_VECTOR(Type, (4 * sizeof(Element) < 16 ? 4 * sizeof(Element) : 16))     \
    Type(Element x_, Element y_, Element z_, Element w_) : x(x_), y(y_), z(z_), w(w_) {} \
                                                                                         \
   private:                                                                              \
    Type& copy(const Type& from) {                                                       \
      x = from.x;                                                                        \
      y = from.y;                                                                        \
      z = from.z;                                                                        \
      w = from.w;                                                                        \
      return *this;                                                                      \
    }                                                                                    \
  };                                                                                     \
  inline Type make_##Type(Element x, Element y, Element z, Element w) { return Type(x, y, z, w); }
#else
#define SECATEUR_SIM_VECTOR2(Type, Element)  \
  struct alignas(2 * sizeof(Element)) Type { \
    Element x, y;                            \
  };                                         \
  inline Type make_##Type(Element x, Element y) { return Type{x, y}; }
#define SECATEUR_SIM_VECTOR4(Type, Element)                                  \
  struct alignas(4 * sizeof(Element) < 16 ? 4 * sizeof(Element) : 16) Type { \
    Element x, y, z, w;                                                      \
  };                                                                         \
  inline Type make_##Type(Element x, Element y, Element z, Element w) { return Type{x, y, z, w}; }
#endif

SECATEUR_SIM_VECTOR2(float2, float)
SECATEUR_SIM_VECTOR2(double2, double)
SECATEUR_SIM_VECTOR2(int2, int)
SECATEUR_SIM_VECTOR2(uint2, unsigned)
SECATEUR_SIM_VECTOR2(short2, short)
SECATEUR_SIM_VECTOR2(ushort2, unsigned short)
SECATEUR_SIM_VECTOR2(longlong2, long long)
SECATEUR_SIM_VECTOR2(ulonglong2, unsigned long long)
SECATEUR_SIM_VECTOR4(float4, float)
SECATEUR_SIM_VECTOR4(int4, int)
SECATEUR_SIM_VECTOR4(uint4, unsigned)
SECATEUR_SIM_VECTOR4(short4, short)
SECATEUR_SIM_VECTOR4(ushort4, unsigned short)
SECATEUR_SIM_VECTOR4(uchar4, unsigned char)
