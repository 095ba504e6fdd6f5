// The cuSPARSE stand-in against loops of double: products in every format and layout, statuses,
// captures, the contract of external buffers, and faults. statuses.txt holds its descriptors.
#include <algorithm>
#include <cmath>

#include "gpu.h"
#include "sim/cusparse/cusparse_api.h"

namespace {

constexpr int kFormats[] = {CUSPARSE_FORMAT_CSR, CUSPARSE_FORMAT_CSC, CUSPARSE_FORMAT_COO,
                            CUSPARSE_FORMAT_BSR};
constexpr int kOrders[] = {CUSPARSE_ORDER_COL, CUSPARSE_ORDER_ROW};

void ok(int status) { CHECK_NOTE(status == CUSPARSE_STATUS_SUCCESS, "%d", status); }

cusparseHandle_t handle_on(CUstream stream) {
  cusparseHandle_t handle;
  ok(cusparseCreate(&handle));
  ok(cusparseSetStream(handle, stream));
  return handle;
}

// A dense matrix on the host [rows, cols], row by row, and on the device in some layout, with a gap
// after each line that must stay as it is.
struct Dense {
  int rows, cols, ld, order;
  std::vector<float> host;
  Array<float> device;
  cusparseDnMatDescr_t descriptor;

  Dense(int rows, int cols, int order, int gap, const std::vector<float>& values)
      : rows(rows),
        cols(cols),
        ld((order == CUSPARSE_ORDER_ROW ? cols : rows) + gap),
        order(order),
        host(values),
        device(laid_out(values)) {
    ok(cusparseCreateDnMat(&descriptor, rows, cols, ld, device.get(), CUDA_R_32F, order));
  }
  ~Dense() { ok(cusparseDestroyDnMat(descriptor)); }

  size_t place(int i, int j) const {
    return order == CUSPARSE_ORDER_ROW ? size_t(i) * ld + j : i + size_t(j) * ld;
  }
  std::vector<float> laid_out(const std::vector<float>& values) const {
    std::vector<float> array(size_t(ld) * (order == CUSPARSE_ORDER_ROW ? rows : cols), -77.0f);
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < cols; j++) array[place(i, j)] = values[size_t(i) * cols + j];
    return array;
  }
  // Row by row, after a check of the gaps.
  std::vector<float> read() const {
    std::vector<float> array = device.read(), values(size_t(rows) * cols);
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < cols; j++) {
        values[size_t(i) * cols + j] = array[place(i, j)];
        array[place(i, j)] = -77.0f;
      }
    for (float value : array) CHECK(value == -77.0f);
    return values;
  }
};

// A sparse matrix: dense on the host, row by row, and its arrays on the device.
struct Sparse {
  int rows, cols, format, base, block;
  std::vector<float> host;        // 0 where there is no entry
  std::vector<char> has;          // entries may be 0
  std::vector<size_t> positions;  // in `host`, of each value of the array
  std::vector<int> offsets, indices;
  std::vector<float> values;
  Array<int>*device_offsets, *device_indices;
  Array<float>* device_values;
  cusparseSpMatDescr_t descriptor;

  Sparse(Random& random, int rows, int cols, int format, int density = 30, int block = 1)
      : rows(rows), cols(cols), format(format), base(random.below(2)), block(block) {
    host.assign(size_t(rows) * cols, 0);
    has.assign(host.size(), 0);
    for (int i = 0; i < rows; i += block)
      for (int j = 0; j < cols; j += block)
        if (random.below(100) < density)
          for (int bi = 0; bi < block; bi++)
            for (int bj = 0; bj < block; bj++) {
              host[size_t(i + bi) * cols + j + bj] = random.normal();
              has[size_t(i + bi) * cols + j + bj] = 1;
            }
    build();
  }
  ~Sparse() {
    ok(cusparseDestroySpMat(descriptor));
    delete device_offsets;
    delete device_indices;
    delete device_values;
  }

