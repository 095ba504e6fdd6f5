// A kernel's name and parameter types, as its launcher knows them: defined once, beside the
// launcher.
//
//   const Kernel<float, int64_t, float*> kFill("secateur_fill");
//
// Every kernel is found in the module when a device is opened, so that nothing is loaded lazily. A
// test compares names and parameter sizes with those of the PTX and of the simulator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace secateur::cuda {

class KernelBase {
 public:
  KernelBase(const char* name, std::vector<size_t> sizes);
  KernelBase(const KernelBase&) = delete;
  KernelBase& operator=(const KernelBase&) = delete;

  const char* name() const { return name_; }
  int id() const { return id_; }                                         // position in all()
  const std::vector<size_t>& parameter_sizes() const { return sizes_; }  // bytes

  static const std::vector<const KernelBase*>& all();

 private:
  const char* name_;
  std::vector<size_t> sizes_;
  int id_;
};

template <class... Params>
class Kernel : public KernelBase {
 public:
  explicit Kernel(const char* name) : KernelBase(name, {sizeof(Params)...}) {}
};

// Blocks and threads a block; a launch of no blocks does nothing.
struct Geometry {
  uint32_t blocks;
  uint32_t threads;
  uint32_t blocks_y = 1;
};

}  // namespace secateur::cuda
