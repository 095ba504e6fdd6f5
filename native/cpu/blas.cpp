// Loads a CBLAS library. Its symbols stay private to the handle, so another copy in the process (of
// NumPy, say) is not disturbed. The library is never unloaded: products may be running.
#include "blas.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "abi/error.h"

namespace secateur {
namespace {

std::atomic<CblasSgemm> sgemm{nullptr};
std::atomic<CblasSgemv> sgemv{nullptr};
std::atomic<bool> small_products{false};

std::mutex load_mutex;  // guards the texts below while they are written
char config[256] = "";
char core[64] = "";

template <class Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

void keep_text(void* library, const char* getter, char* text, size_t capacity) {
  const auto get = find<char* (*)()>(library, getter);
  const char* const value = get == nullptr ? nullptr : get();
  std::snprintf(text, capacity, "%s", value == nullptr ? "" : value);
}

void load(const char* path) {
  SECATEUR_REQUIRE(path != nullptr, "The path of the BLAS library is NULL.");
  const std::lock_guard<std::mutex> lock(load_mutex);
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    fail(SECATEUR_UNAVAILABLE, "The BLAS library %s cannot be loaded: %s.", path,
         reason == nullptr ? "unknown reason" : reason);
  }
  const auto product = find<CblasSgemm>(library, "cblas_sgemm");
  const auto vector_product = find<CblasSgemv>(library, "cblas_sgemv");
  if (product == nullptr || vector_product == nullptr) {
    dlclose(library);
    fail(SECATEUR_UNAVAILABLE, "The library %s has no %s; give a CBLAS such as OpenBLAS.", path,
         product == nullptr ? "cblas_sgemm" : "cblas_sgemv");
  }
  if (const auto set = find<void (*)(int)>(library, "openblas_set_num_threads")) set(1);
  keep_text(library, "openblas_get_config", config, sizeof config);
  keep_text(library, "openblas_get_corename", core, sizeof core);
  bool small = false;
  for (const char* name : {"SkylakeX", "Cooperlake", "SapphireRapids"}) {
    small = small || std::strcmp(core, name) == 0;
  }
  small_products.store(small, std::memory_order_release);
  sgemv.store(vector_product, std::memory_order_release);
  sgemm.store(product, std::memory_order_release);
}

}  // namespace

CblasSgemm cblas_sgemm() noexcept { return sgemm.load(std::memory_order_acquire); }

CblasSgemv cblas_sgemv() noexcept { return sgemv.load(std::memory_order_acquire); }

bool cblas_has_small_products() noexcept { return small_products.load(std::memory_order_acquire); }

}  // namespace secateur

secateur_status secateur_blas_load(const char* path) {
  return secateur::guard([&] { secateur::load(path); });
}

const char* secateur_blas_config(void) { return secateur::config; }

const char* secateur_blas_core(void) { return secateur::core; }
