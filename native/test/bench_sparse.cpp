// Times of secateur_spmm by format, shape, sparsity and batch, beside the dense product of a BLAS
// on the same data, in turns within one run:
//   env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE bench_sparse path/to/libopenblas.so.0
//       [--best] [--format NAME] [--shape OUTxIN] [--batch N] [--sparsity PERCENT] [--threads N]
//
// A line gives: microseconds of a product with bias and ReLU, packing of the activations included;
// useful GFLOP/s (2 x stored nonzeros x batch); these in percent of the multiply-add peak that was
// measured on as many threads; microseconds of the dense product (of a single activation: of that
// or of a plain loop that reads W once, whichever is faster); how many times faster than it; and
// microseconds of packing the weights. Times are medians; with --best, for a busy machine, the
// least of all rounds, on one thread in processor time. Activations of one batch are used again and
// again, so they come from a cache where they fit; so do the weights, sparse and dense.
#include <algorithm>
#include <ctime>
#include <functional>
#include <string>

#include "harness.h"
#include "pool.h"

namespace {

constexpr int kRounds = 21;
constexpr double kLeastMicros = 200;  // of calls timed at once

// What the command line asks for; -1 or empty: everything.
struct Options {
  const char *library = nullptr;
  bool best = false;
  std::string format, shape;
  int64_t batch = -1;
  double sparsity = -1;
  int32_t threads = -1;
};

Options options;

// ---- the formats, each with a random pattern that suits it

using Mask = std::vector<uint32_t>;

void keep(Mask &mask, int64_t i) { mask[i / 32] |= 1u << (i % 32); }

Mask unstructured(const secateur_sparse_format &, int64_t out, int64_t in, double density) {
  return test::Random(3).mask(out * in, density);
}

// Whole blocks of format.rows x format.cols.
Mask blocks(const secateur_sparse_format &format, int64_t out, int64_t in, double density) {
  const int64_t across = (in + format.cols - 1) / format.cols;
  const int64_t down = (out + format.rows - 1) / format.rows;
  const Mask kept = test::Random(4).mask(down * across, density);
  Mask mask(SECATEUR_MASK_WORDS(out * in));
  for (int64_t r = 0; r < out; ++r) {
    for (int64_t c = 0; c < in; ++c) {
      if (test::kept(kept, r / format.rows * across + c / format.cols)) keep(mask, r * in + c);
    }
  }
  return mask;
}

// format.rows places in every format.cols of a row; the density is theirs.
Mask n_of_m(const secateur_sparse_format &format, int64_t out, int64_t in, double) {
  test::Random random(5);
  Mask mask(SECATEUR_MASK_WORDS(out * in));
  for (int64_t r = 0; r < out; ++r) {
    for (int64_t c = 0; c < in; c += format.cols) {
      int64_t left = format.rows;
      const int64_t places = std::min<int64_t>(format.cols, in - c);
      for (int64_t i = 0; i < places; ++i) {
        if (random.below(places - i) >= left) continue;
        keep(mask, r * in + c + i);
        --left;
      }
    }
  }
  return mask;
}

struct Format {
  const char *name;
  secateur_sparse_format format;
  Mask (*pattern)(const secateur_sparse_format &, int64_t out, int64_t in, double density);
  std::vector<double> sparsities;
  std::vector<int64_t> batches;
};

const std::vector<double> kSparsities = {0.45, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99};
const std::vector<int64_t> kBatches = {16, 17, 32, 48, 64, 65, 100, 256}, kFew = {1, 2, 4, 8},
                           kAll = {1, 2, 4, 8, 16, 17, 32, 48, 64, 65, 100, 256};

const Format kFormats[] = {
    {"rows", {SECATEUR_SPARSE_ROWS, 0, 0, 0}, unstructured, kSparsities, kBatches},
    {"gather", {SECATEUR_SPARSE_GATHER, 0, 0, 0}, unstructured, kSparsities, kFew},
    {"block4x1", {SECATEUR_SPARSE_BLOCK, 4, 1, 0}, blocks, kSparsities, kAll},
    {"block8x1", {SECATEUR_SPARSE_BLOCK, 8, 1, 0}, blocks, kSparsities, kAll},
    {"block16x1", {SECATEUR_SPARSE_BLOCK, 16, 1, 0}, blocks, kSparsities, kAll},
    {"block4x4", {SECATEUR_SPARSE_BLOCK, 4, 4, 0}, blocks, kSparsities, kAll},
    {"block16x16", {SECATEUR_SPARSE_BLOCK, 16, 16, 0}, blocks, kSparsities, kAll},
    {"block1x4", {SECATEUR_SPARSE_BLOCK, 1, 4, 0}, blocks, kSparsities, kAll},
    {"block1x16", {SECATEUR_SPARSE_BLOCK, 1, 16, 0}, blocks, kSparsities, kAll},
    {"nm2:4", {SECATEUR_SPARSE_NM, 2, 4, 0}, n_of_m, {0.5}, kAll},
    {"nm1:4", {SECATEUR_SPARSE_NM, 1, 4, 0}, n_of_m, {0.75}, kAll},
    {"nm4:8", {SECATEUR_SPARSE_NM, 4, 8, 0}, n_of_m, {0.5}, kAll},
    {"nm4:32", {SECATEUR_SPARSE_NM, 4, 32, 0}, n_of_m, {0.875}, kAll},
};

struct Shape {
  int64_t out, in;
};

const Shape kShapes[] = {{2048, 2048}, {300, 784}, {100, 300}};

// ---- measuring

float *floats(int64_t n) {
  void *block;
  CHECK_OK(secateur_alloc(test::cpu(), static_cast<size_t>(n + 1) * sizeof(float), &block));
  std::fill_n(static_cast<float *>(block), n, 0.0f);
  return static_cast<float *>(block);
}

float *random_floats(int64_t n) {
  static test::Random random(1);
  float *const x = floats(n);
  for (int64_t i = 0; i < n; ++i) x[i] = random.normal();
  return x;
}

void release(void *block) { CHECK_OK(secateur_free(test::cpu(), block)); }

// The time now in microseconds: of the clock or, for --best on one thread, of this thread alone.
double now() {
  timespec time;
  const bool alone = options.best && secateur_threads() == 1;
  clock_gettime(alone ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return 1e6 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_nsec);
}

double micros(int calls, const std::function<void()> &call) {
  const double start = now();
  for (int i = 0; i < calls; ++i) call();
  return (now() - start) / calls;
}

// ---- the dense product of a single activation, y = W x, four rows at once in 16 lanes

#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void four_rows(int64_t in, const float *w, const float *x, float *y) {
  typedef float Lanes __attribute__((vector_size(64)));
  Lanes sums[4] = {};
  int64_t k = 0;
  for (; k + 16 <= in; k += 16) {
    Lanes a, b;
    memcpy(&b, x + k, sizeof b);
    for (int r = 0; r < 4; ++r) {
      memcpy(&a, w + r * in + k, sizeof a);
      sums[r] += a * b;
    }
  }
  for (int r = 0; r < 4; ++r) {
    float sum = 0;
    for (int l = 0; l < 16; ++l) sum += sums[r][l];
    for (int64_t i = k; i < in; ++i) sum += w[r * in + i] * x[i];
    y[r] = sum;
  }
}

