// The CUDA driver API as Secateur uses it, in declarations of our own, so that neither the CUDA
// device nor its simulator needs the CUDA toolkit to be built.
//
// Only names that a library exports stand here (cuMemAlloc_v2, not cuMemAlloc, which is a macro of
// cuda.h and, in the library, an older interface). The versions are those of CUDA 12.0, which every
// later driver still exports. Where cuda.h exists, a test compares each prototype and value with
// it.
//
// Functions are listed by macros F(name, (parameters)); all return CUresult:
//
//   struct Driver {
//   #define F(name, parameters) name##_t* name;
//     SECATEUR_DRIVER_API(F)
//   #undef F
//   };
#pragma once

#include <cstddef>
#include <cstdint>

namespace secateur::cu {

// ---- handles
using CUdevice = int;  // ordinal
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st*;
using CUmodule = struct CUmod_st*;
using CUfunction = struct CUfunc_st*;
using CUstream = struct CUstream_st*;
using CUevent = struct CUevent_st*;
using CUgraph = struct CUgraph_st*;
using CUgraphNode = struct CUgraphNode_st*;
using CUgraphExec = struct CUgraphExec_st*;
using CUmemoryPool = struct CUmemPoolHandle_st*;

// ---- results: R(name, value)
#define SECATEUR_DRIVER_RESULTS(R)                  \
  R(CUDA_SUCCESS, 0)                                \
  R(CUDA_ERROR_INVALID_VALUE, 1)                    \
  R(CUDA_ERROR_OUT_OF_MEMORY, 2)                    \
  R(CUDA_ERROR_NOT_INITIALIZED, 3)                  \
  R(CUDA_ERROR_DEINITIALIZED, 4)                    \
  R(CUDA_ERROR_STUB_LIBRARY, 34)                    \
  R(CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER, 36)      \
  R(CUDA_ERROR_DEVICE_UNAVAILABLE, 46)              \
  R(CUDA_ERROR_NO_DEVICE, 100)                      \
  R(CUDA_ERROR_INVALID_DEVICE, 101)                 \
  R(CUDA_ERROR_INVALID_IMAGE, 200)                  \
  R(CUDA_ERROR_INVALID_CONTEXT, 201)                \
  R(CUDA_ERROR_NO_BINARY_FOR_GPU, 209)              \
  R(CUDA_ERROR_ECC_UNCORRECTABLE, 214)              \
  R(CUDA_ERROR_INVALID_PTX, 218)                    \
  R(CUDA_ERROR_NVLINK_UNCORRECTABLE, 220)           \
  R(CUDA_ERROR_JIT_COMPILER_NOT_FOUND, 221)         \
  R(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, 222)        \
  R(CUDA_ERROR_JIT_COMPILATION_DISABLED, 223)       \
  R(CUDA_ERROR_CONTAINED, 226)                      \
  R(CUDA_ERROR_INVALID_SOURCE, 300)                 \
  R(CUDA_ERROR_FILE_NOT_FOUND, 301)                 \
  R(CUDA_ERROR_SHARED_OBJECT_INIT_FAILED, 303)      \
  R(CUDA_ERROR_OPERATING_SYSTEM, 304)               \
  R(CUDA_ERROR_INVALID_HANDLE, 400)                 \
  R(CUDA_ERROR_ILLEGAL_STATE, 401)                  \
  R(CUDA_ERROR_NOT_FOUND, 500)                      \
  R(CUDA_ERROR_NOT_READY, 600)                      \
  R(CUDA_ERROR_ILLEGAL_ADDRESS, 700)                \
  R(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, 701)        \
  R(CUDA_ERROR_LAUNCH_TIMEOUT, 702)                 \
  R(CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE, 708)         \
  R(CUDA_ERROR_CONTEXT_IS_DESTROYED, 709)           \
  R(CUDA_ERROR_ASSERT, 710)                         \
  R(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, 712) \
  R(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, 713)     \
  R(CUDA_ERROR_HARDWARE_STACK_ERROR, 714)           \
  R(CUDA_ERROR_ILLEGAL_INSTRUCTION, 715)            \
  R(CUDA_ERROR_MISALIGNED_ADDRESS, 716)             \
  R(CUDA_ERROR_INVALID_ADDRESS_SPACE, 717)          \
  R(CUDA_ERROR_INVALID_PC, 718)                     \
  R(CUDA_ERROR_LAUNCH_FAILED, 719)                  \
  R(CUDA_ERROR_NOT_PERMITTED, 800)                  \
  R(CUDA_ERROR_NOT_SUPPORTED, 801)                  \
  R(CUDA_ERROR_SYSTEM_NOT_READY, 802)               \
  R(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, 803)         \
  R(CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE, 804) \
  R(CUDA_ERROR_MPS_CLIENT_TERMINATED, 810)          \
  R(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, 900)     \
  R(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, 901)     \
  R(CUDA_ERROR_STREAM_CAPTURE_MERGE, 902)           \
  R(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, 903)       \
  R(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, 904)        \
  R(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, 905)       \
  R(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, 906)        \
  R(CUDA_ERROR_CAPTURED_EVENT, 907)                 \
  R(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, 908)    \
  R(CUDA_ERROR_EXTERNAL_DEVICE, 911)                \
  R(CUDA_ERROR_UNKNOWN, 999)

enum CUresult : int {
#define R(name, value) name = value,
  SECATEUR_DRIVER_RESULTS(R)
#undef R
};

// ---- values: V(name, value), of the enumeration that the macro names
#define SECATEUR_DRIVER_DEVICE_ATTRIBUTES(V)                      \
  V(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1)                 \
  V(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, 2)                       \
  V(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, 3)                       \
  V(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, 4)                       \
  V(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 5)                        \
  V(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 6)                        \
  V(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 7)                        \
  V(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 8)           \
  V(CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY, 9)                 \
  V(CU_DEVICE_ATTRIBUTE_WARP_SIZE, 10)                            \
  V(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, 12)              \
  V(CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 13)                           \
  V(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 16)                 \
  V(CU_DEVICE_ATTRIBUTE_INTEGRATED, 18)                           \
  V(CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY, 19)                  \
  V(CU_DEVICE_ATTRIBUTE_COMPUTE_MODE, 20)                         \
  V(CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS, 31)                   \
  V(CU_DEVICE_ATTRIBUTE_ECC_ENABLED, 32)                          \
  V(CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, 33)                           \
  V(CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID, 34)                        \
  V(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 36)                    \
  V(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 37)              \
  V(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 38)                        \
  V(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, 39)       \
  V(CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT, 40)                   \
  V(CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 41)                   \
  V(CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID, 50)                        \
  V(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 75)             \
  V(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 76)             \
  V(CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED, 78)          \
  V(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, 81) \
  V(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, 82)     \
  V(CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY, 83)                       \
  V(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 97)    \
  V(CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED, 99)              \
  V(CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, 106)       \
  V(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, 115)

#define SECATEUR_DRIVER_FUNCTION_ATTRIBUTES(V)          \
  V(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 0)         \
  V(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, 1)             \
  V(CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES, 2)              \
  V(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, 3)              \
  V(CU_FUNC_ATTRIBUTE_NUM_REGS, 4)                      \
  V(CU_FUNC_ATTRIBUTE_PTX_VERSION, 5)                   \
  V(CU_FUNC_ATTRIBUTE_BINARY_VERSION, 6)                \
  V(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 8) \
  V(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 9)

#define SECATEUR_DRIVER_POINTER_ATTRIBUTES(V)  \
  V(CU_POINTER_ATTRIBUTE_CONTEXT, 1)           \
  V(CU_POINTER_ATTRIBUTE_MEMORY_TYPE, 2)       \
  V(CU_POINTER_ATTRIBUTE_DEVICE_POINTER, 3)    \
  V(CU_POINTER_ATTRIBUTE_HOST_POINTER, 4)      \
  V(CU_POINTER_ATTRIBUTE_IS_MANAGED, 8)        \
  V(CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, 9)    \
  V(CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, 11) \
  V(CU_POINTER_ATTRIBUTE_RANGE_SIZE, 12)

#define SECATEUR_DRIVER_POOL_ATTRIBUTES(V)                                                  \
  V(CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES, 1)                                     \
  V(CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC, 2)                                           \
  V(CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES, 3)                                   \
  V(CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, 4) /* uint64_t, as the four below; the others int */ \
  V(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT, 5)                                                \
  V(CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH, 6)                                                   \
  V(CU_MEMPOOL_ATTR_USED_MEM_CURRENT, 7)                                                    \
  V(CU_MEMPOOL_ATTR_USED_MEM_HIGH, 8)

#define SECATEUR_DRIVER_JIT_OPTIONS(V)     \
  V(CU_JIT_MAX_REGISTERS, 0)               \
  V(CU_JIT_WALL_TIME, 2)                   \
  V(CU_JIT_INFO_LOG_BUFFER, 3)             \
  V(CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES, 4)  \
  V(CU_JIT_ERROR_LOG_BUFFER, 5)            \
  V(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, 6) \
  V(CU_JIT_OPTIMIZATION_LEVEL, 7)          \
  V(CU_JIT_LOG_VERBOSE, 12)

#define SECATEUR_DRIVER_CAPTURE_MODES(V)    \
  V(CU_STREAM_CAPTURE_MODE_GLOBAL, 0)       \
  V(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL, 1) \
  V(CU_STREAM_CAPTURE_MODE_RELAXED, 2)

#define SECATEUR_DRIVER_CAPTURE_STATES(V) \
  V(CU_STREAM_CAPTURE_STATUS_NONE, 0)     \
  V(CU_STREAM_CAPTURE_STATUS_ACTIVE, 1)   \
  V(CU_STREAM_CAPTURE_STATUS_INVALIDATED, 2)

#define SECATEUR_DRIVER_NODE_TYPES(V)   \
  V(CU_GRAPH_NODE_TYPE_KERNEL, 0)       \
  V(CU_GRAPH_NODE_TYPE_MEMCPY, 1)       \
  V(CU_GRAPH_NODE_TYPE_MEMSET, 2)       \
  V(CU_GRAPH_NODE_TYPE_HOST, 3)         \
  V(CU_GRAPH_NODE_TYPE_GRAPH, 4)        \
  V(CU_GRAPH_NODE_TYPE_EMPTY, 5)        \
  V(CU_GRAPH_NODE_TYPE_WAIT_EVENT, 6)   \
  V(CU_GRAPH_NODE_TYPE_EVENT_RECORD, 7) \
  V(CU_GRAPH_NODE_TYPE_MEM_ALLOC, 10)   \
  V(CU_GRAPH_NODE_TYPE_MEM_FREE, 11)

#define SECATEUR_DRIVER_LOADING_MODES(V) \
  V(CU_MODULE_EAGER_LOADING, 1)          \
  V(CU_MODULE_LAZY_LOADING, 2)

// Flags of several calls, and the types of memory that a pointer attribute may name.
#define SECATEUR_DRIVER_FLAGS(V)                        \
  V(CU_CTX_SCHED_AUTO, 0)                               \
  V(CU_CTX_SCHED_SPIN, 1)                               \
  V(CU_CTX_SCHED_YIELD, 2)                              \
  V(CU_CTX_SCHED_BLOCKING_SYNC, 4)                      \
  V(CU_CTX_MAP_HOST, 8)                                 \
  V(CU_STREAM_DEFAULT, 0)                               \
  V(CU_STREAM_NON_BLOCKING, 1)                          \
  V(CU_EVENT_DEFAULT, 0)                                \
  V(CU_EVENT_BLOCKING_SYNC, 1)                          \
  V(CU_EVENT_DISABLE_TIMING, 2)                         \
  V(CU_EVENT_INTERPROCESS, 4)                           \
  V(CU_EVENT_RECORD_EXTERNAL, 1)                        \
  V(CU_EVENT_WAIT_EXTERNAL, 1)                          \
  V(CU_MEMHOSTALLOC_PORTABLE, 1)                        \
  V(CU_MEMHOSTALLOC_DEVICEMAP, 2)                       \
  V(CU_MEMHOSTALLOC_WRITECOMBINED, 4)                   \
  V(CU_MEMHOSTREGISTER_PORTABLE, 1)                     \
  V(CU_MEMHOSTREGISTER_DEVICEMAP, 2)                    \
  V(CU_MEMORYTYPE_HOST, 1)                              \
  V(CU_MEMORYTYPE_DEVICE, 2)                            \
  V(CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH, 1) \
  V(CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD, 2)              \
  V(CU_MEM_ALLOCATION_TYPE_PINNED, 1)                   \
  V(CU_MEM_HANDLE_TYPE_NONE, 0)                         \
  V(CU_MEM_LOCATION_TYPE_DEVICE, 1)

#define V(name, value) name = value,
enum CUdevice_attribute : int { SECATEUR_DRIVER_DEVICE_ATTRIBUTES(V) };
enum CUfunction_attribute : int { SECATEUR_DRIVER_FUNCTION_ATTRIBUTES(V) };
enum CUpointer_attribute : int { SECATEUR_DRIVER_POINTER_ATTRIBUTES(V) };
enum CUmemPool_attribute : int { SECATEUR_DRIVER_POOL_ATTRIBUTES(V) };
enum CUjit_option : int { SECATEUR_DRIVER_JIT_OPTIONS(V) };
enum CUstreamCaptureMode : int { SECATEUR_DRIVER_CAPTURE_MODES(V) };
enum CUstreamCaptureStatus : int { SECATEUR_DRIVER_CAPTURE_STATES(V) };
enum CUgraphNodeType : int { SECATEUR_DRIVER_NODE_TYPES(V) };
enum CUmoduleLoadingMode : int { SECATEUR_DRIVER_LOADING_MODES(V) };
enum : unsigned { SECATEUR_DRIVER_FLAGS(V) };
#undef V

// Ends and names the entries of cuLaunchKernel's `extra`.
inline void* const CU_LAUNCH_PARAM_END = nullptr;
inline void* const CU_LAUNCH_PARAM_BUFFER_POINTER = reinterpret_cast<void*>(1);
inline void* const CU_LAUNCH_PARAM_BUFFER_SIZE = reinterpret_cast<void*>(2);
// Streams that exist without being created; the null stream is the legacy one.
inline const CUstream CU_STREAM_LEGACY = reinterpret_cast<CUstream>(1);
inline const CUstream CU_STREAM_PER_THREAD = reinterpret_cast<CUstream>(2);

struct CUuuid {
  char bytes[16];
};

struct CUmemLocation {
  int type;  // CU_MEM_LOCATION_TYPE_DEVICE
  int id;    // ordinal
};

struct CUmemPoolProps {
  int allocType;    // CU_MEM_ALLOCATION_TYPE_PINNED
  int handleTypes;  // CU_MEM_HANDLE_TYPE_NONE
  CUmemLocation location;
  void* win32SecurityAttributes;
  size_t maxSize;  // bytes; 0: as much as there is
  unsigned short usage;
  unsigned char reserved[54];
};

using CUoccupancyB2DSize = size_t (*)(int block_size);

// ---- functions: F(name, (parameters))
#define SECATEUR_DRIVER_DEVICES(F)                                                     \
  F(cuInit, (unsigned flags))                                                          \
  F(cuDriverGetVersion, (int* version))                                                \
  F(cuGetErrorName, (CUresult result, const char** name))                              \
  F(cuGetErrorString, (CUresult result, const char** text))                            \
  F(cuDeviceGet, (CUdevice * device, int ordinal))                                     \
  F(cuDeviceGetCount, (int* count))                                                    \
  F(cuDeviceGetName, (char* name, int length, CUdevice device))                        \
  F(cuDeviceGetAttribute, (int* value, CUdevice_attribute attribute, CUdevice device)) \
  F(cuDeviceTotalMem_v2, (size_t * bytes, CUdevice device))                            \
  F(cuDeviceGetUuid, (CUuuid * uuid, CUdevice device))                                 \
  F(cuDeviceGetUuid_v2, (CUuuid * uuid, CUdevice device))                              \
  F(cuDeviceGetPCIBusId, (char* id, int length, CUdevice device))

#define SECATEUR_DRIVER_CONTEXTS(F)                                              \
  F(cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))            \
  F(cuDevicePrimaryCtxRelease_v2, (CUdevice device))                             \
  F(cuDevicePrimaryCtxReset_v2, (CUdevice device))                               \
  F(cuDevicePrimaryCtxGetState, (CUdevice device, unsigned* flags, int* active)) \
  F(cuDevicePrimaryCtxSetFlags_v2, (CUdevice device, unsigned flags))            \
  F(cuCtxCreate_v2, (CUcontext * context, unsigned flags, CUdevice device))      \
  F(cuCtxDestroy_v2, (CUcontext context))                                        \
  F(cuCtxGetCurrent, (CUcontext * context))                                      \
  F(cuCtxSetCurrent, (CUcontext context))                                        \
  F(cuCtxPushCurrent_v2, (CUcontext context))                                    \
  F(cuCtxPopCurrent_v2, (CUcontext * context))                                   \
  F(cuCtxGetDevice, (CUdevice * device))                                         \
  F(cuCtxGetFlags, (unsigned* flags))                                            \
  F(cuCtxGetApiVersion, (CUcontext context, unsigned* version))                  \
  F(cuCtxGetStreamPriorityRange, (int* least, int* greatest))                    \
  F(cuCtxSynchronize, ())

