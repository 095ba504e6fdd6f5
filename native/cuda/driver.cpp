#include "cuda/driver.h"

#include <dlfcn.h>

#include "abi/error.h"

namespace secateur::cuda {
namespace {

constexpr const char* kLibrary = "libcuda.so.1";
constexpr int kOldest = 12000;  // CUDA 12.0, whose driver is 525

// Where the library that holds `symbol` was found.
std::string path_of(void* symbol) {
  Dl_info info;
  return dladdr(symbol, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : kLibrary;
}

void require_version(void* library, Driver& driver) {
  const auto get = reinterpret_cast<cuDriverGetVersion_t*>(dlsym(library, "cuDriverGetVersion"));
  if (get == nullptr) {
    fail(SECATEUR_UNAVAILABLE,
         "%s, found by that name, is no NVIDIA driver: it lacks cuDriverGetVersion; take it off "
         "the library path.",
         kLibrary);
  }
  driver.path = path_of(reinterpret_cast<void*>(get));
  const CUresult result = get(&driver.version);
  // The toolkit's stub library, for linking only, answers so.
  if (result == CUDA_ERROR_STUB_LIBRARY) {
    fail(SECATEUR_UNAVAILABLE,
         "%s is the CUDA toolkit's stub, not a driver: take its folder off the library path and "
         "install the NVIDIA driver, version 525 or later.",
         driver.path.c_str());
  }
  if (result != CUDA_SUCCESS || driver.version < kOldest) {
    fail(SECATEUR_UNAVAILABLE,
         "The NVIDIA driver (%s) is too old: it supports CUDA %d.%d, and 12.0 is needed; install "
         "version 525 or later.",
         driver.path.c_str(), driver.version / 1000, driver.version % 1000 / 10);
  }
}

void find_functions(void* library, Driver& driver) {
#define SECATEUR_DRIVER_FIND(name)                                                        \
  driver.name = reinterpret_cast<decltype(driver.name)>(dlsym(library, #name));           \
  if (driver.name == nullptr) {                                                           \
    fail(SECATEUR_UNAVAILABLE,                                                            \
         "The NVIDIA driver (%s) lacks the function %s, though it says it supports CUDA " \
         "%d.%d; install it anew, version 525 or later.",                                 \
         driver.path.c_str(), #name, driver.version / 1000, driver.version % 1000 / 10);  \
  }
  SECATEUR_DRIVER_FUNCTIONS(SECATEUR_DRIVER_FIND)
#undef SECATEUR_DRIVER_FIND
}

const char* cure_of_init(CUresult result) {
  switch (result) {
    case CUDA_ERROR_NO_DEVICE:
      return "no NVIDIA GPU is visible: see nvidia-smi and CUDA_VISIBLE_DEVICES; in a container, "
             "pass the GPUs on";
    case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
      return "the library and the loaded kernel module are of different versions: reboot after the "
             "driver's update, or install both from one package";
    case CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE:
      return "the forward-compatibility package does not support this GPU: take it off the library "
             "path";
    case CUDA_ERROR_STUB_LIBRARY:
      return "this is the CUDA toolkit's stub, not a driver: take its folder off the library path";
    case CUDA_ERROR_SYSTEM_NOT_READY:
      return "the system is not ready: start NVIDIA's services (fabric manager, DCGM)";
    case CUDA_ERROR_OPERATING_SYSTEM:
      return "the operating system refused: are /dev/nvidia* there and open to this user?";
    default:
      return "see nvidia-smi and the system's log";
  }
}

Driver load() {
  // Never closed: the driver keeps threads of its own.
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    fail(SECATEUR_UNAVAILABLE,
         "No CUDA device, as no NVIDIA driver was found (%s): install the NVIDIA driver, version "
         "525 or "
         "later.",
         dlerror());
  }
  Driver driver;
  require_version(library, driver);
  find_functions(library, driver);
  const CUresult result = driver.cuInit(0);
  if (result != CUDA_SUCCESS) {
    fail(SECATEUR_UNAVAILABLE, "The NVIDIA driver (%s) cannot start, %s: %s.", driver.path.c_str(),
         driver.describe(result).c_str(), cure_of_init(result));
  }
  return driver;
}

}  // namespace

const Driver& Driver::get() {
  static const Driver driver = load();  // tried again where it threw
  return driver;
}

std::string Driver::describe(CUresult result) const {
  const char* name = nullptr;
  const char* text = nullptr;
  if (cuGetErrorName(result, &name) != CUDA_SUCCESS || name == nullptr) {
    return "CUresult " + std::to_string(static_cast<int>(result));
  }
  std::string sentence = name;
  if (cuGetErrorString(result, &text) == CUDA_SUCCESS && text != nullptr) {
    sentence += std::string(" (") + text + ")";
  }
  return sentence;
}

secateur_status status_of(CUresult result) {
  switch (result) {
    case CUDA_SUCCESS:
      return SECATEUR_OK;
    case CUDA_ERROR_OUT_OF_MEMORY:
      return SECATEUR_OUT_OF_MEMORY;
    // Errors that stay: every later call in the context fails the same way.
    case CUDA_ERROR_DEINITIALIZED:
    case CUDA_ERROR_DEVICE_UNAVAILABLE:
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_NVLINK_UNCORRECTABLE:
    case CUDA_ERROR_CONTAINED:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_CONTEXT_IS_DESTROYED:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_MPS_CLIENT_TERMINATED:
    case CUDA_ERROR_EXTERNAL_DEVICE:
    case CUDA_ERROR_UNKNOWN:
      return SECATEUR_DEVICE_LOST;
    // What a caller can pass: a stream of another context or in a capture, a pointer.
    case CUDA_ERROR_INVALID_VALUE:
    case CUDA_ERROR_INVALID_CONTEXT:
    case CUDA_ERROR_INVALID_HANDLE:
    case CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED:
    case CUDA_ERROR_STREAM_CAPTURE_INVALIDATED:
    case CUDA_ERROR_STREAM_CAPTURE_MERGE:
    case CUDA_ERROR_STREAM_CAPTURE_UNMATCHED:
    case CUDA_ERROR_STREAM_CAPTURE_UNJOINED:
    case CUDA_ERROR_STREAM_CAPTURE_ISOLATION:
    case CUDA_ERROR_STREAM_CAPTURE_IMPLICIT:
    case CUDA_ERROR_CAPTURED_EVENT:
    case CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD:
      return SECATEUR_INVALID_ARGUMENT;
    default:
      return SECATEUR_INTERNAL;
  }
}

void ContextGuard::push(CUcontext context) {
  const CUresult result = driver_.cuCtxPushCurrent_v2(context);
  if (result != CUDA_SUCCESS) {
    fail(status_of(result) == SECATEUR_DEVICE_LOST ? SECATEUR_DEVICE_LOST : SECATEUR_INTERNAL,
         "The GPU's primary context cannot be made current, %s: did another library reset the "
         "GPU?",
         driver_.describe(result).c_str());
  }
  pushed_ = true;
}

void ContextGuard::pop() noexcept {
  CUcontext popped = nullptr;
  driver_.cuCtxPopCurrent_v2(&popped);
}

}  // namespace secateur::cuda
