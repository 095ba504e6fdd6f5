// Device memory, pools, page-locked host memory and pointers.
#include <algorithm>
#include <iterator>

#include "sim/driver/call.h"
#include "sim/driver/capture.h"
#include "sim/driver/host_memory.h"
#include "sim/memory.h"

using namespace sim;

namespace {

void* pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

// The allocation in which the address lies; end() when in none.
auto allocation_of(uintptr_t address) {
  auto& all = state().allocations;
  auto after = all.upper_bound(address);
  if (after == all.begin()) return all.end();
  const auto found = std::prev(after);
  return address - found->first < found->second.bytes ? found : all.end();
}

// Memory in use as the program sees it: what it freed on a stream counts no more, run or not.
uintptr_t allocate(size_t bytes, Context& context, std::shared_ptr<Pool> pool) {
  State& all = state();
  require_value(bytes > 0);
  all.counters.allocations++;
  if (due(SECATEUR_SIM_ALLOCATION)) refuse(CUDA_ERROR_OUT_OF_MEMORY);
  if (all.counters.live_bytes + bytes > memory::capacity()) refuse(CUDA_ERROR_OUT_OF_MEMORY);
  void* memory = memory::allocate(bytes);
  if (!memory) {
    wait_for_all();  // frees that are queued
    memory = memory::allocate(bytes);
  }
  if (!memory) refuse(CUDA_ERROR_OUT_OF_MEMORY);
  const uintptr_t address = reinterpret_cast<uintptr_t>(memory);
  auto each = all.freed.lower_bound(address);
  if (each != all.freed.begin() && std::prev(each)->first + std::prev(each)->second > address) {
    --each;
  }
  while (each != all.freed.end() && each->first < address + bytes) each = all.freed.erase(each);
  all.order.forget(address, bytes);
  if (pool) {
    pool->used += bytes;
    pool->used_high = std::max(pool->used_high, pool->used);
    pool->reserved = std::max(pool->reserved, pool->used);
    pool->reserved_high = std::max(pool->reserved_high, pool->reserved);
  }
  all.allocations[address] = {bytes, &context, std::move(pool), false};
  all.counters.live_bytes += bytes;
  all.counters.peak_bytes = std::max(all.counters.peak_bytes, all.counters.live_bytes);
  return address;
}

void uncount(const Allocation& freed) {
  state().counters.live_bytes -= freed.bytes;
  if (freed.pool) freed.pool->used -= freed.bytes;
}

auto require_allocation(CUdeviceptr address) {
  auto found = state().allocations.find(address);
  if (found == state().allocations.end() || found->second.freeing) {
    const bool twice = state().freed.count(address) || found != state().allocations.end();
    char text[120];
    snprintf(text, sizeof text, "%p is %s", pointer(address),
             twice ? "freed already" : "not the start of an allocation");
    refuse(CUDA_ERROR_INVALID_VALUE, text);
  }
  return found;
}

CUdeviceptr allocate_on(CUstream handle, size_t bytes, std::shared_ptr<Pool> pool) {
  const auto stream = require_stream(handle);
  if (capturing(*stream)) {
    invalidate(*stream->capture);
    refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
           "memory is allocated in a capture, for which the simulator has no graph nodes; allocate "
           "before it");
  }
  const uintptr_t address = allocate(bytes, *stream->context, std::move(pool));
  // Other streams may use it only after this.
  auto mark = make_mark("cuMemAllocAsync");
  mark->ranges = {{"", address, bytes, 1, 0, false, true}};
  enqueue(stream, mark);
  return address;
}

std::shared_ptr<Pool> standard_pool() {
  State& all = state();
  if (!all.pool) {
    all.pool = std::make_shared<Pool>();
    all.pool->standard = true;
  }
  return all.pool;
}

CUmemoryPool handle_of(const std::shared_ptr<Pool>& pool) {
  if (!pool->handle) pool->handle = static_cast<CUmemoryPool>(handles::add(Kind::kPool, pool));
  return pool->handle;
}

