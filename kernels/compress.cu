// Compression of a weight matrix to CSR or BSR: see secateur_matrix in secateur.h.
//
//   secateur_compress_count_rows, _columns  offsets[r + 1] = stored blocks of block row r
//   secateur_compress_scan                  offsets = running sums of these, offsets[0] = 0
//   secateur_compress_fill_rows, _columns   columns and values of every stored block, rows in order
//   secateur_compress_refresh               values alone, at columns given
//   secateur_compress_scatter               w = the values of a CSR pattern, where they are stored
//
// An element is stored when it is not +-0 and kept by the mask, with keep_zeros whenever it is
// kept; a block when one of its elements is. Where the elements of a compressed row are neighbours
// in memory (_rows), a warp takes a block row and its threads 32 block columns at a time; where
// they are not (_columns: CSR of the transpose), a thread takes a block row, so that neighbouring
// threads read neighbours. Blocks of 256 threads, any grid; the scan is one block. Bytes: 4 n + n /
// 8 read for the counts and again for the fill, and 8 written for each nonzero of CSR; refresh
// reads 8 and writes 4 for each. Offsets and columns must be of this matrix: they are not checked
// here.
//
// Tested against secateur_compress_* of the CPU device.
#include "common/grid.h"
#include "common/layout.h"

using namespace secateur::common;

namespace {

SECATEUR_DEVICE int64_t element(const Layout& m, int64_t row, int64_t col) {
  return row * m.row_stride + col * m.col_stride;
}

SECATEUR_DEVICE bool unmasked(const uint32_t* mask, int64_t i) {
  return mask == nullptr || (mask[i >> 5] >> (i & 31) & 1u) != 0;
}

SECATEUR_DEVICE bool stored(const Layout& m, const float* w, const uint32_t* mask, int64_t row,
                            int64_t col) {
  int64_t line = element(m, row * m.height, col * m.width);
  for (int r = 0; r < m.height; ++r, line += m.row_stride) {
    int64_t i = line;
    for (int c = 0; c < m.width; ++c, i += m.col_stride) {
      if ((m.keep_zeros != 0 || w[i] != 0.0f) && unmasked(mask, i)) return true;
    }
  }
  return false;
}

// The values of a block, row-major.
SECATEUR_DEVICE void copy_block(const Layout& m, const float* w, const uint32_t* mask, int64_t row,
                                int64_t col, float* values) {
  int64_t line = element(m, row * m.height, col * m.width);
  for (int r = 0; r < m.height; ++r, line += m.row_stride) {
    int64_t i = line;
    for (int c = 0; c < m.width; ++c, i += m.col_stride) {
      *values++ = unmasked(mask, i) ? w[i] : 0.0f;
    }
  }
}

}  // namespace

SECATEUR_KERNEL(256)
secateur_compress_count_columns(const __grid_constant__ Layout m, const float* w,
                                const uint32_t* mask, int32_t* offsets) {
  for (int64_t row = grid_thread(); row < m.rows; row += grid_threads()) {
    int32_t count = 0;
    for (int64_t col = 0; col < m.cols; ++col) count += stored(m, w, mask, row, col);
    offsets[row + 1] = count;
  }
}
SECATEUR_REGISTER(secateur_compress_count_columns);

SECATEUR_KERNEL(256)
secateur_compress_count_rows(const __grid_constant__ Layout m, const float* w, const uint32_t* mask,
                             int32_t* offsets) {
  const int lane = threadIdx.x & 31;
  for (int64_t row = grid_thread() / 32; row < m.rows; row += grid_threads() / 32) {
    int32_t count = 0;
    for (int64_t first = 0; first < m.cols; first += 32) {
      const int64_t col = first + lane;
      const bool here = col < m.cols && stored(m, w, mask, row, col);
      count += __popc(__ballot_sync(0xffffffffu, here));
    }
    if (lane == 0) offsets[row + 1] = count;
  }
}
SECATEUR_REGISTER(secateur_compress_count_rows);

namespace {

struct WarpTotals {
  int32_t of[32];
};

// The sum of value over the threads of a warp up to this one.
SECATEUR_DEVICE int32_t inclusive_sum(int32_t value) {
  const int lane = threadIdx.x & 31;
  SECATEUR_UNROLL(5)
  for (int step = 1; step < 32; step *= 2) {
    const int32_t lower = __shfl_up_sync(0xffffffffu, value, step);
    if (lane >= step) value += lower;
  }
  return value;
}

}  // namespace

