// Vector clocks: what is known to have happened before what.
//
// Each stream ticks a place ("slot") of its own with each piece of work. A piece of work carries
// the clock of all that is ordered before it: its stream's past, events waited for, what the host
// had waited for when it queued the work. Work A is ordered before work B if B's clock has reached
// A's time in A's slot.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sim {

class Clock {
 public:
  uint32_t at(uint32_t slot) const { return slot < times_.size() ? times_[slot] : 0; }

  void join(const Clock& other) {
    if (times_.size() < other.times_.size()) times_.resize(other.times_.size());
    for (size_t i = 0; i < other.times_.size(); i++)
      times_[i] = std::max(times_[i], other.times_[i]);
  }

  // The slot's next time, which is returned.
  uint32_t tick(uint32_t slot) {
    if (times_.size() <= slot) times_.resize(slot + 1);
    return ++times_[slot];
  }

  void reach(uint32_t slot, uint32_t time) {
    if (times_.size() <= slot) times_.resize(slot + 1);
    times_[slot] = std::max(times_[slot], time);
  }

 private:
  std::vector<uint32_t> times_;
};

}  // namespace sim
