// Launchers of kernels/compress.cu.
#include "common/layout.h"
#include "cuda/device.h"
#include "cuda/grid.h"

namespace secateur::cuda {
namespace {

using common::Layout;

const Kernel<Layout, const float*, const uint32_t*, int32_t*> kCountRows(
    "secateur_compress_count_rows");
const Kernel<Layout, const float*, const uint32_t*, int32_t*> kCountColumns(
    "secateur_compress_count_columns");
const Kernel<int64_t, int32_t*> kScan("secateur_compress_scan");
const Kernel<Layout, const float*, const uint32_t*, const int32_t*, int32_t*, float*> kFillRows(
    "secateur_compress_fill_rows");
const Kernel<Layout, const float*, const uint32_t*, const int32_t*, int32_t*, float*> kFillColumns(
    "secateur_compress_fill_columns");
const Kernel<Layout, const float*, const uint32_t*, const int32_t*, const int32_t*, float*>
    kRefresh("secateur_compress_refresh");
const Kernel<Layout, const int32_t*, const int32_t*, const float*, float*> kScatter(
    "secateur_compress_scatter");

constexpr size_t kNoWorkspace = 128;  // bytes: none is needed, but NULL would ask for the size

Layout layout(const secateur_matrix& m, const uint32_t* mask) {
  const int64_t rows = m.by_input ? m.in : m.out, cols = m.by_input ? m.out : m.in;
  const bool neighbours = m.by_input == m.transposed;  // the elements of a compressed row
  return {rows / m.block_rows,
          cols / m.block_cols,
          neighbours ? cols : 1,
          neighbours ? 1 : rows,
          m.block_rows,
          m.block_cols,
          m.keep_zeros != 0 && mask != nullptr};
}

Geometry warp_a_row(const CudaDevice& device, const Layout& m) {
  return grid(device, m.rows, kThreads / 32, kThreads);
}

}  // namespace

size_t CudaDevice::compress_workspace(const secateur_matrix&) { return kNoWorkspace; }

void CudaDevice::compress_offsets(void* stream, const secateur_matrix& matrix, const float* w,
                                  const uint32_t* mask, int32_t* offsets, void*) {
  const Layout m = layout(matrix, mask);
  if (m.col_stride == 1) {
    launch(stream, kCountRows, warp_a_row(*this, m), m, w, mask, offsets);
  } else {
    launch(stream, kCountColumns, grid(*this, m.rows, kThreads, kThreads), m, w, mask, offsets);
  }
  launch(stream, kScan, {1, 1024}, m.rows, offsets);
}

void CudaDevice::compress_fill(void* stream, const secateur_matrix& matrix, const float* w,
                               const uint32_t* mask, const int32_t* offsets, bool columns_given,
                               int32_t* columns, float* values) {
  const Layout m = layout(matrix, mask);
  if (columns_given) {
    launch(stream, kRefresh, warp_a_row(*this, m), m, w, mask, offsets, columns, values);
  } else if (m.col_stride == 1) {
    launch(stream, kFillRows, warp_a_row(*this, m), m, w, mask, offsets, columns, values);
  } else {
    launch(stream, kFillColumns, grid(*this, m.rows, kThreads, kThreads), m, w, mask, offsets,
           columns, values);
  }
}

void CudaDevice::compress_scatter(void* stream, const secateur_matrix& matrix,
                                  const int32_t* offsets, const int32_t* columns,
                                  const float* values, float* w) {
  const Layout m = layout(matrix, nullptr);
  zero(stream, w, static_cast<size_t>(m.rows * m.cols) * sizeof *w);
  launch(stream, kScatter, warp_a_row(*this, m), m, offsets, columns, values, w);
}

}  // namespace secateur::cuda
