#include "sim/driver/host_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <map>

#include "sim/driver/state.h"

namespace sim {

namespace host_memory {
namespace {

std::map<uintptr_t, Block>& blocks() {
  static auto* all = new std::map<uintptr_t, Block>;
  return *all;
}

uintptr_t number(const void* address) { return reinterpret_cast<uintptr_t>(address); }

// Mapped by itself, so that a block's end is a page's and use after free faults.
size_t mapped(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

}  // namespace

void* allocate(size_t bytes, unsigned flags) {
  void* memory =
      mmap(nullptr, mapped(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  blocks()[number(memory)] = {bytes, flags, false};
  return memory;
}

bool release(void* pointer) {
  const auto found = blocks().find(number(pointer));
  if (found == blocks().end() || found->second.registered) return false;
  munmap(pointer, mapped(found->second.bytes));
  blocks().erase(found);
  return true;
}

bool add_registered(void* pointer, size_t bytes, unsigned flags) {
  if (locked(pointer, bytes) != Locked::kNone) return false;
  blocks()[number(pointer)] = {bytes, flags, true};
  return true;
}

bool remove_registered(void* pointer) {
  const auto found = blocks().find(number(pointer));
  if (found == blocks().end() || !found->second.registered) return false;
  blocks().erase(found);
  return true;
}

const Block* find(const void* address, const void** start) {
  auto after = blocks().upper_bound(number(address));
  if (after == blocks().begin()) return nullptr;
  const auto& [begin, block] = *std::prev(after);
  if (number(address) - begin >= block.bytes) return nullptr;
  if (start) *start = reinterpret_cast<const void*>(begin);
  return &block;
}

Locked locked(const void* address, size_t bytes) {
  const uintptr_t begin = number(address), end = begin + bytes;
  bool part = false;
  auto each = blocks().upper_bound(begin);
  if (each != blocks().begin()) --each;
  for (; each != blocks().end() && each->first < end; ++each) {
    const uintptr_t block_end = each->first + each->second.bytes;
    if (each->first <= begin && block_end >= end) return Locked::kAll;
    part |= block_end > begin;
  }
  return part ? Locked::kPart : Locked::kNone;
}

size_t live_blocks() { return blocks().size(); }

void clear() {
  for (const auto& [address, block] : blocks())
    if (!block.registered) munmap(reinterpret_cast<void*>(address), mapped(block.bytes));
  blocks().clear();
}

}  // namespace host_memory

// ---- what the host may not do while a copy is in flight

namespace {

// Floats of these bytes are NaN, integers -1.
constexpr unsigned char kPoison = 0xff;

uint64_t checksum_of(const HostRange& range) {
  uint64_t sum = range.bytes;
  const unsigned char* at = range.address;
  size_t left = range.bytes;
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
    sum ^= sum >> 29;
  }
  for (; left > 0; at++, left--) sum = (sum ^ *at) * 0x9e3779b97f4a7c15u;
  return sum;
}

bool overlap(const HostRange& a, const HostRange& b) {
  return a.address < b.address + b.bytes && b.address < a.address + a.bytes;
}

std::string place(const HostRange& range) {
  char text[64];
  snprintf(text, sizeof text, "%zu bytes at %p", range.bytes, static_cast<void*>(range.address));
  return text;
}

}  // namespace

void guard_host_memory(Task& task) {
  const HostRange& range = task.work->host;
  if (range.bytes == 0) return;
  if (host_memory::locked(range.address, range.bytes) != host_memory::Locked::kAll) return;
  auto& in_flight = state().in_flight;
  // Where other copies in flight meet this one, what lies there will change or must stay.
  task.guarded = true;
  for (const HostRange& other : in_flight)
    if (overlap(range, other) && (range.written || other.written)) task.guarded = false;
  in_flight.push_back(range);
  if (!task.guarded) return;
  if (range.written)
    memset(range.address, kPoison, range.bytes);
  else
    task.checksum = checksum_of(range);
}

std::string check_host_memory(const Task& task) {
  const HostRange& range = task.work->host;
  if (range.bytes == 0 || !task.guarded) return "";
  if (host_memory::locked(range.address, range.bytes) != host_memory::Locked::kAll)
    return *task.touch.who + ": the page-locked memory, " + place(range) +
           ", was freed while the copy was in flight";
  if (!range.written)
    return checksum_of(range) == task.checksum
               ? ""
               : *task.touch.who + ": the host changed the source, " + place(range) +
                     ", while the copy was in flight; wait for an event after the copy first";
  for (size_t i = 0; i < range.bytes; i++)
    if (range.address[i] != kPoison)
      return *task.touch.who + ": the host wrote into the target, " + place(range) +
             ", while the copy was in flight; wait for an event after the copy first";
  return "";
}

void release_host_memory(const Task& task) {
  const HostRange& range = task.work->host;
  auto& in_flight = state().in_flight;
  for (size_t i = 0; i < in_flight.size(); i++)
    if (in_flight[i].address == range.address && in_flight[i].bytes == range.bytes &&
        in_flight[i].written == range.written) {
      in_flight.erase(in_flight.begin() + static_cast<ptrdiff_t>(i));
      return;
    }
}

}  // namespace sim
