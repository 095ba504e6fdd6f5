// What a device that lacks the image operations answers.
#include "abi/device.h"
#include "abi/error.h"

using secateur::fail;

namespace {

[[noreturn]] void lacking(const char* operation) {
  fail(SECATEUR_UNAVAILABLE, "%s is not available on this device; use the CPU device.", operation);
}

}  // namespace

void secateur_device::im2col(void*, const secateur_window&, const float*, float*) {
  lacking("secateur_im2col");
}
void secateur_device::col2im(void*, const secateur_window&, const float*, float*) {
  lacking("secateur_col2im");
}
secateur_device::ConvWorkspace secateur_device::conv_workspace(const secateur_conv&) {
  fail(SECATEUR_UNAVAILABLE,
       "Convolutions are of the CPU device only: elsewhere use secateur_im2col and the device's "
       "BLAS.");
}
void secateur_device::convolve(void*, const secateur_conv&, const float*, const float*,
                               const float*, float*, void*) {
  lacking("secateur_convolve");
}
void secateur_device::convolve_input_grad(void*, const secateur_conv&, const float*, const float*,
                                          float*, void*) {
  lacking("secateur_convolve_input_grad");
}
void secateur_device::convolve_weight_grad(void*, const secateur_conv&, const float*, const float*,
                                           float*, void*) {
  lacking("secateur_convolve_weight_grad");
}
void secateur_device::max_pool(void*, const secateur_window&, const float*, float*, int32_t*) {
  lacking("secateur_max_pool");
}
void secateur_device::max_pool_grad(void*, const secateur_window&, const float*, const int32_t*,
                                    float*) {
  lacking("secateur_max_pool_grad");
}
void secateur_device::average_pool(void*, const secateur_window&, int32_t, const float*, float*) {
  lacking("secateur_average_pool");
}
void secateur_device::average_pool_grad(void*, const secateur_window&, int32_t, const float*,
                                        float*) {
  lacking("secateur_average_pool_grad");
}
void secateur_device::normalize(void*, const secateur_norm_shape&, const float*, const float*,
                                const float*, const float*, const float*, float*) {
  lacking("secateur_normalize");
}
void secateur_device::normalize_train(void*, const secateur_norm_shape&, const float*, const float*,
                                      const float*, float*, float*, float*, float*) {
  lacking("secateur_normalize_train");
}
void secateur_device::normalize_grad(void*, const secateur_norm_shape&, const float*, const float*,
                                     const float*, const float*, float*, float*) {
  lacking("secateur_normalize_grad");
}
void secateur_device::clip(void*, float, float, int64_t, const float*, float*) {
  lacking("secateur_clip");
}
void secateur_device::clip_grad(void*, float, float, int64_t, const float*, const float*, float*) {
  lacking("secateur_clip_grad");
}
void secateur_device::copy_box(void*, const secateur_box&, const void*, void*) {
  lacking("secateur_copy_box");
}
size_t secateur_device::sparse_conv_pack_bytes(const secateur_conv&, const float*,
                                               const uint32_t*) {
  lacking("secateur_sparse_conv_pack");
}
void secateur_device::sparse_conv_pack(const secateur_conv&, const float*, const uint32_t*, void*) {
  lacking("secateur_sparse_conv_pack");
}
size_t secateur_device::sparse_convolve_workspace(int64_t, const void*) {
  lacking("secateur_sparse_convolve");
}
void secateur_device::sparse_convolve(int64_t, const void*, const float*, const secateur_epilogue&,
                                      float*, void*) {
  lacking("secateur_sparse_convolve");
}
