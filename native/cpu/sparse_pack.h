// Access to packed matrices, checked.
#pragma once

#include "sparse.h"

namespace secateur {

// The parts of a matrix made by secateur_sparse_pack; INVALID_ARGUMENT for anything else.
SparseView require_packed(const void* packed);

}  // namespace secateur