void matrix_vector(const Shape &shape, const float *w, const float *x, float *y) {
  constexpr int64_t kLeastWork = 1 << 17;  // weights a thread's piece
  const int64_t grain = std::max<int64_t>(4, kLeastWork / shape.in / 4 * 4);
  secateur::parallel_ranges(shape.out, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r + 4 <= end; r += 4) {
      four_rows(shape.in, w + r * shape.in, x, y + r);
    }
  });
}

// ---- timing

// One call that is timed in turns with others.
struct Timed {
  std::function<void()> call;
  int calls = 1;
  std::vector<double> times;

  explicit Timed(std::function<void()> body) : call(std::move(body)) {
    call();
    calls = static_cast<int>(std::clamp(kLeastMicros / micros(1, call), 1.0, 1000.0));
  }

  void round() {
    call();  // so that no turn starts with what the one before left in the caches
    times.push_back(micros(calls, call));
  }

  double result() {
    std::sort(times.begin(), times.end());
    return options.best ? times.front() : times[times.size() / 2];
  }
};

// A packed matrix with all that its product needs, and its times.
struct Sparse {
  const Format *format;
  double sparsity;
  int64_t stored = 0;
  double pack_micros = 0;
  void *packed = nullptr, *workspace = nullptr;
  Timed *product = nullptr;
};

