// Convolutions, their adjoints, columns, pooling, batch normalization and boxes against plain loops
// in double precision, at every instruction set and on 1 to 3 threads.
#include <array>

#include "harness.h"

namespace {

using test::Guarded;

int64_t plane(const secateur_window& w) { return w.in_h * w.in_w; }
int64_t out_plane(const secateur_window& w) { return w.out_h * w.out_w; }

// Calls use(k, l, input element of a plane, output element of a plane) for all that meet.
template <class Use>
void for_pairs(const secateur_window& w, const Use& use) {
  for (int64_t i = 0; i < w.out_h; ++i) {
    for (int64_t j = 0; j < w.out_w; ++j) {
      for (int64_t k = 0; k < w.kernel_h; ++k) {
        for (int64_t l = 0; l < w.kernel_w; ++l) {
          const int64_t row = i * w.stride_h + k * w.dilation_h - w.pad_top;
          const int64_t col = j * w.stride_w + l * w.dilation_w - w.pad_left;
          if (row < 0 || row >= w.in_h || col < 0 || col >= w.in_w) continue;
          use(k, l, row * w.in_w + col, i * w.out_w + j);
        }
      }
    }
  }
}

// Calls use(element of x, of w, of y) for all products.
template <class Use>
void for_products(const secateur_conv& conv, const Use& use) {
  const secateur_window& w = conv.window;
  const int64_t seen = w.channels / conv.groups, per_group = conv.outputs / conv.groups;
  for (int64_t n = 0; n < w.batch; ++n) {
    for (int64_t o = 0; o < conv.outputs; ++o) {
      for (int64_t c = 0; c < seen; ++c) {
        const int64_t x = (n * w.channels + o / per_group * seen + c) * plane(w);
        const int64_t y = (n * conv.outputs + o) * out_plane(w);
        const int64_t weight = (o * seen + c) * w.kernel_h * w.kernel_w;
        for_pairs(w, [&](int64_t k, int64_t l, int64_t in, int64_t out) {
          use(x + in, weight + k * w.kernel_w + l, y + out);
        });
      }
    }
  }
}

// Sums in double, and those of the magnitudes.
struct Sums {
  explicit Sums(size_t n) : sum(n), size(n) {}
  void add(int64_t at, double product) {
    sum[static_cast<size_t>(at)] += product;
    size[static_cast<size_t>(at)] += std::fabs(product);
  }
  void check(const std::vector<float>& got, const char* what) const {
    CHECK(got.size() == sum.size());
    for (size_t i = 0; i < got.size(); ++i) {
      CHECK_NOTE(std::fabs(got[i] - sum[i]) <= 3e-6 * size[i], "%s[%zu]: %g, not %g", what, i,
                 static_cast<double>(got[i]), sum[i]);
    }
  }
  std::vector<double> sum, size;
};

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// Calls run() at each instruction set and 1, 2, 3 threads; of one set all results have the same
// bits. check(result) sees one of each set.
template <class Run, class Check>
void each_set(const Run& run, const Check& check) {
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    std::vector<float> first;
    for (int32_t threads : {1, 2, 3}) {
      CHECK_OK(secateur_set_threads(threads));
      const std::vector<float> result = run();
      if (threads == 1) {
        first = result;
        check(result);
      }
      CHECK(result.size() == first.size());
      for (size_t i = 0; i < result.size(); ++i) {
        CHECK_NOTE(test::same(result[i], first[i]), "%s, %d threads, element %zu", isa, threads, i);
      }
    }
  }
  CHECK_OK(secateur_cpu_set_isa("auto"));
  CHECK_OK(secateur_set_threads(0));
}

using Product = secateur_status(secateur_device*, void*, const secateur_conv*, const float*,
                                const float*, float*, void*, size_t*);

secateur_status forward(secateur_device* device, void* stream, const secateur_conv* conv,
                        const float* x, const float* w, float* y, void* workspace, size_t* bytes) {
  return secateur_convolve(device, stream, conv, x, w, nullptr, y, workspace, bytes);
}

