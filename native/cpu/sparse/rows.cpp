// Y = X W^T + bias for a packed W: activations are transposed into panels of 64 columns (16 when
// the batch has no more), then each group of rows takes each panel, a group and panel at a time on
// the pool. Every sum runs over a row's nonzeros in the order of the inputs, whatever the number of
// threads.
#include <cstring>

#include "kernels.h"
#include "pool.h"
#include "sparse/rows_pack.h"

namespace secateur {
namespace {

size_t workspace(const void* packed, int64_t batch) {
  const Panels panels = make_panels(batch, view_sparse(packed).header->packed.in);
  return static_cast<size_t>(panels.count * panels.elements()) * sizeof(float);
}

void multiply(const void* matrix, const SparseProduct& product) {
  const SparseView packed = view_sparse(matrix);
  const RowsHeader& header = *packed.header;
  const int64_t out = header.packed.out;
  const Panels panels = make_panels(product.batch, header.packed.in);
  const auto run = kernels().sparse_group;
  const bool narrow = panels.width == kNarrowColumns;
  auto* const activations = static_cast<float*>(product.workspace);
  pack_panels(panels, product.x, activations);
  parallel_for(panels.count * header.groups, [&](int64_t index) {
    const int64_t panel = index / header.groups, group = index % header.groups;
    const int64_t first = group * header.group_rows;
    const int64_t rows = out - first < header.group_rows ? out - first : header.group_rows;
    alignas(64) float sums[kSparseGroup * kPanelColumns];
    std::memset(sums, 0, static_cast<size_t>(rows * panels.width) * sizeof(float));
    run(packed, group, panels.columns(panel), narrow, activations + panel * panels.elements(),
        sums);
    secateur_epilogue epilogue = product.epilogue;
    if (epilogue.bias != nullptr) epilogue.bias += first;
    write_panel(rows, panels.columns(panel), panels.width, sums, epilogue,
                product.y + panel * panels.width * out + first, out);
  });
}

}  // namespace

const SparseLayout kRowsLayout = {rows_pack_bytes, rows_pack, workspace, multiply, rows_refresh};

}  // namespace secateur