#define SECATEUR_DRIVER_MEMORY(F)                                                             \
  F(cuMemGetInfo_v2, (size_t * free, size_t * total))                                         \
  F(cuMemAlloc_v2, (CUdeviceptr * pointer, size_t bytes))                                     \
  F(cuMemFree_v2, (CUdeviceptr pointer))                                                      \
  F(cuMemGetAddressRange_v2, (CUdeviceptr * start, size_t * bytes, CUdeviceptr pointer))      \
  F(cuMemAllocAsync, (CUdeviceptr * pointer, size_t bytes, CUstream stream))                  \
  F(cuMemFreeAsync, (CUdeviceptr pointer, CUstream stream))                                   \
  F(cuMemAllocFromPoolAsync,                                                                  \
    (CUdeviceptr * pointer, size_t bytes, CUmemoryPool pool, CUstream stream))                \
  F(cuDeviceGetDefaultMemPool, (CUmemoryPool * pool, CUdevice device))                        \
  F(cuDeviceGetMemPool, (CUmemoryPool * pool, CUdevice device))                               \
  F(cuDeviceSetMemPool, (CUdevice device, CUmemoryPool pool))                                 \
  F(cuMemPoolCreate, (CUmemoryPool * pool, const CUmemPoolProps* properties))                 \
  F(cuMemPoolDestroy, (CUmemoryPool pool))                                                    \
  F(cuMemPoolSetAttribute, (CUmemoryPool pool, CUmemPool_attribute attribute, void* value))   \
  F(cuMemPoolGetAttribute, (CUmemoryPool pool, CUmemPool_attribute attribute, void* value))   \
  F(cuMemPoolTrimTo, (CUmemoryPool pool, size_t bytes_to_keep))                               \
  F(cuMemAllocHost_v2, (void** pointer, size_t bytes))                                        \
  F(cuMemHostAlloc, (void** pointer, size_t bytes, unsigned flags))                           \
  F(cuMemFreeHost, (void* pointer))                                                           \
  F(cuMemHostGetFlags, (unsigned* flags, void* pointer))                                      \
  F(cuMemHostGetDevicePointer_v2, (CUdeviceptr * device, void* host, unsigned flags))         \
  F(cuMemHostRegister_v2, (void* pointer, size_t bytes, unsigned flags))                      \
  F(cuMemHostUnregister, (void* pointer))                                                     \
  F(cuPointerGetAttribute, (void* value, CUpointer_attribute attribute, CUdeviceptr pointer)) \
  F(cuPointerGetAttributes,                                                                   \
    (unsigned count, CUpointer_attribute* attributes, void** values, CUdeviceptr pointer))

