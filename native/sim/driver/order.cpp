#include "sim/driver/order.h"

#include <cstdio>

namespace sim {

namespace {

bool ordered(const Touch& before, const Clock& clock) {
  return before.time == 0 || clock.at(before.slot) >= before.time;
}

std::string race(uintptr_t begin, uintptr_t end, const char* first, const Touch& before,
                 const char* second, const Touch& touch) {
  char bytes[64];
  snprintf(bytes, sizeof bytes, "%zu bytes at %p", size_t(end - begin),
           reinterpret_cast<void*>(begin));
  return *before.who + " " + first + " and " + *touch.who + " " + second + " " + bytes +
         ", and no event orders them; record an event after the first and let the second's stream "
         "wait for it";
}

}  // namespace

// Makes `at` a border between segments.
void Order::split(uintptr_t at) {
  auto after = segments_.upper_bound(at);
  if (after == segments_.begin()) return;
  auto& [start, segment] = *std::prev(after);
  if (start == at || segment.end <= at) return;
  Segment tail = segment;
  segment.end = at;
  segments_.emplace(at, std::move(tail));
}

std::string Order::note(uintptr_t begin, size_t bytes, bool write, const Touch& touch,
                        const Clock& clock) {
  if (bytes == 0) return "";
  const uintptr_t end = begin + bytes;
  split(begin);
  split(end);
  std::string found;

  if (write) {
    auto first = segments_.lower_bound(begin), last = first;
    for (; last != segments_.end() && last->first < end; ++last) {
      const Segment& segment = last->second;
      if (!found.empty()) continue;
      if (!ordered(segment.write, clock))
        found = race(last->first, segment.end, "writes", segment.write, "writes", touch);
      for (const Touch& read : segment.reads)
        if (found.empty() && !ordered(read, clock))
          found = race(last->first, segment.end, "reads", read, "writes", touch);
    }
    segments_.erase(first, last);
    segments_[begin] = {end, touch, {}};
    return found;
  }

  // A read joins those of each segment, and takes the place of reads ordered before it. Gaps become
  // segments without a write.
  uintptr_t at = begin;
  for (auto next = segments_.lower_bound(begin); at < end;) {
    if (next == segments_.end() || next->first > at) {
      const uintptr_t gap = next == segments_.end() ? end : std::min(end, next->first);
      segments_.emplace_hint(next, at, Segment{gap, {}, {touch}});
      at = gap;
      continue;
    }
    Segment& segment = next->second;
    if (found.empty() && !ordered(segment.write, clock))
      found = race(at, segment.end, "writes", segment.write, "reads", touch);
    size_t kept = 0;
    for (const Touch& read : segment.reads)
      if (!ordered(read, clock)) segment.reads[kept++] = read;
    segment.reads.resize(kept);
    segment.reads.push_back(touch);
    at = segment.end;
    ++next;
  }
  return found;
}

void Order::forget(uintptr_t begin, size_t bytes) {
  split(begin);
  split(begin + bytes);
  segments_.erase(segments_.lower_bound(begin), segments_.lower_bound(begin + bytes));
}

}  // namespace sim
