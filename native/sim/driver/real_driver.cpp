#include "sim/driver/real_driver.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace sim {

namespace {

// Names of NVIDIA's libraries whose stand-ins the simulator has.
bool nvidia_name(const std::string& name) {
  for (const char* each : {"libcuda.so", "libcublas.so", "libcublasLt.so", "libcusparse.so",
                           "libnvidia-ml.so", "libnvidia-ptxjitcompiler.so"})
    if (name.compare(0, strlen(each), each) == 0) return true;
  return false;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// The folder of this library; its stand-ins for cuBLAS and cuSPARSE lie there or in the one above.
std::string own_folder() {
  Dl_info info;
  char* real = dladdr(reinterpret_cast<void*>(&real_driver), &info) && info.dli_fname
                   ? realpath(info.dli_fname, nullptr)
                   : nullptr;
  const std::string folder = real ? folder_of(real) : "";
  free(real);
  return folder;
}

}  // namespace

std::string real_driver(const char* device, const char* maps) {
  if (access(device, F_OK) == 0)
    return std::string("this machine has an NVIDIA driver (") + device +
           "); take the simulator's folder off the library path to use the GPU";
  const std::string own = own_folder();
  std::ifstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    const std::string path = line.substr(slash), folder = folder_of(path);
    if (!nvidia_name(path.substr(folder.size() + 1))) continue;
    if (folder == own || folder == folder_of(own)) continue;
    return "it does not run beside " + path +
           ", which this process has loaded; take that library's folder, or the simulator's, off "
           "the library path";
  }
  return "";
}

}  // namespace sim
