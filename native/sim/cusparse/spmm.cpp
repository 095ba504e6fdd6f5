// C = alpha op(A) op(B) + beta C with a sparse A: op(A) [m, k], op(B) [k, n], C [m, n].
//
// While it runs, op(A) becomes CSR and op(B) rows, so that one loop serves every format and layout:
// for each row of op(A), sums of double over its nonzeros, n columns at a time.
#include <algorithm>

#include "buffer.h"
#include "operands.h"

namespace sim::cusparse {
namespace {

struct Call {
  const char* function;
  cusparseHandle_t handle;
  int opa, opb;
  const void* alpha;
  const sparse_matrix* a;
  const dense_matrix* b;
  const void* beta;
  const dense_matrix* c;
  int compute, algorithm;
};

bool suits(int algorithm, int format) {
  switch (algorithm) {
    case CUSPARSE_SPMM_ALG_DEFAULT:
      return true;
    case CUSPARSE_SPMM_CSR_ALG1:
    case CUSPARSE_SPMM_CSR_ALG2:
    case CUSPARSE_SPMM_CSR_ALG3:
      return format == CUSPARSE_FORMAT_CSR || format == CUSPARSE_FORMAT_CSC;
    case CUSPARSE_SPMM_BSR_ALG1:
      return format == CUSPARSE_FORMAT_BSR;
    default:
      return format == CUSPARSE_FORMAT_COO;
  }
}

bool is_known(int algorithm) {
  return (algorithm >= CUSPARSE_SPMM_ALG_DEFAULT && algorithm <= CUSPARSE_SPMM_CSR_ALG2) ||
         algorithm == CUSPARSE_SPMM_CSR_ALG3 || algorithm == CUSPARSE_SPMM_BSR_ALG1;
}

cusparseStatus_t check(const Call& call) {
  const char* function = call.function;
  if (!is_live(call.handle)) return invalid(function, "no such handle");
  if (!is_operation(call.opa) || !is_operation(call.opb))
    return invalid(function, "unknown operation");
  if (!call.alpha || !call.beta) return invalid(function, "alpha or beta is NULL");
  if (!is_live(call.a) || !is_live(call.b) || !is_live(call.c))
    return invalid(function, "a matrix is NULL or was destroyed");
  if (!is_known(call.algorithm)) return invalid(function, "unknown algorithm");

  const sparse_matrix& a = *call.a;
  const dense_matrix &b = *call.b, &c = *call.c;
  const bool ta = call.opa != CUSPARSE_OPERATION_NON_TRANSPOSE;
  const bool tb = call.opb != CUSPARSE_OPERATION_NON_TRANSPOSE;
  const int64_t m = (ta ? a.cols : a.rows) * a.block, k = (ta ? a.rows : a.cols) * a.block;
  if ((tb ? b.cols : b.rows) != k || c.rows != m || c.cols != (tb ? b.rows : b.cols))
    return invalid(function, "the shapes of A, B and C do not fit");
  if (a.batch != b.batch || b.batch != c.batch) return invalid(function, "different batch counts");
  if (c.batch > 1 && c.stride == 0) return invalid(function, "C is shared by the batch");

  if (!suits(call.algorithm, a.format))
    return unsupported(function, "the algorithm is not for this format");
  if (a.index_type == CUSPARSE_INDEX_16U) return unsupported(function, "16-bit indices");
  if (a.type != b.type || !is_supported(a.type, c.type, call.compute))
    return unsupported(function, "this combination of types");
  if (call.algorithm == CUSPARSE_SPMM_CSR_ALG3 &&
      (ta || call.opb == CUSPARSE_OPERATION_CONJUGATE_TRANSPOSE || a.batch != 1))
    return unsupported(function, "CSR_ALG3 takes neither a transposed A nor a batch");
  if (a.format == CUSPARSE_FORMAT_BSR && (ta || a.order != CUSPARSE_ORDER_ROW))
    return unsupported(function, "BSR takes no transposed A, and row-major blocks only");
  return CUSPARSE_STATUS_SUCCESS;
}

// Documented: no extra storage for these. For the others a size in keeping with the real ones.
bool needs_buffer(int format, int algorithm) {
  if (format == CUSPARSE_FORMAT_COO) return algorithm == CUSPARSE_SPMM_COO_ALG2;
  return format != CUSPARSE_FORMAT_BSR;
}

size_t buffer_size(const sparse_matrix& a, int algorithm) {
  if (!needs_buffer(a.format, algorithm)) return 0;
  return 256 + (static_cast<size_t>(a.rows + a.cols) * sizeof(int32_t) + 255) / 256 * 256;
}

uint64_t signature(const Call& call) {
  uint64_t signature = 1;
  for (int number : {call.opa, call.opb, call.compute, call.algorithm})
    signature = mix(signature, static_cast<uint64_t>(number));
  return mix(mix(mix(signature, *call.a), *call.b), *call.c);
}

std::string multiply(const sparse_matrix& a, bool ta, const dense_matrix& b, bool tb,
                     const dense_matrix& c, float alpha, float beta) {
  for (int64_t item = 0; item < c.batch; item++) {
    Rows rows;
    const std::string wrong = read(a, item, ta, true, &rows);
    if (!wrong.empty()) return "A: " + wrong;
    const std::vector<float> right = read(b, item, tb);
    const int64_t n = c.cols;
    const double operations = 2.0 * n * rows.columns.size();
    parallel(rows.rows, operations, [&](int64_t first, int64_t last) {
      std::vector<double> sums(n);
      for (int64_t i = first; i < last; i++) {
        std::fill(sums.begin(), sums.end(), 0.0);
        for (int64_t p = rows.offsets[i]; p < rows.offsets[i + 1]; p++) {
          const double value = rows.values[p];
          const float* line = right.data() + rows.columns[p] * n;
          for (int64_t j = 0; j < n; j++) sums[j] += value * line[j];
        }
        for (int64_t j = 0; j < n; j++) {
          const int64_t to = place(c, item, i, j);
          float result = static_cast<float>(alpha * sums[j]);
          if (beta != 0) result += beta * load(c.values, c.type, to);
          store(c.values, c.type, to, result);
        }
      }
    });
  }
  return "";
}

cusparseStatus_t product(const Call& call, void* buffer) {
  if (const cusparseStatus_t status = check(call)) return status;
  const size_t bytes = buffer_size(*call.a, call.algorithm);
  if (!buffer && bytes != 0) return invalid(call.function, "the external buffer is NULL");
  const sparse_matrix a = *call.a;
  const dense_matrix b = *call.b, c = *call.c;
  const Scalar alpha = scalar(*call.handle, call.alpha), beta = scalar(*call.handle, call.beta);

  Work work(call.function);
  ExternalBuffer external(buffer, bytes, signature(call));
  const std::string forbidden = external.touch_to_use(&work, a.active);
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
    const std::string wrong = external.use(a);
    return wrong.empty() ? multiply(a, ta, b, tb, c, alpha.get(), beta.get()) : wrong;
  }));
}

