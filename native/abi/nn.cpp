// Entries of softmax and of the losses.
#include "abi/check.h"

using namespace secateur;

secateur_status secateur_softmax(secateur_device* device, void* stream, int64_t rows, int64_t cols,
                                 const float* x, float* y) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_matrix(rows, cols);
    require_pointer(x, n, "x");
    require_pointer(y, n, "y");
    if (n != 0) device->softmax(stream, rows, cols, x, y);
  });
}

secateur_status secateur_softmax_grad(secateur_device* device, void* stream, int64_t rows,
                                      int64_t cols, const float* y, const float* dy, float* dx) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_matrix(rows, cols);
    require_pointer(y, n, "y");
    require_pointer(dy, n, "dy");
    require_pointer(dx, n, "dx");
    if (n != 0) device->softmax_grad(stream, rows, cols, y, dy, dx);
  });
}

secateur_status secateur_softmax_cross_entropy(secateur_device* device, void* stream, int64_t rows,
                                               int64_t cols, const float* x, const int32_t* labels,
                                               float* p, float* loss) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_matrix(rows, cols);
    if (rows == 0) return;
    SECATEUR_REQUIRE(cols != 0, "%" PRId64 " rows have no columns, so their labels name none.",
                     rows);
    require_pointer(x, n, "x");
    require_pointer(labels, rows, "labels");
    require_pointer(p, n, "p");
    require_place(loss, "the loss");
    device->softmax_cross_entropy(stream, rows, cols, x, labels, p, loss);
  });
}

secateur_status secateur_softmax_cross_entropy_grad(secateur_device* device, void* stream,
                                                    int64_t rows, int64_t cols, const float* p,
                                                    const int32_t* labels, const float* dloss,
                                                    float* dx) {
  return guard([&] {
    require_device(device, stream);
    const int64_t n = require_matrix(rows, cols);
    if (rows == 0) return;
    SECATEUR_REQUIRE(cols != 0, "%" PRId64 " rows have no columns, so their labels name none.",
                     rows);
    require_pointer(p, n, "p");
    require_pointer(labels, rows, "labels");
    require_pointer(dloss, 1, "dloss");
    require_pointer(dx, n, "dx");
    device->softmax_cross_entropy_grad(stream, rows, cols, p, labels, dloss, dx);
  });
}

secateur_status secateur_mse(secateur_device* device, void* stream, int64_t n, const float* x,
                             const float* t, float* loss) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    if (n == 0) return;
    require_pointer(x, n, "x");
    require_pointer(t, n, "t");
    require_place(loss, "the loss");
    device->mse(stream, n, x, t, loss);
  });
}

secateur_status secateur_mse_grad(secateur_device* device, void* stream, int64_t n, const float* x,
                                  const float* t, const float* dloss, float* dx) {
  return guard([&] {
    require_device(device, stream);
    require_count(n, "n");
    if (n == 0) return;
    require_pointer(x, n, "x");
    require_pointer(t, n, "t");
    require_pointer(dloss, 1, "dloss");
    require_pointer(dx, n, "dx");
    device->mse_grad(stream, n, x, t, dloss, dx);
  });
}
