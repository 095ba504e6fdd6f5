// Broadcasting arithmetic, sums over axes, transposes and row gathers against plain loops.
#include <algorithm>

#include "harness.h"

namespace {

using test::everywhere;
using test::Guarded;

using Index = std::vector<int64_t>;

int64_t product(const Index& shape) {
  int64_t n = 1;
  for (int64_t extent : shape) n *= extent;
  return n;
}

// Calls body(index) over all of shape in flat order.
template <class Body>
void for_all(const Index& shape, Body&& body) {
  const int64_t n = product(shape);
  for (int64_t i = 0; i < n; ++i) {
    Index index(shape.size());
    int64_t rest = i;
    for (size_t d = shape.size(); d-- > 0;) {
      index[d] = rest % shape[d];
      rest /= shape[d];
    }
    body(index);
  }
}

float apply(int32_t op, float a, float b) {
  switch (op) {
    case SECATEUR_ADD:
      return a + b;
    case SECATEUR_SUB:
      return a - b;
    case SECATEUR_MUL:
      return a * b;
    default:
      return a / b;
  }
}

// Inputs with extents of 1 in `a` and `b` broadcast to their common shape.
void check_binary(const Index& a_shape, const Index& b_shape) {
  secateur_broadcast broadcast = {};
  broadcast.rank = static_cast<int32_t>(a_shape.size());
  Index shape;
  int64_t a_stride = 1, b_stride = 1;
  for (size_t d = 0; d < a_shape.size(); ++d) {
    shape.push_back(a_shape[d] == 1 ? b_shape[d] : a_shape[d]);
  }
  for (size_t d = shape.size(); d-- > 0;) {
    broadcast.shape[d] = shape[d];
    broadcast.a_strides[d] = a_shape[d] == 1 ? 0 : a_stride;
    broadcast.b_strides[d] = b_shape[d] == 1 ? 0 : b_stride;
    a_stride *= a_shape[d];
    b_stride *= b_shape[d];
  }
  test::Random random(7);
  const std::vector<float> a = random.normals(a_stride), b = random.normals(b_stride);
  for (int32_t op = SECATEUR_ADD; op <= SECATEUR_DIV; ++op) {
    const std::vector<float> got = everywhere([&] {
      Guarded<float> x(a), y(b), out(product(shape));
      CHECK_OK(
          secateur_binary(test::cpu(), nullptr, op, &broadcast, x.data(), y.data(), out.data()));
      return out.take();
    });
    size_t i = 0;
    for_all(shape, [&](const Index& index) {
      int64_t from_a = 0, from_b = 0;
      for (size_t d = 0; d < shape.size(); ++d) {
        from_a += index[d] * broadcast.a_strides[d];
        from_b += index[d] * broadcast.b_strides[d];
      }
      CHECK(test::same(got[i++],
                       apply(op, a[static_cast<size_t>(from_a)], b[static_cast<size_t>(from_b)])));
    });
  }
}

void binary() {
  check_binary({}, {});
  check_binary({0}, {0});
  check_binary({100, 300}, {1, 300});  // a bias
  check_binary({1, 300}, {100, 300});
  check_binary({100, 300}, {100, 1});
  check_binary({40001}, {40001});
  check_binary({40001}, {1});
  check_binary({3, 17, 65}, {3, 17, 65});
  check_binary({2, 1, 31, 1}, {1, 5, 31, 33});
  check_binary({7, 1, 1, 3}, {1, 64, 2, 3});
  check_binary({2, 20011}, {1, 20011});
  check_binary({2, 1, 2, 1, 2, 1, 2, 3}, {1, 2, 2, 2, 1, 1, 2, 3});
}

void binary_takes_any_strides_and_places() {
  test::Random random(8);
  const std::vector<float> a = random.normals(35), b = random.normals(35);
  secateur_broadcast broadcast = {2, {5, 7}, {1, 5}, {7, 1}};  // a transposed
  everywhere([&] {
    Guarded<float> x(a), out(b);
    CHECK_OK(secateur_binary(test::cpu(), nullptr, SECATEUR_SUB, &broadcast, x.data(), out.data(),
                             out.data()));
    for (int r = 0; r < 5; ++r) {
      for (int c = 0; c < 7; ++c) CHECK(out[r * 7 + c] == a[c * 5 + r] - b[r * 7 + c]);
    }
    return out.take();
  });
  float value = 1;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_binary(test::cpu(), nullptr, 4, &broadcast, &value, &value, &value));
  broadcast.rank = 9;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_binary(test::cpu(), nullptr, 0, &broadcast, &value, &value, &value));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_binary(test::cpu(), nullptr, 0, nullptr, &value, &value, &value));
}

// The order of kernels/common/reduce.h, written from its words.
float ordered_sum(const std::vector<float>& x) {
  if (x.size() <= 4096) {
    float lane[32] = {};
    for (size_t i = 0; i < x.size(); ++i) lane[i % 32] += x[i];
    for (int half = 16; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
    }
    return lane[0];
  }
  std::vector<float> tiles;
  for (size_t i = 0; i < x.size(); i += 4096) {
    tiles.push_back(
        ordered_sum(std::vector<float>(x.begin() + i, x.begin() + std::min(i + 4096, x.size()))));
  }
  return ordered_sum(tiles);
}

