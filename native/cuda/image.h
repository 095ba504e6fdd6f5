// The kernel image: what image/image.cmake compiled of kernels/*.cu, embedded in the library, and
// its loading.
#pragma once

#include <cstddef>
#include <vector>

#include "cuda/driver.h"

namespace secateur::cuda {

// One file of the image.
struct Entry {
  enum Kind { kCubin, kPtx };

  const char* topic;  // kernels/<topic>.cu
  Kind kind;
  int architecture;            // 10 * major + minor
  const unsigned char* begin;  // of PTX: a text whose end is a zero byte
  const unsigned char* end;

  size_t size() const { return static_cast<size_t>(end - begin); }
};

// A topic's entries stand together. Without nvcc there are none.
extern const Entry kEntries[];
extern const size_t kEntryCount;

// Loads all topics into the current context: of each the cubin that runs on the GPU (same major
// version, the highest minor one not above the GPU's) or, where there is none or the driver refuses
// it, the PTX. Without entries, hands the driver an image without kernels: NVIDIA's refuses it.
// Throws UNAVAILABLE, all unloaded.
std::vector<CUmodule> load_image(const Driver& driver, int major, int minor);

}  // namespace secateur::cuda
