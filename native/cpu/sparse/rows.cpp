// Y = f(X W^T + bias) for a packed W: activations are transposed into panels of up to 64 columns,
// then each group of rows takes each panel. Where panels are small and come out even over the
// threads, a panel is one piece of work, transposed by the core that uses it; else a group and
// panel is. Every sum runs over a row's nonzeros in the order of the inputs, whatever the number of
// threads, and whatever the blocks.
#include "pool.h"
#include "sparse/panels.h"
#include "sparse/rows_pack.h"

namespace secateur {
namespace {

constexpr int64_t kManyPanels = 8;        // a thread, so that one more or less does not matter
constexpr int64_t kSmallPanel = 1 << 16;  // activations: 256 KiB, a part of the second-level cache
constexpr int64_t kSmallWork = 1 << 20;   // multiply-adds that a second thread does not shorten

bool by_panel(const Panels& panels, int64_t stored) {
  if (panels.count == 1) return stored * panels.width < kSmallWork;
  const int64_t count = threads();
  return panels.elements() <= kSmallPanel &&
         (panels.count % count == 0 || panels.count >= kManyPanels * count);
}

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
  const auto multiply_group = [&](int64_t panel, int64_t group) {
    const int64_t first = group * header.group_rows;
    const int64_t rows = out - first < header.group_rows ? out - first : header.group_rows;
    const int64_t columns = panels.columns(panel);
    alignas(64) float sums[kRowsGroup * kPanelColumns];
    run(packed, group, columns, panels.width, activations + panel * panels.elements(), sums);
    secateur_epilogue epilogue = product.epilogue;
    if (epilogue.bias != nullptr) epilogue.bias += first;
    write_panel(rows, columns, panels.width, sums, epilogue,
                product.y + panel * panels.width * out + first, out);
  };
  if (by_panel(panels, header.packed.stored)) {
    parallel_for(panels.count, [&](int64_t panel) {
      pack_whole_panel(panels, panel, product.x, activations);
      for (int64_t group = 0; group < header.groups; ++group) multiply_group(panel, group);
    });
    return;
  }
  pack_panels(panels, product.x, activations);
  parallel_for(panels.count * header.groups, [&](int64_t index) {
    multiply_group(index / header.groups, index % header.groups);
  });
}

}  // namespace

const SparseLayout kRowsLayout = {rows_pack_bytes, rows_pack, workspace, multiply, rows_refresh};

}  // namespace secateur
