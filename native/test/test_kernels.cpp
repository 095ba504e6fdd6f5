// Launchers, GPU code and simulator agree on every kernel: its name, the size of each parameter and
// the most threads a block. Nothing checks these at a launch.
#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "check.h"
#include "cuda/image.h"
#include "cuda/kernel.h"
#ifdef WITH_SIMULATOR
#include "sim/engine.h"
#endif

namespace {

struct Signature {
  std::vector<size_t> sizes;
  int threads = 0;  // 0: not known there

  std::string describe() const {
    std::string text = "(";
    for (size_t size : sizes) text += std::to_string(size) + " ";
    return text + "bytes), " + std::to_string(threads) + " threads";
  }
};
using Signatures = std::map<std::string, Signature>;

Signatures of_launchers() {
  Signatures found;
  for (const auto* kernel : secateur::cuda::KernelBase::all()) {
    CHECK_NOTE(found.count(kernel->name()) == 0, "%s has two launchers", kernel->name());
    found[kernel->name()].sizes = kernel->parameter_sizes();
  }
  return found;
}

// ".param .u64 NAME", ".param .align 8 .b8 NAME[40]" -> bytes. Digits of the type, times elements.
size_t parameter_bytes(const std::string& declaration) {
  size_t type = declaration.find_first_of("0123456789");
  if (declaration.compare(0, 14, ".param .align ") == 0) {
    type = declaration.find_first_of("0123456789", declaration.find(" .", 14));
  }
  const size_t bracket = declaration.find('[');
  const size_t elements =
      bracket == std::string::npos ? 1 : std::stoul(declaration.substr(bracket + 1));
  return std::stoul(declaration.substr(type)) / 8 * elements;
}

// Reads ".entry NAME( parameters )" and the ".maxntid THREADS, 1, 1" that follows.
void read_ptx(const std::string& text, Signatures& found) {
  for (size_t at = text.find(".entry "); at != std::string::npos; at = text.find(".entry ", at)) {
    at += 7;
    const size_t open = text.find('(', at), close = text.find(')', open);
    Signature& kernel = found[text.substr(at, open - at)];
    for (size_t p = text.find(".param", open); p < close; p = text.find(".param", p + 1)) {
      kernel.sizes.push_back(parameter_bytes(text.substr(p, text.find('\n', p) - p)));
    }
    const size_t limit = text.find(".maxntid ", close);
    CHECK_NOTE(limit < text.find('{', close), "%s has no bound of its threads",
               text.substr(at, open - at).c_str());
    kernel.threads = std::stoi(text.substr(limit + 9));
  }
}

Signatures of_image() {
  Signatures found;
  for (size_t i = 0; i < secateur::cuda::kEntryCount; ++i) {
    const secateur::cuda::Entry& entry = secateur::cuda::kEntries[i];
    if (entry.kind == secateur::cuda::Entry::kPtx) {
      CHECK(*entry.end == 0);
      read_ptx(reinterpret_cast<const char*>(entry.begin), found);
    }
  }
  return found;
}

#ifdef WITH_SIMULATOR
Signatures of_simulator() {
  Signatures found;
  for (const sim::KernelInfo* kernel : sim::kernels()) {
    Signature& signature = found[kernel->name];
    signature.sizes.assign(kernel->sizes.begin(), kernel->sizes.end());
    signature.threads = kernel->max_threads;
  }
  return found;
}
#endif

void compare(const char* name_a, const Signatures& a, const char* name_b, const Signatures& b) {
  for (const auto& entry : a) {
    const auto other = b.find(entry.first);
    CHECK_NOTE(other != b.end(), "%s is in %s, but not in %s", entry.first.c_str(), name_a, name_b);
    CHECK_NOTE(entry.second.sizes == other->second.sizes, "%s: %s in %s, %s in %s",
               entry.first.c_str(), entry.second.describe().c_str(), name_a,
               other->second.describe().c_str(), name_b);
    CHECK_NOTE(entry.second.threads == 0 || other->second.threads == 0 ||
                   entry.second.threads == other->second.threads,
               "%s: %s in %s, %s in %s", entry.first.c_str(), entry.second.describe().c_str(),
               name_a, other->second.describe().c_str(), name_b);
  }
  for (const auto& entry : b) {
    CHECK_NOTE(a.count(entry.first) == 1, "%s is in %s, but not in %s", entry.first.c_str(), name_b,
               name_a);
  }
  std::printf("%zu kernels agree in %s and %s\n", a.size(), name_a, name_b);
}

void reads_declarations() {
  CHECK(parameter_bytes(".param .u64 secateur_3d_param_0,") == 8);
  CHECK(parameter_bytes(".param .f32 a") == 4);
  CHECK(parameter_bytes(".param .align 8 .b8 a_param_1[200]") == 200);
  CHECK(parameter_bytes(".param .u64 .ptr .global .align 1 a_param_1,") == 8);
  CHECK(parameter_bytes(".param .u8 a") == 1);
}

}  // namespace

int main() {
  reads_declarations();
  const Signatures launchers = of_launchers();
  int compared = 0;
  if (secateur::cuda::kEntryCount > 0) {
    compare("the launchers", launchers, "the kernel image", of_image());
    ++compared;
  }
#ifdef WITH_SIMULATOR
  compare("the launchers", launchers, "the simulator", of_simulator());
  if (compared > 0) compare("the kernel image", of_image(), "the simulator", of_simulator());
  ++compared;
#endif
  if (compared == 0) {
    std::puts("skipped: built without nvcc and without the simulator");
    return 77;
  }
  return 0;
}
