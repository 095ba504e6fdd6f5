// Products on a GPU are cuBLAS's and cuSPARSE's, which the caller holds: these entries are of the
// CPU device and refuse.
#include "abi/error.h"
#include "cuda/device.h"

namespace secateur::cuda {
namespace {

[[noreturn]] void refuse(const char* operation, const char* library) {
  fail(SECATEUR_UNAVAILABLE, "%s is of the CPU device only: on a CUDA device multiply with %s.",
       operation, library);
}

}  // namespace

void CudaDevice::gemm(void*, const secateur_gemm_args&, const float*, const float*, float*) {
  refuse("secateur_gemm", "cuBLAS");
}

size_t CudaDevice::sparse_pack_bytes(void*, int64_t, int64_t, int32_t, const float*,
                                     const uint32_t*) {
  refuse("secateur_sparse_pack", "cuSPARSE");
}

void CudaDevice::sparse_pack(void*, int64_t, int64_t, int32_t, const float*, const uint32_t*, void*,
                             size_t) {
  refuse("secateur_sparse_pack", "cuSPARSE");
}

size_t CudaDevice::spmm_workspace(int64_t, const void*) { refuse("secateur_spmm", "cuSPARSE"); }

void CudaDevice::spmm(void*, int64_t, const void*, const float*, const float*, float*, void*) {
  refuse("secateur_spmm", "cuSPARSE");
}

void CudaDevice::sparse_info(const void*, int64_t*, int64_t*, int64_t*) {
  refuse("secateur_sparse_info", "cuSPARSE");
}

}  // namespace secateur::cuda
