// Sparse convolutions against a double-precision loop, element by element within 1e-5 of |w| |x| +
// |bias|, under each instruction set; the same bits with 1, 2 and 3 threads; epilogues against the
// sums followed by single operations; masked weights are not read.
#include <algorithm>

#include "harness.h"

namespace {

using test::Guarded;

const secateur_epilogue kNothing = {nullptr, SECATEUR_IDENTITY, 0};

struct Case {
  int64_t batch, channels, outputs;
  int32_t groups;
  int64_t in_h, in_w;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t top, left, bottom, right;
  double density;
  int64_t packed_batch;  // that the filters are laid out for
};

secateur_conv conv_of(const Case& c) {
  secateur_conv conv = {};
  secateur_window& w = conv.window;
  w.batch = c.packed_batch;
  w.channels = c.channels;
  w.in_h = c.in_h;
  w.in_w = c.in_w;
  w.kernel_h = c.kernel_h;
  w.kernel_w = c.kernel_w;
  w.stride_h = c.stride_h;
  w.stride_w = c.stride_w;
  w.dilation_h = c.dilation_h;
  w.dilation_w = c.dilation_w;
  w.pad_top = c.top;
  w.pad_left = c.left;
  w.out_h = (c.in_h + c.top + c.bottom - (c.kernel_h - 1) * c.dilation_h - 1) / c.stride_h + 1;
  w.out_w = (c.in_w + c.left + c.right - (c.kernel_w - 1) * c.dilation_w - 1) / c.stride_w + 1;
  conv.outputs = c.outputs;
  conv.groups = c.groups;
  return conv;
}

bool fits(const Case& c) {
  return c.in_h + c.top + c.bottom > (c.kernel_h - 1) * c.dilation_h &&
         c.in_w + c.left + c.right > (c.kernel_w - 1) * c.dilation_w;
}

unsigned char* place(Guarded<unsigned char>& guarded) {
  return static_cast<unsigned char*>(test::aligned(guarded.data(), 64));
}

struct Data {
  explicit Data(const Case& shape, bool masked) : shape(shape), conv(conv_of(shape)) {
    test::Random random(71);
    const secateur_window& window = conv.window;
    const int64_t n =
        shape.outputs * (shape.channels / shape.groups) * shape.kernel_h * shape.kernel_w;
    w = random.normals(n);
    x = random.normals(shape.batch * shape.channels * shape.in_h * shape.in_w);
    out = shape.batch * shape.outputs * window.out_h * window.out_w;
    kept = random.mask(n, shape.density);
    for (int64_t i = 0; i < n; ++i) {
      if (test::kept(kept, i)) continue;
      w[i] = masked ? test::kNan : i % 2 ? 0.0f : -0.0f;
    }
    mask = masked ? kept.data() : nullptr;
  }

  void pack() {
    size_t bytes = 0;
    CHECK_OK(
        secateur_sparse_conv_pack(test::cpu(), nullptr, &conv, w.data(), mask, nullptr, &bytes));
    packed = Guarded<unsigned char>(static_cast<int64_t>(bytes) + 64, 0xa5);
    CHECK_OK(secateur_sparse_conv_pack(test::cpu(), nullptr, &conv, w.data(), mask, place(packed),
                                       &bytes));
    packed.take();
    for (unsigned char* p = place(packed) + bytes; p < packed.data() + bytes + 64; ++p) {
      CHECK(*p == 0xa5);
    }
  }

  std::vector<float> product(const secateur_epilogue& epilogue) {
    Guarded<float> input(x), y(out, test::kNan);
    size_t bytes = 0;
    CHECK_OK(secateur_sparse_convolve(test::cpu(), nullptr, shape.batch, place(packed), nullptr,
                                      &epilogue, nullptr, nullptr, &bytes));
    Guarded<unsigned char> workspace(static_cast<int64_t>(bytes), 0xff);  // NaN where not written
    CHECK_OK(secateur_sparse_convolve(test::cpu(), nullptr, shape.batch, place(packed),
                                      input.data(), &epilogue, y.data(), workspace.data(), &bytes));
    workspace.take();
    return y.take();
  }

