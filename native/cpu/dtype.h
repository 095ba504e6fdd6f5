// From a secateur_dtype to the type that templates are instantiated for.
#pragma once

#include "common/half.h"
#include "secateur.h"

SECATEUR_COMMON_BEGIN

// Returns body(F32{}), body(F16{}) or body(BF16{}).
template <class Body>
inline auto with_type(secateur_dtype dtype, const Body& body) {
  switch (dtype) {
    case SECATEUR_F16:
      return body(F16{});
    case SECATEUR_BF16:
      return body(BF16{});
    default:
      return body(F32{});
  }
}

SECATEUR_COMMON_END
