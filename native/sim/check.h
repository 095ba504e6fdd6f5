// Checks of every access of a kernel (checked build): check.cpp holds what the compiler's
// instrumentation calls, check_race.h finds races. In the unchecked build these do nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine.h"

namespace sim {
class Worker;
}

namespace sim::check {

// Around a launch of this many blocks.
void launch_begins(uint64_t blocks, AccessLog* log);
Traffic launch_ended();

void block_begins(const Worker& worker);
// The block has declared its shared memory; nothing is written there.
void shared_declared(const Worker& worker);

// These bytes of device memory were freed: what was known of them goes.
void forget(const char* begin, size_t bytes);

}  // namespace sim::check
