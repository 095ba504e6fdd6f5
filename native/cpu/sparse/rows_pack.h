// Packing into the layout of rows.h, and new values in it: see SparseLayout.
#pragma once

#include "sparse/rows.h"

namespace secateur {

size_t rows_pack_bytes(const secateur_sparse_format& format, const secateur_sparse_weight& weight);
void rows_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
               void* packed);
void rows_refresh(const float* w, void* packed);

}  // namespace secateur
