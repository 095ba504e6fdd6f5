// Every entry of secateur.h refuses a missing device, and on the CPU device a stream, before it
// looks at anything else; and reports the device's own error.
#include <functional>
#include <vector>

#include "harness.h"

namespace {

using Call = std::function<secateur_status(secateur_device*, void*)>;

// Calls of every operation but spmm (which needs a packed matrix) on nothing, which do nothing.
std::vector<std::pair<const char*, Call>> operations() {
  static secateur_broadcast broadcast = {1, {0}, {1}, {1}};
  static secateur_gemm_args gemm = {0, 0, 0, 0, 0, 1, 0, 1, 1, 1};
  static const int64_t shape[1] = {0};
  static const int32_t perm[1] = {0};
  static const secateur_matrix matrix = {0, 0, 0, 0, 1, 1, 0};
  static const secateur_sparse_format format = {SECATEUR_SPARSE_ROWS, 0, 0, 0};
  static const secateur_sparse_weight weight = {0, 0, 0, nullptr, nullptr};
  static int32_t offsets[1];
  static int64_t number[2];
  static size_t bytes;
  const auto f32 = SECATEUR_F32;
  const auto abs = SECATEUR_KEY_ABS;
#define CALL(name, ...)                                                               \
  {                                                                                   \
#name, [=](secateur_device * device,                                              \
               void* stream) { return secateur_##name(device, stream, __VA_ARGS__); } \
  }
  return {
      CALL(upload, nullptr, nullptr, 0),
      CALL(download, nullptr, nullptr, 0),
      CALL(copy, nullptr, nullptr, 0),
      CALL(zero, nullptr, 0),
      CALL(fill, 1, 0, nullptr),
      {"synchronize", secateur_synchronize},
      CALL(gemm, &gemm, nullptr, nullptr, nullptr),
      CALL(unary, 0, 0, 0, nullptr, nullptr),
      CALL(unary_grad, 0, 0, 0, nullptr, nullptr, nullptr, nullptr),
      CALL(binary, 0, &broadcast, nullptr, nullptr, nullptr),
      CALL(reduce_sum, 1, shape, 0, nullptr, nullptr),
      CALL(transpose, 1, shape, perm, nullptr, nullptr),
      CALL(softmax, 0, 3, nullptr, nullptr),
      CALL(softmax_grad, 3, 0, nullptr, nullptr, nullptr),
      CALL(softmax_cross_entropy, 0, 3, nullptr, nullptr, nullptr, nullptr),
      CALL(softmax_cross_entropy_grad, 0, 3, nullptr, nullptr, nullptr, nullptr),
      CALL(mse, 0, nullptr, nullptr, nullptr),
      CALL(mse_grad, 0, nullptr, nullptr, nullptr, nullptr),
      CALL(uniform, nullptr, 0, 0, nullptr),
      CALL(dropout, nullptr, 0, 0.5f, 0, nullptr, nullptr),
      CALL(gather_rows, 0, 4, 0, nullptr, nullptr, nullptr),
      CALL(sgd_step, 0, nullptr, nullptr, nullptr, nullptr, nullptr),
      CALL(adam_step, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr),
      CALL(soft_threshold, 0, nullptr, nullptr, nullptr),
      CALL(soft_threshold_adam, 0, nullptr, nullptr, nullptr, nullptr, nullptr),
      CALL(hard_concrete, nullptr, 0, 0, nullptr, nullptr),
      CALL(hard_concrete_grad, nullptr, 0, 0, nullptr, nullptr, nullptr),
      CALL(hard_concrete_eval, 0, nullptr, nullptr),
      CALL(hard_concrete_l0, 0, nullptr, nullptr, nullptr, nullptr),
      CALL(score_magnitude, 1, f32, 0, nullptr, nullptr),
      CALL(score_gradient, 0, 0, f32, 0, nullptr, nullptr, nullptr),
      CALL(score_units, 1, 0, f32, 0, 3, nullptr, nullptr),
      CALL(activation_accumulate, f32, 0, 3, nullptr, nullptr),
      CALL(activation_scores, 0, 1, 0, nullptr, nullptr),
      CALL(select, f32, abs, 0, nullptr, 0, nullptr, nullptr, nullptr, &bytes),
      CALL(select_nm, f32, abs, 2, 4, 1, 1, 0, 3, nullptr, nullptr, nullptr, number),
      CALL(mask_apply, 0, nullptr, nullptr),
      CALL(mask_apply_many, 0, nullptr),
      CALL(mask_count, 0, nullptr, nullptr, number, number + 1),
      CALL(mask_units, 0, 0, 3, nullptr, nullptr),
      CALL(compress_offsets, &matrix, nullptr, nullptr, offsets, nullptr, &bytes),
      CALL(compress_fill, &matrix, nullptr, nullptr, offsets, 0, nullptr, nullptr),
      CALL(compress_scatter, &matrix, offsets, nullptr, nullptr, nullptr),
      CALL(sparse_pack, &format, &weight, nullptr, &bytes),
  };
#undef CALL
}

void checks_device_and_stream() {
  int something = 0;
  for (const auto& [name, call] : operations()) {
    CHECK_NOTE(call(test::cpu(), nullptr) == SECATEUR_OK, "%s: %s", name, secateur_last_error());
    CHECK_NOTE(call(nullptr, nullptr) == SECATEUR_INVALID_ARGUMENT, "%s", name);
    CHECK_NOTE(strstr(secateur_last_error(), "device is NULL") != nullptr, "%s", name);
    CHECK_NOTE(call(test::cpu(), &something) == SECATEUR_INVALID_ARGUMENT, "%s", name);
    CHECK_NOTE(strstr(secateur_last_error(), "no streams") != nullptr, "%s", name);
  }
}

void checks_spmm() {
  size_t bytes = 0;
  const auto refused = [&](secateur_device* device, void* stream, const char* why) {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_spmm(device, stream, 1, nullptr, nullptr,
                                                          nullptr, nullptr, nullptr, &bytes));
    CHECK(strstr(secateur_last_error(), why) != nullptr);
  };
  refused(nullptr, nullptr, "device is NULL");
  refused(test::cpu(), &bytes, "no streams");
  refused(test::cpu(), nullptr, "no matrix packed");
}

void checks_what_has_no_stream() {
  int64_t a = 0, b = 0, c = 0;
  void* place = nullptr;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_alloc(nullptr, 4, &place));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_alloc(test::cpu(), 4, nullptr));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_free(nullptr, place));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_memory(nullptr, &a, &b));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_memory(test::cpu(), nullptr, &b));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_memory(test::cpu(), &a, nullptr));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_sparse_info(nullptr, nullptr, &a, &b, &c));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_sparse_info(test::cpu(), nullptr, &a, &b, &c));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_close(nullptr));
  secateur_device* opened = nullptr;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_open(SECATEUR_CPU, -1, &opened));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_device_open(SECATEUR_CUDA, -1, &opened));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_device_open(static_cast<secateur_device_kind>(3), 0, &opened));
  CHECK(opened == nullptr);
}

}  // namespace

int main() {
  checks_device_and_stream();
  checks_spmm();
  checks_what_has_no_stream();
  return 0;
}