std::vector<float> product(Product call, const secateur_conv& conv, const std::vector<float>& left,
                           const std::vector<float>& right, size_t size) {
  size_t bytes = 0;
  CHECK_OK(call(test::cpu(), nullptr, &conv, nullptr, nullptr, nullptr, nullptr, &bytes));
  CHECK(bytes > 0);
  Guarded<float> a(left), b(right), out(static_cast<int64_t>(size), test::kNan);
  Guarded<char> workspace(static_cast<int64_t>(bytes), static_cast<char>(0xff));
  CHECK_OK(
      call(test::cpu(), nullptr, &conv, a.data(), b.data(), out.data(), workspace.data(), &bytes));
  workspace.take();
  return out.take();
}

void check_conv(const secateur_conv& conv, uint64_t seed) {
  const secateur_window& w = conv.window;
  test::Random random(seed);
  const std::vector<float> x = random.normals(w.batch * w.channels * plane(w));
  const std::vector<float> weights =
      random.normals(conv.outputs * (w.channels / conv.groups) * w.kernel_h * w.kernel_w);
  const std::vector<float> dy = random.normals(w.batch * conv.outputs * out_plane(w));
  const std::vector<float> bias = random.normals(conv.outputs);
  Sums y(dy.size()), dx(x.size()), dw(weights.size()), biased(dy.size());
  for (size_t i = 0; i < dy.size(); ++i) {
    biased.add(static_cast<int64_t>(i), bias[i / static_cast<size_t>(out_plane(w)) % bias.size()]);
  }
  for_products(conv, [&](int64_t i, int64_t j, int64_t k) {
    const double a = x[static_cast<size_t>(i)], b = weights[static_cast<size_t>(j)],
                 c = dy[static_cast<size_t>(k)];
    y.add(k, a * b);
    biased.add(k, a * b);
    dx.add(i, b * c);
    dw.add(j, a * c);
  });
  std::vector<float> got_y, got_dx, got_dw;
  each_set([&] { return product(forward, conv, x, weights, dy.size()); },
           [&](const std::vector<float>& got) { y.check(got_y = got, "y"); });
  each_set([&] { return product(secateur_convolve_input_grad, conv, dy, weights, x.size()); },
           [&](const std::vector<float>& got) { dx.check(got_dx = got, "dx"); });
  each_set([&] { return product(secateur_convolve_weight_grad, conv, x, dy, weights.size()); },
           [&](const std::vector<float>& got) { dw.check(got_dw = got, "dw"); });
  each_set(
      [&] {
        size_t bytes = 4096;
        std::vector<char> workspace(bytes);
        Guarded<float> a(x), b(weights), c(bias), out(static_cast<int64_t>(dy.size()));
        CHECK_OK(secateur_convolve(test::cpu(), nullptr, &conv, a.data(), b.data(), c.data(),
                                   out.data(), workspace.data(), &bytes));
        return out.take();
      },
      [&](const std::vector<float>& got) { biased.check(got, "biased y"); });
  // <conv(x), dy> = <x, conv^T(dy)> = <w, its gradient>.
  double size = 0;
  for (size_t i = 0; i < dy.size(); ++i) size += y.size[i] * std::fabs(dy[i]);
  CHECK(std::fabs(dot(got_y, dy) - dot(x, got_dx)) <= 1e-6 * size);
  CHECK(std::fabs(dot(got_y, dy) - dot(weights, got_dw)) <= 1e-6 * size);
}

// Output extents as for padding `after` behind the image; 0 where the window does not fit.
int64_t outputs(int64_t in, int32_t kernel, int32_t stride, int32_t dilation, int32_t before,
                int32_t after) {
  const int64_t reach = int64_t{dilation} * (kernel - 1) + 1, padded = in + before + after;
  return padded < reach ? 0 : (padded - reach) / stride + 1;
}