std::shared_ptr<Pool> current_pool() {
  return state().current_pool ? state().current_pool : standard_pool();
}

void require_device(CUdevice device) {
  if (device != 0) refuse(CUDA_ERROR_INVALID_DEVICE);
}

CUresult allocate_host(const char* name, void** memory, size_t bytes, unsigned flags) {
  return call(name, Needs::kContext, [&](State& all) {
    require_value(memory && bytes > 0 && flags < 8);
    forbid_unsafe();
    all.counters.allocations++;
    if (due(SECATEUR_SIM_ALLOCATION)) refuse(CUDA_ERROR_OUT_OF_MEMORY);
    *memory = host_memory::allocate(bytes, flags);
    if (!*memory) refuse(CUDA_ERROR_OUT_OF_MEMORY);
  });
}

// Attributes of an unknown pointer: CUDA_ERROR_INVALID_VALUE.
void get_attribute(void* value, CUpointer_attribute attribute, CUdeviceptr address) {
  State& all = state();
  const auto device = allocation_of(address);
  const void* host_start = nullptr;
  const host_memory::Block* host = host_memory::find(pointer(address), &host_start);
  const bool on_device = device != all.allocations.end();
  require_value(value && (on_device || host));
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      *static_cast<CUcontext*>(value) =
          on_device ? device->second.context->handle : current_context().handle;
      return;
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      *static_cast<unsigned*>(value) = on_device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST;
      return;
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
      require_value(on_device);
      *static_cast<CUdeviceptr*>(value) = address;
      return;
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      require_value(!on_device);
      *static_cast<void**>(value) = pointer(address);
      return;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      *static_cast<bool*>(value) = false;
      return;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      *static_cast<int*>(value) = 0;
      return;
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
      *static_cast<CUdeviceptr*>(value) =
          on_device ? device->first : reinterpret_cast<CUdeviceptr>(host_start);
      return;
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
      *static_cast<size_t*>(value) = on_device ? device->second.bytes : host->bytes;
      return;
  }
  refuse(CUDA_ERROR_INVALID_VALUE,
         "the simulator does not know pointer attribute " + std::to_string(attribute));
}

}  // namespace

// ---- device memory

