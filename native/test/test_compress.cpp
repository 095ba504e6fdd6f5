// CSR and BSR of weight matrices against loops over the logical matrix.
#include "harness.h"

namespace {

using test::cpu;
using test::Guarded;
using test::Random;

// A weight matrix as the operations take it, and its compressed form by definition.
struct Matrix {
  secateur_matrix shape;
  std::vector<float> w;
  std::vector<uint32_t> mask;
  bool masked;

  int64_t rows() const { return shape.by_input ? shape.in : shape.out; }
  int64_t cols() const { return shape.by_input ? shape.out : shape.in; }

  // Where compressed row r and column c are in w.
  size_t index(int64_t r, int64_t c) const {
    const int64_t output = shape.by_input ? c : r, input = shape.by_input ? r : c;
    return static_cast<size_t>(shape.transposed ? input * shape.out + output
                                                : output * shape.in + input);
  }
  bool kept(int64_t r, int64_t c) const {
    return !masked || test::kept(mask, static_cast<int64_t>(index(r, c)));
  }
  bool stored(int64_t r, int64_t c) const {
    return kept(r, c) && (w[index(r, c)] != 0.0f || (shape.keep_zeros != 0 && masked));
  }
  float value(int64_t r, int64_t c) const { return kept(r, c) ? w[index(r, c)] : 0.0f; }
  const uint32_t* mask_or_null() const { return masked ? mask.data() : nullptr; }
};

struct Compressed {
  std::vector<int32_t> offsets, columns;
  std::vector<float> values;
};

Compressed define(const Matrix& m) {
  Compressed result;
  result.offsets.push_back(0);
  for (int64_t r = 0; r < m.rows(); r += m.shape.block_rows) {
    for (int64_t c = 0; c < m.cols(); c += m.shape.block_cols) {
      bool any = false;
      std::vector<float> block;
      for (int64_t i = r; i < r + m.shape.block_rows; ++i) {
        for (int64_t j = c; j < c + m.shape.block_cols; ++j) {
          block.push_back(m.value(i, j));
          any = any || m.stored(i, j);
        }
      }
      if (!any) continue;
      result.columns.push_back(static_cast<int32_t>(c / m.shape.block_cols));
      result.values.insert(result.values.end(), block.begin(), block.end());
    }
    result.offsets.push_back(static_cast<int32_t>(result.columns.size()));
  }
  return result;
}

void check_same(const std::vector<float>& got, const std::vector<float>& want) {
  CHECK(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(test::same(got[i], want[i]));
}

void compresses(Matrix m, Random& random) {
  const Compressed expected = define(m);
  const auto blocks = static_cast<int64_t>(expected.columns.size());
  const auto count = static_cast<int64_t>(expected.values.size());
  Guarded<float> w(m.w);
  size_t bytes = 0;
  CHECK_OK(secateur_compress_offsets(cpu(), nullptr, &m.shape, nullptr, nullptr, nullptr, nullptr,
                                     &bytes));
  CHECK(bytes > 0);
  std::vector<char> workspace(bytes);

  Guarded<int32_t> offsets(m.rows() / m.shape.block_rows + 1, -1);
  CHECK_OK(secateur_compress_offsets(cpu(), nullptr, &m.shape, w.data(), m.mask_or_null(),
                                     offsets.data(), workspace.data(), &bytes));
  CHECK(offsets.take() == expected.offsets);

  Guarded<int32_t> columns(blocks, -1);
  Guarded<float> values(count, test::kNan);
  CHECK_OK(secateur_compress_fill(cpu(), nullptr, &m.shape, w.data(), m.mask_or_null(),
                                  offsets.data(), 0, columns.data(), values.data()));
  CHECK(columns.take() == expected.columns);
  check_same(values.take(), expected.values);

  // Other values under the same pattern, zeros among them, keep the columns.
  Matrix other = m;
  for (float& x : other.w) x = random.below(4) == 0 ? 0.0f : random.normal();
  Guarded<float> changed(other.w), refreshed(count, test::kNan);
  CHECK_OK(secateur_compress_fill(cpu(), nullptr, &m.shape, changed.data(), m.mask_or_null(),
                                  offsets.data(), 1, columns.data(), refreshed.data()));
  CHECK(columns.take() == expected.columns);
  const std::vector<float> got = refreshed.take();
  size_t next = 0;
  for (size_t row = 0; row + 1 < expected.offsets.size(); ++row) {
    for (int32_t b = expected.offsets[row]; b < expected.offsets[row + 1]; ++b) {
      const int64_t r = static_cast<int64_t>(row) * m.shape.block_rows;
      const int64_t c = int64_t{expected.columns[static_cast<size_t>(b)]} * m.shape.block_cols;
      for (int64_t i = r; i < r + m.shape.block_rows; ++i) {
        for (int64_t j = c; j < c + m.shape.block_cols; ++j) {
          CHECK(test::same(got[next++], other.value(i, j)));
        }
      }
    }
  }
  CHECK(next == got.size());

  if (m.shape.block_rows != 1 || m.shape.block_cols != 1) return;
  Guarded<float> back(static_cast<int64_t>(m.w.size()), test::kNan);
  CHECK_OK(secateur_compress_scatter(cpu(), nullptr, &m.shape, offsets.data(), columns.data(),
                                     values.data(), back.data()));
  const std::vector<float> dense = back.take();
  for (int64_t r = 0; r < m.rows(); ++r) {
    for (int64_t c = 0; c < m.cols(); ++c) {
      CHECK(test::same(dense[m.index(r, c)], m.stored(r, c) ? m.value(r, c) : 0.0f));
    }
  }
}

void compresses_all_kinds() {
  Random random(1);
  const int64_t shapes[][2] = {{1, 1},   {1, 33},   {33, 1},  {2, 3},     {31, 64},  {64, 31},
                               {65, 63}, {128, 96}, {7, 257}, {130, 520}, {520, 130}};
  const int32_t blocks[][2] = {{1, 1}, {2, 2}, {4, 1}, {1, 4}, {8, 16}, {32, 32}};
  for (int threads : {1, 3}) {
    if (SANITIZED && threads == 1) continue;
    CHECK_OK(secateur_set_threads(threads));
    for (const auto& [out, in] : shapes) {
      if (SANITIZED && out * in > 13000) continue;
      for (const auto& [block_rows, block_cols] : blocks) {
        for (int kind = 0; kind < 32; ++kind) {
          const int32_t transposed = kind & 1, by_input = kind >> 1 & 1;
          const int64_t rows = by_input ? in : out, cols = by_input ? out : in;
          if (rows % block_rows != 0 || cols % block_cols != 0) continue;
          const double densities[] = {0.0, 1.0, 0.1, 0.5};
          const double density = densities[kind >> 2 & 3];
          Matrix m = {{out, in, transposed, by_input, block_rows, block_cols, kind >> 4},
                      random.normals(out * in),
                      random.mask(out * in, 0.5),
                      density == 0.5};
          const std::vector<uint32_t> zeros = random.mask(out * in, density);
          for (int64_t i = 0; i < out * in; ++i) {
            if (density == 0.0 || (density < 1.0 && !test::kept(zeros, i))) {
              m.w[static_cast<size_t>(i)] = i % 2 == 0 ? 0.0f : -0.0f;
            }
          }
          if (density == 0.1) m.w[0] = test::kNan;  // no zero
          compresses(m, random);
        }
      }
    }
  }
}

// Rows without any, or with all of their elements.
void compresses_rows_of_every_kind() {
  Random random(2);
  for (int32_t kind = 0; kind < 4; ++kind) {
    Matrix m = {{150, 70, kind & 1, kind >> 1, 1, 1, 0}, random.normals(150 * 70), {}, false};
    for (int64_t r = 0; r < m.rows(); ++r) {
      for (int64_t c = 0; c < m.cols(); ++c) {
        if (r % 3 == 0) m.w[m.index(r, c)] = 0;
        if (r % 3 == 1 && c != r % m.cols()) m.w[m.index(r, c)] = 0;
      }
    }
    compresses(m, random);
  }
}

void takes_matrices_of_nothing() {
  for (int64_t out : {0, 5}) {
    for (int32_t by_input : {0, 1}) {
      const int64_t in = 5 - out;
      const secateur_matrix shape = {out, in, 0, by_input, 1, 1, 0};
      int32_t offsets[7] = {9, 9, 9, 9, 9, 9, 9};
      char workspace[1024];
      size_t bytes = sizeof workspace;
      CHECK_OK(secateur_compress_offsets(cpu(), nullptr, &shape, nullptr, nullptr, offsets,
                                         workspace, &bytes));
      const int64_t rows = by_input ? in : out;
      for (int64_t r = 0; r < 7; ++r) CHECK(offsets[r] == (r <= rows ? 0 : 9));
      CHECK_OK(secateur_compress_fill(cpu(), nullptr, &shape, nullptr, nullptr, offsets, 0, nullptr,
                                      nullptr));
      CHECK_OK(
          secateur_compress_scatter(cpu(), nullptr, &shape, offsets, nullptr, nullptr, nullptr));
    }
  }
}

void refuses_wrong_arguments() {
  const float w[6] = {1, 0, 2, 0, 0, 3};
  const secateur_matrix good = {2, 3, 0, 0, 1, 1, 0};
  int32_t offsets[4] = {}, columns[6] = {};
  float values[6] = {}, back[6] = {};
  char workspace[1024];
  size_t bytes = sizeof workspace;
  const auto make = [&](const secateur_matrix* shape) {
    return secateur_compress_offsets(cpu(), nullptr, shape, w, nullptr, offsets, workspace, &bytes);
  };
  const auto refused = [&](const secateur_matrix& shape) {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, make(&shape));
  };
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, make(nullptr));
  refused({-1, 3, 0, 0, 1, 1, 0});
  refused({int64_t{1} << 16, int64_t{1} << 15, 0, 0, 1, 1, 0});
  refused({int64_t{1} << 40, 0, 0, 0, 1, 1, 0});
  refused({2, 3, 2, 0, 1, 1, 0});
  refused({2, 3, 0, -1, 1, 1, 0});
  refused({2, 3, 0, 0, 0, 1, 0});
  refused({2, 3, 0, 0, 3, 1, 0});
  refused({2, 3, 0, 1, 2, 1, 0});
  bytes = 1;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, make(&good));
  bytes = sizeof workspace;
  CHECK_OK(make(&good));
  CHECK(offsets[0] == 0 && offsets[1] == 2 && offsets[2] == 3);

  const auto fill = [&](const float* from, int32_t given) {
    return secateur_compress_fill(cpu(), nullptr, &good, from, nullptr, offsets, given, columns,
                                  values);
  };
  // Weights of another pattern: one element too many, and one too few.
  const float more[6] = {1, 1, 1, 0, 0, 3}, fewer[6] = {1, 0, 0, 0, 0, 3};
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, fill(more, 0));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, fill(fewer, 0));
  CHECK_OK(fill(w, 0));
  CHECK_OK(fill(more, 1));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_compress_fill(cpu(), nullptr, &good, w, nullptr,
                                                                 offsets, 0, nullptr, values));
  const auto scatter = [&](const secateur_matrix& shape) {
    return secateur_compress_scatter(cpu(), nullptr, &shape, offsets, columns, values, back);
  };
  CHECK_OK(scatter(good));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, scatter({2, 3, 0, 0, 2, 3, 0}));
  columns[2] = 3;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, scatter(good));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, fill(w, 1));
  columns[2] = -1;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, scatter(good));
  columns[2] = 2;
  offsets[1] = 4;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, scatter(good));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, fill(w, 0));
}

}  // namespace

int main() {
  compresses_all_kinds();
  compresses_rows_of_every_kind();
  takes_matrices_of_nothing();
  refuses_wrong_arguments();
  return 0;
}