  Case shape;
  secateur_conv conv;
  int64_t out;
  std::vector<float> w, x;
  std::vector<uint32_t> kept;
  const uint32_t* mask;
  Guarded<unsigned char> packed{0};
};

// Sums and sums of magnitudes, in double.
void oracle(const Data& d, std::vector<double>& want, std::vector<double>& size) {
  const Case& c = d.shape;
  const secateur_window& w = d.conv.window;
  const int64_t channels = c.channels / c.groups, outputs = c.outputs / c.groups;
  want.assign(static_cast<size_t>(d.out), 0);
  size = want;
  size_t at = 0;
  for (int64_t n = 0; n < c.batch; ++n) {
    for (int64_t o = 0; o < c.outputs; ++o) {
      for (int64_t i = 0; i < w.out_h; ++i) {
        for (int64_t j = 0; j < w.out_w; ++j, ++at) {
          int64_t weight = o * channels * c.kernel_h * c.kernel_w;
          for (int64_t ch = 0; ch < channels; ++ch) {
            for (int64_t k = 0; k < c.kernel_h; ++k) {
              for (int64_t l = 0; l < c.kernel_w; ++l, ++weight) {
                const int64_t row = i * c.stride_h + k * c.dilation_h - c.top;
                const int64_t col = j * c.stride_w + l * c.dilation_w - c.left;
                if (row < 0 || row >= c.in_h || col < 0 || col >= c.in_w ||
                    !test::kept(d.kept, weight)) {
                  continue;
                }
                const int64_t plane = n * c.channels + o / outputs * channels + ch;
                const double term =
                    static_cast<double>(d.w[weight]) * d.x[(plane * c.in_h + row) * c.in_w + col];
                want[at] += term;
                size[at] += std::fabs(term);
              }
            }
          }
        }
      }
    }
  }
}

template <class Body>
void each_isa(Body&& body) {
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) == SECATEUR_OK) body(isa);
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
  CHECK_OK(secateur_set_threads(0));
}

void check(const Case& c, bool masked = false) {
  if (!fits(c)) return;
  Data data(c, masked);
  std::vector<double> want, size;
  oracle(data, want, size);
  int64_t stored = 0;
  for (size_t i = 0; i < data.w.size(); ++i) {
    stored += test::kept(data.kept, static_cast<int64_t>(i));
  }
  data.pack();
  int64_t out, in, count;
  CHECK_OK(secateur_sparse_info(test::cpu(), place(data.packed), &out, &in, &count));
  CHECK(out == c.outputs && count == stored);
  CHECK(in == c.channels / c.groups * c.kernel_h * c.kernel_w);
  each_isa([&](const char* isa) {
    std::vector<float> first;
    for (int32_t threads : {1, 2, 3}) {
      CHECK_OK(secateur_set_threads(threads));
      const std::vector<float> y = data.product(kNothing);
      if (threads == 1) first = y;
      CHECK(y.size() == first.size() &&
            (y.empty() || memcmp(y.data(), first.data(), y.size() * sizeof(float)) == 0));
    }
    for (size_t i = 0; i < first.size(); ++i) {
      CHECK_NOTE(std::fabs(first[i] - want[i]) <= 1e-5 * size[i],
                 "%s: %d x %d x %d x %d, window %d x %d: element %zu is %g, not %g", isa,
                 static_cast<int>(c.batch), static_cast<int>(c.channels), static_cast<int>(c.in_h),
                 static_cast<int>(c.in_w), c.kernel_h, c.kernel_w, i, static_cast<double>(first[i]),
                 want[i]);
    }
  });
}

void chosen_shapes() {
  check({3, 1, 20, 1, 28, 28, 5, 5, 1, 1, 1, 1, 0, 0, 0, 0, 0.3, 3});         // LeNet-5
  check({5, 20, 50, 1, 12, 12, 5, 5, 1, 1, 1, 1, 0, 0, 0, 0, 0.1, 5}, true);  // LeNet-5
  check({2, 16, 16, 1, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0.1, 2});        // ResNet-20
  check({7, 16, 32, 1, 32, 32, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0.2, 7}, true);
  check({9, 64, 64, 1, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0.05, 9});
  check({4, 16, 32, 1, 32, 32, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0, 0.3, 4});
  check({1, 3, 8, 1, 224, 224, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3, 0.1, 1});  // several bands
  check({3, 40, 70, 1, 60, 60, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0.02, 3});
  check({2, 12, 12, 12, 9, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0.6, 2});  // depthwise
  check({2, 12, 18, 3, 9, 11, 3, 2, 1, 2, 2, 1, 1, 0, 2, 1, 0.5, 2}, true);
  check({2, 4, 6, 1, 1, 40, 1, 9, 1, 3, 1, 2, 0, 4, 0, 5, 0.5, 2});  // a signal
  check({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1});
  check({2, 2, 3, 1, 2, 2, 3, 3, 1, 1, 1, 1, 4, 4, 4, 4, 1, 2});  // windows in the padding alone
  check({0, 2, 3, 1, 5, 5, 3, 3, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1});
  for (double density : {0.0, 1.0}) {
    check({3, 5, 130, 1, 7, 7, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, density, 3});
  }
  for (int64_t packed : {1, 2, 8, 64}) {  // laid out for another batch
    check({5, 3, 4, 1, 9, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0.5, packed});
  }
}