SECATEUR_SIM_EXPORT CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  return call("cuMemGetInfo", Needs::kContext, [&](State& all) {
    require_value(free && total);
    *total = memory::capacity();
    *free = *total - all.counters.live_bytes;
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* memory, size_t bytes) {
  return call("cuMemAlloc", Needs::kContext, [&](State&) {
    require_value(memory != nullptr);
    forbid_unsafe();
    *memory = allocate(bytes, current_context(), nullptr);
  });
}

// Waits for all work, as the real one does.
SECATEUR_SIM_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  return call("cuMemFree", Needs::kContext, [&](State& all) {
    forbid_unsafe();
    if (address == 0) return;
    require_allocation(address);
    all.counters.synchronizations++;
    wait_for_all();
    const auto found = require_allocation(address);
    uncount(found->second);
    const size_t bytes = found->second.bytes;
    memory::release(pointer(address));
    all.allocations.erase(found);
    all.freed[address] = bytes;
    all.order.forget(address, bytes);
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* start, size_t* bytes,
                                                     CUdeviceptr address) {
  return call("cuMemGetAddressRange", Needs::kContext, [&](State& all) {
    const auto found = allocation_of(address);
    if (found == all.allocations.end()) refuse(CUDA_ERROR_NOT_FOUND);
    if (start) *start = found->first;
    if (bytes) *bytes = found->second.bytes;
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemAllocAsync(CUdeviceptr* memory, size_t bytes, CUstream stream) {
  return call("cuMemAllocAsync", Needs::kContext, [&](State&) {
    require_value(memory != nullptr);
    *memory = allocate_on(stream, bytes, current_pool());
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemAllocFromPoolAsync(CUdeviceptr* memory, size_t bytes,
                                                     CUmemoryPool pool, CUstream stream) {
  return call("cuMemAllocFromPoolAsync", Needs::kContext, [&](State&) {
    require_value(memory != nullptr);
    *memory = allocate_on(stream, bytes, require<Pool>(pool));
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
  return call("cuMemFreeAsync", Needs::kContext, [&](State&) {
    const auto stream = require_stream(handle);
    if (capturing(*stream)) {
      invalidate(*stream->capture);
      refuse(CUDA_ERROR_INVALID_VALUE, "memory that no node of the graph allocated is freed in it");
    }
    if (address == 0) return;
    const auto found = require_allocation(address);
    uncount(found->second);
    found->second.freeing = true;
    enqueue(stream, make_free(address, found->second.bytes));
  });
}

// ---- pools

SECATEUR_SIM_EXPORT CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) {
  return call("cuDeviceGetDefaultMemPool", Needs::kInit, [&](State&) {
    require_value(pool != nullptr);
    require_device(device);
    *pool = handle_of(standard_pool());
  });
}

SECATEUR_SIM_EXPORT CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice device) {
  return call("cuDeviceGetMemPool", Needs::kInit, [&](State&) {
    require_value(pool != nullptr);
    require_device(device);
    *pool = handle_of(current_pool());
  });
}

SECATEUR_SIM_EXPORT CUresult cuDeviceSetMemPool(CUdevice device, CUmemoryPool pool) {
  return call("cuDeviceSetMemPool", Needs::kInit, [&](State& all) {
    require_device(device);
    all.current_pool = require<Pool>(pool);
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemPoolCreate(CUmemoryPool* pool, const CUmemPoolProps* wanted) {
  return call("cuMemPoolCreate", Needs::kInit, [&](State&) {
    require_value(pool && wanted && wanted->allocType == int{CU_MEM_ALLOCATION_TYPE_PINNED} &&
                  wanted->location.type == int{CU_MEM_LOCATION_TYPE_DEVICE});
    require_device(wanted->location.id);
    if (wanted->handleTypes != int{CU_MEM_HANDLE_TYPE_NONE})
      refuse(CUDA_ERROR_NOT_SUPPORTED, "the simulator's pools are not shared between processes");
    *pool = handle_of(std::make_shared<Pool>());
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemPoolDestroy(CUmemoryPool handle) {
  return call("cuMemPoolDestroy", Needs::kInit, [&](State& all) {
    const auto pool = require<Pool>(handle);
    if (pool->standard) refuse(CUDA_ERROR_INVALID_VALUE, "the device's own pool stays");
    if (all.current_pool == pool) all.current_pool.reset();
    handles::remove(handle);
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemPoolSetAttribute(CUmemoryPool handle,
                                                   CUmemPool_attribute attribute, void* value) {
  return call("cuMemPoolSetAttribute", Needs::kInit, [&](State&) {
    const auto pool = require<Pool>(handle);
    require_value(value != nullptr);
    const auto number = [&] { return *static_cast<uint64_t*>(value); };
    switch (attribute) {
      case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
      case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
        pool->reuse[attribute - 1] = *static_cast<int*>(value);
        return;
      case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
        pool->threshold = number();
        return;
      case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
        require_value(number() == 0);
        pool->reserved_high = pool->reserved;
        return;
      case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
        require_value(number() == 0);
        pool->used_high = pool->used;
        return;
      case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
      case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
        break;
    }
    refuse(CUDA_ERROR_INVALID_VALUE);
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemPoolGetAttribute(CUmemoryPool handle,
                                                   CUmemPool_attribute attribute, void* value) {
  return call("cuMemPoolGetAttribute", Needs::kInit, [&](State&) {
    const auto pool = require<Pool>(handle);
    require_value(value != nullptr);
    const auto give = [&](uint64_t number) { *static_cast<uint64_t*>(value) = number; };
    switch (attribute) {
      case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
      case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
        *static_cast<int*>(value) = pool->reuse[attribute - 1];
        return;
      case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
        return give(pool->threshold);
      case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
        return give(pool->reserved);
      case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
        return give(pool->reserved_high);
      case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
        return give(pool->used);
      case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
        return give(pool->used_high);
    }
    refuse(CUDA_ERROR_INVALID_VALUE);
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t keep) {
  return call("cuMemPoolTrimTo", Needs::kInit, [&](State&) {
    const auto pool = require<Pool>(handle);
    pool->reserved = std::max<uint64_t>(pool->used, std::min<uint64_t>(pool->reserved, keep));
  });
}

// ---- page-locked host memory

SECATEUR_SIM_EXPORT CUresult cuMemAllocHost_v2(void** memory, size_t bytes) {
  return allocate_host("cuMemAllocHost", memory, bytes, 0);
}

SECATEUR_SIM_EXPORT CUresult cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) {
  return allocate_host("cuMemHostAlloc", memory, bytes, flags);
}

// Waits for all work, as the real one does.
SECATEUR_SIM_EXPORT CUresult cuMemFreeHost(void* memory) {
  return call("cuMemFreeHost", Needs::kContext, [&](State& all) {
    forbid_unsafe();
    if (!memory) return;
    all.counters.synchronizations++;
    wait_for_all();
    if (!host_memory::release(memory))
      refuse(CUDA_ERROR_INVALID_VALUE, "the pointer is not one that cuMemHostAlloc gave out");
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemHostRegister_v2(void* memory, size_t bytes, unsigned flags) {
  return call("cuMemHostRegister", Needs::kContext, [&](State&) {
    require_value(memory && bytes > 0 && flags < 16);
    forbid_unsafe();
    if (!host_memory::add_registered(memory, bytes, flags))
      refuse(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemHostUnregister(void* memory) {
  return call("cuMemHostUnregister", Needs::kContext, [&](State& all) {
    require_value(memory != nullptr);
    forbid_unsafe();
    all.counters.synchronizations++;
    wait_for_all();
    if (!host_memory::remove_registered(memory)) refuse(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemHostGetFlags(unsigned* flags, void* memory) {
  return call("cuMemHostGetFlags", Needs::kContext, [&](State&) {
    require_value(flags && memory);
    const host_memory::Block* found = host_memory::find(memory);
    if (!found || found->registered) refuse(CUDA_ERROR_INVALID_VALUE);
    *flags = found->flags;
  });
}

SECATEUR_SIM_EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr*, void*, unsigned) {
  return call("cuMemHostGetDevicePointer", Needs::kContext, [&](State&) {
    refuse(CUDA_ERROR_NOT_SUPPORTED, "the simulated device cannot map host memory");
  });
}

// ---- pointers

SECATEUR_SIM_EXPORT CUresult cuPointerGetAttribute(void* value, CUpointer_attribute attribute,
                                                   CUdeviceptr address) {
  return call("cuPointerGetAttribute", Needs::kContext,
              [&](State&) { get_attribute(value, attribute, address); });
}

// Of an unknown pointer: zeros, and success.
SECATEUR_SIM_EXPORT CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute* attributes,
                                                    void** values, CUdeviceptr address) {
  return call("cuPointerGetAttributes", Needs::kContext, [&](State& all) {
    require_value(attributes && values);
    const bool known =
        allocation_of(address) != all.allocations.end() || host_memory::find(pointer(address));
    for (unsigned i = 0; i < count; i++) {
      if (known)
        get_attribute(values[i], attributes[i], address);
      else if (attributes[i] == CU_POINTER_ATTRIBUTE_IS_MANAGED)
        *static_cast<bool*>(values[i]) = false;
      else if (attributes[i] == CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
        *static_cast<unsigned*>(values[i]) = 0;
      else if (attributes[i] == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
        *static_cast<int*>(values[i]) = -2;
      else
        *static_cast<void**>(values[i]) = nullptr;
    }
  });
}
