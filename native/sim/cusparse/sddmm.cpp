// C = alpha (op(A) op(B)) o pattern(C) + beta C with a sparse C [m, n]: op(A) [m, k], op(B) [k, n]
// dense, and only the entries of C computed.
//
// While it runs, op(A) and op(B)^T become rows, so that every entry is one dot product of double.
#include "buffer.h"
#include "operands.h"

namespace sim::cusparse {
namespace {

constexpr int kAlgorithm = 0;  // the default is the only one

struct Call {
  const char* function;
  cusparseHandle_t handle;
  int opa, opb;
  const void* alpha;
  const dense_matrix *a, *b;
  const void* beta;
  const sparse_matrix* c;
  int compute, algorithm;
};

cusparseStatus_t check(const Call& call) {
  const char* function = call.function;
  if (!is_live(call.handle)) return invalid(function, "no such handle");
  if (!is_operation(call.opa) || !is_operation(call.opb))
    return invalid(function, "unknown operation");
  if (!call.alpha || !call.beta) return invalid(function, "alpha or beta is NULL");
  if (!is_live(call.a) || !is_live(call.b) || !is_live(call.c))
    return invalid(function, "a matrix is NULL or was destroyed");
  if (call.algorithm != kAlgorithm) return invalid(function, "unknown algorithm");

  const dense_matrix &a = *call.a, &b = *call.b;
  const sparse_matrix& c = *call.c;
  const bool ta = call.opa != CUSPARSE_OPERATION_NON_TRANSPOSE;
  const bool tb = call.opb != CUSPARSE_OPERATION_NON_TRANSPOSE;
  if ((ta ? a.rows : a.cols) != (tb ? b.cols : b.rows) || (ta ? a.cols : a.rows) != c.rows ||
      (tb ? b.rows : b.cols) != c.cols)
    return invalid(function, "the shapes of A, B and C do not fit");

  if (call.opa == CUSPARSE_OPERATION_CONJUGATE_TRANSPOSE ||
      call.opb == CUSPARSE_OPERATION_CONJUGATE_TRANSPOSE)
    return unsupported(function, "conjugate transposes");
  if (c.format != CUSPARSE_FORMAT_CSR) return unsupported(function, "C is not CSR");
  if (c.index_type == CUSPARSE_INDEX_16U) return unsupported(function, "16-bit indices");
  if (a.type != b.type || !is_supported(a.type, c.type, call.compute))
    return unsupported(function, "this combination of types");
  if (a.batch != 1 || b.batch != 1 || c.batch != 1) return unsupported(function, "batches");
  return CUSPARSE_STATUS_SUCCESS;
}

size_t buffer_size(const sparse_matrix& c) {
  return 256 + (static_cast<size_t>(c.rows) * sizeof(int32_t) + 255) / 256 * 256;
}

uint64_t signature(const Call& call) {
  uint64_t signature = 2;
  for (int number : {call.opa, call.opb, call.compute, call.algorithm})
    signature = mix(signature, static_cast<uint64_t>(number));
  return mix(mix(mix(signature, *call.a), *call.b), *call.c);
}

double dot(const float* x, const float* y, int64_t count) {
  double sums[4] = {};
  int64_t i = 0;
  for (; i + 4 <= count; i += 4)
    for (int lane = 0; lane < 4; lane++)
      sums[lane] += static_cast<double>(x[i + lane]) * y[i + lane];
  for (; i < count; i++) sums[0] += static_cast<double>(x[i]) * y[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

std::string multiply(const dense_matrix& a, bool ta, const dense_matrix& b, bool tb,
                     const sparse_matrix& c, float alpha, float beta) {
  Rows rows;
  const std::string wrong = read(c, 0, false, false, &rows);
  if (!wrong.empty()) return "C: " + wrong;
  const std::vector<float> left = read(a, 0, ta), right = read(b, 0, !tb);
  const int64_t k = ta ? a.rows : a.cols;
  parallel(rows.rows, 2.0 * k * rows.columns.size(), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++)
      for (int64_t p = rows.offsets[i]; p < rows.offsets[i + 1]; p++) {
        const double sum = dot(left.data() + i * k, right.data() + rows.columns[p] * k, k);
        float result = static_cast<float>(alpha * sum);
        if (beta != 0) result += beta * load(c.values, c.type, rows.places[p]);
        store(c.values, c.type, rows.places[p], result);
      }
  });
  return "";
}

cusparseStatus_t product(const Call& call, void* buffer) {
  if (const cusparseStatus_t status = check(call)) return status;
  if (!buffer) return invalid(call.function, "the external buffer is NULL");
  const dense_matrix a = *call.a, b = *call.b;
  const sparse_matrix c = *call.c;
  const Scalar alpha = scalar(*call.handle, call.alpha), beta = scalar(*call.handle, call.beta);

  Work work(call.function);
  ExternalBuffer external(buffer, buffer_size(c), signature(call));
  const std::string forbidden = external.touch_to_use(&work, c.active);
  if (!forbidden.empty()) {
    record_fault(std::string(call.function) + ": " + forbidden);
    return invalid(call.function, forbidden.c_str());
  }
  work.touch("alpha", alpha);
  work.touch("beta", beta);
  touch(&work, "A", a, Access::kRead);
  touch(&work, "B", b, Access::kRead);
  touch(&work, "C", c, beta.is_zero() ? Access::kWrite : Access::kUpdate);
  const bool ta = call.opa != CUSPARSE_OPERATION_NON_TRANSPOSE;
  const bool tb = call.opb != CUSPARSE_OPERATION_NON_TRANSPOSE;
  return status_of(work.submit(call.handle->stream, [=] {
    const std::string wrong = external.use(c);
    return wrong.empty() ? multiply(a, ta, b, tb, c, alpha.get(), beta.get()) : wrong;
  }));
}

cusparseStatus_t preprocess(const Call& call, void* buffer) {
  if (const cusparseStatus_t status = check(call)) return status;
  if (!buffer) return invalid(call.function, "the external buffer is NULL");
  const sparse_matrix c = *call.c;
  Work work(call.function);
  const ExternalBuffer external(buffer, buffer_size(c), signature(call));
  external.touch_to_seal(&work);
  touch_pattern(&work, "C", c);
  const cusparseStatus_t status =
      status_of(work.submit(call.handle->stream, [=] { return external.seal(c); }));
  if (status == CUSPARSE_STATUS_SUCCESS) call.c->active = {buffer, signature(call)};
  return status;
}

}  // namespace
}  // namespace sim::cusparse

