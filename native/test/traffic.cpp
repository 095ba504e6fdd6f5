// What the kernels of operations move, counted access by access: a line "name n read written" for
// each operation and size, all arrays on lines of their own, on the checked simulator.
//
// Not a test by itself: native/test/ptx/traffic.py compares the figures with those of an emulator
// that runs the kernels' PTX, and with the floors in the kernels' head comments. The first two
// lines are "multiprocessors m" and "checked 1".
#include <dlfcn.h>

#include <cinttypes>
#include <functional>

#include "cuda.h"
#include "cuda/driver.h"
#include "harness.h"
#include "sim/simulator.h"

namespace {

secateur_device* device;
decltype(secateur_sim_counters_get)* get_counters;

// Device memory of the operation at work: 128-byte aligned, freed after it.
std::vector<void*> blocks;

template <class T>
T* put(const std::vector<T>& values) {
  void* block = nullptr;
  const size_t bytes = values.size() * sizeof(T);
  CHECK_OK(secateur_alloc(device, bytes, &block));
  CHECK_OK(secateur_upload(device, nullptr, values.data(), block, bytes));
  blocks.push_back(block);
  return static_cast<T*>(block);
}
template <class T = float>
T* array(int64_t n, T value = T(1)) {
  return put(std::vector<T>(static_cast<size_t>(n), value));
}
uint32_t* mask(int64_t n, bool kept) {
  std::vector<uint32_t> words(static_cast<size_t>((n + 31) / 32), kept ? ~0u : 0u);
  if (n % 32 != 0) words.back() &= (1u << n % 32) - 1;
  return put(words);
}
template <class T>
T* one(const T& value) {
  return put(std::vector<T>{value});
}
void* bytes_of(size_t bytes) { return put(std::vector<unsigned char>(bytes)); }

// Different whole numbers of both signs, in no order; traffic.py makes the same.
float* scores(int64_t n) {
  std::vector<float> x;
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t mixed = static_cast<uint32_t>(i) * 2654435761u;
    x.push_back(static_cast<float>(mixed >> 8) - 8388608.0f);
  }
  return put(x);
}

using Operation = std::function<secateur_status()>;

void measure(const char* name, int64_t n, const Operation& operation) {
  secateur_sim_counters before, after;
  CHECK_OK(secateur_synchronize(device, nullptr));
  get_counters(&before);
  CHECK_OK(operation());
  CHECK_OK(secateur_synchronize(device, nullptr));
  get_counters(&after);
  printf("%s %" PRId64 " %" PRIu64 " %" PRIu64 "\n", name, n,
         after.kernel_bytes_read - before.kernel_bytes_read,
         after.kernel_bytes_written - before.kernel_bytes_written);
  for (void* block : blocks) CHECK_OK(secateur_free(device, block));
  blocks.clear();
}

void elementwise(int64_t n) {
  float *x = array(n), *y = array(n);
  measure("fill", n, [=] { return secateur_fill(device, nullptr, 2, n, x); });
  x = array(n), y = array(n);
  measure("relu", n, [=] { return secateur_unary(device, nullptr, SECATEUR_RELU, 0, n, x, y); });
  x = array(n), y = array(n);
  float *dy = array(n), *dx = array(n);
  measure("relu_grad", n,
          [=] { return secateur_unary_grad(device, nullptr, SECATEUR_RELU, 0, n, x, y, dy, dx); });
  x = array(n), y = array(n), dx = array(n);
  measure("add", n, [=] {
    const secateur_broadcast dense = {1, {n}, {1}, {1}};
    return secateur_binary(device, nullptr, SECATEUR_ADD, &dense, x, y, dx);
  });
  x = array(n), y = array(n), dx = array(n), dy = array(1);
  measure("mse_grad", n, [=] { return secateur_mse_grad(device, nullptr, n, x, y, dy, dx); });
  x = array(n), y = array(n);
  measure("gates", n, [=] { return secateur_hard_concrete_eval(device, nullptr, n, x, y); });
  x = array(n);
  const uint64_t* state = put(std::vector<uint64_t>{7, 9});
  measure("uniform", n, [=] { return secateur_uniform(device, nullptr, state, 3, n, x); });
  x = array(n), y = array(n), state = put(std::vector<uint64_t>{7, 9});
  measure("dropout", n, [=] { return secateur_dropout(device, nullptr, state, 3, 0.5f, n, x, y); });
}

void steps(int64_t n) {
  const secateur_sgd_params sgd = {0.1f, 0.9f, 0.01f, 0, 2};
  const secateur_adam_params adam = {0.1f, 0.9f, 0.999f, 1e-8f, 0.01f, 0, 0.19f, 0.0447f};
  for (const bool masked : {false, true}) {
    const auto kept = [=] { return masked ? mask(n, true) : nullptr; };
    const std::string suffix = masked ? "_masked" : "";
    float *w = array(n), *g = array(n), *m = array(n), *v = array(n), *level = one(0.5f);
    const uint32_t* bits = kept();
    const auto* sgd_params = one(sgd);
    measure(("sgd" + suffix).c_str(), n,
            [=] { return secateur_sgd_step(device, nullptr, n, sgd_params, w, g, m, bits); });
    w = array(n), g = array(n), m = array(n), v = array(n), bits = kept();
    const auto* adam_params = one(adam);
    measure(("adam" + suffix).c_str(), n,
            [=] { return secateur_adam_step(device, nullptr, n, adam_params, w, g, m, v, bits); });
    w = array(n), level = one(0.5f), bits = kept();
    measure(("soft_threshold" + suffix).c_str(), n,
            [=] { return secateur_soft_threshold(device, nullptr, n, level, w, bits); });
    w = array(n), v = array(n), level = one(0.5f), bits = kept(), adam_params = one(adam);
    measure(("soft_threshold_adam" + suffix).c_str(), n, [=] {
      return secateur_soft_threshold_adam(device, nullptr, n, adam_params, level, v, w, bits);
    });
  }
}