// One block of 1024 threads.
SECATEUR_KERNEL(1024) secateur_compress_scan(int64_t rows, int32_t* offsets) {
  SECATEUR_SHARED(WarpTotals, totals);
  const int lane = threadIdx.x & 31, warp = threadIdx.x / 32;
  int32_t before = 0;
  if (threadIdx.x == 0) offsets[0] = 0;
  for (int64_t first = 0; first < rows; first += 1024) {
    const int64_t row = first + threadIdx.x;
    const int32_t sum = inclusive_sum(row < rows ? offsets[row + 1] : 0);
    if (lane == 31) totals.of[warp] = sum;
    __syncthreads();
    const int32_t warps = inclusive_sum(totals.of[lane]);
    const int32_t of_warp = __shfl_sync(0xffffffffu, warps, warp == 0 ? 0 : warp - 1);
    const int32_t all = __shfl_sync(0xffffffffu, warps, 31);
    if (row < rows) offsets[row + 1] = before + (warp == 0 ? 0 : of_warp) + sum;
    before += all;
    __syncthreads();
  }
}
SECATEUR_REGISTER(secateur_compress_scan);

SECATEUR_KERNEL(256)
secateur_compress_fill_columns(const __grid_constant__ Layout m, const float* w,
                               const uint32_t* mask, const int32_t* offsets, int32_t* columns,
                               float* values) {
  const int64_t size = int64_t{m.height} * m.width;
  for (int64_t row = grid_thread(); row < m.rows; row += grid_threads()) {
    int64_t place = offsets[row];
    for (int64_t col = 0; col < m.cols; ++col) {
      if (!stored(m, w, mask, row, col)) continue;
      columns[place] = static_cast<int32_t>(col);
      copy_block(m, w, mask, row, col, values + place * size);
      ++place;
    }
  }
}
SECATEUR_REGISTER(secateur_compress_fill_columns);

SECATEUR_KERNEL(256)
secateur_compress_fill_rows(const __grid_constant__ Layout m, const float* w, const uint32_t* mask,
                            const int32_t* offsets, int32_t* columns, float* values) {
  const int64_t size = int64_t{m.height} * m.width;
  const int lane = threadIdx.x & 31;
  for (int64_t row = grid_thread() / 32; row < m.rows; row += grid_threads() / 32) {
    int64_t place = offsets[row];
    for (int64_t first = 0; first < m.cols; first += 32) {
      const int64_t col = first + lane;
      const bool here = col < m.cols && stored(m, w, mask, row, col);
      const uint32_t all = __ballot_sync(0xffffffffu, here);
      if (here) {
        const int64_t own = place + __popc(all & ((1u << lane) - 1));
        columns[own] = static_cast<int32_t>(col);
        copy_block(m, w, mask, row, col, values + own * size);
      }
      place += __popc(all);
    }
  }
}
SECATEUR_REGISTER(secateur_compress_fill_rows);

// A warp a block row, a thread a stored block.
SECATEUR_KERNEL(256)
secateur_compress_refresh(const __grid_constant__ Layout m, const float* w, const uint32_t* mask,
                          const int32_t* offsets, const int32_t* columns, float* values) {
  const int64_t size = int64_t{m.height} * m.width;
  for (int64_t row = grid_thread() / 32; row < m.rows; row += grid_threads() / 32) {
    for (int64_t place = offsets[row] + (threadIdx.x & 31); place < offsets[row + 1]; place += 32) {
      copy_block(m, w, mask, row, columns[place], values + place * size);
    }
  }
}
SECATEUR_REGISTER(secateur_compress_refresh);

// Blocks of 1 x 1; w is +0 before.
SECATEUR_KERNEL(256)
secateur_compress_scatter(const __grid_constant__ Layout m, const int32_t* offsets,
                          const int32_t* columns, const float* values, float* w) {
  for (int64_t row = grid_thread() / 32; row < m.rows; row += grid_threads() / 32) {
    for (int64_t place = offsets[row] + (threadIdx.x & 31); place < offsets[row + 1]; place += 32) {
      w[element(m, row, columns[place])] = values[place];
    }
  }
}
SECATEUR_REGISTER(secateur_compress_scatter);