#define SECATEUR_DRIVER_COPIES(F)                                                             \
  F(cuMemcpy, (CUdeviceptr dst, CUdeviceptr src, size_t bytes))                               \
  F(cuMemcpyAsync, (CUdeviceptr dst, CUdeviceptr src, size_t bytes, CUstream stream))         \
  F(cuMemcpyHtoD_v2, (CUdeviceptr dst, const void* src, size_t bytes))                        \
  F(cuMemcpyDtoH_v2, (void* dst, CUdeviceptr src, size_t bytes))                              \
  F(cuMemcpyDtoD_v2, (CUdeviceptr dst, CUdeviceptr src, size_t bytes))                        \
  F(cuMemcpyHtoDAsync_v2, (CUdeviceptr dst, const void* src, size_t bytes, CUstream stream))  \
  F(cuMemcpyDtoHAsync_v2, (void* dst, CUdeviceptr src, size_t bytes, CUstream stream))        \
  F(cuMemcpyDtoDAsync_v2, (CUdeviceptr dst, CUdeviceptr src, size_t bytes, CUstream stream))  \
  F(cuMemsetD8_v2, (CUdeviceptr dst, unsigned char value, size_t count))                      \
  F(cuMemsetD16_v2, (CUdeviceptr dst, unsigned short value, size_t count))                    \
  F(cuMemsetD32_v2, (CUdeviceptr dst, unsigned value, size_t count))                          \
  F(cuMemsetD8Async, (CUdeviceptr dst, unsigned char value, size_t count, CUstream stream))   \
  F(cuMemsetD16Async, (CUdeviceptr dst, unsigned short value, size_t count, CUstream stream)) \
  F(cuMemsetD32Async, (CUdeviceptr dst, unsigned value, size_t count, CUstream stream))

