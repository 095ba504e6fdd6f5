// Start, devices, contexts and errors.
#include <algorithm>
#include <cstring>

#include "sim/driver/call.h"
#include "sim/driver/capture.h"
#include "sim/driver/real_driver.h"
#include "sim/driver/start.h"
#include "sim/memory.h"

using namespace sim;

namespace {

constexpr int kDriverVersion = 12060;
constexpr char kName[] = "Simulated CUDA device";

void require_device(CUdevice device) {
  if (device != 0) refuse(CUDA_ERROR_INVALID_DEVICE);
}

// What differs between the capabilities that NVIDIA documents.
struct Generation {
  int capability;
  int threads, blocks, shared_kib, optin_shared_kib;  // the first three of a multiprocessor
};
constexpr Generation kGenerations[] = {
    {75, 1024, 16, 64, 64},   {80, 2048, 32, 164, 163}, {86, 1536, 16, 100, 99},
    {89, 1536, 24, 100, 99},  {90, 2048, 32, 228, 227}, {100, 2048, 32, 228, 227},
    {120, 1536, 24, 100, 99},
};

const Generation& generation(const Limits& limits) {
  const Generation* best = kGenerations;
  for (const Generation& each : kGenerations)
    if (each.capability <= 10 * limits.major + limits.minor) best = &each;
  return *best;
}

int attribute(CUdevice_attribute which, const Limits& limits) {
  const Generation& is = generation(limits);
  switch (which) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      return static_cast<int>(limits.threads_per_block);
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
      return static_cast<int>(limits.max_block.x);
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y:
      return static_cast<int>(limits.max_block.y);
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z:
      return static_cast<int>(limits.max_block.z);
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
      return static_cast<int>(limits.max_grid.x);
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
      return static_cast<int>(limits.max_grid.y);
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z:
      return static_cast<int>(limits.max_grid.z);
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
      return static_cast<int>(limits.shared_per_block);
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
      return is.optin_shared_kib << 10;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR:
      return is.shared_kib << 10;
    case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY:
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR:
      return 65536;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
      return 32;
    case CU_DEVICE_ATTRIBUTE_CLOCK_RATE:
    case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE:
      return 1000000;  // kHz
    case CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH:
      return 256;
    case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE:
      return 4 << 20;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      return limits.multiprocessors;
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR:
      return is.threads;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR:
      return is.blocks;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      return limits.major;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      return limits.minor;
    case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT:
      return 2;
    case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS:
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    case CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED:
      return 1;
    case CU_DEVICE_ATTRIBUTE_INTEGRATED:
    case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY:  // kernels reach device memory only
    case CU_DEVICE_ATTRIBUTE_COMPUTE_MODE:
    case CU_DEVICE_ATTRIBUTE_ECC_ENABLED:
    case CU_DEVICE_ATTRIBUTE_PCI_BUS_ID:
    case CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID:
    case CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID:
    case CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY:
      return 0;
  }
  refuse(CUDA_ERROR_INVALID_VALUE,
         "the simulator does not know device attribute " + std::to_string(which));
}

// Copies a text as cuDeviceGetName does: cut at the length, always ended.
void copy_text(char* to, int length, const char* text) {
  require_value(to != nullptr && length > 0);
  const size_t most = static_cast<size_t>(length) - 1, bytes = std::min(most, strlen(text));
  memcpy(to, text, bytes);
  to[bytes] = '\0';
}

CUresult uuid(CUuuid* to, CUdevice device, const char* name) {
  return call(name, Needs::kInit, [&](State&) {
    require_value(to != nullptr);
    require_device(device);
    memcpy(to->bytes, "secateur-sim-gpu", sizeof to->bytes);
  });
}

const char* name_of(CUresult result) {
  switch (result) {
#define R(name, value) \
  case name:           \
    return #name;
    SECATEUR_DRIVER_RESULTS(R)
#undef R
  }
  return nullptr;
}

}  // namespace

