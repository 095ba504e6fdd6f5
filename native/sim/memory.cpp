#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "check.h"
#include "memory_map.h"

namespace sim::memory {

Map map;

namespace {

constexpr size_t kGuard = 4096;
constexpr size_t kMaxExtents = size_t{1} << 26;
constexpr int kPoison = 0xff;  // NaN as a float, -1 as an integer

struct Arena {
  std::mutex mutex;
  size_t capacity = 0, live = 0, peak = 0;
  size_t top = 0;     // addresses below were given out
  size_t usable = 0;  // [0, usable) was opened before
  int opened = 0;
  uint32_t extents = 1;
  std::map<char*, uint32_t> blocks;  // live ones: index of their extent
};
// Never destroyed: queues may outlive static objects.
Arena& arena = *new Arena;

size_t round_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

void* reserve_addresses(size_t bytes, int protection) {
  void* const at =
      mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    perror("simulated CUDA device: no addresses for device memory");
    abort();
  }
  return at;
}

void protect(size_t begin, size_t end, int protection) {
  begin = begin / kGuard * kGuard;
  end = std::min(round_up(end, kGuard), map.span);
  if (end > begin && mprotect(map.base + begin, end - begin, protection) != 0) {
    perror("simulated CUDA device: cannot open or close device memory");
    abort();
  }
}

// Bytes of addresses that are used once before any is used again: all of them where every access is
// checked, so that a use after free is seen; else few, since the first touch of a page is slow.
size_t fresh_span() { return checked() ? map.span : std::min(map.span, size_t{256} << 20); }

// Offset for a block of this many bytes: never used before, else the lowest gap that fits.
bool find_place(size_t bytes, size_t* offset) {
  const size_t needed = round_up(bytes, kChunk) + kGuard;
  if (arena.top + needed <= fresh_span()) {
    *offset = arena.top;
    arena.top += needed;
    return true;
  }
  size_t gap = kGuard;
  for (const auto& [begin, index] : arena.blocks) {
    const auto at = static_cast<size_t>(begin - map.base);
    if (gap + needed <= at) break;
    gap = round_up(static_cast<size_t>(map.extent[index].end - map.base), kChunk) + kGuard;
  }
  *offset = gap;
  return gap + needed <= map.span;
}

void clear_written(const char* begin, size_t bytes) {
  // Blocks begin at multiples of 8 and no two share a byte of the marks.
  memset(map.written + (begin - map.base) / 8, 0, (bytes + 7) / 8);
}

void forget(char* begin, uint32_t index) {
  Extent& extent = map.extent[index];
  const auto bytes = static_cast<size_t>(extent.end - extent.begin);
  extent.live = false;
  arena.live -= bytes;
  // Its pages are its own: a guard lies between any two blocks.
  const size_t offset = static_cast<size_t>(begin - map.base) / kGuard * kGuard;
  madvise(map.base + offset, static_cast<size_t>(extent.end - map.base) - offset, MADV_DONTNEED);
  check::forget(extent.begin, bytes);
}

}  // namespace

void reserve(size_t bytes) {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  if (map.base != nullptr) {
    fprintf(stderr, "simulated CUDA device: its memory is reserved twice\n");
    abort();
  }
  arena.capacity = bytes;
  map.span = round_up(std::max(16 * bytes, size_t{16} << 30), size_t{2} << 20);
  map.base = static_cast<char*>(reserve_addresses(map.span, PROT_NONE));
  madvise(map.base, map.span, MADV_HUGEPAGE);
  const int both = PROT_READ | PROT_WRITE;
  map.chunk = static_cast<uint32_t*>(reserve_addresses(map.span / kChunk * sizeof(uint32_t), both));
  map.extent = static_cast<Extent*>(reserve_addresses(kMaxExtents * sizeof(Extent), both));
  map.written = static_cast<uint8_t*>(reserve_addresses(map.span / 8, both));
  arena.top = kGuard;
}

bool contains(const void* address) {
  return static_cast<const char*>(address) - map.base >= 0 &&
         static_cast<size_t>(static_cast<const char*>(address) - map.base) < map.span;
}