  void build() {
    const bool by_column = format == CUSPARSE_FORMAT_CSC;
    const int lines = (by_column ? cols : rows) / block, length = (by_column ? rows : cols) / block;
    for (int line = 0; line < lines; line++) {
      if (format != CUSPARSE_FORMAT_COO) offsets.push_back(int(indices.size()) + base);
      for (int i = 0; i < length; i++) {
        const int row = (by_column ? i : line) * block, col = (by_column ? line : i) * block;
        if (!has[size_t(row) * cols + col]) continue;
        if (format == CUSPARSE_FORMAT_COO) offsets.push_back(line + base);
        indices.push_back(i + base);
        for (int bi = 0; bi < block; bi++)
          for (int bj = 0; bj < block; bj++)
            positions.push_back(size_t(row + bi) * cols + col + bj);
      }
    }
    if (format != CUSPARSE_FORMAT_COO) offsets.push_back(int(indices.size()) + base);
    for (size_t position : positions) values.push_back(host[position]);
    // One more than needed, so that empty arrays have an address.
    device_offsets = new Array<int>(padded(offsets));
    device_indices = new Array<int>(padded(indices));
    device_values = new Array<float>(padded(values));
    const int64_t nnz = int64_t(indices.size());
    int *o = device_offsets->get(), *i = device_indices->get();
    float* v = device_values->get();
    constexpr int type = CUSPARSE_INDEX_32I;
    if (format == CUSPARSE_FORMAT_CSR)
      ok(cusparseCreateCsr(&descriptor, rows, cols, nnz, o, i, v, type, type, base, CUDA_R_32F));
    if (format == CUSPARSE_FORMAT_CSC)
      ok(cusparseCreateCsc(&descriptor, rows, cols, nnz, o, i, v, type, type, base, CUDA_R_32F));
    if (format == CUSPARSE_FORMAT_COO)
      ok(cusparseCreateCoo(&descriptor, rows, cols, nnz, o, i, v, type, base, CUDA_R_32F));
    if (format == CUSPARSE_FORMAT_BSR)
      ok(cusparseCreateBsr(&descriptor, rows / block, cols / block, nnz, block, block, o, i, v,
                           type, type, base, CUDA_R_32F, CUSPARSE_ORDER_ROW));
  }

  template <typename T>
  static std::vector<T> padded(std::vector<T> array) {
    array.push_back(0);
    return array;
  }
};

// A product's external buffer, as long as the library asks for.
struct Buffer {
  size_t bytes = 0;
  Array<char>* device = nullptr;
  void allocate() {
    if (bytes > 0) device = new Array<char>(bytes);
  }
  ~Buffer() { delete device; }
  void* get() const { return device ? device->get() : nullptr; }
};

struct Scalars {
  float alpha, beta;
  explicit Scalars(Random& random) : alpha(random.scalar()), beta(random.scalar()) {}
};

void check_near(float got, double expected, double size, const char* what, int i, int j) {
  CHECK_NOTE(std::fabs(got - expected) <= 1e-6 * (size + std::fabs(expected)) + 1e-7,
             "%s (%d, %d) is %g, not %g", what, i, j, got, expected);
}

void test_spmm(CUstream stream) {
  Random random;
  cusparseHandle_t handle = handle_on(stream);
  for (int round = 0; round < 160; round++) {
    const int format = kFormats[round % 4];
    const int block = format == CUSPARSE_FORMAT_BSR ? 2 + random.below(4) : 1;
    const int rows = random.size() * block, cols = random.size() * block, n = random.size();
    const int ta = format == CUSPARSE_FORMAT_BSR ? 0 : random.below(2), tb = random.below(2);
    const int m = ta ? cols : rows, k = ta ? rows : cols;
    const Sparse a(random, rows, cols, format, 30, block);
    const Dense b(tb ? n : k, tb ? k : n, kOrders[random.below(2)], random.below(3),
                  random.normals(size_t(k) * n));
    const Scalars s(random);
    const std::vector<float> before =
        s.beta == 0 ? std::vector<float>(size_t(m) * n, NAN) : random.normals(size_t(m) * n);
    const Dense c(m, n, kOrders[random.below(2)], random.below(3), before);
    int algorithm = CUSPARSE_SPMM_ALG_DEFAULT;
    if (format == CUSPARSE_FORMAT_CSR)
      algorithm = std::vector<int>{0, 4, 6, ta ? 0 : CUSPARSE_SPMM_CSR_ALG3}[random.below(4)];

    Buffer buffer;
    ok(cusparseSpMM_bufferSize(handle, ta, tb, &s.alpha, a.descriptor, b.descriptor, &s.beta,
                               c.descriptor, CUDA_R_32F, algorithm, &buffer.bytes));
    CHECK((buffer.bytes == 0) == (format == CUSPARSE_FORMAT_COO || format == CUSPARSE_FORMAT_BSR));
    buffer.allocate();
    if (random.below(2))
      ok(cusparseSpMM_preprocess(handle, ta, tb, &s.alpha, a.descriptor, b.descriptor, &s.beta,
                                 c.descriptor, CUDA_R_32F, algorithm, buffer.get()));
    ok(cusparseSpMM(handle, ta, tb, &s.alpha, a.descriptor, b.descriptor, &s.beta, c.descriptor,
                    CUDA_R_32F, algorithm, buffer.get()));
    CHECK_CU(cuStreamSynchronize(stream));

    const std::vector<float> got = c.read();
    for (int i = 0; i < m; i++)
      for (int j = 0; j < n; j++) {
        double sum = 0, size = 0;
        for (int l = 0; l < k; l++) {
          const double x = a.host[ta ? size_t(l) * cols + i : size_t(i) * cols + l];
          const double y = b.host[tb ? size_t(j) * k + l : size_t(l) * n + j];
          sum += x * y, size += std::fabs(x * y);
        }
        const size_t at = size_t(i) * n + j;
        const double expected = s.alpha * sum + (s.beta == 0 ? 0 : s.beta * double(before[at]));
        check_near(got[at], expected, size, "C", i, j);
      }
  }
  ok(cusparseDestroy(handle));
}