using namespace sim::cusparse;

cusparseStatus_t cusparseSDDMM_bufferSize(cusparseHandle_t handle, int opa, int opb,
                                          const void* alpha, cusparseConstDnMatDescr_t a,
                                          cusparseConstDnMatDescr_t b, const void* beta,
                                          cusparseSpMatDescr_t c, int compute, int algorithm,
                                          size_t* bytes) {
  const Call call = {__func__, handle, opa, opb, alpha, a, b, beta, c, compute, algorithm};
  if (const cusparseStatus_t status = check(call)) return status;
  if (!bytes) return invalid(__func__, "bytes is NULL");
  *bytes = buffer_size(*c);
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSDDMM_preprocess(cusparseHandle_t handle, int opa, int opb,
                                          const void* alpha, cusparseConstDnMatDescr_t a,
                                          cusparseConstDnMatDescr_t b, const void* beta,
                                          cusparseSpMatDescr_t c, int compute, int algorithm,
                                          void* buffer) {
  return preprocess({__func__, handle, opa, opb, alpha, a, b, beta, c, compute, algorithm}, buffer);
}

cusparseStatus_t cusparseSDDMM(cusparseHandle_t handle, int opa, int opb, const void* alpha,
                               cusparseConstDnMatDescr_t a, cusparseConstDnMatDescr_t b,
                               const void* beta, cusparseSpMatDescr_t c, int compute, int algorithm,
                               void* buffer) {
  return product({__func__, handle, opa, opb, alpha, a, b, beta, c, compute, algorithm}, buffer);
}
