// Y = f(X W^T + bias) for a packed W: activations are transposed into panels of up to 64 columns,
// then each group of rows takes each panel, a group and panel at a time on the pool. Every sum runs
// over a row's nonzeros in the order of the inputs, whatever the number of threads, and whatever
// the blocks.
#include "pool.h"
#include "sparse/panels.h"
#include "sparse/rows_pack.h"

namespace secateur {
namespace {

size_t workspace(const void* packed, int64_t batch) {
  const Panels panels = make_even_panels(batch, view_sparse(packed).header->packed.in);
  return static_cast<size_t>(panels.count * panels.elements()) * sizeof(float);
}

void multiply(const void* matrix, const SparseProduct& product) {
  const SparseView packed = view_sparse(matrix);
  const RowsHeader& header = *packed.header;
  const int64_t out = header.packed.out;
  const Panels panels = make_even_panels(product.batch, header.packed.in);
  const auto run = rows_kernels().multiply;
  auto* const activations = static_cast<float*>(product.workspace);
  pack_panels(panels, product.x, activations);
  parallel_for(panels.count * header.groups, [&](int64_t index) {
    const int64_t panel = index / header.groups, group = index % header.groups;
    const int64_t first = group * header.group_rows;
    const int64_t rows = out - first < header.group_rows ? out - first : header.group_rows;
    const int64_t columns = panels.columns(panel);
    alignas(64) float sums[kRowsGroup * kPanelColumns];
    run(packed, group, columns, panels.width, activations + panel * panels.elements(), sums);
    secateur_epilogue epilogue = product.epilogue;
    if (epilogue.bias != nullptr) epilogue.bias += first;
    write_panel(rows, columns, panels.width, sums, epilogue,
                product.y + panel * panels.width * out + first, out);
  });
}

}  // namespace

const SparseLayout kRowsLayout = {rows_pack_bytes, rows_pack, workspace, multiply, rows_refresh};

}  // namespace secateur