void test_sddmm(CUstream stream) {
  Random random;
  cusparseHandle_t handle = handle_on(stream);
  for (int round = 0; round < 80; round++) {
    const int m = random.size(), n = random.size(), k = random.size();
    const int ta = random.below(2), tb = random.below(2);
    const Dense a(ta ? k : m, ta ? m : k, kOrders[random.below(2)], random.below(3),
                  random.normals(size_t(m) * k));
    const Dense b(tb ? n : k, tb ? k : n, kOrders[random.below(2)], random.below(3),
                  random.normals(size_t(k) * n));
    const Scalars s(random);
    const Sparse c(random, m, n, CUSPARSE_FORMAT_CSR);
    Buffer buffer;
    ok(cusparseSDDMM_bufferSize(handle, ta, tb, &s.alpha, a.descriptor, b.descriptor, &s.beta,
                                c.descriptor, CUDA_R_32F, 0, &buffer.bytes));
    buffer.allocate();
    ok(cusparseSDDMM_preprocess(handle, ta, tb, &s.alpha, a.descriptor, b.descriptor, &s.beta,
                                c.descriptor, CUDA_R_32F, 0, buffer.get()));
    ok(cusparseSDDMM(handle, ta, tb, &s.alpha, a.descriptor, b.descriptor, &s.beta, c.descriptor,
                     CUDA_R_32F, 0, buffer.get()));
    CHECK_CU(cuStreamSynchronize(stream));

    const std::vector<float> got = c.device_values->read();
    for (size_t p = 0; p < c.values.size(); p++) {
      const int i = int(c.positions[p] / n), j = int(c.positions[p] % n);
      double sum = 0, size = 0;
      for (int l = 0; l < k; l++) {
        const double x = a.host[ta ? size_t(l) * m + i : size_t(i) * k + l];
        const double y = b.host[tb ? size_t(j) * k + l : size_t(l) * n + j];
        sum += x * y, size += std::fabs(x * y);
      }
      check_near(got[p], s.alpha * sum + s.beta * double(c.values[p]), size, "C", i, j);
    }
  }
  ok(cusparseDestroy(handle));
}

void test_spmv(CUstream stream) {
  Random random;
  cusparseHandle_t handle = handle_on(stream);
  for (int round = 0; round < 40; round++) {
    const int rows = random.size(), cols = random.size(), ta = random.below(2);
    const int m = ta ? cols : rows, k = ta ? rows : cols;
    const Sparse a(random, rows, cols, kFormats[round % 2]);
    const std::vector<float> x = random.normals(k), y = random.normals(m);
    const Array<float> dx(x), dy(y);
    cusparseDnVecDescr_t vx, vy;
    ok(cusparseCreateDnVec(&vx, k, dx.get(), CUDA_R_32F));
    ok(cusparseCreateDnVec(&vy, m, dy.get(), CUDA_R_32F));
    const Scalars s(random);
    Buffer buffer;
    ok(cusparseSpMV_bufferSize(handle, ta, &s.alpha, a.descriptor, vx, &s.beta, vy, CUDA_R_32F, 0,
                               &buffer.bytes));
    buffer.allocate();
    ok(cusparseSpMV(handle, ta, &s.alpha, a.descriptor, vx, &s.beta, vy, CUDA_R_32F, 0,
                    buffer.get()));
    ok(cusparseDestroyDnVec(vx));  // descriptors may die before the work runs
    ok(cusparseDestroyDnVec(vy));
    CHECK_CU(cuStreamSynchronize(stream));
    const std::vector<float> got = dy.read();
    for (int i = 0; i < m; i++) {
      double sum = 0, size = 0;
      for (int l = 0; l < k; l++) {
        const double term =
            double(a.host[ta ? size_t(l) * cols + i : size_t(i) * cols + l]) * double(x[l]);
        sum += term, size += std::fabs(term);
      }
      check_near(got[i], s.alpha * sum + s.beta * double(y[i]), size, "y", i, 0);
    }
  }
  ok(cusparseDestroy(handle));
}