secateur_conv random_conv(test::Random& random) {
  for (;;) {
    secateur_conv conv = {};
    secateur_window& w = conv.window;
    const auto pick = [&](int64_t most) { return static_cast<int32_t>(1 + random.below(most)); };
    conv.groups = random.below(2) == 0 ? 1 : pick(4);
    w.batch = pick(5);
    w.channels = conv.groups * pick(6);
    conv.outputs = conv.groups * pick(random.below(3) == 0 ? 30 : 6);
    w.in_h = pick(17);
    w.in_w = pick(40);
    w.kernel_h = pick(5);
    w.kernel_w = pick(5);
    w.stride_h = pick(3);
    w.stride_w = random.below(2) == 0 ? 1 : pick(4);
    w.dilation_h = pick(3);
    w.dilation_w = pick(3);
    w.pad_top = static_cast<int32_t>(random.below(4));
    w.pad_left = static_cast<int32_t>(random.below(4));
    w.out_h = outputs(w.in_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top,
                      static_cast<int32_t>(random.below(4)));
    w.out_w = outputs(w.in_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left,
                      static_cast<int32_t>(random.below(4)));
    if (w.out_h > 0 && w.out_w > 0) return conv;
  }
}

secateur_conv square(int64_t batch, int64_t channels, int64_t extent, int32_t kernel,
                     int32_t stride, int32_t pad, int64_t outputs_, int32_t groups) {
  const int64_t out = outputs(extent, kernel, stride, 1, pad, pad);
  return {
      {batch, channels, extent, extent, out, out, kernel, kernel, stride, stride, 1, 1, pad, pad},
      outputs_,
      groups,
      0};
}

void convolves() {
  check_conv(square(3, 1, 28, 5, 1, 0, 20, 1), 1);   // LeNet-5
  check_conv(square(2, 20, 12, 5, 1, 0, 50, 1), 2);  // depth 500: two blocks of a panel
  check_conv(square(2, 16, 16, 3, 1, 1, 16, 1), 3);  // ResNet-20
  check_conv(square(2, 16, 16, 3, 2, 1, 32, 1), 4);
  check_conv(square(5, 64, 4, 1, 1, 0, 24, 1), 5);
  check_conv(square(2, 24, 9, 3, 1, 1, 24, 24), 6);  // depthwise
  check_conv(square(2, 6, 9, 3, 2, 1, 12, 6), 7);
  check_conv(square(3, 5, 1, 3, 1, 1, 7, 1), 8);  // images of one place
  check_conv(square(1, 1, 5, 2, 3, 0, 1, 1), 9);  // places that no window sees
  check_conv(square(1, 2, 20, 17, 1, 0, 3, 1), 10);
  check_conv(square(1, 40, 33, 3, 1, 1, 13, 1), 14);  // bands of rows, blocks of channels
  check_conv(square(1, 70, 20, 3, 2, 1, 14, 1), 15);
  check_conv(square(2, 3, 23, 7, 2, 3, 26, 1), 16);
  check_conv(square(2, 2, 100, 3, 1, 1, 5, 1), 17);  // bands of a weight gradient
  test::Random random(11);
  for (int i = 0; i < (SANITIZED ? 20 : 80); ++i) {
    check_conv(random_conv(random), 100 + static_cast<uint64_t>(i));
  }
}

// More pixels than a slice of the weight gradient holds.
void convolves_many_images() {
  check_conv(square(SANITIZED ? 6 : 40, 2, 16, 3, 1, 1, 4, 1), 12);
  check_conv(square(SANITIZED ? 3 : 9, 4, 32, 3, 1, 1, 5, 1), 13);
}

void convolves_nothing() {
  const secateur_conv conv = square(0, 2, 4, 3, 1, 1, 3, 1);
  size_t bytes = 4096;
  std::vector<char> workspace(bytes);
  Guarded<float> dw(54, 7.0f);
  CHECK_OK(secateur_convolve(test::cpu(), nullptr, &conv, nullptr, dw.data(), nullptr, nullptr,
                             workspace.data(), &bytes));
  CHECK_OK(secateur_convolve_input_grad(test::cpu(), nullptr, &conv, nullptr, dw.data(), nullptr,
                                        workspace.data(), &bytes));
  CHECK_OK(secateur_convolve_weight_grad(test::cpu(), nullptr, &conv, nullptr, nullptr, dw.data(),
                                         workspace.data(), &bytes));
  for (float each : dw.take()) CHECK(test::bits(each) == 0);
}

