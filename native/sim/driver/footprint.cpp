#include "sim/driver/footprint.h"

#include <algorithm>

namespace sim {

void Footprint::touch(const void* address, size_t bytes, bool write) {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(address), end = begin + bytes;
  // In steps up to the next multiple of 64.
  for (uintptr_t at = begin, next; at < end; at = next) {
    next = std::min(end, (at / 64 + 1) * 64);
    if (at / kPage != last_) {
      last_ = at / kPage;
      page_ = &pages_[last_];
    }
    const uint64_t ones = next - at == 64 ? ~uint64_t{0} : (uint64_t{1} << (next - at)) - 1;
    uint64_t* const words = write ? page_->written : page_->read;
    words[at % kPage / 64] |= ones << at % 64;
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
