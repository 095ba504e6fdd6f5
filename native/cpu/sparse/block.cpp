// Y = X W^T + bias for a W of stored blocks: groups of block rows times panels of activations, or,
// for a batch of a few rows, times the rows as they are. A group and panel at a time on the pool;
// groups depend on the matrix alone and every sum runs in the order of the inputs, whatever the
// number of threads.
#include "sparse/block.h"

#include <cstring>

#include "kernels.h"
#include "pool.h"
#include "sparse/panels.h"

namespace secateur {
namespace {

// How many rows of X go without panels: as many as that is faster for. Blocks of four outputs fill
// a quarter of a vector then, blocks of two too little.
int64_t few_rows(const secateur_sparse_format& format) {
  if (format.rows == 1) return format.cols > 2 ? kBlockFew : 0;
  return format.rows > 4 ? kBlockFew : 4;
}

bool is_few(const BlockHeader& header, int64_t batch) {
  return batch <= few_rows(header.packed.format);
}

// Floats from row to row of X when a few are multiplied: whole vectors are read of the inputs of
// blocks of one output.
int64_t few_stride(const BlockHeader& header) {
  return header.packed.format.rows == 1 ? header.packed.in + 16 : header.packed.in;
}

size_t workspace(const void* packed, int64_t batch) {
  const BlockHeader& header = *view_blocks(packed).header;
  const Panels panels = make_panels(batch, header.packed.in);
  const int64_t floats =
      is_few(header, batch) ? batch * few_stride(header) : panels.count * panels.elements();
  return static_cast<size_t>(floats) * sizeof(float);
}

void multiply_few(const BlockView& packed, const SparseProduct& product) {
  const BlockHeader& header = *packed.header;
  const int64_t rows = header.packed.format.rows, out = header.packed.out, in = header.packed.in;
  const int64_t stride = few_stride(header);
  const float* x = product.x;
  if (stride != in) {
    auto* const padded = static_cast<float*>(product.workspace);
    for (int64_t b = 0; b < product.batch; ++b) {
      if (in > 0)
        std::memcpy(padded + b * stride, x + b * in, static_cast<size_t>(in) * sizeof(float));
      std::memset(padded + b * stride + in, 0, static_cast<size_t>(stride - in) * sizeof(float));
    }
    x = padded;
  }
  const secateur_epilogue& epilogue = product.epilogue;
  const auto run = block_kernels().few;
  parallel_for(header.groups, [&](int64_t group) {
    const int64_t first = packed.firsts[group] * rows, end = packed.firsts[group + 1] * rows;
    const int64_t count = (end < out ? end : out) - first;
    alignas(64) float sums[kBlockFew * kBlockGroup];
    if (header.slices > 0) {
      run(packed, group, product.batch, stride, x, sums);
    } else {
      std::memset(sums, 0, sizeof sums);
    }
    for (int64_t b = 0; b < product.batch; ++b) {
      float* const y = product.y + b * out + first;
      const float* const sum = sums + b * kBlockGroup;
      if (epilogue.bias == nullptr) {
        std::memcpy(y, sum, static_cast<size_t>(count) * sizeof(float));
      } else {
        for (int64_t r = 0; r < count; ++r) y[r] = sum[r] + epilogue.bias[first + r];
      }
      if (epilogue.activation != SECATEUR_IDENTITY) {
        kernels().unary(epilogue.activation, epilogue.alpha, count, y, y);
      }
    }
  });
}

void multiply_panels(const BlockView& packed, const SparseProduct& product) {
  const BlockHeader& header = *packed.header;
  const int64_t rows = header.packed.format.rows, out = header.packed.out;
  const Panels panels = make_panels(product.batch, header.packed.in);
  auto* const activations = static_cast<float*>(product.workspace);
  const auto run = block_kernels().panel;
  pack_panels(panels, product.x, activations);
  parallel_for(panels.count * header.groups, [&](int64_t index) {
    const int64_t panel = index / header.groups, group = index % header.groups;
    const int64_t first = packed.firsts[group] * rows, end = packed.firsts[group + 1] * rows;
    alignas(64) float sums[kBlockGroup * kPanelColumns];
    if (header.slices > 0) {
      run(packed, group, panels.columns(panel), panels.width,
          activations + panel * panels.elements(), sums);
    } else {
      std::memset(sums, 0, sizeof sums);
    }
    secateur_epilogue epilogue = product.epilogue;
    if (epilogue.bias != nullptr) epilogue.bias += first;
    write_panel((end < out ? end : out) - first, panels.columns(panel), panels.width, sums,
                epilogue, product.y + panel * panels.width * out + first, out);
  });
}

void multiply(const void* matrix, const SparseProduct& product) {
  const BlockView packed = view_blocks(matrix);
  if (is_few(*packed.header, product.batch)) {
    multiply_few(packed, product);
  } else {
    multiply_panels(packed, product);
  }
}

}  // namespace

const SparseLayout kBlockLayout = {block_pack_bytes, block_pack, workspace, multiply, nullptr};

}  // namespace secateur