// Columns against plain loops, exactly; and pooling's bits at every instruction set.
void windows() {
  test::Random random(20);
  for (int round = 0; round < (SANITIZED ? 10 : 40); ++round) {
    const secateur_window w = random_conv(random).window;
    const std::vector<float> x = random.normals(w.batch * w.channels * plane(w));
    const int64_t places = int64_t{w.kernel_h} * w.kernel_w, across = w.batch * out_plane(w);
    std::vector<float> columns(static_cast<size_t>(w.channels * places * across));
    const std::vector<float> back = random.normals(static_cast<int64_t>(columns.size()));
    Sums images(x.size());
    for (int64_t n = 0; n < w.batch; ++n) {
      for (int64_t c = 0; c < w.channels; ++c) {
        for_pairs(w, [&](int64_t k, int64_t l, int64_t in, int64_t out) {
          const int64_t at = (c * places + k * w.kernel_w + l) * across + n * out_plane(w) + out;
          const int64_t from = (n * w.channels + c) * plane(w) + in;
          columns[static_cast<size_t>(at)] = x[static_cast<size_t>(from)];
          images.add(from, back[static_cast<size_t>(at)]);
        });
      }
    }
    const std::vector<float> laid_out = test::everywhere([&] {
      Guarded<float> from(x), to(static_cast<int64_t>(columns.size()), test::kNan);
      CHECK_OK(secateur_im2col(test::cpu(), nullptr, &w, from.data(), to.data()));
      return to.take();
    });
    CHECK(laid_out == columns);
    images.check(test::everywhere([&] {
                   Guarded<float> from(back), to(static_cast<int64_t>(x.size()), test::kNan);
                   CHECK_OK(secateur_col2im(test::cpu(), nullptr, &w, from.data(), to.data()));
                   return to.take();
                 }),
                 "images of columns");

    const int64_t count = w.batch * w.channels * out_plane(w);
    const std::vector<float> dy = random.normals(count);
    std::vector<int32_t> winners(static_cast<size_t>(count), -1);
    std::vector<float> largest(static_cast<size_t>(count), -test::kInf);
    Sums pooled(x.size());
    for (int64_t p = 0; p < w.batch * w.channels; ++p) {
      for_pairs(w, [&](int64_t, int64_t, int64_t in, int64_t out) {
        const auto at = static_cast<size_t>(p * out_plane(w) + out);
        const float value = x[static_cast<size_t>(p * plane(w) + in)];
        if (winners[at] >= 0 && !(value > largest[at])) return;
        winners[at] = static_cast<int32_t>(in);
        largest[at] = value;
      });
    }
    for (int64_t i = 0; i < count; ++i) {
      const int64_t place = winners[static_cast<size_t>(i)];
      if (place >= 0) {
        pooled.add(i / out_plane(w) * plane(w) + place, dy[static_cast<size_t>(i)]);
      }
    }
    const std::vector<float> pooled_values = test::everywhere([&] {
      Guarded<float> from(x), to(count);
      Guarded<int32_t> places_(count);
      CHECK_OK(secateur_max_pool(test::cpu(), nullptr, &w, from.data(), to.data(), places_.data()));
      CHECK(places_.take() == winners);
      return to.take();
    });
    CHECK(pooled_values == largest);
    pooled.check(test::everywhere([&] {
                   Guarded<float> from(dy), to(static_cast<int64_t>(x.size()), test::kNan);
                   Guarded<int32_t> places_(winners);
                   CHECK_OK(secateur_max_pool_grad(test::cpu(), nullptr, &w, from.data(),
                                                   places_.data(), to.data()));
                   return to.take();
                 }),
                 "gradient of the largest");
    for (int32_t padding : {0, 1}) {
      std::vector<float> mean = test::everywhere([&] {
        Guarded<float> from(x), to(count, test::kNan);
        CHECK_OK(secateur_average_pool(test::cpu(), nullptr, &w, padding, from.data(), to.data()));
        return to.take();
      });
      const std::vector<float> spread = test::everywhere([&] {
        Guarded<float> from(dy), to(static_cast<int64_t>(x.size()), test::kNan);
        CHECK_OK(
            secateur_average_pool_grad(test::cpu(), nullptr, &w, padding, from.data(), to.data()));
        return to.take();
      });
      CHECK(std::fabs(dot(mean, dy) - dot(x, spread)) <= 1e-4 * static_cast<double>(count));
    }
  }
}

