// Checks of every access of a kernel (checked build): check.cpp holds what the compiler's
// instrumentation calls, check_race.h finds races. In the unchecked build these do nothing.
#pragma once

#include <cstdint>

#include "engine.h"

namespace sim::check {

// Around a launch of this many blocks.
void launch_begins(uint64_t blocks, AccessLog* log);
Traffic launch_ended();

}  // namespace sim::check
