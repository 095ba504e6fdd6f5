// The simulator does not run where NVIDIA's driver does, lest its figures be taken for a GPU's.
#pragma once

#include <string>

namespace sim {

// "" when there is none, else what was found and the cure. The files are those of the system; a
// test gives others.
std::string real_driver(const char* device = "/dev/nvidiactl",
                        const char* maps = "/proc/self/maps");

}  // namespace sim
