// The three products of a training step, sparse against dense, by sparsity:
//   env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE bench_sddmm path/to/libopenblas.so.0
// Best of short rounds on one thread, microseconds; in brackets, dense over sparse.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>

#include "harness.h"

namespace {

using Run = std::function<void()>;

// Of the processor, so that what else runs on the machine counts less.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

double micros(const Run& run) {
  const double start = now();
  run();
  return now() - start;
}

float* floats(int64_t n) {
  static test::Random random(1);
  void* block;
  CHECK_OK(secateur_alloc(test::cpu(), static_cast<size_t>(n) * sizeof(float), &block));
  for (int64_t i = 0; i < n; ++i) static_cast<float*>(block)[i] = random.normal();
  return static_cast<float*>(block);
}

void* bytes(size_t n) {
  void* block;
  CHECK_OK(secateur_alloc(test::cpu(), n, &block));
  memset(block, 0, n);
  return block;
}

Run gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const float* a,
         const float* b, float* c) {
  const secateur_gemm_args args = {trans_a,         trans_b,         m, n, k, 1, 0,
                                   trans_a ? m : k, trans_b ? k : n, n};
  return [=] { CHECK_OK(secateur_gemm(test::cpu(), nullptr, &args, a, b, c)); };
}

// W [out, in]; its packed form and that of its transpose.
struct Trainable {
  void* packed;

  Trainable(int64_t out, int64_t in, bool transposed, const float* w, const uint32_t* mask) {
    const secateur_sparse_format format = {SECATEUR_SPARSE_ROWS, 0, 0, 1};
    const secateur_sparse_weight weight = {out, in, transposed, w, mask};
    size_t size = 0;
    CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, nullptr, &size));
    packed = bytes(size);
    CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, packed, &size));
  }
};

void layer(int64_t out, int64_t in, int64_t batch, double sparsity) {
  float *const w = floats(out * in), *const x = floats(batch * in), *const dy = floats(batch * out);
  float *const y = floats(batch * out), *const dx = floats(batch * in), *const g = floats(out * in);
  const std::vector<uint32_t> mask = test::Random(2).mask(out * in, 1 - sparsity);
  const Trainable forward(out, in, false, w, mask.data()), backward(in, out, true, w, mask.data());
  size_t size[3];
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, batch, forward.packed, nullptr, nullptr, nullptr,
                         nullptr, &size[0]));
  CHECK_OK(secateur_spmm(test::cpu(), nullptr, batch, backward.packed, nullptr, nullptr, nullptr,
                         nullptr, &size[1]));
  CHECK_OK(secateur_sddmm(test::cpu(), nullptr, batch, forward.packed, nullptr, nullptr, nullptr,
                          nullptr, &size[2]));
  void* const workspace = bytes(std::max({size[0], size[1], size[2]}));
  const Run runs[] = {
      gemm(false, true, batch, out, in, x, w, y),
      gemm(false, false, batch, in, out, dy, w, dx),
      gemm(true, false, out, in, batch, dy, x, g),
      [&] {
        CHECK_OK(secateur_spmm(test::cpu(), nullptr, batch, forward.packed, x, nullptr, y,
                               workspace, &size[0]));
      },
      [&] {
        CHECK_OK(secateur_spmm(test::cpu(), nullptr, batch, backward.packed, dy, nullptr, dx,
                               workspace, &size[1]));
      },
      [&] {
        CHECK_OK(secateur_sddmm(test::cpu(), nullptr, batch, forward.packed, x, dy, g, workspace,
                                &size[2]));
      },
      [&] {
        CHECK_OK(secateur_sparse_refresh(test::cpu(), nullptr, w, forward.packed));
        CHECK_OK(secateur_sparse_refresh(test::cpu(), nullptr, w, backward.packed));
      },
  };
  double best[7];
  for (double& time : best) time = 1e300;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 7; ++i) best[i] = std::min(best[i], micros(runs[i]));
  }
  printf("%5d x %5d, batch %4d, %3.0f %%:", static_cast<int>(out), static_cast<int>(in),
         static_cast<int>(batch), 100 * sparsity);
  const char* const names[] = {"y", "dx", "dW"};
  for (int i = 0; i < 3; ++i) {
    printf("  %s %6.0f %6.0f (%4.1f)", names[i], best[i], best[i + 3], best[i] / best[i + 3]);
  }
  printf("  refresh %5.0f  all (%4.1f)\n", best[6],
         (best[0] + best[1] + best[2]) / (best[3] + best[4] + best[5] + best[6]));
  fflush(stdout);
  void* const blocks[] = {w, x, dy, y, dx, g, workspace, forward.packed, backward.packed};
  for (void* block : blocks) CHECK_OK(secateur_free(test::cpu(), block));
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) CHECK_OK(secateur_blas_load(arguments[1]));
  CHECK_OK(secateur_set_threads(1));
  for (int64_t batch : {64, 256}) {
    for (double sparsity : {0.5, 0.8, 0.9, 0.95, 0.98}) layer(2048, 2048, batch, sparsity);
  }
  for (double sparsity : {0.8, 0.9, 0.95, 0.98}) layer(300, 784, 100, sparsity);
  for (double sparsity : {0.8, 0.9, 0.95}) layer(100, 300, 100, sparsity);
  return 0;
}
