// A driver that lacks a function is refused by name.
#include "check.h"

int main() {
  secateur_device* device = nullptr;
  CHECK_STATUS(SECATEUR_UNAVAILABLE, secateur_device_open(SECATEUR_CUDA, 0, &device));
  CHECK_NOTE(strstr(secateur_last_error(), "cuLaunchKernel") != nullptr, "%s",
             secateur_last_error());
  CHECK_NOTE(strstr(secateur_last_error(), "525") != nullptr, "%s", secateur_last_error());
  CHECK(device == nullptr);
  return 0;
}
