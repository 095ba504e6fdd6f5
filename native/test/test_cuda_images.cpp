// The CUDA device's operations on images against the CPU device, bit for bit. Needs a GPU, or
// native/sim/with-simulator; skipped (77) without.
#include <cinttypes>
#include <string>

#include "both.h"
#include "simulated.h"

namespace {

using test::check;
using test::Side;
using Floats = std::vector<float>;

test::Random rng(50);

// Normal numbers with ties, zeros of both signs, infinities and, if wanted, NaN.
Floats specials(int64_t n, bool nan) {
  static const float kSpecial[] = {0.0f,   -0.0f, 1.0f,       1.0f,        -1.0f,
                                   1e-45f, 3e38f, test::kInf, -test::kInf, test::kNan};
  Floats x = rng.normals(n);
  for (float& v : x) {
    if (rng.below(8) == 0) v = kSpecial[rng.below(nan ? 10 : 9)];
  }
  return x;
}

struct Axis {
  int64_t in;
  int32_t kernel, stride, dilation, before, after;

  int64_t out() const {
    return (in + before + after - (kernel - 1) * int64_t{dilation} - 1) / stride + 1;
  }
};

secateur_window window(int64_t batch, int64_t channels, Axis h, Axis w) {
  secateur_window result = {};
  result.batch = batch;
  result.channels = channels;
  result.in_h = h.in;
  result.in_w = w.in;
  result.out_h = h.out();
  result.out_w = w.out();
  result.kernel_h = h.kernel;
  result.kernel_w = w.kernel;
  result.stride_h = h.stride;
  result.stride_w = w.stride;
  result.dilation_h = h.dilation;
  result.dilation_w = w.dilation;
  result.pad_top = h.before;
  result.pad_left = w.before;
  return result;
}

std::string text(const char* operation, const secateur_window& w) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer,
                "%s of [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "] to [%" PRId64
                ", %" PRId64 "], window %d x %d, strides %d %d, dilations %d %d, pads %d %d",
                operation, w.batch, w.channels, w.in_h, w.in_w, w.out_h, w.out_w, w.kernel_h,
                w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top,
                w.pad_left);
  return buffer;
}

std::vector<secateur_window> windows() {
  std::vector<secateur_window> all = {
      window(1, 1, {1, 1, 1, 1, 0, 0}, {1, 1, 1, 1, 0, 0}),
      window(0, 3, {5, 3, 1, 1, 1, 1}, {7, 3, 1, 1, 1, 1}),
      window(2, 3, {7, 3, 1, 1, 1, 1}, {5, 3, 1, 1, 1, 1}),
      window(3, 2, {8, 2, 2, 1, 0, 0}, {8, 2, 2, 1, 0, 0}),
      window(2, 5, {13, 5, 3, 1, 2, 0}, {11, 3, 2, 1, 0, 2}),  // asymmetric
      window(1, 3, {17, 3, 2, 3, 4, 3}, {19, 4, 3, 2, 1, 5}),  // dilated
      window(2, 2, {5, 5, 5, 1, 0, 0}, {7, 7, 7, 1, 0, 0}),    // the whole image
      window(2, 2, {5, 1, 3, 1, 0, 0}, {5, 1, 2, 1, 0, 0}),    // gaps between windows
      window(2, 3, {1, 1, 1, 1, 0, 0}, {33, 3, 1, 1, 1, 1}),   // a signal
      window(1, 2, {3, 2, 1, 1, 4, 4}, {3, 2, 3, 1, 5, 2}),    // windows of padding alone
      window(1, 2, {4, 3, 1, 2, 3, 3}, {2, 2, 2, 5, 6, 6}),    // few taps meet
      window(1, 70, {4, 2, 1, 1, 0, 0}, {3, 2, 1, 1, 0, 0}),
      window(67, 1, {4, 2, 2, 1, 0, 1}, {6, 3, 2, 1, 1, 1}),
      window(3, 4, {28, 5, 1, 1, 2, 2}, {28, 5, 1, 1, 2, 2}),
      window(2, 3, {16, 1, 1, 1, 0, 0}, {16, 1, 1, 1, 0, 0}),  // a tile of 256
      window(1, 1, {1, 1, 1, 1, 0, 0}, {255, 1, 1, 1, 0, 0}),
      window(1, 1, {1, 1, 1, 1, 0, 0}, {257, 1, 1, 1, 0, 0}),
  };
  for (int i = 0; i < 30; ++i) {
    Axis axes[2];
    for (Axis& a : axes) {
      a = {1 + rng.below(14),
           static_cast<int32_t>(1 + rng.below(4)),
           static_cast<int32_t>(1 + rng.below(3)),
           static_cast<int32_t>(1 + rng.below(3)),
           static_cast<int32_t>(rng.below(4)),
           static_cast<int32_t>(rng.below(4))};
      const int64_t missing = (a.kernel - 1) * int64_t{a.dilation} + 1 - a.in - a.before - a.after;
      if (missing > 0) a.after += static_cast<int32_t>(missing);
    }
    all.push_back(window(1 + rng.below(3), 1 + rng.below(5), axes[0], axes[1]));
  }
  return all;
}

