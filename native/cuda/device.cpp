#include "cuda/device.h"

#include <memory>

#include "abi/error.h"
#include "abi/open.h"
#include "cuda/image.h"

namespace secateur::cuda {
namespace {

constexpr int kOldestMajor = 7, kOldestMinor = 5;  // the PTX of the image

void require_open(const Driver& driver, CUresult result, int32_t ordinal, const char* operation) {
  if (result == CUDA_SUCCESS) return;
  const char* cure = "see nvidia-smi and the system's log";
  if (result == CUDA_ERROR_OUT_OF_MEMORY) cure = "end other programs that use the GPU's memory";
  if (status_of(result) == SECATEUR_DEVICE_LOST) {
    cure = "an earlier fault lost the GPU to this process: start the process again";
  }
  if (result == CUDA_ERROR_DEVICE_UNAVAILABLE) {
    cure = "another process holds the GPU alone: end it, or set the GPU's compute mode to default";
  }
  fail(result == CUDA_ERROR_OUT_OF_MEMORY ? SECATEUR_OUT_OF_MEMORY : SECATEUR_UNAVAILABLE,
       "%s of CUDA device %d failed, %s: %s.", operation, ordinal, driver.describe(result).c_str(),
       cure);
}

int attribute(const Driver& driver, CUdevice_attribute which, CUdevice gpu, int32_t ordinal) {
  int value = 0;
  require_open(driver, driver.cuDeviceGetAttribute(&value, which, gpu), ordinal,
               "Reading the attributes");
  return value;
}

CUdevice find_gpu(const Driver& driver, int32_t ordinal) {
  int count = 0;
  require_open(driver, driver.cuDeviceGetCount(&count), ordinal, "Counting");
  if (ordinal < 0 || ordinal >= count) {
    fail(SECATEUR_UNAVAILABLE,
         "There is no CUDA device %d: the driver sees %d, numbered from 0; see nvidia-smi and "
         "CUDA_VISIBLE_DEVICES.",
         ordinal, count);
  }
  CUdevice gpu = 0;
  require_open(driver, driver.cuDeviceGet(&gpu, ordinal), ordinal, "Finding");
  return gpu;
}

}  // namespace

CudaDevice* CudaDevice::open(int32_t ordinal) {
  const Driver& driver = Driver::get();
  // Its destructor undoes what was done when a step throws.
  std::unique_ptr<CudaDevice> device(new CudaDevice);
  device->driver_ = &driver;
  device->ordinal_ = ordinal;
  device->gpu_ = find_gpu(driver, ordinal);
  char name[128] = "";
  require_open(driver, driver.cuDeviceGetName(name, sizeof name, device->gpu_), ordinal, "Naming");
  device->name_ = name;
  const auto value = [&](CUdevice_attribute which) {
    return attribute(driver, which, device->gpu_, ordinal);
  };
  const int major = value(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  const int minor = value(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  if (major < kOldestMajor || (major == kOldestMajor && minor < kOldestMinor)) {
    fail(SECATEUR_UNAVAILABLE,
         "CUDA device %d (%s) has compute capability %d.%d, and %d.%d is needed: use a GPU of the "
         "Turing generation or later, or the CPU device.",
         ordinal, name, major, minor, kOldestMajor, kOldestMinor);
  }
  device->multiprocessors_ = value(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  require_open(driver, driver.cuDevicePrimaryCtxRetain(&device->context_, device->gpu_), ordinal,
               "Retaining the primary context");
  const ContextGuard current(driver, device->context_);
  device->modules_ = load_image(driver, major, minor);
  device->find_kernels();
  CUdeviceptr scratch = 0;
  require_open(driver, driver.cuMemAlloc_v2(&scratch, kScratchBytes), ordinal,
               "Allocating the scratch memory");
  device->scratch_ = reinterpret_cast<void*>(scratch);
  return device.release();
}

void CudaDevice::find_kernels() {
  for (const KernelBase* kernel : KernelBase::all()) {
    CUfunction function = nullptr;
    for (size_t i = 0; i < modules_.size() && function == nullptr; ++i) {
      const CUresult result = driver_->cuModuleGetFunction(&function, modules_[i], kernel->name());
      if (result != CUDA_SUCCESS) function = nullptr;
      if (result != CUDA_ERROR_NOT_FOUND) require(result, "Finding a kernel");
    }
    if (function == nullptr) {
      fail(SECATEUR_UNAVAILABLE,
           "The kernel image lacks %s: the library and its GPU code are of different builds; build "
           "again.",
           kernel->name());
    }
    functions_.push_back(function);
  }
}

CudaDevice::~CudaDevice() {
  if (context_ == nullptr) return;
  // A lost device fails every call, and nothing more can be done for it.
  try {
    const ContextGuard current(*driver_, context_);
    driver_->cuCtxSynchronize();
    for (const auto& block : blocks_) {
      driver_->cuMemFree_v2(reinterpret_cast<CUdeviceptr>(block.first));
    }
    if (scratch_ != nullptr) driver_->cuMemFree_v2(reinterpret_cast<CUdeviceptr>(scratch_));
    for (CUmodule module : modules_) driver_->cuModuleUnload(module);
  } catch (const Error&) {
  }
  driver_->cuDevicePrimaryCtxRelease_v2(gpu_);
}

secateur_device_kind CudaDevice::kind() const { return SECATEUR_CUDA; }

void CudaDevice::require_stream(const void*) const {}

void CudaDevice::require_closable() const {
  if (lost_.load(std::memory_order_relaxed)) return;  // its memory went with it
  const std::lock_guard<std::mutex> lock(mutex_);
  SECATEUR_REQUIRE(blocks_.empty(),
                   "The device still has %zu live allocations; free them before closing it.",
                   blocks_.size());
}

}  // namespace secateur::cuda

namespace secateur {

secateur_device* open_cuda_device(int32_t ordinal) { return cuda::CudaDevice::open(ordinal); }

}  // namespace secateur
