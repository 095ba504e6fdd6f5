#include "cuda/kernel.h"

#include <utility>

namespace secateur::cuda {
namespace {

// Kernels are objects of static storage in many files: the list is made by whichever comes first.
std::vector<const KernelBase*>& registry() {
  static std::vector<const KernelBase*> kernels;
  return kernels;
}

}  // namespace

KernelBase::KernelBase(const char* name, std::vector<size_t> sizes)
    : name_(name), sizes_(std::move(sizes)), id_(static_cast<int>(registry().size())) {
  registry().push_back(this);
}

const std::vector<const KernelBase*>& KernelBase::all() { return registry(); }

}  // namespace secateur::cuda