void pruning(int64_t n) {
  void* w = array(n);
  void* g = array(n);
  float* out = array(n);
  measure("magnitude", n, [=] {
    return secateur_score_magnitude(device, nullptr, SECATEUR_L1, SECATEUR_F32, n, w, out);
  });
  w = array<uint16_t>(n), out = array(n);
  measure("magnitude_f16", n, [=] {
    return secateur_score_magnitude(device, nullptr, SECATEUR_L1, SECATEUR_F16, n, w, out);
  });
  for (const int32_t accumulate : {0, 1}) {
    w = array(n), g = array(n), out = array(n);
    measure(accumulate != 0 ? "taylor_accumulated" : "taylor", n, [=] {
      return secateur_score_gradient(device, nullptr, SECATEUR_TAYLOR, accumulate, SECATEUR_F32, n,
                                     w, g, out);
    });
  }
  for (const bool kept : {false, true}) {
    out = array(n);
    const uint32_t* const bits = mask(n, kept);
    measure(kept ? "mask_apply_kept" : "mask_apply_pruned", n,
            [=] { return secateur_mask_apply(device, nullptr, n, bits, out); });
  }
  for (const bool weights : {false, true}) {
    out = weights ? array(n) : nullptr;
    const uint32_t* const bits = mask(n, true);
    auto* const counts = array<int64_t>(2);
    measure(weights ? "mask_count_weights" : "mask_count", n,
            [=] { return secateur_mask_count(device, nullptr, n, bits, out, counts, counts + 1); });
  }
}

// Rows of 256, n elements in all.
void rows(int64_t n) {
  constexpr int64_t cols = 256;
  const int64_t rows = n / cols;
  float *x = array(n), *y = array(n), *z = array(n);
  measure("softmax", n, [=] { return secateur_softmax(device, nullptr, rows, cols, x, y); });
  x = array(n), y = array(n), z = array(n);
  measure("softmax_grad", n,
          [=] { return secateur_softmax_grad(device, nullptr, rows, cols, x, y, z); });
  x = scores(n);
  uint32_t* bits = mask(n, true);
  auto* const nan = array<int64_t>(1);
  measure("nm", n, [=] {
    return secateur_select_nm(device, nullptr, SECATEUR_F32, SECATEUR_KEY_ABS, 2, 4, 1, 1, rows,
                              cols, x, nullptr, bits, nan);
  });
}

void select(const char* name, int64_t n) {
  const secateur_segment segment = {scores(n), n, nullptr, mask(n, true), 0, 0};
  const int64_t* const k = one(n / 2);
  auto* const result =
      static_cast<secateur_select_result*>(bytes_of(sizeof(secateur_select_result)));
  size_t bytes = 0;
  CHECK_OK(secateur_select(device, nullptr, SECATEUR_F32, SECATEUR_KEY_ABS, 1, &segment, 1, k,
                           result, nullptr, &bytes));
  void* const workspace = bytes_of(bytes);
  measure(name, n, [&] {
    return secateur_select(device, nullptr, SECATEUR_F32, SECATEUR_KEY_ABS, 1, &segment, 1, k,
                           result, workspace, &bytes);
  });
}

}  // namespace

int main() {
  device = open_cuda();
  void* const library = dlopen("libcuda.so.1", RTLD_NOW);
  get_counters = reinterpret_cast<decltype(get_counters)>(
      library == nullptr ? nullptr : dlsym(library, "secateur_sim_counters_get"));
  if (get_counters == nullptr) {
    printf("skipped: only the simulator counts what kernels move\n");
    return 77;
  }
  const auto checked =
      reinterpret_cast<decltype(secateur_sim_checked)*>(dlsym(library, "secateur_sim_checked"));
  int multiprocessors = 0;
  secateur::cuda::Driver::get().cuDeviceGetAttribute(
      &multiprocessors, secateur::cu::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0);
  printf("multiprocessors %d\nchecked %d\n", multiprocessors, checked());
  for (const int64_t n : {4096, 100003, 131072}) {
    elementwise(n);
    steps(n);
    pruning(n);
    if (n % 256 == 0) rows(n);
  }
  for (const int64_t n : {int64_t{1} << 17, int64_t{1} << 20}) {
    select("select", n);
    CHECK_OK(secateur_select_force(2));
    select("select_fallback", n);
    CHECK_OK(secateur_select_force(0));
  }
  CHECK_OK(secateur_device_close(device));
  return 0;
}