#define SECATEUR_DRIVER_STREAMS(F)                                                 \
  F(cuStreamCreate, (CUstream * stream, unsigned flags))                           \
  F(cuStreamCreateWithPriority, (CUstream * stream, unsigned flags, int priority)) \
  F(cuStreamDestroy_v2, (CUstream stream))                                         \
  F(cuStreamGetPriority, (CUstream stream, int* priority))                         \
  F(cuStreamGetFlags, (CUstream stream, unsigned* flags))                          \
  F(cuStreamGetCtx, (CUstream stream, CUcontext * context))                        \
  F(cuStreamSynchronize, (CUstream stream))                                        \
  F(cuStreamQuery, (CUstream stream))                                              \
  F(cuStreamWaitEvent, (CUstream stream, CUevent event, unsigned flags))           \
  F(cuEventCreate, (CUevent * event, unsigned flags))                              \
  F(cuEventDestroy_v2, (CUevent event))                                            \
  F(cuEventRecord, (CUevent event, CUstream stream))                               \
  F(cuEventRecordWithFlags, (CUevent event, CUstream stream, unsigned flags))      \
  F(cuEventQuery, (CUevent event))                                                 \
  F(cuEventSynchronize, (CUevent event))                                           \
  F(cuEventElapsedTime, (float* milliseconds, CUevent start, CUevent end))

