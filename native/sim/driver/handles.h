// The driver's handles: addresses of a closed region, one after the other and never given out
// twice, so that the handle of a destroyed object, of another kind or of nothing at all is told
// from a good one, and host code that looks behind a handle faults.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sim {

enum class Kind : uint8_t {
  kNone,
  kContext,
  kStream,
  kEvent,
  kGraph,
  kNode,
  kExec,
  kModule,
  kFunction,
  kPool
};
const char* name_of(Kind kind);  // "stream"

namespace handles {

void* add(Kind kind, std::shared_ptr<void> object);
// nullptr unless the handle is a live one of the kind.
std::shared_ptr<void> find(const void* handle, Kind kind);
void remove(const void* handle);
// What is wrong with a handle that find does not find: destroyed, of another kind, foreign.
std::string blame(const void* handle, Kind kind);
size_t live(Kind kind);
// Calls each(kind, handle, object) for all live ones; destroys those for which it is true.
void remove_if(const std::function<bool(Kind, void*, const std::shared_ptr<void>&)>& each);

}  // namespace handles
}  // namespace sim