// Dense to sparse and back gives the same matrix, and the arrays are those that were expected.
void test_convert(CUstream stream) {
  Random random;
  cusparseHandle_t handle = handle_on(stream);
  for (int round = 0; round < 45; round++) {
    const int rows = random.size(), cols = random.size();
    const Sparse expected(random, rows, cols, kFormats[round % 3]);
    const Dense dense(rows, cols, kOrders[random.below(2)], random.below(3), expected.host);
    const size_t nonzeros = expected.values.size();
    const Array<int> offsets(std::vector<int>(expected.offsets.size() + 1));
    const Array<int> indices(std::vector<int>(nonzeros + 1));
    const Array<float> values(std::vector<float>(nonzeros + 1));
    constexpr int type = CUSPARSE_INDEX_32I;
    cusparseSpMatDescr_t sparse;
    if (expected.format == CUSPARSE_FORMAT_CSR)
      ok(cusparseCreateCsr(&sparse, rows, cols, 0, offsets.get(), nullptr, nullptr, type, type,
                           expected.base, CUDA_R_32F));
    if (expected.format == CUSPARSE_FORMAT_CSC)
      ok(cusparseCreateCsc(&sparse, rows, cols, 0, offsets.get(), nullptr, nullptr, type, type,
                           expected.base, CUDA_R_32F));
    if (expected.format == CUSPARSE_FORMAT_COO)
      ok(cusparseCreateCoo(&sparse, rows, cols, 0, nullptr, nullptr, nullptr, type, expected.base,
                           CUDA_R_32F));
    Buffer buffer;
    ok(cusparseDenseToSparse_bufferSize(handle, dense.descriptor, sparse, 0, &buffer.bytes));
    buffer.allocate();
    ok(cusparseDenseToSparse_analysis(handle, dense.descriptor, sparse, 0, buffer.get()));
    int64_t r, c, nnz;
    ok(cusparseSpMatGetSize(sparse, &r, &c, &nnz));
    CHECK(r == rows && c == cols && nnz == int64_t(nonzeros));
    if (expected.format == CUSPARSE_FORMAT_CSR)
      ok(cusparseCsrSetPointers(sparse, offsets.get(), indices.get(), values.get()));
    if (expected.format == CUSPARSE_FORMAT_CSC)
      ok(cusparseCscSetPointers(sparse, offsets.get(), indices.get(), values.get()));
    if (expected.format == CUSPARSE_FORMAT_COO)
      ok(cusparseCooSetPointers(sparse, offsets.get(), indices.get(), values.get()));
    ok(cusparseDenseToSparse_convert(handle, dense.descriptor, sparse, 0, buffer.get()));
    CHECK_CU(cuStreamSynchronize(stream));
    std::vector<int> o = offsets.read(), i = indices.read();
    std::vector<float> v = values.read();
    o.pop_back(), i.pop_back(), v.pop_back();
    CHECK(o == expected.offsets && i == expected.indices && v == expected.values);

    const Dense back(rows, cols, kOrders[random.below(2)], random.below(3),
                     std::vector<float>(size_t(rows) * cols, NAN));
    size_t bytes = 0;
    ok(cusparseSparseToDense_bufferSize(handle, sparse, back.descriptor, 0, &bytes));
    CHECK(bytes <= buffer.bytes);
    ok(cusparseSparseToDense(handle, sparse, back.descriptor, 0, buffer.get()));
    CHECK_CU(cuStreamSynchronize(stream));
    CHECK(back.read() == expected.host);
    ok(cusparseDestroySpMat(sparse));
  }
  ok(cusparseDestroy(handle));
}