void* allocate(size_t bytes) {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  if (bytes == 0 || arena.live + bytes > arena.capacity || arena.extents == kMaxExtents) {
    return nullptr;
  }
  size_t offset;
  if (!find_place(bytes, &offset)) return nullptr;
  char* const begin = map.base + offset;
  const uint32_t index = arena.extents++;
  map.extent[index] = {begin, begin + bytes, true};
  std::fill_n(map.chunk + offset / kChunk, round_up(bytes, kChunk) / kChunk, index);
  arena.blocks[begin] = index;
  arena.live += bytes;
  arena.peak = std::max(arena.peak, arena.live);

  protect(offset, offset + bytes, PROT_READ | PROT_WRITE);
  memset(begin, kPoison, bytes);
  clear_written(begin, bytes);
  arena.usable = std::max(arena.usable, offset + bytes);
  if (arena.opened == 0) protect(offset, offset + bytes, PROT_NONE);
  return begin;
}

bool release(void* address) {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  const auto found = arena.blocks.find(static_cast<char*>(address));
  if (found == arena.blocks.end()) return false;
  forget(found->first, found->second);
  arena.blocks.erase(found);
  return true;
}

size_t live_bytes() {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  return arena.live;
}
size_t peak_bytes() {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  return arena.peak;
}
void reset_peak() {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  arena.peak = arena.live;
}
size_t live_allocations() {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  return arena.blocks.size();
}
size_t capacity() { return arena.capacity; }

void open() {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  if (arena.opened++ == 0) protect(0, arena.usable, PROT_READ | PROT_WRITE);
}

void close() {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  if (--arena.opened == 0) protect(0, arena.usable, PROT_NONE);
}

std::string check(const void* address, size_t bytes) {
  if (!contains(address)) return "not an address of device memory";
  const std::lock_guard<std::mutex> lock(arena.mutex);
  const char* const at = static_cast<const char*>(address);
  const uint32_t index = map.chunk[static_cast<size_t>(at - map.base) / kChunk];
  const Extent extent = map.extent[index];
  if (index != 0 && at >= extent.begin && at < extent.end) {
    const std::string size = std::to_string(extent.end - extent.begin) + " bytes";
    if (!extent.live) return "inside a block of " + size + " that was freed";
    const auto left = static_cast<size_t>(extent.end - at);
    if (bytes <= left) return "";
    return std::to_string(bytes - left) + " bytes beyond the end of a block of " + size;
  }
  // Between blocks: name the nearer one.
  const auto after = arena.blocks.upper_bound(const_cast<char*>(at));
  const char* before_end = nullptr;
  std::string text = "in no block";
  if (after != arena.blocks.begin()) {
    const Extent before = map.extent[std::prev(after)->second];
    before_end = before.end;
    text = std::to_string(at + bytes - before.end) + " bytes beyond the end of a block of " +
           std::to_string(before.end - before.begin) + " bytes";
  }
  if (after != arena.blocks.end() &&
      (before_end == nullptr || after->first - at < at - before_end)) {
    const Extent next = map.extent[after->second];
    text = std::to_string(next.begin - at) + " bytes before the start of a block of " +
           std::to_string(next.end - next.begin) + " bytes";
  }
  return text;
}

void mark_written(const void* address, size_t bytes) {
  if (bytes == 0) return;
  const auto begin = static_cast<size_t>(static_cast<const char*>(address) - map.base);
  const size_t end = begin + bytes;
  uint8_t* const marks = map.written;
  const auto first = static_cast<uint8_t>(0xffu << begin % 8);
  const auto last = static_cast<uint8_t>((1u << end % 8) - 1);
  if (begin / 8 == end / 8) {
    marks[begin / 8] |= first & last;
    return;
  }
  marks[begin / 8] |= first;
  memset(marks + begin / 8 + 1, 0xff, end / 8 - begin / 8 - 1);
  if (last != 0) marks[end / 8] |= last;
}

bool is_written(const void* address, size_t bytes) {
  const auto begin = static_cast<size_t>(static_cast<const char*>(address) - map.base);
  for (size_t i = begin; i < begin + bytes;) {
    if (i % 8 == 0 && i + 8 <= begin + bytes) {
      if (map.written[i / 8] != 0xff) return false;
      i += 8;
    } else {
      if ((map.written[i / 8] >> i % 8 & 1) == 0) return false;
      ++i;
    }
  }
  return true;
}

void clear() {
  const std::lock_guard<std::mutex> lock(arena.mutex);
  for (const auto& [begin, index] : arena.blocks) forget(begin, index);
  arena.blocks.clear();
}

}  // namespace sim::memory
