#include "cuda/image.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "abi/error.h"

namespace secateur::cuda {
namespace {

// Given to the driver where there is no GPU code. No cubin, and as PTX a text that is none.
constexpr char kNoImage[] = "// built without nvcc: no kernels\n";

// Loads one file; log holds what the driver said of a PTX that it could not compile.
CUresult load(const Driver& driver, const void* data, CUmodule* module, std::string* log) {
  char text[1024] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {text, reinterpret_cast<void*>(sizeof text)};
  const CUresult result = driver.cuModuleLoadDataEx(module, data, 2, options, values);
  text[sizeof text - 1] = '\0';
  *log = text;
  std::replace(log->begin(), log->end(), '\n', ' ');
  return result;
}

// The cubin of [begin, end) that runs on the GPU and is nearest to it; end when there is none.
const Entry* nearest_cubin(const Entry* begin, const Entry* end, int major, int minor) {
  const Entry* best = end;
  for (const Entry* entry = begin; entry != end; ++entry) {
    if (entry->kind == Entry::kCubin && entry->architecture / 10 == major &&
        entry->architecture % 10 <= minor &&
        (best == end || entry->architecture > best->architecture)) {
      best = entry;
    }
  }
  return best;
}

// A driver older than the compiler refuses its cubins.
CUmodule load_topic(const Driver& driver, const Entry* begin, const Entry* end, int major,
                    int minor) {
  CUmodule module = nullptr;
  CUresult result = CUDA_ERROR_NO_BINARY_FOR_GPU;
  std::string log;
  const Entry* cubin = nearest_cubin(begin, end, major, minor);
  if (cubin != end) {
    result = load(driver, cubin->begin, &module, &log);
    if (result == CUDA_SUCCESS) return module;
  }
  for (const Entry* entry = begin; entry != end; ++entry) {
    if (entry->kind != Entry::kPtx) continue;
    result = load(driver, entry->begin, &module, &log);
    if (result == CUDA_SUCCESS) return module;
  }
  fail(status_of(result) == SECATEUR_OUT_OF_MEMORY ? SECATEUR_OUT_OF_MEMORY : SECATEUR_UNAVAILABLE,
       "The NVIDIA driver (%s, CUDA %d.%d) cannot load the kernels of %s.cu for compute capability "
       "%d.%d, %s: %s; install a newer driver.",
       driver.path.c_str(), driver.version / 1000, driver.version % 1000 / 10, begin->topic, major,
       minor, driver.describe(result).c_str(), log.empty() ? "it does not say why" : log.c_str());
}

CUmodule load_nothing(const Driver& driver) {
  CUmodule module = nullptr;
  std::string log;
  const CUresult result = load(driver, kNoImage, &module, &log);
  if (result != CUDA_SUCCESS) {
    fail(SECATEUR_UNAVAILABLE,
         "This build of Secateur has no GPU code, as it was built without nvcc: install the CUDA "
         "toolkit and build again.");
  }
  return module;
}

}  // namespace

std::vector<CUmodule> load_image(const Driver& driver, int major, int minor) {
  std::vector<CUmodule> modules;
  try {
    if (kEntryCount == 0) modules.push_back(load_nothing(driver));
    const Entry* const end = kEntries + kEntryCount;
    for (const Entry* begin = kEntries; begin != end;) {
      const Entry* next = begin;
      while (next != end && std::strcmp(next->topic, begin->topic) == 0) ++next;
      modules.push_back(load_topic(driver, begin, next, major, minor));
      begin = next;
    }
  } catch (...) {
    for (CUmodule module : modules) driver.cuModuleUnload(module);
    throw;
  }
  return modules;
}

}  // namespace secateur::cuda
