// All that the simulated driver knows: one process-wide state under one lock. Every call takes the
// lock for its whole length; work runs only within calls, in the thread that makes them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/driver_api.h"
#include "sim/driver/clock.h"
#include "sim/driver/handles.h"
#include "sim/driver/order.h"
#include "sim/driver/work.h"
#include "sim/engine.h"
#include "sim/simulator.h"

namespace sim {

using namespace secateur::cu;

struct Stream;
struct Capture;

// One or more tasks at a place in a stream's queue; a launched graph is one item.
struct Item {
  std::shared_ptr<Stream> stream;
  std::vector<std::shared_ptr<Item>> after;  // items of other streams
  std::vector<Task> tasks;
  Clock clock;  // what lies before its end
  bool done = false;
  bool fails = false;      // by order of secateur_sim_fail
  double finished_at = 0;  // seconds

  // Lets go of all that only an item to be run needs.
  void finish(double time);
};

struct Context {
  static constexpr Kind kKind = Kind::kContext;
  CUcontext handle = nullptr;
  bool primary = false;
  int retained = 0;
  unsigned flags = 0;
  std::shared_ptr<Stream> legacy;  // the null stream
};

struct Stream {
  static constexpr Kind kKind = Kind::kStream;
  CUstream handle = nullptr;
  Context* context = nullptr;
  unsigned flags = 0;
  int priority = 0;
  uint32_t slot = 0;
  Clock clock;
  std::deque<std::shared_ptr<Item>> queue;  // not run yet
  std::shared_ptr<Item> last;               // queued last, run or not
  bool destroyed = false;

  std::shared_ptr<Capture> capture;
  std::vector<size_t> capture_after;  // nodes that the next captured one comes after

  bool blocking() const { return (flags & CU_STREAM_NON_BLOCKING) == 0; }
};

struct Event {
  static constexpr Kind kKind = Kind::kEvent;
  Context* context = nullptr;
  unsigned flags = 0;
  std::shared_ptr<Item> record;      // the last; nullptr: never recorded
  std::shared_ptr<Capture> capture;  // that the last record belongs to
  std::vector<size_t> nodes;         // what it stands for in there
};

struct Node {
  std::shared_ptr<const Work> work;
  std::vector<size_t> after;  // positions of nodes
};

struct Graph {
  static constexpr Kind kKind = Kind::kGraph;
  CUgraph handle = nullptr;
  Context* context = nullptr;
  std::vector<Node> nodes;
  std::vector<CUgraphNode> node_handles;  // given out on demand
};

struct GraphNode {  // what a node's handle stands for
  static constexpr Kind kKind = Kind::kNode;
  std::shared_ptr<Graph> graph;
  size_t position;
};

struct Exec {
  static constexpr Kind kKind = Kind::kExec;
  Context* context = nullptr;
  std::vector<Node> nodes;
  std::vector<size_t> lanes;    // of each node: a chain of nodes, each after the one before it
  std::vector<uint32_t> slots;  // of each lane but the first, which is the stream's
  Clock clock;                  // in which the lanes' times go on
  std::shared_ptr<Item> last;   // launches of one executable graph are ordered
};

struct Module {
  static constexpr Kind kKind = Kind::kModule;
  Context* context = nullptr;
  std::map<std::string, CUfunction> functions;
};

struct Function {
  static constexpr Kind kKind = Kind::kFunction;
  CUmodule module_handle = nullptr;
  Context* context = nullptr;
  const KernelInfo* kernel = nullptr;
  int dynamic_shared_limit = 0;
};

struct Pool {
  static constexpr Kind kKind = Kind::kPool;
  CUmemoryPool handle = nullptr;
  bool standard = false;  // the device's own
  int reuse[3] = {1, 1, 1};
  uint64_t threshold = 0, reserved = 0, reserved_high = 0, used = 0, used_high = 0;
};

struct Allocation {
  size_t bytes = 0;
  Context* context = nullptr;
  std::shared_ptr<Pool> pool;  // empty: cuMemAlloc
  bool freeing = false;        // cuMemFreeAsync is queued
};

struct State {
  std::recursive_mutex lock;
  bool initialized = false;
  uint64_t seed = 0, random = 0;  // schedule, and the generator's state
  Limits limits;
  secateur_sim_counters counters{};

  std::vector<std::shared_ptr<Context>> contexts;
  std::shared_ptr<Context> primary;
  std::vector<std::shared_ptr<Stream>> streams;  // those destroyed too while work is left
  std::vector<std::shared_ptr<Capture>> captures;
  std::map<uintptr_t, Allocation> allocations;
  std::map<uintptr_t, size_t> freed;  // that lie in no live allocation
  std::shared_ptr<Pool> pool, current_pool;

  Order order;
  Clock host;                        // what the host has waited for
  std::vector<uint32_t> slot_times;  // where each slot's times go on when it is given out again
  std::vector<uint32_t> free_slots;
  std::vector<HostRange> in_flight;  // page-locked memory of copies that have not run

  CUresult sticky = CUDA_SUCCESS;
  std::string last_fault;
  uint64_t fail[3] = {0, 0, 0};  // by order; counted down
};
State& state();

// A call that ends with an error. With a sentence, it is remembered as the last fault.
struct Refusal {
  CUresult code;
  std::string sentence;
};
[[noreturn]] inline void refuse(CUresult code, std::string sentence = "") {
  throw Refusal{code, std::move(sentence)};
}
inline void require_value(bool good) {
  if (!good) refuse(CUDA_ERROR_INVALID_VALUE);
}

// Breaks the context for good.
void break_context(const Outcome& outcome);
void record_fault(std::string sentence);
// Counts an order down; true when it is due.
bool due(int what);
uint64_t random(uint64_t bound);  // below bound
// A slot of vector clocks; its times go on from those of its last owner.
uint32_t take_slot(Clock& clock);
void give_slot(uint32_t slot, const Clock& clock);
std::string leaks();
// Ends a context: its work, memory and handles with it.
void end_context(const std::shared_ptr<Context>& context);
std::shared_ptr<Context> begin_context(bool primary, unsigned flags);

// The object behind a handle; refuses those that are not a live one of the kind.
template <class T>
std::shared_ptr<T> require(const void* handle) {
  std::shared_ptr<void> found = handles::find(handle, T::kKind);
  if (!found)
    refuse(T::kKind == Kind::kContext ? CUDA_ERROR_INVALID_CONTEXT : CUDA_ERROR_INVALID_HANDLE,
           handles::blame(handle, T::kKind));
  return std::static_pointer_cast<T>(found);
}
// The null stream, too.
std::shared_ptr<Stream> require_stream(CUstream handle);

// The calling thread's contexts, the current one last.
std::vector<CUcontext>& context_stack();
Context& current_context();  // refuses when there is none

}  // namespace sim
