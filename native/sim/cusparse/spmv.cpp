// y = alpha op(A) x + beta y with a sparse A: op(A) [m, k], x [k], y [m]. One sum of double a row.
#include "buffer.h"
#include "operands.h"

namespace sim::cusparse {
namespace {

struct Call {
  const char* function;
  cusparseHandle_t handle;
  int opa;
  const void* alpha;
  const sparse_matrix* a;
  const dense_vector* x;
  const void* beta;
  const dense_vector* y;
  int compute, algorithm;
};

cusparseStatus_t check(const Call& call) {
  const char* function = call.function;
  if (!is_live(call.handle)) return invalid(function, "no such handle");
  if (!is_operation(call.opa)) return invalid(function, "unknown operation");
  if (!call.alpha || !call.beta) return invalid(function, "alpha or beta is NULL");
  if (!is_live(call.a) || !is_live(call.x) || !is_live(call.y))
    return invalid(function, "an operand is NULL or was destroyed");
  if (call.algorithm != CUSPARSE_SPMV_ALG_DEFAULT && call.algorithm != CUSPARSE_SPMV_CSR_ALG1 &&
      call.algorithm != CUSPARSE_SPMV_CSR_ALG2)
    return invalid(function, "unknown algorithm");
  const sparse_matrix& a = *call.a;
  const bool ta = call.opa != CUSPARSE_OPERATION_NON_TRANSPOSE;
  if (call.x->size != (ta ? a.rows : a.cols) || call.y->size != (ta ? a.cols : a.rows))
    return invalid(function, "the shapes of A, x and y do not fit");
  if (a.format != CUSPARSE_FORMAT_CSR && a.format != CUSPARSE_FORMAT_CSC)
    return unsupported(function, "A is neither CSR nor CSC");
  if (a.index_type == CUSPARSE_INDEX_16U) return unsupported(function, "16-bit indices");
  if (a.type != call.x->type || !is_supported(a.type, call.y->type, call.compute))
    return unsupported(function, "this combination of types");
  if (a.batch != 1) return unsupported(function, "batches");
  return CUSPARSE_STATUS_SUCCESS;
}

size_t buffer_size(const sparse_matrix& a) {
  return 256 + (static_cast<size_t>(a.rows) * sizeof(int32_t) / 32 + 255) / 256 * 256;
}

uint64_t signature(const Call& call) {
  uint64_t signature = 3;
  for (int number : {call.opa, call.compute, call.algorithm, call.x->type, call.y->type})
    signature = mix(signature, static_cast<uint64_t>(number));
  return mix(signature, *call.a);
}

std::string multiply(const sparse_matrix& a, bool ta, const dense_vector& x, const dense_vector& y,
                     float alpha, float beta) {
  Rows rows;
  const std::string wrong = read(a, 0, ta, true, &rows);
  if (!wrong.empty()) return "A: " + wrong;
  for (int64_t i = 0; i < rows.rows; i++) {
    double sum = 0;
    for (int64_t p = rows.offsets[i]; p < rows.offsets[i + 1]; p++)
      sum += static_cast<double>(rows.values[p]) * load(x.values, x.type, rows.columns[p]);
    float result = static_cast<float>(alpha * sum);
    if (beta != 0) result += beta * load(y.values, y.type, i);
    store(y.values, y.type, i, result);
  }
  return "";
}

void touch_vector(Work* work, const char* name, const dense_vector& v, Access access) {
  work->touch(name, v.values, size_of(v.type), size_of(v.type) * v.size, access);
}

cusparseStatus_t product(const Call& call, void* buffer) {
  if (const cusparseStatus_t status = check(call)) return status;
  if (!buffer) return invalid(call.function, "the external buffer is NULL");
  const sparse_matrix a = *call.a;
  const dense_vector x = *call.x, y = *call.y;
  const Scalar alpha = scalar(*call.handle, call.alpha), beta = scalar(*call.handle, call.beta);

  Work work(call.function);
  ExternalBuffer external(buffer, buffer_size(a), signature(call));
  const std::string forbidden = external.touch_to_use(&work, a.active);
  if (!forbidden.empty()) {
    record_fault(std::string(call.function) + ": " + forbidden);
    return invalid(call.function, forbidden.c_str());
  }
  work.touch("alpha", alpha);
  work.touch("beta", beta);
  touch(&work, "A", a, Access::kRead);
  touch_vector(&work, "x", x, Access::kRead);
  touch_vector(&work, "y", y, beta.is_zero() ? Access::kWrite : Access::kUpdate);
  const bool ta = call.opa != CUSPARSE_OPERATION_NON_TRANSPOSE;
  return status_of(work.submit(call.handle->stream, [=] {
    const std::string wrong = external.use(a);
    return wrong.empty() ? multiply(a, ta, x, y, alpha.get(), beta.get()) : wrong;
  }));
}

cusparseStatus_t preprocess(const Call& call, void* buffer) {
  if (const cusparseStatus_t status = check(call)) return status;
  if (!buffer) return invalid(call.function, "the external buffer is NULL");
  const sparse_matrix a = *call.a;
  Work work(call.function);
  const ExternalBuffer external(buffer, buffer_size(a), signature(call));
  external.touch_to_seal(&work);
  touch_pattern(&work, "A", a);
  const cusparseStatus_t status =
      status_of(work.submit(call.handle->stream, [=] { return external.seal(a); }));
  if (status == CUSPARSE_STATUS_SUCCESS) call.a->active = {buffer, signature(call)};
  return status;
}

}  // namespace
}  // namespace sim::cusparse

using namespace sim::cusparse;

cusparseStatus_t cusparseSpMV_bufferSize(cusparseHandle_t handle, int opa, const void* alpha,
                                         cusparseConstSpMatDescr_t a, cusparseConstDnVecDescr_t x,
                                         const void* beta, cusparseDnVecDescr_t y, int compute,
                                         int algorithm, size_t* bytes) {
  const Call call = {__func__, handle, opa, alpha, a, x, beta, y, compute, algorithm};
  if (const cusparseStatus_t status = check(call)) return status;
  if (!bytes) return invalid(__func__, "bytes is NULL");
  *bytes = buffer_size(*a);
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMV_preprocess(cusparseHandle_t handle, int opa, const void* alpha,
                                         cusparseConstSpMatDescr_t a, cusparseConstDnVecDescr_t x,
                                         const void* beta, cusparseDnVecDescr_t y, int compute,
                                         int algorithm, void* buffer) {
  return preprocess({__func__, handle, opa, alpha, a, x, beta, y, compute, algorithm}, buffer);
}

cusparseStatus_t cusparseSpMV(cusparseHandle_t handle, int opa, const void* alpha,
                              cusparseConstSpMatDescr_t a, cusparseConstDnVecDescr_t x,
                              const void* beta, cusparseDnVecDescr_t y, int compute, int algorithm,
                              void* buffer) {
  return product({__func__, handle, opa, alpha, a, x, beta, y, compute, algorithm}, buffer);
}