// Sums of one tile and of several, of one image and across images.
void normalizes() {
  for (const auto& [batch, channels, spatial] : {std::array<int64_t, 3>{1, 1, 1},
                                                 {3, 5, 7},
                                                 {64, 3, 64},
                                                 {5, 2, 900},
                                                 {2, 2, 5000},
                                                 {300, 4, 30}}) {
    test::Random random(30);
    const secateur_norm_shape shape = {batch, channels, spatial, 1e-3f, 0.75f};
    const int64_t size = batch * channels * spatial, count = batch * spatial;
    const std::vector<float> x = random.normals(size, 3), dy = random.normals(size);
    const std::vector<float> scale = random.normals(channels), shift = random.normals(channels);
    const std::vector<float> all = test::everywhere([&] {
      Guarded<float> from(x), g(dy), s(scale), b(shift), mean(channels, 1.0f),
          variance(channels, 2.0f), y(size), statistics(2 * channels), dx(size),
          dnorm(2 * channels);
      CHECK_OK(secateur_normalize_train(test::cpu(), nullptr, &shape, from.data(), s.data(),
                                        b.data(), mean.data(), variance.data(), y.data(),
                                        statistics.data()));
      CHECK_OK(secateur_normalize_grad(test::cpu(), nullptr, &shape, from.data(), g.data(),
                                       s.data(), statistics.data(), dx.data(), dnorm.data()));
      Guarded<float> again(size);
      CHECK_OK(secateur_normalize(test::cpu(), nullptr, &shape, from.data(), s.data(), b.data(),
                                  mean.data(), variance.data(), again.data()));
      std::vector<float> results;
      for (Guarded<float>* each : {&mean, &variance, &y, &statistics, &dx, &dnorm, &again}) {
        const std::vector<float> part = each->take();
        results.insert(results.end(), part.begin(), part.end());
      }
      return results;
    });
    for (int64_t c = 0; c < channels; ++c) {
      const auto at = [&](int64_t i) {
        return static_cast<size_t>((i / spatial * channels + c) * spatial + i % spatial);
      };
      double mean = 0, variance = 0, dscale = 0, dshift = 0;
      for (int64_t i = 0; i < count; ++i) mean += x[at(i)];
      mean /= static_cast<double>(count);
      for (int64_t i = 0; i < count; ++i) variance += (x[at(i)] - mean) * (x[at(i)] - mean);
      variance /= static_cast<double>(count);
      const double inverse = 1 / std::sqrt(variance + static_cast<double>(shape.epsilon));
      for (int64_t i = 0; i < count; ++i) {
        dshift += dy[at(i)];
        dscale += dy[at(i)] * (x[at(i)] - mean) * inverse;
      }
      const auto close = [&](int64_t index, double want, double slack) {
        const double got = all[static_cast<size_t>(index)];
        CHECK_NOTE(std::fabs(got - want) <= slack * (1 + std::fabs(want)), "%g, not %g", got, want);
      };
      const auto k = static_cast<size_t>(c);
      const int64_t y = 2 * channels, statistics = y + size, dx = statistics + 2 * channels,
                    dnorm = dx + size, again = dnorm + 2 * channels;
      close(c, 0.75 + 0.25 * mean, 1e-6);
      close(channels + c, 1.5 + 0.25 * variance, 1e-6);
      close(statistics + c, mean, 1e-6);
      close(statistics + channels + c, inverse, 1e-6);
      close(dnorm + c, dscale, 1e-5);
      close(dnorm + channels + c, dshift, 1e-5);
      const double running =
          1 / std::sqrt(1.5 + 0.25 * variance + static_cast<double>(shape.epsilon));
      for (int64_t i = 0; i < count; ++i) {
        const double standard = (x[at(i)] - mean) * inverse;
        const auto place = static_cast<int64_t>(at(i));
        close(y + place, scale[k] * standard + shift[k], 1e-5);
        close(dx + place, scale[k] * inverse * (dy[at(i)] - (dshift + standard * dscale) / count),
              1e-4);
        close(again + place, scale[k] * (x[at(i)] - (0.75 + 0.25 * mean)) * running + shift[k],
              1e-5);
      }
    }
  }
}

