// New values for a trainable matrix of rows.h: a gather over its nonzeros, whose places in w were
// kept when it was packed.
#include "pool.h"
#include "sparse/rows_pack.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = 16384;  // entries a chunk

}  // namespace

void rows_refresh(const float* w, void* packed) {
  const SparseView view = view_sparse(packed);
  auto* const entries = const_cast<SparseEntry*>(view.entries);
  parallel_ranges(view.header->packed.stored, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) entries[i].value = w[view.indices[i]];
  });
}

}  // namespace secateur
