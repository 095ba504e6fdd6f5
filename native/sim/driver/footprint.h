// Which bytes of device memory a kernel read and wrote, to the byte.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "sim/engine.h"

namespace sim {

class Footprint final : public AccessLog {
 public:
  struct Run {
    uintptr_t begin, end;
    bool written;
  };

  void touch(const void* address, size_t bytes, bool write) override;
  // Maximal runs; bytes both read and written are among those written.
  std::vector<Run> runs() const;

 private:
  static constexpr size_t kPage = 4096;
  struct Page {
    uint64_t read[kPage / 64] = {}, written[kPage / 64] = {};  // one bit a byte
  };
  std::map<uintptr_t, Page> pages_;
  uintptr_t last_ = UINTPTR_MAX;  // page touched last
  Page* page_ = nullptr;
};

}  // namespace sim
