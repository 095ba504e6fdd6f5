// The language of the kernel files: CUDA C++, the part of it that nvcc compiles for GPUs and the
// simulator compiles for the host.
//
//   SECATEUR_KERNEL(256) secateur_fill(float value, int64_t n, float* dst) { ... }
//   SECATEUR_REGISTER(secateur_fill);
//
// SECATEUR_KERNEL(threads) opens an extern "C" kernel that is launched with at most `threads`
// threads a block; SECATEUR_REGISTER makes it known to the simulator by name. SECATEUR_SHARED(Type,
// name), once a kernel, declares its shared memory: a struct without constructors, 48 KiB at most;
// functions that need shared memory take their part of it by reference.
//
// SECATEUR_KERNEL_BLOCKS(threads, blocks) opens one of which so many blocks shall fit on a
// multiprocessor: the compiler then uses the registers that are left, where it would else rather
// spill some than use more.
//
// SECATEUR_DEVICE marks a function that kernels call; SECATEUR_UNROLL(count) before a loop unrolls
// it by a constant, so that arrays it indexes stay in registers.
//
// Kernel files use: threadIdx, blockIdx, blockDim, gridDim; __syncthreads, __syncthreads_or,
// __syncthreads_and, __syncthreads_count, __syncwarp; __shfl_sync, __shfl_up_sync,
// __shfl_down_sync,
// __shfl_xor_sync (32-bit, 64-bit, float, double), __ballot_sync, __any_sync, __all_sync,
// __match_any_sync, __activemask; atomicAdd (int, unsigned, unsigned long long, on global and
// shared memory; no float atomics: sums have one order), atomicSub, atomicMin, atomicMax, atomicOr,
// atomicAnd, atomicXor, atomicExch, atomicCAS; __threadfence, __threadfence_block; __popc,
// __popcll,
// __ffs, __ffsll, __clz, __clzll, __brev; the vector types float2, float4, int2, int4, uint2,
// uint4, ulonglong2 with their make_ functions; sqrtf, fabsf, fmaf and the double ones. No
// intrinsic newer than compute capability 7.5, no dynamic shared memory, no textures, no printf, no
// local arrays that are indexed by variables (they would live in local memory).
#pragma once

#include "common/hd.h"

#if defined(__CUDACC__)

#define SECATEUR_KERNEL(threads) extern "C" __global__ void __launch_bounds__(threads)
#define SECATEUR_KERNEL_BLOCKS(threads, blocks) \
  extern "C" __global__ void __launch_bounds__(threads, blocks)
#define SECATEUR_SHARED(Type, name) __shared__ Type name
#define SECATEUR_REGISTER(name) static_assert(true, "")
#define SECATEUR_DEVICE __device__ __forceinline__
#define SECATEUR_PRAGMA(text) _Pragma(#text)
#define SECATEUR_UNROLL(count) SECATEUR_PRAGMA(unroll count)

#else

#define SECATEUR_DEVICE inline __attribute__((always_inline))
#define SECATEUR_UNROLL(count)

#include "kernel_host.h"  // native/sim

#define SECATEUR_KERNEL_BLOCKS(threads, blocks) SECATEUR_KERNEL(threads)

#endif
