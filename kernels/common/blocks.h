// What blocks of one launch may tell each other while it runs. Each of these needs care with the
// order of memory that no x86 run can test, so they live here and nowhere else.
//
//   last_block(ticket, count)   the last of `count` blocks to arrive sees all that the others wrote
//                               before they arrived: it may finish the work in the same launch
//
//     partial[blockIdx.x] = sum_of_block;
//     if (!last_block(ticket, gridDim.x)) return;
//     ... reads partial[0..gridDim.x) ...
//
//   publish(word, value)        hands one 64-bit word to other blocks; status and value share the
//   poll(word)                  word, so no fence is needed and nothing else is ordered by it
//
//     const uint32_t tile = tickets drawn by atomicAdd, not blockIdx: predecessors have started
//     publish(&state[tile], kReady << 62 | sum);
//     do { word = poll(&state[tile - 1]); } while (word >> 62 == kEmpty);
//
// Words start as the kernel before left them (zero); one of these words is touched by nothing but
// these functions and atomics while the launch runs.
#pragma once

#include "common/kernel.h"

SECATEUR_COMMON_BEGIN

// True on all threads of the last of `count` blocks to call it, false on those of the others. Every
// thread of the block must call it: it holds two barriers. *ticket is 0 before, and 0 again after
// the last block, ready for the next launch.
__device__ __forceinline__ bool last_block(uint32_t* ticket, uint32_t count) {
  __syncthreads();
  bool last = false;
  if (threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0) {
    __threadfence();  // cumulative: releases what the barrier made this thread see of its block
    last = atomicAdd(ticket, 1u) == count - 1;
    if (last) atomicExch(ticket, 0u);
    __threadfence();  // acquires what the other blocks released; the barrier passes it on
#if !defined(__CUDACC__)
    sim::ticket_drawn(ticket, last);
#endif
  }
  return __syncthreads_or(last) != 0;
}

// Stores a word, whole, for poll() of other threads.
__device__ __forceinline__ void publish(unsigned long long* word, unsigned long long value) {
#if defined(__CUDACC__)
  *(volatile unsigned long long*)word = value;
#else
  sim::publish(word, value);
#endif
}

// Loads a word, whole, as published last or earlier; loops over it see a new value in finite time.
__device__ __forceinline__ unsigned long long poll(const unsigned long long* word) {
#if defined(__CUDACC__)
  return *(const volatile unsigned long long*)word;
#else
  return sim::poll(word);
#endif
}

SECATEUR_COMMON_END
