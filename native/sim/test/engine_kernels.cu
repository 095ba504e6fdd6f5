// Kernels for the tests of the simulator's engine: for each thing it must find a wrong one and,
// beside it, the right one. `way` chooses the wrong (1) or the right (0) way where they differ by a
// line.
#include "common/blocks.h"

using secateur::common::last_block;
using secateur::common::poll;
using secateur::common::publish;

struct Shared {
  uint32_t bins[32];
  float values[256];
  unsigned char bytes[256];
};

// out[i] += 1 for i = x[thread] % 32, by atomics or not: in device memory ...
SECATEUR_KERNEL(256) test_histogram(int way, int n, const uint32_t* x, uint32_t* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  if (way == 1) {
    out[x[i] % 32]++;
  } else {
    atomicAdd(&out[x[i] % 32], 1u);
  }
}
SECATEUR_REGISTER(test_histogram);

// ... and in shared memory, one block's part at a time. way 2: forgets the barrier before adding.
SECATEUR_KERNEL(256) test_histogram_shared(int way, int n, const uint32_t* x, uint32_t* out) {
  SECATEUR_SHARED(Shared, shared);
  if (threadIdx.x < 32) shared.bins[threadIdx.x] = 0;
  if (way != 2) __syncthreads();
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    if (way == 1) {
      shared.bins[x[i] % 32]++;
    } else {
      atomicAdd(&shared.bins[x[i] % 32], 1u);
    }
  }
  if (way != 3) __syncthreads();
  if (threadIdx.x < 32) atomicAdd(&out[threadIdx.x], shared.bins[threadIdx.x]);
}
SECATEUR_REGISTER(test_histogram_shared);

// Reverses each block of 256 through shared memory. way 1: without the barrier.
SECATEUR_KERNEL(256) test_reverse(int way, const float* x, float* y) {
  SECATEUR_SHARED(Shared, shared);
  shared.values[threadIdx.x] = x[blockIdx.x * 256 + threadIdx.x];
  if (way == 0) __syncthreads();
  y[blockIdx.x * 256 + threadIdx.x] = shared.values[255 - threadIdx.x];
}
SECATEUR_REGISTER(test_reverse);

// Rotates each warp by one lane through shared memory, twice. way 1: without the __syncwarp before
// the read, way 2: without the one before the next write.
SECATEUR_KERNEL(64) test_rotate(int way, const float* x, float* y) {
  SECATEUR_SHARED(Shared, shared);
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x - lane;
  float value = x[threadIdx.x];
  for (int turn = 0; turn < 2; ++turn) {
    shared.values[threadIdx.x] = value;
    if (way != 1) __syncwarp();
    value = shared.values[warp + (lane + 1) % 32];
    if (way != 2) __syncwarp();
  }
  y[threadIdx.x] = value;
}
SECATEUR_REGISTER(test_rotate);

// A shuffle between the write and the read orders nothing (way 1); __syncwarp of half a warp orders
// that half (way 0) and not the other (way 2).
SECATEUR_KERNEL(32) test_half_warps(int way, float* y) {
  SECATEUR_SHARED(Shared, shared);
  const unsigned lane = threadIdx.x, half = lane / 16, mask = 0xffffu << 16 * half;
  shared.values[lane] = static_cast<float>(lane);
  if (way == 1) {
    __shfl_sync(0xffffffffu, 0, 0);
  } else {
    __syncwarp(mask);
  }
  y[lane] = shared.values[way == 2 ? 31 - lane : 16 * half + (15 - lane % 16)];
}
SECATEUR_REGISTER(test_half_warps);

// way 1: half of the block waits at another barrier; way 2: half has returned; way 3: half waits
// for its warp.
SECATEUR_KERNEL(256) test_barrier(int way, int* count) {
  const bool upper = threadIdx.x >= 128;
  if (way == 2 && upper) return;
  if (way == 3 && threadIdx.x == 7) __syncwarp();
  if (way == 1 && upper) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  const int both = __syncthreads_count(upper), any = __syncthreads_or(threadIdx.x == 77);
  const int all = __syncthreads_and(threadIdx.x < 256), none = __syncthreads_or(0);
  const int not_all = __syncthreads_and(threadIdx.x != 3);
  if (threadIdx.x == 0 && blockIdx.x == 0) {
    *count = both == 128 && any != 0 && all != 0 && none == 0 && not_all == 0;
  }
}
SECATEUR_REGISTER(test_barrier);