double peak(int32_t threads) {
  constexpr size_t kBytes = size_t{64} << 20;
  static float *const memory = floats(kBytes / sizeof(float));
  static double peaks[3] = {};
  double flops, bytes;
  CHECK_OK(secateur_cpu_peak(test::cpu(), &flops, &bytes, memory, kBytes));
  peaks[threads] = std::max(peaks[threads], flops / 1e9);
  return peaks[threads];
}

bool wanted(const Format &format, int64_t batch) {
  if (!options.format.empty() && options.format != format.name) return false;
  return std::count(format.batches.begin(), format.batches.end(), batch) > 0;
}

// False when this build lacks the format.
bool pack(const Shape &shape, const float *w, Sparse *sparse) {
  const secateur_sparse_format &format = sparse->format->format;
  const Mask mask = sparse->format->pattern(format, shape.out, shape.in, 1 - sparse->sparsity);
  const secateur_sparse_weight weight = {shape.out, shape.in, 0, w, mask.data()};
  size_t bytes = 0;
  const secateur_status status =
      secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, nullptr, &bytes);
  if (status == SECATEUR_UNAVAILABLE) return false;
  CHECK_OK(status);
  CHECK_OK(secateur_alloc(test::cpu(), bytes, &sparse->packed));
  const auto run = [&] {
    size_t given = bytes;
    CHECK_OK(secateur_sparse_pack(test::cpu(), nullptr, &format, &weight, sparse->packed, &given));
  };
  sparse->pack_micros = 1e300;
  for (int i = 0; i < 5; ++i) sparse->pack_micros = std::min(sparse->pack_micros, micros(1, run));
  int64_t out, in;
  CHECK_OK(secateur_sparse_info(test::cpu(), sparse->packed, &out, &in, &sparse->stored));
  return true;
}