SECATEUR_SIM_EXPORT CUresult cuInit(unsigned flags) {
  return call("cuInit", Needs::kNothing, [&](State& all) {
    require_value(flags == 0);
    if (all.initialized) return;
    if (const std::string found = real_driver(); !found.empty()) {
      fprintf(stderr, "simulated CUDA device: %s\n", found.c_str());
      refuse(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, found);
    }
    memory::reserve(device_memory());
    all.initialized = true;
  });
}

SECATEUR_SIM_EXPORT CUresult cuDriverGetVersion(int* version) {
  if (!version) return CUDA_ERROR_INVALID_VALUE;
  *version = kDriverVersion;
  return CUDA_SUCCESS;
}

SECATEUR_SIM_EXPORT CUresult cuGetErrorName(CUresult result, const char** name) {
  if (!name) return CUDA_ERROR_INVALID_VALUE;
  *name = name_of(result);
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// The last fault's sentence is what the simulator knows of a broken context.
SECATEUR_SIM_EXPORT CUresult cuGetErrorString(CUresult result, const char** text) {
  if (!text) return CUDA_ERROR_INVALID_VALUE;
  *text = nullptr;
  if (!name_of(result)) return CUDA_ERROR_INVALID_VALUE;
  const char* fault = secateur_sim_last_fault();
  *text = result == state().sticky && *fault ? fault : "see the name of the error";
  if (result == CUDA_SUCCESS) *text = "no error";
  return CUDA_SUCCESS;
}

SECATEUR_SIM_EXPORT CUresult cuDeviceGetCount(int* count) {
  return call("cuDeviceGetCount", Needs::kInit, [&](State&) {
    require_value(count != nullptr);
    *count = 1;
  });
}

SECATEUR_SIM_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return call("cuDeviceGet", Needs::kInit, [&](State&) {
    require_value(device != nullptr);
    require_device(ordinal);
    *device = ordinal;
  });
}

SECATEUR_SIM_EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  return call("cuDeviceGetName", Needs::kInit, [&](State&) {
    require_device(device);
    copy_text(name, length, kName);
  });
}

SECATEUR_SIM_EXPORT CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute which,
                                                  CUdevice device) {
  return call("cuDeviceGetAttribute", Needs::kInit, [&](State& all) {
    require_value(value != nullptr);
    require_device(device);
    *value = attribute(which, all.limits);
  });
}

SECATEUR_SIM_EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  return call("cuDeviceTotalMem", Needs::kInit, [&](State&) {
    require_value(bytes != nullptr);
    require_device(device);
    *bytes = memory::capacity();
  });
}

SECATEUR_SIM_EXPORT CUresult cuDeviceGetUuid(CUuuid* to, CUdevice device) {
  return uuid(to, device, "cuDeviceGetUuid");
}

SECATEUR_SIM_EXPORT CUresult cuDeviceGetUuid_v2(CUuuid* to, CUdevice device) {
  return uuid(to, device, "cuDeviceGetUuid");
}

SECATEUR_SIM_EXPORT CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
  return call("cuDeviceGetPCIBusId", Needs::kInit, [&](State&) {
    require_device(device);
    copy_text(id, length, "0000:00:00.0");
  });
}

// ---- contexts

SECATEUR_SIM_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return call("cuDevicePrimaryCtxRetain", Needs::kInit, [&](State& all) {
    require_value(context != nullptr);
    require_device(device);
    if (all.sticky != CUDA_SUCCESS) refuse(all.sticky);
    if (!all.primary) all.primary = begin_context(true, 0);
    all.primary->retained++;
    *context = all.primary->handle;
  });
}