// Every collective of a warp, results checked by the test. way 1: lane 5 has exited; way 2: lane 5
// is at another collective; way 3: names lanes but not its own; way 4: lanes give different masks.
SECATEUR_KERNEL(32) test_collectives(int way, uint32_t* out) {
  const unsigned lane = threadIdx.x, full = 0xffffffffu;
  if (way == 1 && lane == 5) return;
  if (way == 2 && lane == 5) __syncwarp();
  if (way == 3 && lane == 5) __ballot_sync(full & ~32u, 1);
  if (way == 4) __any_sync(lane == 5 ? 0xffu : full, 1);
  out[lane] = __ballot_sync(full, lane % 3 == 0);
  out[32 + lane] = __any_sync(full, lane == 9) + 2 * __all_sync(full, lane < 32) +
                   4 * __any_sync(full, 0) + 8 * __all_sync(full, lane != 1);
  out[64 + lane] = __match_any_sync(full, lane / 5);
  out[96 + lane] = __shfl_sync(full, lane * 10, 7);
  out[128 + lane] = __shfl_up_sync(full, lane, 3);
  out[160 + lane] = __shfl_down_sync(full, lane, 3, 8);
  out[192 + lane] = __shfl_xor_sync(full, lane, 5);
  out[224 + lane] = static_cast<uint32_t>(__shfl_sync(full, 1ull << lane, lane ^ 1) >> 1);
  out[256 + lane] = static_cast<uint32_t>(__shfl_down_sync(full, 0.5 * lane, 1) * 2);
}
SECATEUR_REGISTER(test_collectives);

// The sum of the first n lanes by shuffles of those lanes alone: below a full warp the tree reads
// lanes that take no part (way 1), or gives them zero first (way 0).
SECATEUR_KERNEL(32) test_inactive(int way, int n, float* out) {
  const int lane = threadIdx.x;
  float value = lane < n ? 1.0f : 0.0f;
  if (way == 0 || lane < n) {
    const unsigned mask = way == 0 ? 0xffffffffu : (1u << n) - 1;
    for (int half = 16; half > 0; half /= 2) value += __shfl_down_sync(mask, value, half);
  }
  if (lane == 0) *out = value;
}
SECATEUR_REGISTER(test_inactive);

// Lanes that are together take their places in a list with one atomic: the sum is the same however
// they are split.
SECATEUR_KERNEL(256) test_active(uint32_t* count, uint32_t* list) {
  if (threadIdx.x % 3 == 1) return;
  const unsigned mask = __activemask(), lane = threadIdx.x % 32;
  const int leader = __ffs(mask) - 1;
  uint32_t place = 0;
  if (static_cast<int>(lane) == leader) place = atomicAdd(count, __popc(mask));
  place = __shfl_sync(mask, place, leader) + __popc(mask & ((1u << lane) - 1));
  list[place] = threadIdx.x;
}
SECATEUR_REGISTER(test_active);

// Copies n elements from x + offset to y.
SECATEUR_KERNEL(256) test_copy(int64_t offset, int64_t n, const float* x, float* y) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[offset + i];
}
SECATEUR_REGISTER(test_copy);

SECATEUR_KERNEL(256) test_store(int64_t offset, float* y) { y[offset + threadIdx.x] = 1.0f; }
SECATEUR_REGISTER(test_store);

SECATEUR_KERNEL(256) test_copy_vectors(const char* x, float4* y) {
  y[threadIdx.x] = reinterpret_cast<const float4*>(x)[threadIdx.x];
}
SECATEUR_REGISTER(test_copy_vectors);

SECATEUR_KERNEL(256) test_load_double(const char* x, double* y) {
  y[threadIdx.x] = reinterpret_cast<const double*>(x)[threadIdx.x];
}
SECATEUR_REGISTER(test_load_double);

// Each thread its own byte, then its neighbour's half word: parts of words are apart.
SECATEUR_KERNEL(256) test_bytes(unsigned char* bytes, uint16_t* halves) {
  SECATEUR_SHARED(Shared, shared);
  shared.bytes[threadIdx.x] = static_cast<unsigned char>(threadIdx.x);
  bytes[threadIdx.x] = static_cast<unsigned char>(3 * threadIdx.x);
  __syncthreads();
  halves[threadIdx.x] = static_cast<uint16_t>(shared.bytes[255 - threadIdx.x]);
}
SECATEUR_REGISTER(test_bytes);

// Reads shared memory at an index that nobody has written or that is outside.
SECATEUR_KERNEL(32) test_shared_read(int64_t index, float* out) {
  SECATEUR_SHARED(Shared, shared);
  shared.values[threadIdx.x] = 1.0f;
  __syncwarp();
  out[threadIdx.x] = *(shared.values + index);
}
SECATEUR_REGISTER(test_shared_read);

