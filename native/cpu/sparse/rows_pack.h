// Packing into the layout of rows.h: see SparseLayout.
#pragma once

#include "sparse/rows.h"

namespace secateur {

size_t rows_pack_bytes(const secateur_sparse_format& format, const secateur_sparse_weight& weight);
void rows_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
               void* packed);

}  // namespace secateur
