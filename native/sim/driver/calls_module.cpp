// Modules, functions and launches. Kernels are found by name among those compiled for the host; the
// image is only looked at as far as a real driver would refuse it.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "sim/driver/call.h"
#include "sim/driver/capture.h"
#include "sim/driver/image.h"

using namespace sim;

namespace {

CUresult load(const char* name, CUmodule* handle, const void* image) {
  return call(name, Needs::kContext, [&](State& all) {
    require_value(handle && image);
    forbid_unsafe();  // loading may wait for the device
    if (const Refusal wrong = check_image(image, all.limits); wrong.code != CUDA_SUCCESS)
      throw wrong;
    auto module = std::make_shared<Module>();
    module->context = &current_context();
    *handle = static_cast<CUmodule>(handles::add(Kind::kModule, std::move(module)));
  });
}

// Parameters as cuLaunchKernel takes them: one address each, or all in one buffer, each at the
// multiple of its size (16 at most) that comes next.
std::vector<std::vector<unsigned char>> copy_parameters(const KernelInfo& kernel, void** parameters,
                                                        void** extra) {
  std::vector<std::vector<unsigned char>> copies;
  if (parameters && extra)
    refuse(CUDA_ERROR_INVALID_VALUE, "parameters are given both one by one and in a buffer");
  if (kernel.sizes.empty()) return copies;
  if (parameters) {
    for (size_t i = 0; i < kernel.sizes.size(); i++) {
      const auto* bytes = static_cast<const unsigned char*>(parameters[i]);
      if (!bytes)
        refuse(CUDA_ERROR_INVALID_VALUE,
               "the address of parameter " + std::to_string(i) + " is null");
      copies.emplace_back(bytes, bytes + kernel.sizes[i]);
    }
    return copies;
  }
  if (!extra) refuse(CUDA_ERROR_INVALID_VALUE, "the kernel has parameters, none are given");
  const unsigned char* buffer = nullptr;
  size_t size = 0;
  for (; *extra != CU_LAUNCH_PARAM_END; extra += 2) {
    if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER)
      buffer = static_cast<const unsigned char*>(extra[1]);
    else if (*extra == CU_LAUNCH_PARAM_BUFFER_SIZE)
      size = *static_cast<const size_t*>(extra[1]);
    else
      refuse(CUDA_ERROR_INVALID_VALUE, "an entry of extra is unknown");
  }
  size_t at = 0;
  for (uint32_t bytes : kernel.sizes) {
    const size_t align = std::min<size_t>(16, bytes & (~bytes + 1));
    at = (at + align - 1) / align * align;
    if (!buffer || at + bytes > size)
      refuse(CUDA_ERROR_INVALID_VALUE, "the buffer of parameters is too small");
    copies.emplace_back(buffer + at, buffer + at + bytes);
    at += bytes;
  }
  return copies;
}

std::string text(const Dim3& size) {
  return "(" + std::to_string(size.x) + ", " + std::to_string(size.y) + ", " +
         std::to_string(size.z) + ")";
}

bool within(const Dim3& size, const Dim3& most) {
  return size.x > 0 && size.y > 0 && size.z > 0 && size.x <= most.x && size.y <= most.y &&
         size.z <= most.z;
}

void check_geometry(const Function& function, Dim3 grid, Dim3 block, unsigned shared_bytes,
                    const Limits& limits) {
  const std::string kernel = std::string("kernel ") + function.kernel->name + ": ";
  if (!within(grid, limits.max_grid))
    refuse(CUDA_ERROR_INVALID_VALUE,
           kernel + "a grid of " + text(grid) + " is outside 1.." + text(limits.max_grid));
  if (!within(block, limits.max_block))
    refuse(CUDA_ERROR_INVALID_VALUE,
           kernel + "a block of " + text(block) + " is outside 1.." + text(limits.max_block));
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  const uint64_t most = std::min<uint64_t>(limits.threads_per_block,
                                           static_cast<uint64_t>(function.kernel->max_threads));
  if (threads > most)
    refuse(CUDA_ERROR_INVALID_VALUE, kernel + std::to_string(threads) +
                                         " threads a block are more than its " +
                                         std::to_string(most));
  if (shared_bytes > static_cast<unsigned>(function.dynamic_shared_limit))
    refuse(CUDA_ERROR_INVALID_VALUE, kernel + std::to_string(shared_bytes) +
                                         " bytes of dynamic shared memory are more than " +
                                         std::to_string(function.dynamic_shared_limit));
}

int device_attribute(CUdevice_attribute which) {
  int value = 0;
  cuDeviceGetAttribute(&value, which, 0);
  return value;
}

int active_blocks(const Function& function, int block_size, size_t shared_bytes) {
  require_value(block_size > 0);
  if (block_size > function.kernel->max_threads) return 0;
  int blocks =
      std::min(device_attribute(CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR),
               device_attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR) / block_size);
  if (shared_bytes > 0)
    blocks = std::min(blocks,
                      device_attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR) /
                          static_cast<int>(shared_bytes));
  return blocks;
}

}  // namespace

SECATEUR_SIM_EXPORT CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return load("cuModuleLoadData", module, image);
}

SECATEUR_SIM_EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned,
                                                CUjit_option*, void**) {
  return load("cuModuleLoadDataEx", module, image);
}