cusparseStatus_t preprocess(const Call& call, void* buffer) {
  if (const cusparseStatus_t status = check(call)) return status;
  const size_t bytes = buffer_size(*call.a, call.algorithm);
  if (!buffer && bytes != 0) return invalid(call.function, "the external buffer is NULL");
  const sparse_matrix a = *call.a;
  Work work(call.function);
  const ExternalBuffer external(buffer, bytes, signature(call));
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

cusparseStatus_t cusparseSpMM_bufferSize(cusparseHandle_t handle, int opa, int opb,
                                         const void* alpha, cusparseConstSpMatDescr_t a,
                                         cusparseConstDnMatDescr_t b, const void* beta,
                                         cusparseDnMatDescr_t c, int compute, int algorithm,
                                         size_t* bytes) {
  const Call call = {__func__, handle, opa, opb, alpha, a, b, beta, c, compute, algorithm};
  if (const cusparseStatus_t status = check(call)) return status;
  if (!bytes) return invalid(__func__, "bytes is NULL");
  *bytes = buffer_size(*a, algorithm);
  return CUSPARSE_STATUS_SUCCESS;
}

cusparseStatus_t cusparseSpMM_preprocess(cusparseHandle_t handle, int opa, int opb,
                                         const void* alpha, cusparseConstSpMatDescr_t a,
                                         cusparseConstDnMatDescr_t b, const void* beta,
                                         cusparseDnMatDescr_t c, int compute, int algorithm,
                                         void* buffer) {
  return preprocess({__func__, handle, opa, opb, alpha, a, b, beta, c, compute, algorithm}, buffer);
}

cusparseStatus_t cusparseSpMM(cusparseHandle_t handle, int opa, int opb, const void* alpha,
                              cusparseConstSpMatDescr_t a, cusparseConstDnMatDescr_t b,
                              const void* beta, cusparseDnMatDescr_t c, int compute, int algorithm,
                              void* buffer) {
  return product({__func__, handle, opa, opb, alpha, a, b, beta, c, compute, algorithm}, buffer);
}
