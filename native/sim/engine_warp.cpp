// Warp collectives: lanes gather in a group until all that the mask names have come.
#include <algorithm>

#include "engine_block.h"
#include "engine_run.h"

namespace sim {

namespace {

constexpr uint64_t kPoisonBits = uint64_t{kPoison} << 32 | kPoison;

// The lane that a shuffle reads, as PTX defines it for shfl.sync.
uint32_t source_lane(const Thread& thread) {
  const uint32_t lane = thread.lane(), width = thread.width, argument = thread.argument & 31;
  const uint32_t first = lane & ~(width - 1), last = first + width - 1;
  switch (thread.meeting) {
    case Meeting::kShfl:
      return first | (argument & (width - 1));
    case Meeting::kShflUp:
      return lane < first + argument ? lane : lane - argument;
    case Meeting::kShflDown:
      return lane + argument > last ? lane : lane + argument;
    default:
      return (lane ^ argument) > last ? lane : lane ^ argument;
  }
}

bool is_shuffle(Meeting meeting) {
  return meeting == Meeting::kShfl || meeting == Meeting::kShflUp ||
         meeting == Meeting::kShflDown || meeting == Meeting::kShflXor;
}

template <class Body>
void for_lanes(uint32_t mask, const Body& body) {
  for (; mask != 0; mask &= mask - 1) body(static_cast<uint32_t>(__builtin_ctz(mask)));
}

}  // namespace

uint64_t Worker::collective(Meeting meeting, uint32_t mask, uint64_t value, uint32_t argument,
                            uint32_t width, Site site) {
  Thread& me = *current;
  Warp& mine = warp[me.warp()];
  const uint32_t bit = 1u << me.lane();
  if (meeting != Meeting::kActiveMask && (mask & bit) == 0) {
    fault(std::string(text(meeting)) + " (" + text(site) + "): its mask " + hex(mask) +
          " does not name its own lane " + std::to_string(me.lane()));
  }
  if (is_shuffle(meeting) && (width == 0 || width > kWarpSize || (width & (width - 1)) != 0)) {
    fault(std::string(text(meeting)) + " (" + text(site) + "): its width " +
          std::to_string(static_cast<int32_t>(width)) + " is not a power of two up to 32");
  }
  me.meeting = meeting;
  me.mask = mask;
  me.value = value;
  me.argument = argument;
  me.width = width;

  uint32_t g = 0;
  while (g < mine.groups && !(mine.group[g].meeting == meeting && mine.group[g].mask == mask &&
                              mine.group[g].site == site)) {
    ++g;
  }
  if (g == mine.groups) mine.group[mine.groups++] = {meeting, mask, 0, site};
  Group& group = mine.group[g];
  group.arrived |= bit;
  if (group.arrived != mask) {
    me.state = State::kWaiting;
    suspend(false);
    return me.value;
  }
  const Group whole = group;
  group = mine.group[--mine.groups];
  complete(me.warp(), whole);
  after_meeting();
  return me.value;
}

// Gives each lane that has arrived its result; all but the running one are ready then.
void Worker::complete(uint32_t of_warp, Group group) {
  Thread* const lanes = thread + of_warp * kWarpSize;
  uint64_t brought[kWarpSize];
  uint32_t ballot = 0;
  for_lanes(group.arrived, [&](uint32_t lane) {
    brought[lane] = lanes[lane].value;
    ballot |= brought[lane] != 0 ? 1u << lane : 0;
  });
  for_lanes(group.arrived, [&](uint32_t lane) {
    Thread& which = lanes[lane];
    switch (group.meeting) {
      case Meeting::kBallot:
        which.value = ballot;
        break;
      case Meeting::kAny:
        which.value = ballot != 0;
        break;
      case Meeting::kAll:
        which.value = ballot == group.arrived;
        break;
      case Meeting::kActiveMask:
        which.value = group.arrived;
        break;
      case Meeting::kMatchAny:
        which.value = 0;
        for_lanes(group.arrived, [&](uint32_t other) {
          if (brought[other] == brought[lane]) which.value |= 1u << other;
        });
        break;
      case Meeting::kSyncWarp:
        break;
      default: {
        const uint32_t source = source_lane(which);
        which.value = (group.arrived >> source & 1) != 0 ? brought[source] : kPoisonBits;
      }
    }
  });
  for (uint32_t rest = group.arrived; rest != 0;) {
    const uint32_t lane = 31 - static_cast<uint32_t>(__builtin_clz(rest));
    rest &= ~(1u << lane);
    if (lanes[lane].state == State::kWaiting) make_ready_first(lanes[lane]);
  }
  if (group.meeting == Meeting::kSyncWarp) order_lanes(warp[of_warp], group.arrived);
}

// What __syncwarp promises: whatever its lanes did before is ordered before what they do next.
// Shuffles and votes exchange values and promise nothing about memory.
void Worker::order_lanes(Warp& in, uint32_t mask) {
  const uint32_t now = clock++;
  if (mask == in.lanes) {
    in.all_known = now;
    return;
  }
  uint32_t joined[kWarpSize] = {};
  for_lanes(mask, [&](uint32_t lane) {
    for (uint32_t m = 0; m < kWarpSize; ++m) joined[m] = std::max(joined[m], in.known[lane][m]);
  });
  for_lanes(mask, [&](uint32_t lane) { joined[lane] = now; });
  for_lanes(mask, [&](uint32_t lane) {
    for (uint32_t m = 0; m < kWarpSize; ++m) in.known[lane][m] = joined[m];
  });
}

// __activemask answers when nobody can go on otherwise: lanes that could still come have come. A
// seeded run may split them, as hardware may.
bool Worker::settle_active_masks() {
  bool some = false;
  for (uint32_t w = 0; w * kWarpSize < threads; ++w) {
    for (uint32_t g = 0; g < warp[w].groups;) {
      Group& group = warp[w].group[g];
      if (group.meeting != Meeting::kActiveMask) {
        ++g;
        continue;
      }
      Group part = group;
      if (run->seed != 0) {
        const uint32_t chosen = group.arrived & (random(0xffffffffu) | random(0xffffffffu));
        if (chosen != 0) part.arrived = chosen;
      }
      group.arrived &= ~part.arrived;
      if (group.arrived == 0)
        group = warp[w].group[--warp[w].groups];
      else
        ++g;
      complete(w, part);
      some = true;
    }
  }
  return some;
}

}  // namespace sim
