#include "sim/driver/footprint.h"

#include <algorithm>

namespace sim {

void Footprint::touch(const void* address, size_t bytes, bool write) {
  uintptr_t at = reinterpret_cast<uintptr_t>(address);
  while (bytes > 0) {
    if (at / kPage != last_) {
      last_ = at / kPage;
      page_ = &pages_[last_];
    }
    // Up to the next multiple of 64.
    const size_t bit = at % 64, count = std::min<size_t>(bytes, 64 - bit);
    const uint64_t mask = (count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << bit;
    (write ? page_->written : page_->read)[at % kPage / 64] |= mask;
    at += count;
    bytes -= count;
  }
}

std::vector<Footprint::Run> Footprint::runs() const {
  std::vector<Run> all;
  for (const auto& [number, page] : pages_) {
    for (size_t i = 0; i < kPage; i++) {
      const uint64_t bit = uint64_t{1} << i % 64;
      const bool written = page.written[i / 64] & bit;
      if (!written && !(page.read[i / 64] & bit)) continue;
      const uintptr_t at = number * kPage + i;
      if (!all.empty() && all.back().end == at && all.back().written == written)
        all.back().end++;
      else
        all.push_back({at, at + 1, written});
    }
  }
  return all;
}

}  // namespace sim
