// Finds work of two streams that touches the same bytes of device memory, one of them writing, and
// that nothing orders: a missing event.
//
// Memory is kept as segments, each with its last write and the reads since. Cost: O(log segments)
// an access of a range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/driver/clock.h"

namespace sim {

// One piece of work's touch: when, in its stream's slot, and who.
struct Touch {
  uint32_t slot = 0, time = 0;
  std::shared_ptr<const std::string> who;  // "kernel secateur_fill on stream 0x…"
};

class Order {
 public:
  // Notes that `touch`, before which lies `clock`, reads or writes [begin, begin + bytes). Returns
  // "", or the sentence that says with which other work it races.
  std::string note(uintptr_t begin, size_t bytes, bool write, const Touch& touch,
                   const Clock& clock);
  // The bytes are new: nothing has touched them.
  void forget(uintptr_t begin, size_t bytes);
  void clear() { segments_.clear(); }

 private:
  struct Segment {
    uintptr_t end = 0;
    Touch write;  // slot and time 0: none
    std::vector<Touch> reads;
  };
  using Segments = std::map<uintptr_t, Segment>;

  void split(uintptr_t at);
  Segments segments_;
};

}  // namespace sim
