// dst row i = src row indices[i]: a batch from a data set, or embeddings.
//
// src [src_rows, units], dst [count, units] of units of 16, 4 or 1 bytes: the largest that the row
// and both pointers are multiples of (the launcher picks the kernel); indices [count] int32. Each
// unit is read and written once by neighbouring threads, 2 count * row + 4 count bytes, the floor;
// one launch of any grid of 256 threads. An index outside [0, src_rows) cannot be an error here
// without a synchronisation: its row of dst is filled with bytes 0xff, NaN in every floating-point
// type and -1 in every integer type, and nothing outside src is read. Tested against
// secateur_gather_rows of the CPU device.
#include "common/grid.h"

using namespace secateur::common;

template <class Unit>
SECATEUR_DEVICE void gather(int64_t count, int64_t units, int64_t src_rows, const Unit* src,
                            const int32_t* indices, Unit none, Unit* dst) {
  const int64_t n = count * units, first = grid_thread(), step = grid_threads();
  MatrixWalk at(units, first, step);
  for (int64_t i = first; i < n; i += step, at.advance()) {
    const int32_t row = indices[at.row];
    dst[i] = row >= 0 && row < src_rows ? src[row * units + at.col] : none;
  }
}

SECATEUR_KERNEL(256)
secateur_gather_vectors(int64_t count, int64_t units, int64_t src_rows, const uint4* src,
                        const int32_t* indices, uint4* dst) {
  gather(count, units, src_rows, src, indices, make_uint4(~0u, ~0u, ~0u, ~0u), dst);
}
SECATEUR_REGISTER(secateur_gather_vectors);

SECATEUR_KERNEL(256)
secateur_gather_words(int64_t count, int64_t units, int64_t src_rows, const uint32_t* src,
                      const int32_t* indices, uint32_t* dst) {
  gather(count, units, src_rows, src, indices, ~0u, dst);
}
SECATEUR_REGISTER(secateur_gather_words);

SECATEUR_KERNEL(256)
secateur_gather_bytes(int64_t count, int64_t units, int64_t src_rows, const uint8_t* src,
                      const int32_t* indices, uint8_t* dst) {
  gather(count, units, src_rows, src, indices, static_cast<uint8_t>(0xff), dst);
}
SECATEUR_REGISTER(secateur_gather_bytes);
