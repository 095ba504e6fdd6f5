// Compiled where the CUDA toolkit is: our declarations (cuda/driver_api.h) are those of cuda.h and
// cudaTypedefs.h, each function's in the version whose name the library exports.
//
// Types are compared as calls pass them: as wide, of one kind (integer, floating, pointer),
// pointers to what is const in both or neither and as large, where it is known.
#include <type_traits>

#include "cuda/driver_api.h"
// Behind ours, as it makes macros of some names.
#include <cuda.h>
#include <cudaTypedefs.h>

namespace {

namespace ours = secateur::cu;

template <class T>
constexpr bool kNumber = std::is_integral_v<T> || std::is_enum_v<T>;

template <class T, class = void>
struct SizeOf {
  static constexpr size_t kBytes = 0;  // void and incomplete structs
};
template <class T>
struct SizeOf<T, std::void_t<decltype(sizeof(T))>> {
  static constexpr size_t kBytes = sizeof(T);
};
template <>
struct SizeOf<void> {
  static constexpr size_t kBytes = 0;
};

template <class A, class B>
constexpr bool same();

template <class A, class B>
struct Pointee {
  static constexpr bool kSame = std::is_const_v<A> == std::is_const_v<B> &&
                                same<std::remove_const_t<A>, std::remove_const_t<B>>();
};

template <class A, class B>
struct Call {
  static constexpr bool kSame = false;
};
template <class A, class... As, class B, class... Bs>
struct Call<A(As...), B(Bs...)> {
  template <class... More>
  static constexpr bool parameters() {
    if constexpr (sizeof...(As) == sizeof...(Bs))
      return (same<As, Bs>() && ...);
    else
      return false;
  }
  static constexpr bool kSame = same<A, B>() && parameters();
};

template <class A, class B>
constexpr bool same() {
  if constexpr (std::is_function_v<A> || std::is_function_v<B>)
    return Call<A, B>::kSame;
  else if constexpr (std::is_pointer_v<A> && std::is_pointer_v<B>)
    return Pointee<std::remove_pointer_t<A>, std::remove_pointer_t<B>>::kSame;
  else
    return std::is_void_v<A> == std::is_void_v<B> && kNumber<A> == kNumber<B> &&
           std::is_floating_point_v<A> == std::is_floating_point_v<B> &&
           std::is_class_v<A> == std::is_class_v<B> &&
           std::is_pointer_v<A> == std::is_pointer_v<B> && SizeOf<A>::kBytes == SizeOf<B>::kBytes;
}

// The comparison itself tells these apart.
static_assert(same<int(char*, size_t), unsigned(char*, unsigned long)>());
static_assert(!same<int(char*), int(const char*)>());
static_assert(!same<int(char*), int(char**)>());
static_assert(!same<int(int), int(long)>());
static_assert(!same<int(int), int(float)>());
static_assert(!same<int(int), int(int, int)>());

// ---- functions
#define MATCHES(name, base, version)                                          \
  constexpr bool matches_##name =                                             \
      same<ours::name##_t, std::remove_pointer_t<PFN_##base##_v##version>>(); \
  static_assert(matches_##name, "the prototype in cuda/driver_api.h is not that of the toolkit");

MATCHES(cuInit, cuInit, 2000)
MATCHES(cuDriverGetVersion, cuDriverGetVersion, 2020)
MATCHES(cuGetErrorName, cuGetErrorName, 6000)
MATCHES(cuGetErrorString, cuGetErrorString, 6000)
MATCHES(cuDeviceGet, cuDeviceGet, 2000)
MATCHES(cuDeviceGetCount, cuDeviceGetCount, 2000)
MATCHES(cuDeviceGetName, cuDeviceGetName, 2000)
MATCHES(cuDeviceGetAttribute, cuDeviceGetAttribute, 2000)
MATCHES(cuDeviceTotalMem_v2, cuDeviceTotalMem, 3020)
MATCHES(cuDeviceGetUuid, cuDeviceGetUuid, 9020)
MATCHES(cuDeviceGetUuid_v2, cuDeviceGetUuid, 11040)
MATCHES(cuDeviceGetPCIBusId, cuDeviceGetPCIBusId, 4010)
MATCHES(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, 7000)
MATCHES(cuDevicePrimaryCtxRelease_v2, cuDevicePrimaryCtxRelease, 11000)
MATCHES(cuDevicePrimaryCtxReset_v2, cuDevicePrimaryCtxReset, 11000)
MATCHES(cuDevicePrimaryCtxGetState, cuDevicePrimaryCtxGetState, 7000)
MATCHES(cuDevicePrimaryCtxSetFlags_v2, cuDevicePrimaryCtxSetFlags, 11000)
MATCHES(cuCtxCreate_v2, cuCtxCreate, 3020)
MATCHES(cuCtxDestroy_v2, cuCtxDestroy, 4000)
MATCHES(cuCtxGetCurrent, cuCtxGetCurrent, 4000)
MATCHES(cuCtxSetCurrent, cuCtxSetCurrent, 4000)
MATCHES(cuCtxPushCurrent_v2, cuCtxPushCurrent, 4000)
MATCHES(cuCtxPopCurrent_v2, cuCtxPopCurrent, 4000)
MATCHES(cuCtxGetDevice, cuCtxGetDevice, 2000)
MATCHES(cuCtxGetFlags, cuCtxGetFlags, 7000)
MATCHES(cuCtxGetApiVersion, cuCtxGetApiVersion, 3020)
MATCHES(cuCtxGetStreamPriorityRange, cuCtxGetStreamPriorityRange, 5050)
MATCHES(cuCtxSynchronize, cuCtxSynchronize, 2000)
MATCHES(cuMemGetInfo_v2, cuMemGetInfo, 3020)
MATCHES(cuMemAlloc_v2, cuMemAlloc, 3020)
MATCHES(cuMemFree_v2, cuMemFree, 3020)
MATCHES(cuMemGetAddressRange_v2, cuMemGetAddressRange, 3020)
MATCHES(cuMemAllocAsync, cuMemAllocAsync, 11020)
MATCHES(cuMemFreeAsync, cuMemFreeAsync, 11020)
MATCHES(cuMemAllocFromPoolAsync, cuMemAllocFromPoolAsync, 11020)
MATCHES(cuDeviceGetDefaultMemPool, cuDeviceGetDefaultMemPool, 11020)
MATCHES(cuDeviceGetMemPool, cuDeviceGetMemPool, 11020)
MATCHES(cuDeviceSetMemPool, cuDeviceSetMemPool, 11020)
MATCHES(cuMemPoolCreate, cuMemPoolCreate, 11020)
MATCHES(cuMemPoolDestroy, cuMemPoolDestroy, 11020)
MATCHES(cuMemPoolSetAttribute, cuMemPoolSetAttribute, 11020)
MATCHES(cuMemPoolGetAttribute, cuMemPoolGetAttribute, 11020)
MATCHES(cuMemPoolTrimTo, cuMemPoolTrimTo, 11020)
MATCHES(cuMemAllocHost_v2, cuMemAllocHost, 3020)
MATCHES(cuMemHostAlloc, cuMemHostAlloc, 2020)
MATCHES(cuMemFreeHost, cuMemFreeHost, 2000)
MATCHES(cuMemHostGetFlags, cuMemHostGetFlags, 2030)
MATCHES(cuMemHostGetDevicePointer_v2, cuMemHostGetDevicePointer, 3020)
MATCHES(cuMemHostRegister_v2, cuMemHostRegister, 6050)
MATCHES(cuMemHostUnregister, cuMemHostUnregister, 4000)
MATCHES(cuPointerGetAttribute, cuPointerGetAttribute, 4000)
MATCHES(cuPointerGetAttributes, cuPointerGetAttributes, 7000)
MATCHES(cuMemcpy, cuMemcpy, 4000)
MATCHES(cuMemcpyAsync, cuMemcpyAsync, 4000)
MATCHES(cuMemcpyHtoD_v2, cuMemcpyHtoD, 3020)
MATCHES(cuMemcpyDtoH_v2, cuMemcpyDtoH, 3020)
MATCHES(cuMemcpyDtoD_v2, cuMemcpyDtoD, 3020)
MATCHES(cuMemcpyHtoDAsync_v2, cuMemcpyHtoDAsync, 3020)
MATCHES(cuMemcpyDtoHAsync_v2, cuMemcpyDtoHAsync, 3020)
MATCHES(cuMemcpyDtoDAsync_v2, cuMemcpyDtoDAsync, 3020)
MATCHES(cuMemsetD8_v2, cuMemsetD8, 3020)
MATCHES(cuMemsetD16_v2, cuMemsetD16, 3020)
MATCHES(cuMemsetD32_v2, cuMemsetD32, 3020)
MATCHES(cuMemsetD8Async, cuMemsetD8Async, 3020)
MATCHES(cuMemsetD16Async, cuMemsetD16Async, 3020)
MATCHES(cuMemsetD32Async, cuMemsetD32Async, 3020)
MATCHES(cuStreamCreate, cuStreamCreate, 2000)
MATCHES(cuStreamCreateWithPriority, cuStreamCreateWithPriority, 5050)
MATCHES(cuStreamDestroy_v2, cuStreamDestroy, 4000)
MATCHES(cuStreamGetPriority, cuStreamGetPriority, 5050)
MATCHES(cuStreamGetFlags, cuStreamGetFlags, 5050)
MATCHES(cuStreamGetCtx, cuStreamGetCtx, 9020)
MATCHES(cuStreamSynchronize, cuStreamSynchronize, 2000)
MATCHES(cuStreamQuery, cuStreamQuery, 2000)
MATCHES(cuStreamWaitEvent, cuStreamWaitEvent, 3020)
MATCHES(cuEventCreate, cuEventCreate, 2000)
MATCHES(cuEventDestroy_v2, cuEventDestroy, 4000)
MATCHES(cuEventRecord, cuEventRecord, 2000)
MATCHES(cuEventRecordWithFlags, cuEventRecordWithFlags, 11010)
MATCHES(cuEventQuery, cuEventQuery, 2000)
MATCHES(cuEventSynchronize, cuEventSynchronize, 2000)
MATCHES(cuEventElapsedTime, cuEventElapsedTime, 2000)
MATCHES(cuStreamBeginCapture_v2, cuStreamBeginCapture, 10010)
MATCHES(cuStreamEndCapture, cuStreamEndCapture, 10000)
MATCHES(cuStreamIsCapturing, cuStreamIsCapturing, 10000)
MATCHES(cuStreamGetCaptureInfo_v2, cuStreamGetCaptureInfo, 11030)
MATCHES(cuThreadExchangeStreamCaptureMode, cuThreadExchangeStreamCaptureMode, 10010)
MATCHES(cuGraphGetNodes, cuGraphGetNodes, 10000)
MATCHES(cuGraphNodeGetType, cuGraphNodeGetType, 10000)
MATCHES(cuGraphDestroy, cuGraphDestroy, 10000)
MATCHES(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags, 11040)
MATCHES(cuGraphUpload, cuGraphUpload, 11010)
MATCHES(cuGraphLaunch, cuGraphLaunch, 10000)
MATCHES(cuGraphExecDestroy, cuGraphExecDestroy, 10000)
MATCHES(cuModuleLoad, cuModuleLoad, 2000)
MATCHES(cuModuleLoadData, cuModuleLoadData, 2000)
MATCHES(cuModuleLoadDataEx, cuModuleLoadDataEx, 2010)
MATCHES(cuModuleUnload, cuModuleUnload, 2000)
MATCHES(cuModuleGetFunction, cuModuleGetFunction, 2000)
MATCHES(cuModuleGetLoadingMode, cuModuleGetLoadingMode, 11070)
MATCHES(cuFuncGetAttribute, cuFuncGetAttribute, 2020)
MATCHES(cuFuncSetAttribute, cuFuncSetAttribute, 9000)
MATCHES(cuFuncGetModule, cuFuncGetModule, 11000)
MATCHES(cuLaunchKernel, cuLaunchKernel, 4000)
MATCHES(cuOccupancyMaxActiveBlocksPerMultiprocessor, cuOccupancyMaxActiveBlocksPerMultiprocessor,
        6050)
MATCHES(cuOccupancyMaxPotentialBlockSize, cuOccupancyMaxPotentialBlockSize, 6050)
#undef MATCHES

// None is left out above.
#define F(name, parameters) static_assert(matches_##name);
SECATEUR_DRIVER_API(F)
#undef F

// ---- values
#define V(name, value) static_assert((name) == (value));
SECATEUR_DRIVER_RESULTS(V)
SECATEUR_DRIVER_DEVICE_ATTRIBUTES(V)
SECATEUR_DRIVER_FUNCTION_ATTRIBUTES(V) SECATEUR_DRIVER_POINTER_ATTRIBUTES(V)
    SECATEUR_DRIVER_POOL_ATTRIBUTES(V) SECATEUR_DRIVER_JIT_OPTIONS(V)
        SECATEUR_DRIVER_CAPTURE_MODES(V) SECATEUR_DRIVER_CAPTURE_STATES(V)
            SECATEUR_DRIVER_NODE_TYPES(V) SECATEUR_DRIVER_LOADING_MODES(V) SECATEUR_DRIVER_FLAGS(V)
#undef V

                static_assert(sizeof(ours::CUuuid) == sizeof(CUuuid));
static_assert(sizeof(ours::CUmemPoolProps) == sizeof(CUmemPoolProps));
static_assert(offsetof(ours::CUmemPoolProps, location) == offsetof(CUmemPoolProps, location));
static_assert(offsetof(ours::CUmemPoolProps, maxSize) == offsetof(CUmemPoolProps, maxSize));

}  // namespace
