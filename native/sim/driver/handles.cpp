#include "sim/driver/handles.h"

#include <sys/mman.h>

#include <cstdio>
#include <new>
#include <vector>

namespace sim {

const char* name_of(Kind kind) {
  static const char* const names[] = {"object",   "context",    "stream",           "event",
                                      "graph",    "graph node", "executable graph", "module",
                                      "function", "memory pool"};
  return names[static_cast<int>(kind)];
}

namespace handles {
namespace {

constexpr size_t kStep = 16;
constexpr size_t kRegion = size_t{4} << 30;

struct Entry {
  Kind kind;
  std::shared_ptr<void> object;  // empty once destroyed
};

std::vector<Entry>& entries() {
  static auto* all = new std::vector<Entry>;
  return *all;
}

uintptr_t region() {
  static const uintptr_t start = [] {
    void* memory =
        mmap(nullptr, kRegion, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return reinterpret_cast<uintptr_t>(memory);
  }();
  return start;
}

void* handle_at(size_t position) { return reinterpret_cast<void*>(region() + position * kStep); }

// nullptr when the handle was never given out.
Entry* entry(const void* handle) {
  const uintptr_t offset = reinterpret_cast<uintptr_t>(handle) - region();
  if (offset % kStep != 0 || offset / kStep >= entries().size()) return nullptr;
  return &entries()[offset / kStep];
}

}  // namespace

void* add(Kind kind, std::shared_ptr<void> object) {
  if ((entries().size() + 1) * kStep > kRegion) throw std::bad_alloc();
  entries().push_back({kind, std::move(object)});
  return handle_at(entries().size() - 1);
}

std::shared_ptr<void> find(const void* handle, Kind kind) {
  const Entry* found = entry(handle);
  return found && found->kind == kind ? found->object : nullptr;
}

void remove(const void* handle) {
  if (Entry* found = entry(handle)) found->object.reset();
}

std::string blame(const void* handle, Kind kind) {
  char text[160];
  const Entry* found = entry(handle);
  if (!found)
    snprintf(text, sizeof text, "%p is no handle (%s wanted): this driver never gave it out",
             handle, name_of(kind));
  else if (found->kind != kind)
    snprintf(text, sizeof text, "%p is the handle of another kind of object (%s), not %s", handle,
             name_of(found->kind), name_of(kind));
  else
    snprintf(text, sizeof text, "the %s %p was destroyed before", name_of(kind), handle);
  return text;
}

size_t live(Kind kind) {
  size_t count = 0;
  for (const Entry& each : entries()) count += each.kind == kind && each.object;
  return count;
}

void remove_if(const std::function<bool(Kind, void*, const std::shared_ptr<void>&)>& each) {
  for (size_t i = 0; i < entries().size(); i++) {
    Entry& entry = entries()[i];
    if (entry.object && each(entry.kind, handle_at(i), entry.object)) entry.object.reset();
  }
}

}  // namespace handles
}  // namespace sim
