// Which instruction set the CPU device uses. Files named *_avx512.cpp and *_avx2.cpp are compiled
// for theirs (see native/CMakeLists.txt) and may only be called when isa() says so. They keep
// everything but their entry points in an unnamed namespace and use no templates of the standard
// library, or the linker could pick their copy of a shared inline function for a processor that
// lacks the instructions; the headers in kernels/common guard against this by a namespace per
// target.
#pragma once

#if defined(__x86_64__)
#define SECATEUR_X86 1
#else
#define SECATEUR_X86 0
#endif

namespace secateur {

enum class Isa {
  kPlain = 0,   // baseline of the compiler: SSE2 on x86-64
  kAvx2 = 1,    // AVX2, FMA, F16C, BMI1/2, POPCNT
  kAvx512 = 2,  // AVX-512 F, BW, DQ, VL on top
};

// The set in use: what the processor and the system support, unless set_isa() restricted it.
Isa isa() noexcept;

}  // namespace secateur
