// Times of convolutions, one thread's processor time, the least of many calls: dense forward, the
// two gradients, and the sparse product at 80, 90 and 95 % zeros, with GFLOP/s (useful ones, 2 x
// weights x places x images) beside the multiply-add peak; and of max pooling.
#include <ctime>
#include <functional>

#include "harness.h"

namespace {

struct Layer {
  const char* name;
  int64_t batch, channels, size, outputs;
  int32_t kernel, stride, pad, groups = 1;
};

constexpr Layer kLayers[] = {
    {"LeNet-5 conv1", 64, 1, 28, 20, 5, 1, 0},
    {"LeNet-5 conv2", 64, 20, 12, 50, 5, 1, 0},
    {"ResNet-20 stage 1", 64, 16, 32, 16, 3, 1, 1},
    {"ResNet-20 to 2", 64, 16, 32, 32, 3, 2, 1},
    {"ResNet-20 stage 2", 64, 32, 16, 32, 3, 1, 1},
    {"ResNet-20 stage 3", 64, 64, 8, 64, 3, 1, 1},
    {"ResNet-50 3x3", 4, 128, 28, 128, 3, 1, 1},
    {"ResNet-50 1x1", 4, 256, 14, 1024, 1, 1, 0},
    {"depthwise 28", 4, 128, 28, 128, 3, 1, 1, 128},
    {"depthwise 14", 4, 128, 14, 128, 3, 1, 1, 128},
    {"depthwise /2", 4, 128, 28, 128, 3, 2, 1, 128},
};

double seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double least(const std::function<void()>& run) {
  double best = test::kInf;
  const double end = seconds() + 0.4;
  run();
  while (seconds() < end) {
    const double start = seconds();
    run();
    best = std::min(best, seconds() - start);
  }
  return best;
}

void time_layer(const Layer& l) {
  secateur_conv conv = {};
  secateur_window& w = conv.window;
  w = {l.batch,  l.channels, l.size,   l.size, 0, 0,     l.kernel,
       l.kernel, l.stride,   l.stride, 1,      1, l.pad, l.pad};
  w.out_h = w.out_w = (l.size + 2 * l.pad - l.kernel) / l.stride + 1;
  conv.outputs = l.outputs;
  conv.groups = l.groups;
  test::Random random(1);
  const int64_t weights = l.outputs * l.channels / l.groups * l.kernel * l.kernel;
  const int64_t outs = l.batch * l.outputs * w.out_h * w.out_w;
  std::vector<float> x = random.normals(l.batch * l.channels * l.size * l.size),
                     filters = random.normals(weights), y(outs), dx(x.size()), dw(weights);
  size_t bytes = 0;
  size_t most = 0;
  CHECK_OK(secateur_convolve(test::cpu(), nullptr, &conv, nullptr, nullptr, nullptr, nullptr,
                             nullptr, &bytes));
  most = bytes;
  CHECK_OK(secateur_convolve_input_grad(test::cpu(), nullptr, &conv, nullptr, nullptr, nullptr,
                                        nullptr, &bytes));
  most = std::max(most, bytes);
  CHECK_OK(secateur_convolve_weight_grad(test::cpu(), nullptr, &conv, nullptr, nullptr, nullptr,
                                         nullptr, &bytes));
  most = std::max(most, bytes);
  std::vector<char> memory(most + 64);
  void* const work = test::aligned(memory.data(), 64);
  const double flops = 2.0 * static_cast<double>(weights) * static_cast<double>(w.out_h * w.out_w) *
                       static_cast<double>(l.batch);
  const double forward = least([&] {
    size_t size = most;
    CHECK_OK(secateur_convolve(test::cpu(), nullptr, &conv, x.data(), filters.data(), nullptr,
                               y.data(), work, &size));
  });
  const double input = least([&] {
    size_t size = most;
    CHECK_OK(secateur_convolve_input_grad(test::cpu(), nullptr, &conv, y.data(), filters.data(),
                                          dx.data(), work, &size));
  });
  const double weight = least([&] {
    size_t size = most;
    CHECK_OK(secateur_convolve_weight_grad(test::cpu(), nullptr, &conv, x.data(), y.data(),
                                           dw.data(), work, &size));
  });
  printf("%-18s forward %8.0f us %5.0f GFLOP/s, dx %8.0f us %4.0f, dw %8.0f us %4.0f", l.name,
         1e6 * forward, 1e-9 * flops / forward, 1e6 * input, 1e-9 * flops / input, 1e6 * weight,
         1e-9 * flops / weight);
  for (const double density : {0.2, 0.1, 0.05}) {
    std::vector<uint32_t> mask = random.mask(weights, density);
    size_t packed_bytes = 0;
    CHECK_OK(secateur_sparse_conv_pack(test::cpu(), nullptr, &conv, filters.data(), mask.data(),
                                       nullptr, &packed_bytes));
    std::vector<char> packed(packed_bytes + 64);
    void* const place = test::aligned(packed.data(), 64);
    CHECK_OK(secateur_sparse_conv_pack(test::cpu(), nullptr, &conv, filters.data(), mask.data(),
                                       place, &packed_bytes));
    CHECK_OK(secateur_sparse_convolve(test::cpu(), nullptr, l.batch, place, nullptr, nullptr,
                                      nullptr, nullptr, &bytes));
    std::vector<char> scratch(bytes);
    const double sparse = least([&] {
      CHECK_OK(secateur_sparse_convolve(test::cpu(), nullptr, l.batch, place, x.data(), nullptr,
                                        y.data(), scratch.data(), &bytes));
    });
    printf(", %2.0f %%: %6.0f us %3.1fx %3.0f", 100 * (1 - density), 1e6 * sparse, forward / sparse,
           1e-9 * flops * density / sparse);
  }
  printf("\n");
}

void time_pool(const char* name, int64_t batch, int64_t channels, int64_t size, int32_t kernel) {
  const int64_t out = (size - kernel) / 2 + 1;
  const secateur_window w = {batch,  channels, size, size, out, out, kernel,
                             kernel, 2,        2,    1,    1,   0,   0};
  test::Random random(2);
  const std::vector<float> x = random.normals(batch * channels * size * size);
  std::vector<float> y(batch * channels * out * out), dx(x.size());
  std::vector<int32_t> places(y.size());
  const double forward = least([&] {
    CHECK_OK(secateur_max_pool(test::cpu(), nullptr, &w, x.data(), y.data(), places.data()));
  });
  const double back = least([&] {
    CHECK_OK(secateur_max_pool_grad(test::cpu(), nullptr, &w, y.data(), places.data(), dx.data()));
  });
  printf("%-18s forward %8.0f us, dx %8.0f us\n", name, 1e6 * forward, 1e6 * back);
}

}  // namespace

int main() {
  CHECK_OK(secateur_set_threads(1));
  double flops, bandwidth;
  std::vector<char> memory(64 << 20);
  CHECK_OK(secateur_cpu_peak(test::cpu(), &flops, &bandwidth, memory.data(), memory.size()));
  printf("peak %.0f GFLOP/s\n", 1e-9 * flops);
  for (const Layer& layer : kLayers) time_layer(layer);
  time_pool("LeNet-5 pool1", 64, 20, 24, 2);
  time_pool("LeNet-5 pool2", 64, 50, 8, 2);
  time_pool("pool 3 / 2", 4, 64, 112, 3);
  return 0;
}