void random_shapes() {
  test::Random random(72);
  for (int i = 0; i < (SANITIZED ? 40 : 150); ++i) {
    const auto groups = static_cast<int32_t>(1 + random.below(3));
    Case c = {};
    c.batch = random.below(9);
    c.groups = groups;
    c.channels = groups * (1 + random.below(9));
    c.outputs = groups * (1 + random.below(20));
    c.in_h = 1 + random.below(20);
    c.in_w = 1 + random.below(40);
    c.kernel_h = static_cast<int32_t>(1 + random.below(5));
    c.kernel_w = static_cast<int32_t>(1 + random.below(5));
    c.stride_h = static_cast<int32_t>(1 + random.below(3));
    c.stride_w = static_cast<int32_t>(1 + random.below(3));
    c.dilation_h = static_cast<int32_t>(1 + random.below(3));
    c.dilation_w = static_cast<int32_t>(1 + random.below(3));
    c.top = static_cast<int32_t>(random.below(4));
    c.left = static_cast<int32_t>(random.below(4));
    c.bottom = static_cast<int32_t>(random.below(4));
    c.right = static_cast<int32_t>(random.below(4));
    c.density = static_cast<double>(random.below(101)) / 100;
    c.packed_batch = 1 + random.below(9);
    check(c, random.below(2) == 1);
  }
}

void epilogues() {
  Data data({5, 6, 19, 1, 10, 13, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0.4, 5}, false);
  const int64_t plane = data.conv.window.out_h * data.conv.window.out_w;
  test::Random random(73);
  Guarded<float> bias(random.normals(19));
  data.pack();
  each_isa([&](const char* isa) {
    const std::vector<float> sums = data.product(kNothing);
    for (int32_t op = SECATEUR_IDENTITY; op <= SECATEUR_ABS; ++op) {
      for (bool biased : {false, true}) {
        std::vector<float> want = sums;
        for (size_t i = 0; biased && i < want.size(); ++i) {
          want[i] += bias[static_cast<int64_t>(i) / plane % 19];
        }
        if (op != SECATEUR_IDENTITY) {
          CHECK_OK(secateur_unary(test::cpu(), nullptr, op, 0.3f, static_cast<int64_t>(want.size()),
                                  want.data(), want.data()));
        }
        const std::vector<float> got = data.product({biased ? bias.data() : nullptr, op, 0.3f});
        for (size_t i = 0; i < want.size(); ++i) {
          CHECK_NOTE(test::same(got[i], want[i]), "%s, op %d: element %zu is %a, not %a", isa, op,
                     i, static_cast<double>(got[i]), static_cast<double>(want[i]));
        }
      }
    }
  });
}

// What no weight sees stays out, infinite or not.
void special_values() {
  Data data({1, 2, 3, 1, 4, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1}, false);
  data.w[9 + 4] = 2.0f;  // filter 0: the centre of channel 1
  data.pack();
  for (int i = 0; i < 16; ++i) data.x[i] = i % 2 ? test::kNan : test::kInf;
  for (int i = 16; i < 32; ++i) data.x[i] = static_cast<float>(i);
  data.x[20] = test::kNan;
  each_isa([&](const char*) {
    const std::vector<float> y = data.product(kNothing);
    for (int i = 0; i < 48; ++i) {
      const float want = i >= 16 ? 0.0f : i == 4 ? test::kNan : static_cast<float>(2 * (16 + i));
      CHECK(test::same(y[i], want));
    }
  });
}

void refuses() {
  Data data({1, 2, 3, 1, 4, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, false);
  data.pack();
  size_t bytes = 64;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sparse_conv_pack(test::cpu(), nullptr, &data.conv, data.w.data(), nullptr,
                                         place(data.packed), &bytes));
  std::vector<float> y(48);
  CHECK_STATUS(SECATEUR_UNAVAILABLE,
               secateur_spmm(test::cpu(), nullptr, 1, place(data.packed), data.x.data(), nullptr,
                             y.data(), nullptr, &bytes));
  alignas(64) unsigned char nothing[256] = {};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sparse_convolve(test::cpu(), nullptr, 1, nothing, data.x.data(), nullptr,
                                        y.data(), nullptr, &bytes));
  data.conv.groups = 2;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_sparse_conv_pack(test::cpu(), nullptr, &data.conv, data.w.data(), nullptr,
                                         nullptr, &bytes));
}

}  // namespace

int main() {
  chosen_shapes();
  random_shapes();
  epilogues();
  special_values();
  refuses();
  return 0;
}
