// What the vocabulary in kernels/common needs to be compiled by nvcc for the GPU and by the C++
// compiler for the host.
//
// Host files are compiled for several instruction sets and linked together. SECATEUR_COMMON_BEGIN
// opens an inline namespace named after the instruction set, so that each file keeps its own copies
// of these inline functions and the linker never hands one compiled for AVX-512 to a file that must
// run without it.
#pragma once

#include <stdint.h>

#if defined(__CUDACC__)
#define SECATEUR_HD __host__ __device__ __forceinline__
#else
#define SECATEUR_HD inline __attribute__((always_inline))
#endif

#if defined(__CUDACC__)
#define SECATEUR_TARGET cuda
#elif defined(__AVX512F__)
#define SECATEUR_TARGET avx512
#elif defined(__AVX2__)
#define SECATEUR_TARGET avx2
#else
#define SECATEUR_TARGET plain
#endif

#define SECATEUR_COMMON_BEGIN \
  namespace secateur {        \
  namespace common {          \
  inline namespace SECATEUR_TARGET {
#define SECATEUR_COMMON_END \
  }                         \
  }                         \
  }
