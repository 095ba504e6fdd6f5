#include "sim/driver/image.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sim {

namespace {

constexpr unsigned kCudaMachine = 190;  // e_machine
constexpr int kNewestPtx = 85;          // .version 8.5, CUDA 12.6

// The architecture of a cubin, 75 for sm_75. Newer files (ABI version 8) keep it in the flags'
// second byte, older ones in the first.
int cubin_architecture(const unsigned char* elf) {
  unsigned flags;
  memcpy(&flags, elf + 48, sizeof flags);
  return static_cast<int>(elf[8] >= 8 ? flags >> 8 & 0xff : flags & 0xff);
}

Refusal check_cubin(const unsigned char* elf, int capability) {
  unsigned short machine;
  memcpy(&machine, elf + 18, sizeof machine);
  if (machine != kCudaMachine) return {CUDA_ERROR_INVALID_IMAGE, "an ELF file for no GPU"};
  const int architecture = cubin_architecture(elf);
  if (architecture / 10 != capability / 10 || architecture > capability)
    return {CUDA_ERROR_NO_BINARY_FOR_GPU, "a cubin for sm_" + std::to_string(architecture) +
                                              " does not run on sm_" + std::to_string(capability)};
  return {CUDA_SUCCESS, ""};
}

// The number after a directive, times ten where it is like 8.5; -1 without the directive.
int number_after(const char* text, const char* directive) {
  const char* found = strstr(text, directive);
  if (!found) return -1;
  int major = 0, minor = 0;
  if (sscanf(found + strlen(directive), "%d.%d", &major, &minor) == 2) return 10 * major + minor;
  return major;
}

Refusal check_ptx(const char* text, int capability) {
  const int version = number_after(text, ".version "), target = number_after(text, ".target sm_");
  if (version < 0 || target < 0) return {CUDA_ERROR_INVALID_PTX, "PTX without .version or .target"};
  if (version > kNewestPtx)
    return {CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "PTX of .version " + std::to_string(version / 10) +
                                                    "." + std::to_string(version % 10) +
                                                    "; CUDA 12.6 knows 8.5 at most"};
  if (target > capability)
    return {CUDA_ERROR_NO_BINARY_FOR_GPU, "PTX for sm_" + std::to_string(target) +
                                              " does not run on sm_" + std::to_string(capability)};
  return {CUDA_SUCCESS, ""};
}

bool comments_only(const char* text) {
  while (*text) {
    if (strncmp(text, "//", 2) == 0)
      text += strcspn(text, "\n");
    else if (!strchr(" \t\r\n", *text++))
      return false;
  }
  return true;
}

}  // namespace

Refusal check_image(const void* image, const Limits& limits) {
  const int capability = 10 * limits.major + limits.minor;
  const auto* bytes = static_cast<const unsigned char*>(image);
  if (memcmp(bytes, "\177ELF", 4) == 0) return check_cubin(bytes, capability);
  const char* text = static_cast<const char*>(image);
  for (const char* at = text; *at; at++)
    if (static_cast<unsigned char>(*at) < 9)
      return {CUDA_ERROR_INVALID_IMAGE, "neither a cubin nor PTX"};
  if (comments_only(text)) return {CUDA_SUCCESS, ""};
  if (!strstr(text, ".version")) return {CUDA_ERROR_INVALID_IMAGE, "neither a cubin nor PTX"};
  return check_ptx(text, capability);
}

}  // namespace sim