SECATEUR_KERNEL(32) test_shared_write(int64_t index) {
  SECATEUR_SHARED(Shared, shared);
  *(shared.bytes + index + threadIdx.x) = 1;
}
SECATEUR_REGISTER(test_shared_write);

struct Big {
  float values[12289];  // 48 KiB and 4 bytes
};
SECATEUR_KERNEL(32) test_shared_big() {
  SECATEUR_SHARED(Big, big);
  big.values[threadIdx.x] = 0;
}
SECATEUR_REGISTER(test_shared_big);

// Waits for a flag that thread 255 sets (way 0) or nobody (way 1), or, without asking properly, by
// plain loads (way 2). way 3: nobody, and all lanes ask together.
SECATEUR_KERNEL(256) test_spin(int way, unsigned long long* flag) {
  if (threadIdx.x == 255 && way == 0) publish(flag, 1);
  if (way == 2) {
    while (*static_cast<volatile unsigned long long*>(flag) == 0) {
    }
  } else if (way == 3) {
    while (__any_sync(0xffffffffu, poll(flag) == 0)) {
    }
  } else {
    while (poll(flag) == 0) {
    }
  }
}
SECATEUR_REGISTER(test_spin);

// Prefix sums by look-back: a block adds to its own value what its predecessor published. way 1:
// predecessor by blockIdx instead of by ticket, which may not have begun.
SECATEUR_KERNEL(32)
test_look_back(int way, uint32_t* tickets, unsigned long long* state, const uint32_t* x,
               uint32_t* sums) {
  uint32_t tile = blockIdx.x;
  if (way == 0) {
    if (threadIdx.x == 0) tile = atomicAdd(tickets, 1u);
    tile = __shfl_sync(0xffffffffu, tile, 0);
  } else {
    tile = gridDim.x - 1 - tile;
  }
  if (threadIdx.x != 0) return;
  unsigned long long before = 0;
  if (tile > 0) {
    do {
      before = poll(&state[tile - 1]);
    } while (before == 0);
  }
  const auto sum = static_cast<uint32_t>(before) + x[tile];
  sums[tile] = sum;
  publish(&state[tile], 1ull << 32 | sum);
}
SECATEUR_REGISTER(test_look_back);

// The last block adds the partial sums of all. way 1: block 0 does, last or not; way 2: the last
// one by a ticket, but one that orders nothing.
SECATEUR_KERNEL(64) test_last_block(int way, uint32_t* ticket, float* partial, float* out) {
  if (threadIdx.x == 0) partial[blockIdx.x] = static_cast<float>(blockIdx.x);
  if (way == 1 && blockIdx.x != 0) return;
  if (way == 2) {
    __syncthreads();
    const int last = threadIdx.x == 0 && atomicAdd(ticket, 1u) == gridDim.x - 1;
    if (__syncthreads_or(last) == 0) return;
  }
  if (way == 0 && !last_block(ticket, gridDim.x)) return;
  if (threadIdx.x == 0) {
    float sum = 0;
    for (uint32_t i = 0; i < gridDim.x; ++i) sum += partial[i];
    *out = sum;
  }
}
SECATEUR_REGISTER(test_last_block);

// Adjacent blocks write a common element (way 1) or not.
SECATEUR_KERNEL(64) test_overlap(int way, float* y) {
  y[(64 - way) * blockIdx.x + threadIdx.x] = 1.0f;
}
SECATEUR_REGISTER(test_overlap);

SECATEUR_KERNEL(64) test_trap(int way) {
  if (way == 1 && threadIdx.x == 33) __trap();
}
SECATEUR_REGISTER(test_trap);

// Two-dimensional indices; a constant table and a struct parameter are a thread's to read.
struct Pair {
  int64_t factor[2];
  double offset;
};
SECATEUR_KERNEL(128) test_indices(Pair pair, uint32_t* out) {
  static constexpr uint32_t kTable[4] = {3, 1, 4, 1};
  const uint32_t x = blockIdx.x * blockDim.x + threadIdx.x;
  const uint32_t y = blockIdx.y * blockDim.y + threadIdx.y;
  out[y * gridDim.x * blockDim.x + x] =
      static_cast<uint32_t>(pair.factor[threadIdx.x & 1] * y + pair.offset) + kTable[x & 3];
}
SECATEUR_REGISTER(test_indices);
