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

size_t CudaDevice::sparse_pack_bytes(void*, const secateur_sparse_format&,
                                     const secateur_sparse_weight&) {
  refuse("secateur_sparse_pack", "cuSPARSE");
}

void CudaDevice::sparse_pack(void*, const secateur_sparse_format&, const secateur_sparse_weight&,
                             void*, size_t) {
  refuse("secateur_sparse_pack", "cuSPARSE");
}

void CudaDevice::sparse_info(const void*, int64_t*, int64_t*, int64_t*) {
  refuse("secateur_sparse_info", "cuSPARSE");
}

void CudaDevice::sparse_refresh(void*, const float*, void*) {
  refuse("secateur_sparse_refresh", "cuSPARSE");
}

size_t CudaDevice::spmm_workspace(int64_t, const void*) { refuse("secateur_spmm", "cuSPARSE"); }

void CudaDevice::spmm(void*, int64_t, const void*, const float*, const secateur_epilogue&, float*,
                      void*) {
  refuse("secateur_spmm", "cuSPARSE");
}

size_t CudaDevice::sddmm_workspace(int64_t, const void*) { refuse("secateur_sddmm", "cuSPARSE"); }

void CudaDevice::sddmm(void*, int64_t, const void*, const float*, const float*, float*, void*) {
  refuse("secateur_sddmm", "cuSPARSE");
}

void CudaDevice::peak(double*, double*, const void*, size_t) {
  fail(SECATEUR_UNAVAILABLE,
       "secateur_cpu_peak is of the CPU device only: on a CUDA device time a product of cuBLAS.");
}

}  // namespace secateur::cuda