struct Sizes {
  int64_t in, out, columns;

  explicit Sizes(const secateur_window& w)
      : in(w.batch * w.channels * w.in_h * w.in_w),
        out(w.batch * w.channels * w.out_h * w.out_w),
        columns(out * w.kernel_h * w.kernel_w) {}
};

void columns(const secateur_window& w) {
  const Sizes sizes(w);
  const Floats x = specials(sizes.in, true), columns = rng.normals(sizes.columns);
  check(text("columns", w), [&](Side& s) {
    CHECK_OK(secateur_im2col(s.device(), nullptr, &w, s.put(x), s.room<float>(sizes.columns)));
    return secateur_col2im(s.device(), nullptr, &w, s.put(columns), s.room<float>(sizes.in));
  });
}

void max_pool(const secateur_window& w) {
  const Sizes sizes(w);
  for (const bool nan : {false, true}) {
    const Floats x = specials(sizes.in, nan), dy = rng.normals(sizes.out);
    check(text("largest values", w), [&](Side& s) {
      float* const at = s.put(x);
      int32_t* const places = s.room<int32_t>(sizes.out);
      CHECK_OK(secateur_max_pool(s.device(), nullptr, &w, at, s.room<float>(sizes.out), nullptr));
      CHECK_OK(secateur_max_pool(s.device(), nullptr, &w, at, s.room<float>(sizes.out), places));
      return secateur_max_pool_grad(s.device(), nullptr, &w, s.put(dy), places,
                                    s.room<float>(sizes.in));
    });
  }
}

void average_pool(const secateur_window& w) {
  const Sizes sizes(w);
  for (const int32_t count_padding : {0, 1}) {
    const Floats x = specials(sizes.in, true), dy = rng.normals(sizes.out);
    check(text("means", w), [&](Side& s) {
      CHECK_OK(secateur_average_pool(s.device(), nullptr, &w, count_padding, s.put(x),
                                     s.room<float>(sizes.out)));
      return secateur_average_pool_grad(s.device(), nullptr, &w, count_padding, s.put(dy),
                                        s.room<float>(sizes.in));
    });
  }
}

void all_columns() {
  for (const secateur_window& w : windows()) columns(w);
}
void all_max_pools() {
  for (const secateur_window& w : windows()) max_pool(w);
}
void all_average_pools() {
  for (const secateur_window& w : windows()) average_pool(w);
}

// offset moves all values of a channel, so that sums of squares would cancel.
void norm(int64_t batch, int64_t channels, int64_t spatial, float offset) {
  const secateur_norm_shape shape = {batch, channels, spatial, 1e-5f, 0.9f};
  const int64_t n = batch * channels * spatial;
  Floats x = rng.normals(n, 3);
  const Floats dy = rng.normals(n), scale = rng.normals(channels), shift = rng.normals(channels);
  const Floats mean = rng.normals(channels);
  Floats variance = rng.normals(channels);
  for (float& v : x) v += offset;
  for (float& v : variance) v = std::fabs(v);
  char what[128];
  std::snprintf(what, sizeof what,
                "normalization of [%" PRId64 ", %" PRId64 ", %" PRId64 "] near %g", batch, channels,
                spatial, static_cast<double>(offset));
  check(what, [&](Side& s) {
    float* const at = s.put(x);
    const float* const scales = s.put(scale);
    const float* const shifts = s.put(shift);
    float* const means = s.put(mean);
    float* const variances = s.put(variance);
    float* const statistics = s.room<float>(2 * channels);
    CHECK_OK(secateur_normalize(s.device(), nullptr, &shape, at, scales, shifts, means, variances,
                                s.room<float>(n)));
    CHECK_OK(secateur_normalize_train(s.device(), nullptr, &shape, at, scales, shifts, means,
                                      variances, s.room<float>(n), statistics));
    float* const slopes = s.put(dy);
    CHECK_OK(secateur_normalize_grad(s.device(), nullptr, &shape, at, slopes, scales, statistics,
                                     s.room<float>(n), s.room<float>(2 * channels)));
    CHECK_OK(secateur_normalize_grad(s.device(), nullptr, &shape, at, slopes, scales, statistics,
                                     slopes, s.room<float>(2 * channels)));  // in place
    return secateur_normalize(s.device(), nullptr, &shape, at, scales, shifts, means, variances,
                              at);
  });
}