void check_sum(const Index& shape, uint32_t axes) {
  test::Random random(9);
  const std::vector<float> x = random.normals(product(shape));
  Index kept;
  for (size_t d = 0; d < shape.size(); ++d) {
    if ((axes >> d & 1u) == 0) kept.push_back(shape[d]);
  }
  const int64_t outputs = product(kept);
  const std::vector<float> got = everywhere([&] {
    Guarded<float> in(x), out(outputs, 7);
    CHECK_OK(secateur_reduce_sum(test::cpu(), nullptr, static_cast<int32_t>(shape.size()),
                                 shape.data(), axes, in.data(), out.data()));
    return out.take();
  });
  std::vector<std::vector<float>> parts(static_cast<size_t>(outputs));
  size_t i = 0;
  for_all(shape, [&](const Index& index) {
    int64_t to = 0;
    for (size_t d = 0; d < shape.size(); ++d) {
      if ((axes >> d & 1u) == 0) to = to * shape[d] + index[d];
    }
    parts[static_cast<size_t>(to)].push_back(x[i++]);
  });
  for (size_t o = 0; o < parts.size(); ++o) {
    CHECK(test::same(got[o], ordered_sum(parts[o])));
    double exact = 0, size = 0;
    for (float value : parts[o]) {
      exact += value;
      size += std::fabs(value);
    }
    CHECK(std::fabs(got[o] - exact) <= 1e-5 * size);
  }
}

void sums() {
  check_sum({}, 0);
  check_sum({0, 3}, 1);
  check_sum({3, 0}, 1);
  check_sum({100, 300}, 1);
  check_sum({100, 10}, 1);
  check_sum({100, 300}, 2);
  check_sum({100, 300}, 3);
  check_sum({100, 300}, 0);
  check_sum({1, 65}, 1);
  check_sum({31, 1, 33}, 2);
  check_sum({70001}, 1);
  check_sum({9001, 67}, 1);
  check_sum({3, 9001}, 2);
  check_sum({4, 5, 6, 7}, 0b0101);
  check_sum({4, 5, 6, 7}, 0b1010);
  check_sum({5, 3, 1031}, 0b101);
  check_sum({2, 3, 2, 3, 2, 3, 2, 3}, 0b01100110);
  const int64_t shape[] = {2};
  float value[2] = {};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_reduce_sum(test::cpu(), nullptr, 1, shape, 2, value, value));
}

void check_transpose(const Index& shape, const std::vector<int32_t>& perm) {
  const auto rank = static_cast<int32_t>(shape.size());
  test::Random random(10);
  const std::vector<float> x = random.normals(product(shape));
  const std::vector<float> got = everywhere([&] {
    Guarded<float> in(x), out(product(shape));
    CHECK_OK(secateur_transpose(test::cpu(), nullptr, rank, shape.data(), perm.data(), in.data(),
                                out.data()));
    return out.take();
  });
  Index to_shape;
  for (int32_t axis : perm) to_shape.push_back(shape[static_cast<size_t>(axis)]);
  size_t i = 0;
  for_all(to_shape, [&](const Index& index) {
    Index from(shape.size());
    for (size_t d = 0; d < perm.size(); ++d) from[static_cast<size_t>(perm[d])] = index[d];
    int64_t flat = 0;
    for (size_t d = 0; d < shape.size(); ++d) flat = flat * shape[d] + from[d];
    CHECK(test::same(got[i++], x[static_cast<size_t>(flat)]));
  });
}

void transposes() {
  check_transpose({}, {});
  check_transpose({0, 3}, {1, 0});
  check_transpose({1, 5}, {1, 0});
  check_transpose({31, 33}, {1, 0});
  check_transpose({64, 32}, {1, 0});
  check_transpose({300, 784}, {1, 0});
  check_transpose({3, 5, 7}, {0, 2, 1});
  check_transpose({3, 5, 70}, {1, 0, 2});
  check_transpose({3, 5, 70}, {2, 1, 0});
  check_transpose({33, 2, 65, 3}, {3, 1, 0, 2});
  check_transpose({2, 8, 12, 40}, {0, 2, 1, 3});
  check_transpose({2, 3, 2, 3, 2, 3, 2, 3}, {7, 0, 6, 1, 5, 2, 4, 3});
  const int64_t shape[] = {2, 2};
  const int32_t twice[] = {1, 1};
  float value[4] = {}, out[4] = {};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_transpose(test::cpu(), nullptr, 2, shape, twice, value, out));
}

void gathers() {
  test::Random random(11);
  for (int64_t width : {0, 1, 3, 784}) {
    const std::vector<float> source = random.normals(50 * width);
    std::vector<int32_t> rows(101);
    for (int32_t& row : rows) row = static_cast<int32_t>(random.below(50));
    const std::vector<float> got = everywhere([&] {
      Guarded<float> src(source), dst(101 * width);
      CHECK_OK(secateur_gather_rows(test::cpu(), nullptr, 101, width * sizeof(float), 50,
                                    src.data(), rows.data(), dst.data()));
      return dst.take();
    });
    for (int64_t i = 0; i < 101 * width; ++i) {
      CHECK(got[i] == source[rows[i / width] * width + i % width]);
    }
  }
  const int32_t outside[] = {0, 2}, negative[] = {-1};
  float source[2] = {1, 2}, out[2] = {};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_gather_rows(test::cpu(), nullptr, 2, 4, 2, source, outside, out));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_gather_rows(test::cpu(), nullptr, 1, 4, 2, source, negative, out));
  CHECK(out[0] == 0 && out[1] == 0);
}

}  // namespace

int main() {
  binary();
  binary_takes_any_strides_and_places();
  sums();
  transposes();
  gathers();
  return 0;
}