void clips() {
  const std::vector<float> x = {-2, -1, -0.5f,      -0.0f,       0,         0.5f,
                                1,  2,  test::kInf, -test::kInf, test::kNan};
  const std::vector<float> want = {-1, -1, -0.5f, -0.0f, 0, 0.5f, 1, 1, 1, -1, test::kNan};
  const std::vector<float> got = test::everywhere([&] {
    Guarded<float> in_place(x);
    CHECK_OK(secateur_clip(test::cpu(), nullptr, -1, 1, static_cast<int64_t>(x.size()),
                           in_place.data(), in_place.data()));
    return in_place.take();
  });
  for (size_t i = 0; i < x.size(); ++i) CHECK(test::same(got[i], want[i]));
  const std::vector<float> slope = test::everywhere([&] {
    Guarded<float> from(x), dy(static_cast<int64_t>(x.size()), 3.0f);
    CHECK_OK(secateur_clip_grad(test::cpu(), nullptr, -1, 1, static_cast<int64_t>(x.size()),
                                from.data(), dy.data(), dy.data()));
    return dy.take();
  });
  for (size_t i = 0; i < x.size(); ++i) {
    CHECK(test::same(slope[i], x[i] > -1 && x[i] < 1 ? 3.0f : 0.0f));
  }
}

void copies_boxes() {
  const secateur_box box = {3, {3, 5, 40}, {1000, 50, 1}, {400, 80, 2}};
  test::Random random(40);
  const std::vector<float> x = random.normals(3000);
  const std::vector<float> got = test::everywhere([&] {
    Guarded<float> from(x), to(1200, 9.0f);
    CHECK_OK(secateur_copy_box(test::cpu(), nullptr, &box, from.data(), to.data()));
    return to.take();
  });
  std::vector<float> want(1200, 9.0f);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 5; ++j) {
      for (size_t k = 0; k < 40; ++k) want[400 * i + 80 * j + 2 * k] = x[1000 * i + 50 * j + k];
    }
  }
  CHECK(got == want);
}

void refuses() {
  secateur_conv conv = square(1, 4, 5, 3, 1, 1, 6, 2);
  size_t bytes = 0;
  float x = 0;
  const auto status = [&] {
    return secateur_convolve(test::cpu(), nullptr, &conv, nullptr, nullptr, nullptr, nullptr,
                             nullptr, &bytes);
  };
  CHECK_OK(status());
  bytes = 1;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_convolve(test::cpu(), nullptr, &conv, &x, &x, nullptr, &x, &x, &bytes));
  conv.groups = 3;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, status());
  conv = square(1, 4, 5, 3, 1, 1, 6, 2);
  conv.window.stride_w = 0;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, status());
  conv.window.stride_w = 2147483647;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, status());
  conv.window.stride_w = 1;
  conv.window.out_h = 0;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, status());
  conv.window.out_h = int64_t{1} << 62;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, status());
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_im2col(test::cpu(), nullptr, nullptr, &x, &x));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_clip(test::cpu(), nullptr, test::kNan, 1, 1, &x, &x));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_copy_box(test::cpu(), nullptr, nullptr, &x, &x));
  const secateur_norm_shape none = {0, 1, 1, 0, 0};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_normalize_train(test::cpu(), nullptr, &none, &x, &x, &x, &x, &x, &x, &x));
}

}  // namespace

int main() {
  refuses();
  convolves();
  convolves_many_images();
  convolves_nothing();
  windows();
  normalizes();
  clips();
  copies_boxes();
  return 0;
}
