// Times of the operations of a LeNet-300-100 training step and of sparse against dense products:
//   env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE bench_ops path/to/libopenblas.so.0
// Each line: the best of several rounds, in microseconds, on 1 thread and on 2.
#include <chrono>
#include <cstdio>
#include <vector>

#include "harness.h"

namespace {

// Best time of a call in microseconds, over short batches, so that a busy machine lets some pass
// undisturbed.
template <class Run>
double best(Run &&run) {
  using Clock = std::chrono::steady_clock;
  double fastest = 1e300;
  int calls = 1;
  for (int round = 0; round < 200; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) run();
    const double time = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    if (time < 100) {
      calls *= 2;
    } else {
      fastest = time / calls < fastest ? time / calls : fastest;
    }
    if (time > 5000 && round > 30) break;
  }
  return fastest;
}

template <class Run>
void report(const char *name, double flop, Run &&run) {
  double time[2];
  for (int32_t threads : {1, 2}) {
    CHECK_OK(secateur_set_threads(threads));
    time[threads - 1] = best(run);
  }
  printf("%-44s %10.1f %10.1f us", name, time[0], time[1]);
  if (flop > 0) printf("  %6.0f %6.0f GFLOP/s", flop / time[0] / 1e3, flop / time[1] / 1e3);
  putchar('\n');
  fflush(stdout);
}

float *floats(int64_t n, float scale = 1) {
  static test::Random random(1);
  void *block;
  CHECK_OK(secateur_alloc(test::cpu(), static_cast<size_t>(n) * sizeof(float), &block));
  for (int64_t i = 0; i < n; ++i) static_cast<float *>(block)[i] = scale * random.normal();
  return static_cast<float *>(block);
}

void gemm(const char *name, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k) {
  secateur_gemm_args args = {trans_a, trans_b, m, n, k, 1, 0, trans_a ? m : k, trans_b ? k : n, n};
  float *const a = floats(m * k), *const b = floats(k * n), *const c = floats(m * n);
  report(name, 2.0 * static_cast<double>(m * n * k),
         [&] { CHECK_OK(secateur_gemm(test::cpu(), nullptr, &args, a, b, c)); });
}

void training_step() {
  secateur_device *const cpu = test::cpu();
  const int64_t rows = 100, cols = 300, n = 266200;
  float *const x = floats(rows * cols), *const y = floats(rows * cols), *const bias = floats(cols);
  float *const w = floats(n), *const g = floats(n), *const m = floats(n, 0),
               *const v = floats(n, 0);
  test::Random random(2);
  const std::vector<uint32_t> mask = random.mask(n, 0.1);
  const secateur_broadcast add = {2, {rows, cols}, {cols, 1}, {0, 1}};
  const int64_t shape[] = {rows, cols};
  report("bias add [100, 300]", 0,
         [&] { CHECK_OK(secateur_binary(cpu, nullptr, SECATEUR_ADD, &add, x, bias, y)); });
  report("relu [100, 300]", 0,
         [&] { CHECK_OK(secateur_unary(cpu, nullptr, SECATEUR_RELU, 0, rows * cols, x, y)); });
  report("relu gradient [100, 300]", 0, [&] {
    CHECK_OK(secateur_unary_grad(cpu, nullptr, SECATEUR_RELU, 0, rows * cols, x, x, y, y));
  });
  report("bias gradient [100, 300]", 0,
         [&] { CHECK_OK(secateur_reduce_sum(cpu, nullptr, 2, shape, 1, x, y)); });
  std::vector<int32_t> labels(rows);
  for (int32_t &label : labels) label = static_cast<int32_t>(random.below(10));
  float loss, one = 1;
  report("cross-entropy and gradient [100, 10]", 0, [&] {
    CHECK_OK(secateur_softmax_cross_entropy(cpu, nullptr, rows, 10, x, labels.data(), y, &loss));
    CHECK_OK(
        secateur_softmax_cross_entropy_grad(cpu, nullptr, rows, 10, y, labels.data(), &one, y));
  });
  const secateur_adam_params adam = {1e-3f, 0.9f, 0.999f, 1e-8f, 0, 0, 0.1f, 0.03f};
  report("adam 266200", 0,
         [&] { CHECK_OK(secateur_adam_step(cpu, nullptr, n, &adam, w, g, m, v, nullptr)); });
  report("adam 266200, 90 % masked", 0,
         [&] { CHECK_OK(secateur_adam_step(cpu, nullptr, n, &adam, w, g, m, v, mask.data())); });
  const uint64_t state[] = {1, 2};
  report("hard-concrete gates 266200", 0,
         [&] { CHECK_OK(secateur_hard_concrete(cpu, nullptr, state, 3, n, w, g)); });
  report("gelu 266200", 0,
         [&] { CHECK_OK(secateur_unary(cpu, nullptr, SECATEUR_GELU, 0, n, g, w)); });
}

void sparse(int64_t out, int64_t in, double density) {
  float *const w = floats(out * in);
  test::Random random(3);
  const std::vector<uint32_t> mask = random.mask(out * in, density);
  size_t bytes = 0;
  void *packed;
  const secateur_sparse_format format = {SECATEUR_SPARSE_ROWS, 0, 0, 0};
  const secateur_sparse_weight weight = {out, in, 0, w, mask.data()};
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, nullptr, &bytes));
  CHECK_OK(secateur_alloc(test::cpu(), bytes, &packed));
  CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, packed, &bytes));
  int64_t nonzeros;
  CHECK_OK(secateur_sparse_info(test::cpu(), packed, &out, &in, &nonzeros));
  for (int64_t batch : {1, 8, 16, 64, 256}) {
    float *const x = floats(batch * in), *const y = floats(batch * out), *workspace = nullptr;
    size_t work = 0;
    CHECK_OK(secateur_spmm(test::cpu(), nullptr, batch, packed, x, nullptr, y, nullptr, &work));
    workspace = floats(static_cast<int64_t>(work / 4 + 1));
    char name[64];
    snprintf(name, sizeof name, "sparse %dx%d %.0f %%, batch %d", static_cast<int>(out),
             static_cast<int>(in), 100 * (1 - density), static_cast<int>(batch));
    report(name, 2.0 * static_cast<double>(nonzeros * batch), [&] {
      CHECK_OK(secateur_spmm(test::cpu(), nullptr, batch, packed, x, nullptr, y, workspace, &work));
    });
  }
}

}  // namespace

int main(int argc, char **argv) {
  training_step();
  if (argc > 1) {
    CHECK_OK(secateur_blas_load(argv[1]));
    printf("%s (%s)\n", secateur_blas_config(), secateur_blas_core());
    gemm("forward fc1 [100, 784] x [300, 784]^T", false, true, 100, 300, 784);
    gemm("forward fc2 [100, 300] x [100, 300]^T", false, true, 100, 100, 300);
    gemm("forward fc3 [100, 100] x [10, 100]^T", false, true, 100, 10, 100);
    gemm("weight gradient fc1 [100, 300]^T x [100, 784]", true, false, 300, 784, 100);
    gemm("weight gradient fc2 [100, 100]^T x [100, 300]", true, false, 100, 300, 100);
    gemm("input gradient fc2 [100, 100] x [100, 300]", false, false, 100, 300, 100);
    for (int64_t batch : {1, 8, 16, 64, 256}) {
      char name[64];
      snprintf(name, sizeof name, "dense 2048x2048, batch %d", static_cast<int>(batch));
      gemm(name, false, true, batch, 2048, 2048);
    }
  }
  for (double density : {0.5, 0.2, 0.1, 0.05}) sparse(2048, 2048, density);
  return 0;
}