void norms() {
  norm(1, 1, 1, 0);
  norm(3, 2, 1, 0);
  norm(1, 3, 31, 0);
  norm(2, 5, 16, 1000);
  norm(4, 7, 49, -3e6f);
  norm(5, 67, 33, 0);
  for (const int64_t n : {4095, 4096, 4097}) norm(1, 2, n, 10);
  norm(300, 3, 28, 0);  // three tiles that span images
  norm(2, 2, 100003, 0.5f);
  norm(9000, 2, 1, 0);
}

void nan_norm() {
  const secateur_norm_shape shape = {2, 3, 8, 1e-3f, 0.5f};
  Floats x = rng.normals(48);
  x[1] = test::kNan;
  x[9] = test::kInf;
  check("normalization of NaN and infinity", [&](Side& s) {
    const Floats ones(3, 1.0f);
    return secateur_normalize_train(s.device(), nullptr, &shape, s.put(x), s.put(ones), s.put(ones),
                                    s.put(ones), s.put(ones), s.room<float>(48), s.room<float>(6));
  });
}

void clips() {
  for (const int64_t n : {0, 1, 31, 33, 4095, 4097, 100003}) {
    const Floats x = specials(n, true), dy = specials(n, true);
    for (const float high : {6.0f, 0.0f, test::kInf}) {
      check("clipping", [&](Side& s) {
        float* const at = s.put(x);
        float* const slopes = s.put(dy);
        CHECK_OK(secateur_clip(s.device(), nullptr, 0.0f, high, n, at, s.room<float>(n)));
        CHECK_OK(
            secateur_clip_grad(s.device(), nullptr, 0.0f, high, n, at, slopes, s.room<float>(n)));
        CHECK_OK(secateur_clip_grad(s.device(), nullptr, -high, high, n, at, slopes, slopes));
        return secateur_clip(s.device(), nullptr, -test::kInf, high, n, at, at);
      });
    }
  }
}

// A box of `size` from `from` on in a tensor of shape src to `to` on in one of shape dst.
void box(const std::vector<int64_t>& size, const std::vector<int64_t>& src,
         const std::vector<int64_t>& from, const std::vector<int64_t>& dst,
         const std::vector<int64_t>& to) {
  secateur_box b = {};
  b.rank = static_cast<int32_t>(size.size());
  int64_t source = 1, target = 1, first = 0, last = 0;
  for (size_t d = size.size(); d-- > 0;) {
    b.shape[d] = size[d];
    b.src_strides[d] = source;
    b.dst_strides[d] = target;
    first += from[d] * source;
    last += to[d] * target;
    source *= src[d];
    target *= dst[d];
  }
  const Floats values = specials(source, true);
  check("a box", [&](Side& s) {
    const float* const at = s.put(values);
    return secateur_copy_box(s.device(), nullptr, &b, at + first, s.room<float>(target) + last);
  });
}

void boxes() {
  box({}, {}, {}, {}, {});
  box({0, 3}, {2, 3}, {0, 0}, {2, 3}, {0, 0});
  box({7}, {9}, {1}, {7}, {0});
  box({4096}, {4096}, {0}, {8192}, {4096});
  box({3, 5}, {3, 5}, {0, 0}, {5, 9}, {1, 2});         // padding
  box({64, 16}, {64, 16}, {0, 0}, {64, 48}, {0, 16});  // concatenation by vectors
  box({2, 3, 4, 4}, {2, 7, 4, 4}, {0, 4, 0, 0}, {2, 3, 4, 4}, {0, 0, 0, 0});
  box({2, 3, 5, 6}, {2, 3, 7, 9}, {0, 0, 1, 3}, {4, 3, 5, 8}, {1, 0, 0, 1});
  box({2, 1, 2, 3, 1, 2, 3, 2}, {3, 2, 2, 3, 1, 4, 3, 2}, {1, 1, 0, 0, 0, 1, 0, 0},
      {2, 1, 4, 3, 2, 2, 3, 3}, {0, 0, 1, 0, 1, 0, 0, 1});
  box({300, 70}, {301, 71}, {1, 1}, {300, 70}, {0, 0});
}