SECATEUR_SIM_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return call("cuDevicePrimaryCtxRelease", Needs::kInit, [&](State& all) {
    require_device(device);
    if (!all.primary || all.primary->retained == 0)
      refuse(CUDA_ERROR_INVALID_CONTEXT, "the primary context is not retained");
    if (--all.primary->retained > 0) return;
    if (const std::string left = leaks(); !left.empty() && all.sticky == CUDA_SUCCESS)
      record_fault("when the primary context was released for the last time, " + left);
    end_context(all.primary);
  });
}

SECATEUR_SIM_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return call("cuDevicePrimaryCtxReset", Needs::kInit, [&](State& all) {
    require_device(device);
    if (all.primary) end_context(all.primary);
  });
}

SECATEUR_SIM_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags,
                                                        int* active) {
  return call("cuDevicePrimaryCtxGetState", Needs::kInit, [&](State& all) {
    require_value(flags && active);
    require_device(device);
    *flags = all.primary ? all.primary->flags : 0;
    *active = all.primary != nullptr;
  });
}

SECATEUR_SIM_EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
  return call("cuDevicePrimaryCtxSetFlags", Needs::kInit, [&](State& all) {
    require_device(device);
    if (all.primary) all.primary->flags = flags;
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxCreate_v2(CUcontext* context, unsigned flags, CUdevice device) {
  return call("cuCtxCreate", Needs::kInit, [&](State& all) {
    require_value(context != nullptr);
    require_device(device);
    if (all.sticky != CUDA_SUCCESS) refuse(all.sticky);
    *context = begin_context(false, flags)->handle;
    context_stack().push_back(*context);
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxDestroy_v2(CUcontext context) {
  return call("cuCtxDestroy", Needs::kInit, [&](State&) {
    const auto found = require<Context>(context);
    if (found->primary)
      refuse(CUDA_ERROR_INVALID_CONTEXT, "the primary context is released, not destroyed");
    auto& stack = context_stack();
    if (!stack.empty() && stack.back() == context) stack.pop_back();
    end_context(found);
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxGetCurrent(CUcontext* context) {
  return call("cuCtxGetCurrent", Needs::kInit, [&](State&) {
    require_value(context != nullptr);
    *context = context_stack().empty() ? nullptr : context_stack().back();
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
  return call("cuCtxSetCurrent", Needs::kInit, [&](State&) {
    if (context) require<Context>(context);
    auto& stack = context_stack();
    if (!stack.empty()) stack.pop_back();
    if (context) stack.push_back(context);
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context) {
  return call("cuCtxPushCurrent", Needs::kInit, [&](State&) {
    require<Context>(context);
    context_stack().push_back(context);
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  return call("cuCtxPopCurrent", Needs::kInit, [&](State&) {
    auto& stack = context_stack();
    if (stack.empty()) refuse(CUDA_ERROR_INVALID_CONTEXT);
    if (context) *context = stack.back();
    stack.pop_back();
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
  return call("cuCtxGetDevice", Needs::kInit, [&](State&) {
    require_value(device != nullptr);
    current_context();
    *device = 0;
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxGetFlags(unsigned* flags) {
  return call("cuCtxGetFlags", Needs::kInit, [&](State&) {
    require_value(flags != nullptr);
    *flags = current_context().flags;
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxGetApiVersion(CUcontext context, unsigned* version) {
  return call("cuCtxGetApiVersion", Needs::kInit, [&](State&) {
    require_value(version != nullptr);
    if (context)
      require<Context>(context);
    else
      current_context();
    *version = 3020;
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return call("cuCtxGetStreamPriorityRange", Needs::kContext, [&](State&) {
    if (least) *least = 0;
    if (greatest) *greatest = -2;
  });
}

SECATEUR_SIM_EXPORT CUresult cuCtxSynchronize() {
  return call("cuCtxSynchronize", Needs::kContext, [&](State& all) {
    Context& context = current_context();
    forbid_in(context);
    forbid_unsafe();
    all.counters.synchronizations++;
    const auto streams = all.streams;
    for (const auto& each : streams)
      if (each->context == &context) wait_for_stream(each);
  });
}