void measure(const Shape &shape, int64_t batch, int32_t threads) {
  CHECK_OK(secateur_set_threads(threads));
  float *const w = random_floats(shape.out * shape.in), *const bias = random_floats(shape.out);
  float *const x = random_floats(batch * shape.in), *const y = floats(batch * shape.out);
  const secateur_epilogue epilogue = {bias, SECATEUR_RELU, 0};
  std::vector<Sparse> products;
  for (const Format &format : kFormats) {
    if (!wanted(format, batch)) continue;
    for (double sparsity : format.sparsities) {
      if (options.sparsity >= 0 && std::fabs(options.sparsity / 100 - sparsity) > 1e-6) continue;
      Sparse sparse = {&format, sparsity};
      if (!pack(shape, w, &sparse)) continue;
      size_t bytes = 0;
      CHECK_OK(secateur_spmm(test::cpu(), nullptr, batch, sparse.packed, x, &epilogue, y, nullptr,
                             &bytes));
      sparse.workspace = floats(static_cast<int64_t>(bytes / sizeof(float) + 1));
      sparse.product = new Timed([=] {
        size_t given = bytes;
        CHECK_OK(secateur_spmm(test::cpu(), nullptr, batch, sparse.packed, x, &epilogue, y,
                               sparse.workspace, &given));
      });
      products.push_back(sparse);
    }
  }
  if (products.empty()) return;
  const secateur_gemm_args args = {0, 1, batch,    shape.out, shape.in,
                                   1, 0, shape.in, shape.in,  shape.out};
  Timed dense([&] {
    if (options.library) CHECK_OK(secateur_gemm(test::cpu(), nullptr, &args, x, w, y));
  });
  // Rows beyond a multiple of four are left out, in the loop's favour.
  Timed loop([&] {
    if (options.library && batch == 1) matrix_vector(shape, w, x, y);
  });
  double most = 0;
  for (int round = 0; round < kRounds; ++round) {
    if (round % 7 == 0) most = peak(threads);
    dense.round();
    loop.round();
    for (Sparse &sparse : products) sparse.product->round();
  }
  for (Sparse &sparse : products) {
    const double time = sparse.product->result();
    const double other = batch == 1 ? std::min(dense.result(), loop.result()) : dense.result();
    const double rate = 2e-3 * static_cast<double>(sparse.stored * batch) / time;
    printf("%-10s %5d x %-5d %4.0f %% %5d %3d %10.1f %8.1f %5.1f %%", sparse.format->name,
           static_cast<int>(shape.out), static_cast<int>(shape.in), 100 * sparse.sparsity,
           static_cast<int>(batch), static_cast<int>(threads), time, rate, 100 * rate / most);
    if (options.library) printf(" %10.1f %7.2f", other, other / time);
    printf(" %10.1f\n", sparse.pack_micros);
    delete sparse.product;
    release(sparse.packed);
    release(sparse.workspace);
  }
  fflush(stdout);
  for (float *block : {w, bias, x, y}) release(block);
}

void parse(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--best") {
      options.best = true;
    } else if (name.rfind("--", 0) != 0) {
      options.library = argv[i];
    } else {
      CHECK_NOTE(i + 1 < argc, "%s needs a value", name.c_str());
      const char *const value = argv[++i];
      if (name == "--format")
        options.format = value;
      else if (name == "--shape")
        options.shape = value;
      else if (name == "--batch")
        options.batch = atoi(value);
      else if (name == "--sparsity")
        options.sparsity = atof(value);
      else if (name == "--threads")
        options.threads = atoi(value);
      else
        CHECK_NOTE(false, "no option %s", name.c_str());
    }
  }
}

}  // namespace

int main(int argc, char **argv) {
  parse(argc, argv);
  if (options.library) CHECK_OK(secateur_blas_load(options.library));
  std::vector<Shape> shapes(std::begin(kShapes), std::end(kShapes));
  long long out, in;
  if (sscanf(options.shape.c_str(), "%lldx%lld", &out, &in) == 2) shapes = {{out, in}};
  std::vector<int64_t> batches = kFew;
  batches.insert(batches.end(), kBatches.begin(), kBatches.end());
  printf("%s of %d rounds; peak", options.best ? "best" : "median", kRounds);
  for (int32_t threads : {1, 2}) {
    CHECK_OK(secateur_set_threads(threads));
    printf(" %.0f GFLOP/s on %d thread%s", peak(threads), threads, threads == 1 ? "," : "s");
  }
  printf("; dense: %s\n", options.library ? secateur_blas_config() : "none");
  printf(
      "%-10s   out x in    sparse batch thr   us        GFLOP/s   peak   us dense  faster    us "
      "pack\n",
      "format");
  for (const Shape &shape : shapes) {
    for (int64_t batch : batches) {
      if (options.batch >= 0 && options.batch != batch) continue;
      for (int32_t threads : {1, 2}) {
        if (options.threads < 0 || options.threads == threads) measure(shape, batch, threads);
      }
    }
  }
  return 0;
}