SECATEUR_SIM_EXPORT CUresult cuModuleLoad(CUmodule* module, const char* path) {
  if (!path) return CUDA_ERROR_INVALID_VALUE;
  std::ifstream file(path, std::ios::binary);
  if (!file) return CUDA_ERROR_FILE_NOT_FOUND;
  std::string image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return load("cuModuleLoad", module, image.c_str());
}

SECATEUR_SIM_EXPORT CUresult cuModuleUnload(CUmodule handle) {
  return call("cuModuleUnload", Needs::kContext, [&](State&) {
    const auto module = require<Module>(handle);
    for (const auto& [name, function] : module->functions) handles::remove(function);
    handles::remove(handle);
  });
}

SECATEUR_SIM_EXPORT CUresult cuModuleGetFunction(CUfunction* handle, CUmodule module_handle,
                                                 const char* name) {
  return call("cuModuleGetFunction", Needs::kContext, [&](State&) {
    require_value(handle && name);
    const auto module = require<Module>(module_handle);
    const KernelInfo* kernel = find_kernel(name);
    if (!kernel) refuse(CUDA_ERROR_NOT_FOUND);
    CUfunction& known = module->functions[name];
    if (!known) {
      auto function = std::make_shared<Function>();
      function->module_handle = module_handle;
      function->context = module->context;
      function->kernel = kernel;
      function->dynamic_shared_limit =
          device_attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
      known = static_cast<CUfunction>(handles::add(Kind::kFunction, std::move(function)));
    }
    *handle = known;
  });
}

SECATEUR_SIM_EXPORT CUresult cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
  return call("cuModuleGetLoadingMode", Needs::kInit, [&](State&) {
    require_value(mode != nullptr);
    *mode = CU_MODULE_LAZY_LOADING;
  });
}

SECATEUR_SIM_EXPORT CUresult cuFuncGetModule(CUmodule* module, CUfunction function) {
  return call("cuFuncGetModule", Needs::kContext, [&](State&) {
    require_value(module != nullptr);
    *module = require<Function>(function)->module_handle;
  });
}

SECATEUR_SIM_EXPORT CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute,
                                                CUfunction handle) {
  return call("cuFuncGetAttribute", Needs::kContext, [&](State& all) {
    require_value(value != nullptr);
    const auto function = require<Function>(handle);
    switch (attribute) {
      case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        *value = function->kernel->max_threads;
        return;
      case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
        *value = function->dynamic_shared_limit;
        return;
      case CU_FUNC_ATTRIBUTE_PTX_VERSION:
      case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
        *value = 10 * all.limits.major + all.limits.minor;
        return;
      case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
      case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
        *value = 0;
        return;
      case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      case CU_FUNC_ATTRIBUTE_NUM_REGS:
      case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
        break;
    }
    refuse(CUDA_ERROR_INVALID_VALUE,
           "the simulator does not know function attribute " + std::to_string(attribute));
  });
}

SECATEUR_SIM_EXPORT CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute,
                                                int value) {
  return call("cuFuncSetAttribute", Needs::kContext, [&](State&) {
    const auto function = require<Function>(handle);
    if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) return;
    require_value(attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES && value >= 0 &&
                  value <= device_attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
    function->dynamic_shared_limit = value;
  });
}

SECATEUR_SIM_EXPORT CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y,
                                            unsigned grid_z, unsigned block_x, unsigned block_y,
                                            unsigned block_z, unsigned shared_bytes,
                                            CUstream stream_handle, void** parameters,
                                            void** extra) {
  return call("cuLaunchKernel", Needs::kContext, [&](State& all) {
    const auto function = require<Function>(handle);
    const auto stream = require_stream(stream_handle);
    if (function->context != stream->context)
      refuse(CUDA_ERROR_INVALID_HANDLE, "the kernel and the stream are of different contexts");
    const Dim3 grid{grid_x, grid_y, grid_z}, block{block_x, block_y, block_z};
    check_geometry(*function, grid, block, shared_bytes, all.limits);
    auto params = copy_parameters(*function->kernel, parameters, extra);
    const bool captures = capturing(*stream), fails = !captures && launch_fails();
    if (!captures) all.counters.launches++;
    const auto item =
        submit(stream, make_kernel(*function->kernel, grid, block, std::move(params)));
    if (fails) item->fails = true;
  });
}

SECATEUR_SIM_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                                         CUfunction function,
                                                                         int block_size,
                                                                         size_t shared_bytes) {
  return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", Needs::kContext, [&](State&) {
    require_value(blocks != nullptr);
    *blocks = active_blocks(*require<Function>(function), block_size, shared_bytes);
  });
}

SECATEUR_SIM_EXPORT CUresult cuOccupancyMaxPotentialBlockSize(int* min_grid_size, int* block_size,
                                                              CUfunction handle,
                                                              CUoccupancyB2DSize shared_bytes_of,
                                                              size_t shared_bytes, int limit) {
  return call("cuOccupancyMaxPotentialBlockSize", Needs::kContext, [&](State& all) {
    require_value(min_grid_size && block_size && limit >= 0);
    const auto function = require<Function>(handle);
    int most = function->kernel->max_threads, best = 0;
    if (limit > 0) most = std::min(most, limit);
    for (int size = most / 32 * 32; size > 0; size -= 32) {
      const size_t shared = shared_bytes_of ? shared_bytes_of(size) : shared_bytes;
      const int blocks = active_blocks(*function, size, shared);
      if (blocks * size <= best) continue;
      best = blocks * size;
      *block_size = size;
      *min_grid_size = blocks * all.limits.multiprocessors;
    }
    require_value(best > 0);
  });
}
