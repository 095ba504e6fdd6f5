// Entries of elementwise operations and of random numbers.
#include "abi/check.h"
#include "abi/dims.h"

using namespace secateur;

namespace {

void require_unary(int32_t op) {
  SECATEUR_REQUIRE(op >= SECATEUR_RELU && op <= SECATEUR_ABS,
                   "Unknown unary operator %" PRId32 "; see secateur_unary_op.", op);
}

}  // namespace

secateur_status secateur_unary(secateur_device* device, void* stream, int32_t op, float alpha,
                               int64_t n, const float* x, float* y) {
  return guard([&] {
    require_device(device, stream);
    require_unary(op);
    require_count(n, "n");
    require_pointer(x, n, "x");
    require_pointer(y, n, "y");
    if (n != 0) device->unary(stream, op, alpha, n, x, y);
  });
}

secateur_status secateur_unary_grad(secateur_device* device, void* stream, int32_t op, float alpha,
                                    int64_t n, const float* x, const float* y, const float* dy,
                                    float* dx) {
  return guard([&] {
    require_device(device, stream);
    require_unary(op);
    require_count(n, "n");
    require_pointer(x, n, "x");
    require_pointer(y, n, "y");
    require_pointer(dy, n, "dy");
    require_pointer(dx, n, "dx");
    if (n != 0) device->unary_grad(stream, op, alpha, n, x, y, dy, dx);
  });
}

secateur_status secateur_binary(secateur_device* device, void* stream, int32_t op,
                                const secateur_broadcast* broadcast, const float* a, const float* b,
                                float* out) {
  return guard([&] {
    require_device(device, stream);
    SECATEUR_REQUIRE(op >= SECATEUR_ADD && op <= SECATEUR_DIV,
                     "Unknown binary operator %" PRId32 "; see secateur_binary_op.", op);
    SECATEUR_REQUIRE(broadcast != nullptr, "The broadcast of a binary operation is NULL.");
    const int64_t n = require_shape(broadcast->rank, broadcast->shape);
    require_pointer(a, n, "a");
    require_pointer(b, n, "b");
    require_pointer(out, n, "out");
    if (n != 0) device->binary(stream, op, *broadcast, a, b, out);
  });
}

secateur_status secateur_uniform(secateur_device* device, void* stream, const uint64_t* state,
                                 uint64_t salt, int64_t n, float* out) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    require_pointer(state, n, "state");
    require_pointer(out, n, "out");
    if (n != 0) device->uniform(stream, state, salt, n, out);
  });
}

secateur_status secateur_dropout(secateur_device* device, void* stream, const uint64_t* state,
                                 uint64_t salt, float ratio, int64_t n, const float* x, float* y) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    SECATEUR_REQUIRE(ratio >= 0.0f && ratio < 1.0f,
                     "The dropout ratio is %g; it must be at least 0 and below 1.",
                     static_cast<double>(ratio));
    require_pointer(state, n, "state");
    require_pointer(x, n, "x");
    require_pointer(y, n, "y");
    if (n != 0) device->dropout(stream, state, salt, ratio, n, x, y);
  });
}