// The same bits in whatever order blocks run.
void schedules() {
  if (!test::simulated()) return;
  const secateur_window w = window(3, 5, {19, 3, 2, 1, 1, 0}, {23, 5, 1, 2, 2, 3});
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    test::seed(1000 * test::seed_given() + seed);
    columns(w);
    max_pool(w);
    average_pool(w);
    norm(300, 3, 28, 2);
    norm(2, 9, 4100, 2);
    box({30, 7}, {30, 9}, {0, 2}, {40, 7}, {3, 0});
  }
  test::seed(test::seed_given());
}

// Kernels of each operation: none of them synchronizes or allocates.
void launches() {
  if (!test::simulated()) return;
  const secateur_window w = window(2, 3, {8, 3, 1, 1, 1, 1}, {8, 3, 1, 1, 1, 1});
  const secateur_norm_shape shape = {2, 3, 64, 1e-5f, 0.9f};
  Side s(test::cuda(), 0);
  float* const x = s.room<float>(384);
  float* const y = s.room<float>(384);
  float* const columns = s.room<float>(384 * 9);
  float* const pair = s.room<float>(6);
  float* const channels = s.room<float>(3);
  int32_t* const places = s.room<int32_t>(384);
  const auto count = [&](const char* what, uint64_t wanted, secateur_status status) {
    CHECK_OK(status);
    const secateur_sim_counters found = test::counters();
    CHECK_NOTE(found.launches == wanted && found.synchronizations == 0 && found.allocations == 0,
               "%s: %" PRIu64 " launches, %" PRIu64 " waits, %" PRIu64 " allocations", what,
               static_cast<uint64_t>(found.launches), static_cast<uint64_t>(found.synchronizations),
               static_cast<uint64_t>(found.allocations));
  };
  const auto reset = [&] {
    test::driver_function<void()>("secateur_sim_counters_reset")();
    return s.device();
  };
  count("im2col", 1, secateur_im2col(reset(), nullptr, &w, x, columns));
  count("col2im", 1, secateur_col2im(reset(), nullptr, &w, columns, x));
  count("max_pool", 1, secateur_max_pool(reset(), nullptr, &w, x, y, places));
  count("max_pool_grad", 1, secateur_max_pool_grad(reset(), nullptr, &w, y, places, x));
  count("average_pool", 1, secateur_average_pool(reset(), nullptr, &w, 0, x, y));
  count("average_pool_grad", 1, secateur_average_pool_grad(reset(), nullptr, &w, 0, y, x));
  count("normalize", 2,
        secateur_normalize(reset(), nullptr, &shape, x, channels, channels, channels, channels, y));
  count("normalize_train", 3,
        secateur_normalize_train(reset(), nullptr, &shape, x, pair, pair, channels, channels, y,
                                 pair));
  count("normalize_grad", 3,
        secateur_normalize_grad(reset(), nullptr, &shape, x, y, channels, pair, y, columns));
  count("clip", 1, secateur_clip(reset(), nullptr, 0, 1, 384, x, y));
}

struct Topic {
  const char* name;
  void (*run)();
};

const Topic kTopics[] = {
    {"columns", all_columns}, {"max_pool", all_max_pools}, {"average_pool", all_average_pools},
    {"norm", norms},          {"nan_norm", nan_norm},      {"clip", clips},
    {"box", boxes},           {"schedule", schedules},     {"launches", launches}};

}  // namespace

// Runs the topics named, or all.
int main(int argc, char** argv) {
  if (test::cuda() == nullptr) return 77;
  for (const Topic& topic : kTopics) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i) wanted = wanted || strcmp(argv[i], topic.name) == 0;
    if (wanted) topic.run();
  }
  CHECK_OK(secateur_device_close(test::cuda()));
  return 0;
}