// One product of fixed shape for the tests below.
struct Small {
  Random random;
  Sparse a{random, 12, 9, CUSPARSE_FORMAT_CSR, 60};
  Dense b{9, 5, CUSPARSE_ORDER_COL, 0, random.normals(45)};
  Dense c{12, 5, CUSPARSE_ORDER_COL, 0, std::vector<float>(60, NAN)};
  float alpha = 1, beta = 0;
  cusparseHandle_t handle;
  Buffer buffer;

  explicit Small(CUstream stream) : handle(handle_on(stream)) {
    ok(cusparseSpMM_bufferSize(handle, 0, 0, &alpha, a.descriptor, b.descriptor, &beta,
                               c.descriptor, CUDA_R_32F, CUSPARSE_SPMM_CSR_ALG3, &buffer.bytes));
    buffer.allocate();
  }
  ~Small() { ok(cusparseDestroy(handle)); }
  int multiply(int ta = 0, int algorithm = CUSPARSE_SPMM_CSR_ALG3, int compute = CUDA_R_32F) {
    return cusparseSpMM(handle, ta, 0, &alpha, a.descriptor, b.descriptor, &beta, c.descriptor,
                        compute, algorithm, buffer.get());
  }
  int preprocess() {
    return cusparseSpMM_preprocess(handle, 0, 0, &alpha, a.descriptor, b.descriptor, &beta,
                                   c.descriptor, CUDA_R_32F, CUSPARSE_SPMM_CSR_ALG3, buffer.get());
  }
  void check(float scale) const {
    const std::vector<float> got = c.read();
    for (int i = 0; i < 12; i++)
      for (int j = 0; j < 5; j++) {
        double sum = 0;
        for (int l = 0; l < 9; l++) sum += double(a.host[i * 9 + l]) * b.host[l * 5 + j];
        check_near(got[i * 5 + j], scale * sum, 10, "C", i, j);
      }
  }
};

void test_statuses(CUstream stream) {
  Small t(stream);
  CHECK(t.multiply(1) == CUSPARSE_STATUS_INVALID_VALUE);  // shapes
  CHECK(t.multiply(3) == CUSPARSE_STATUS_INVALID_VALUE);
  CHECK(t.multiply(0, 77) == CUSPARSE_STATUS_INVALID_VALUE);
  CHECK(t.multiply(0, CUSPARSE_SPMM_BSR_ALG1) == CUSPARSE_STATUS_NOT_SUPPORTED);
  CHECK(t.multiply(0, CUSPARSE_SPMM_CSR_ALG3, CUDA_R_64F) == CUSPARSE_STATUS_NOT_SUPPORTED);
  CHECK(cusparseSpMM(t.handle, 0, 0, nullptr, t.a.descriptor, t.b.descriptor, &t.beta,
                     t.c.descriptor, CUDA_R_32F, 0,
                     t.buffer.get()) == CUSPARSE_STATUS_INVALID_VALUE);
  CHECK(cusparseSpMM(t.handle, 0, 0, &t.alpha, t.a.descriptor, t.b.descriptor, &t.beta,
                     t.c.descriptor, CUDA_R_32F, 0, nullptr) == CUSPARSE_STATUS_INVALID_VALUE);

  // CSR_ALG3 takes no transposed matrix; CSR_ALG1 does.
  Dense d(12, 5, CUSPARSE_ORDER_COL, 0, t.random.normals(60));
  Dense e(9, 5, CUSPARSE_ORDER_COL, 0, t.random.normals(45));
  size_t bytes;
  CHECK(cusparseSpMM_bufferSize(t.handle, 1, 0, &t.alpha, t.a.descriptor, d.descriptor, &t.beta,
                                e.descriptor, CUDA_R_32F, CUSPARSE_SPMM_CSR_ALG3,
                                &bytes) == CUSPARSE_STATUS_NOT_SUPPORTED);
  CHECK(cusparseSpMM_bufferSize(t.handle, 1, 0, &t.alpha, t.a.descriptor, d.descriptor, &t.beta,
                                e.descriptor, CUDA_R_32F, CUSPARSE_SPMM_CSR_ALG1,
                                &bytes) == CUSPARSE_STATUS_SUCCESS);
}