#define SECATEUR_DRIVER_GRAPHS(F)                                                               \
  F(cuStreamBeginCapture_v2, (CUstream stream, CUstreamCaptureMode mode))                       \
  F(cuStreamEndCapture, (CUstream stream, CUgraph * graph))                                     \
  F(cuStreamIsCapturing, (CUstream stream, CUstreamCaptureStatus * status))                     \
  F(cuStreamGetCaptureInfo_v2,                                                                  \
    (CUstream stream, CUstreamCaptureStatus * status, uint64_t * id, CUgraph * graph,           \
     const CUgraphNode** dependencies, size_t* dependency_count))                               \
  F(cuThreadExchangeStreamCaptureMode, (CUstreamCaptureMode * mode))                            \
  F(cuGraphGetNodes, (CUgraph graph, CUgraphNode * nodes, size_t * count))                      \
  F(cuGraphNodeGetType, (CUgraphNode node, CUgraphNodeType * type))                             \
  F(cuGraphDestroy, (CUgraph graph))                                                            \
  F(cuGraphInstantiateWithFlags, (CUgraphExec * exec, CUgraph graph, unsigned long long flags)) \
  F(cuGraphUpload, (CUgraphExec exec, CUstream stream))                                         \
  F(cuGraphLaunch, (CUgraphExec exec, CUstream stream))                                         \
  F(cuGraphExecDestroy, (CUgraphExec exec))