// Host scalars are copied at the call; a replay runs on what the arrays then hold.
void test_capture(CUstream stream) {
  Small t(stream);
  t.alpha = 2;
  ok(t.preprocess());
  secateur_sim_counters_reset();
  CUgraphExec exec = capture(stream, [&] { ok(t.multiply()); });
  t.alpha = t.beta = NAN;
  for (int replay = 0; replay < 2; replay++) {
    t.c.device.set(std::vector<float>(60, NAN));
    CHECK_CU(cuGraphLaunch(exec, stream));
    CHECK_CU(cuStreamSynchronize(stream));
    t.check(2);
  }
  CHECK_CU(cuGraphExecDestroy(exec));
  secateur_sim_counters counters;
  secateur_sim_counters_get(&counters);
  CHECK(counters.library_calls >= 1);
}

void test_faults() {
  CUstream stream = restart();
  {  // something else wrote to the buffer since the preprocess
    Small t(stream);
    ok(t.preprocess());
    t.buffer.device->set(std::vector<char>(t.buffer.bytes, 1));
    ok(t.multiply());
    check_fault(stream, "preprocess");
  }
  stream = restart();
  {  // two captured products share a buffer: the second preprocess breaks the first product
    Small t(stream), other(stream);
    ok(t.preprocess());
    ok(cusparseSpMM_preprocess(other.handle, 0, 0, &other.alpha, other.a.descriptor,
                               other.b.descriptor, &other.beta, other.c.descriptor, CUDA_R_32F,
                               CUSPARSE_SPMM_CSR_ALG3, t.buffer.get()));
    CUgraphExec exec = capture(stream, [&] { ok(t.multiply()); });
    CHECK_CU(cuGraphLaunch(exec, stream));
    check_fault(stream, "preprocess");
  }
  stream = restart();
  {  // a new pattern in the old arrays
    Small t(stream);
    ok(t.preprocess());
    CHECK_CU(cuStreamSynchronize(stream));
    std::vector<int> columns = Sparse::padded(t.a.indices);
    std::swap(columns[0], columns[1]);
    t.a.device_indices->set(columns);
    ok(t.multiply());
    check_fault(stream, "pattern");
  }
  stream = restart();
  {  // other arguments than those of the preprocess
    Small t(stream);
    ok(t.preprocess());
    CHECK(t.multiply(0, CUSPARSE_SPMM_CSR_ALG1) == CUSPARSE_STATUS_INVALID_VALUE);
    CHECK(std::strstr(secateur_sim_last_fault(), "preprocess"));
  }
  stream = restart();
  {  // a column out of range
    Small t(stream);
    std::vector<int> columns = Sparse::padded(t.a.indices);
    columns[3] = 9 + t.a.base;
    t.a.device_indices->set(columns);
    ok(t.multiply());
    check_fault(stream, "outside");
  }
  stream = restart();
  {  // the last offset is not nnz
    Small t(stream);
    std::vector<int> offsets = Sparse::padded(t.a.offsets);
    offsets[12]++;
    t.a.device_offsets->set(offsets);
    ok(t.multiply());
    check_fault(stream, "offset");
  }
  stream = restart();
  {  // a buffer too small
    Small t(stream);
    const Array<char> small(t.buffer.bytes - 1);
    ok(cusparseSpMM(t.handle, 0, 0, &t.alpha, t.a.descriptor, t.b.descriptor, &t.beta,
                    t.c.descriptor, CUDA_R_32F, 0, small.get()));
    check_fault(stream, "external buffer");
  }
  stream = restart();
  {  // B in host memory
    Small t(stream);
    ok(cusparseDnMatSetValues(t.b.descriptor, t.b.host.data()));
    ok(t.multiply());
    check_fault(stream, "B");
  }
  stream = restart();
  {  // C in B
    Small t(stream);
    cusparseDnMatDescr_t c;
    const Array<float> both(std::vector<float>(105, 1.0f));
    ok(cusparseDnMatSetValues(t.b.descriptor, both.get()));
    ok(cusparseCreateDnMat(&c, 12, 5, 12, both.get() + 44, CUDA_R_32F, CUSPARSE_ORDER_COL));
    ok(cusparseSpMM(t.handle, 0, 0, &t.alpha, t.a.descriptor, t.b.descriptor, &t.beta, c,
                    CUDA_R_32F, 0, t.buffer.get()));
    check_fault(stream, "overlap");
  }
  secateur_sim_restart();
}

}  // namespace

int main() {
  CUstream stream = start();
  test_spmm(stream);
  test_sddmm(stream);
  test_spmv(stream);
  test_convert(stream);
  test_statuses(stream);
  test_capture(stream);
  test_faults();
  return 0;
}