#define SECATEUR_DRIVER_MODULES(F)                                                                \
  F(cuModuleLoad, (CUmodule * module, const char* path))                                          \
  F(cuModuleLoadData, (CUmodule * module, const void* image))                                     \
  F(cuModuleLoadDataEx, (CUmodule * module, const void* image, unsigned option_count,             \
                         CUjit_option* options, void** option_values))                            \
  F(cuModuleUnload, (CUmodule module))                                                            \
  F(cuModuleGetFunction, (CUfunction * function, CUmodule module, const char* name))              \
  F(cuModuleGetLoadingMode, (CUmoduleLoadingMode * mode))                                         \
  F(cuFuncGetAttribute, (int* value, CUfunction_attribute attribute, CUfunction function))        \
  F(cuFuncSetAttribute, (CUfunction function, CUfunction_attribute attribute, int value))         \
  F(cuFuncGetModule, (CUmodule * module, CUfunction function))                                    \
  F(cuLaunchKernel, (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,      \
                     unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes, \
                     CUstream stream, void** parameters, void** extra))                           \
  F(cuOccupancyMaxActiveBlocksPerMultiprocessor,                                                  \
    (int* blocks, CUfunction function, int block_size, size_t dynamic_shared_bytes))              \
  F(cuOccupancyMaxPotentialBlockSize, (int* min_grid_size, int* block_size, CUfunction function,  \
                                       CUoccupancyB2DSize dynamic_shared_bytes_of,                \
                                       size_t dynamic_shared_bytes, int block_size_limit))

#define SECATEUR_DRIVER_API(F) \
  SECATEUR_DRIVER_DEVICES(F)   \
  SECATEUR_DRIVER_CONTEXTS(F)  \
  SECATEUR_DRIVER_MEMORY(F)    \
  SECATEUR_DRIVER_COPIES(F)    \
  SECATEUR_DRIVER_STREAMS(F)   \
  SECATEUR_DRIVER_GRAPHS(F)    \
  SECATEUR_DRIVER_MODULES(F)

// cuInit_t and so on: the functions' types.
#define F(name, parameters) using name##_t = CUresult parameters;
SECATEUR_DRIVER_API(F)
#undef F

}  // namespace secateur::cu
