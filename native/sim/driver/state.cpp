#include "sim/driver/state.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sim/driver/capture.h"
#include "sim/driver/host_memory.h"
#include "sim/driver/queue.h"
#include "sim/driver/start.h"
#include "sim/memory.h"

namespace sim {

namespace {

void read_environment(State& all) {
  if (const char* seed = getenv("SECATEUR_SIM_SEED")) all.seed = strtoull(seed, nullptr, 10);
  all.random = all.seed;
  if (const char* capability = getenv("SECATEUR_SIM_CAPABILITY"))
    if (sscanf(capability, "%d.%d", &all.limits.major, &all.limits.minor) != 2)
      fprintf(stderr,
              "simulated CUDA device: SECATEUR_SIM_CAPABILITY=%s is not like 7.5; 7.5 is taken\n",
              capability);
}

}  // namespace

size_t device_memory() {
  const char* wanted = getenv("SECATEUR_SIM_MEMORY");
  const unsigned long long mebibytes = wanted ? strtoull(wanted, nullptr, 10) : 0;
  return (mebibytes ? mebibytes : 4096) << 20;
}

// Never destroyed: threads may call until the process ends.
State& state() {
  static State* all = [] {
    auto* made = new State;
    read_environment(*made);
    return made;
  }();
  return *all;
}

void record_fault(std::string sentence) { state().last_fault = std::move(sentence); }

void break_context(const Outcome& outcome) {
  State& all = state();
  if (all.sticky != CUDA_SUCCESS) return;
  all.sticky = outcome.code;
  record_fault(outcome.sentence);
}

bool due(int what) {
  uint64_t& left = state().fail[what];
  return left > 0 && --left == 0;
}

// splitmix64
uint64_t random(uint64_t bound) {
  uint64_t z = state().random += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (z ^ z >> 31) % bound;
}

uint32_t take_slot(Clock& clock) {
  State& all = state();
  if (all.free_slots.empty()) {
    all.slot_times.push_back(0);
    return static_cast<uint32_t>(all.slot_times.size() - 1);
  }
  const uint32_t slot = all.free_slots.back();
  all.free_slots.pop_back();
  clock.reach(slot, all.slot_times[slot]);
  return slot;
}

void give_slot(uint32_t slot, const Clock& clock) {
  state().slot_times[slot] = clock.at(slot);
  state().free_slots.push_back(slot);
}

std::shared_ptr<Stream> require_stream(CUstream handle) {
  if (handle == nullptr || handle == CU_STREAM_LEGACY) return current_context().legacy;
  if (handle == CU_STREAM_PER_THREAD)
    refuse(CUDA_ERROR_NOT_SUPPORTED, "the simulator has no per-thread default stream");
  return require<Stream>(handle);
}

// ---- contexts

std::vector<CUcontext>& context_stack() {
  static thread_local std::vector<CUcontext> stack;
  return stack;
}

Context& current_context() {
  const auto& stack = context_stack();
  if (stack.empty() || stack.back() == nullptr) refuse(CUDA_ERROR_INVALID_CONTEXT);
  const auto context = handles::find(stack.back(), Kind::kContext);
  if (!context)
    refuse(CUDA_ERROR_CONTEXT_IS_DESTROYED, handles::blame(stack.back(), Kind::kContext));
  return *static_cast<Context*>(context.get());
}

std::shared_ptr<Context> begin_context(bool primary, unsigned flags) {
  State& all = state();
  auto context = std::make_shared<Context>();
  context->primary = primary;
  context->flags = flags;
  context->handle = static_cast<CUcontext>(handles::add(Kind::kContext, context));
  context->legacy = std::make_shared<Stream>();
  context->legacy->context = context.get();
  context->legacy->slot = take_slot(context->legacy->clock);
  all.streams.push_back(context->legacy);
  all.contexts.push_back(context);
  return context;
}

void end_context(const std::shared_ptr<Context>& context) {
  State& all = state();
  end_captures(*context);
  for (const auto& stream : all.streams) {
    if (stream->context != context.get()) continue;
    for (const auto& item : stream->queue) item->finish(0);
    stream->queue.clear();
  }
  for (auto each = all.allocations.begin(); each != all.allocations.end();) {
    if (each->second.context == context.get()) {
      memory::release(reinterpret_cast<void*>(each->first));
      all.freed[each->first] = each->second.bytes;
      all.order.forget(each->first, each->second.bytes);
      all.counters.live_bytes -= each->second.bytes;
      each = all.allocations.erase(each);
    } else {
      ++each;
    }
  }
  handles::remove_if([&](Kind kind, void*, const std::shared_ptr<void>& object) {
    const auto owner = [&](const auto* as) { return as->context == context.get(); };
    switch (kind) {
      case Kind::kStream:
        return owner(static_cast<Stream*>(object.get()));
      case Kind::kEvent:
        return owner(static_cast<Event*>(object.get()));
      case Kind::kGraph:
        return owner(static_cast<Graph*>(object.get()));
      case Kind::kNode:
        return owner(static_cast<GraphNode*>(object.get())->graph.get());
      case Kind::kExec:
        return owner(static_cast<Exec*>(object.get()));
      case Kind::kModule:
        return owner(static_cast<Module*>(object.get()));
      case Kind::kFunction:
        return owner(static_cast<Function*>(object.get()));
      default:
        return false;
    }
  });
  handles::remove(context->handle);
  auto& streams = all.streams;
  streams.erase(std::remove_if(streams.begin(), streams.end(),
                               [&](const auto& each) { return each->context == context.get(); }),
                streams.end());
  auto& contexts = all.contexts;
  contexts.erase(std::remove(contexts.begin(), contexts.end(), context), contexts.end());
  if (all.primary == context) all.primary.reset();
}

std::string leaks() {
  State& all = state();
  std::string text;
  const auto count = [&](size_t number, const std::string& what) {
    if (number == 0) return;
    text +=
        (text.empty() ? "" : ", ") + std::to_string(number) + " " + what + (number == 1 ? "" : "s");
  };
  size_t bytes = 0, blocks = 0;
  for (const auto& [address, each] : all.allocations) {
    if (each.freeing) continue;
    bytes += each.bytes;
    blocks++;
  }
  count(blocks, "block");
  if (blocks) text += " of device memory (" + std::to_string(bytes) + " bytes)";
  count(host_memory::live_blocks(), "block");
  if (host_memory::live_blocks()) text += " of page-locked memory";
  count(handles::live(Kind::kStream), "stream");
  count(handles::live(Kind::kEvent), "event");
  count(handles::live(Kind::kGraph), "graph");
  count(handles::live(Kind::kExec), "executable graph");
  count(handles::live(Kind::kModule), "module");
  return text.empty() ? "" : "never destroyed: " + text;
}

namespace {

// A broken context cannot be tidied up, so nothing is said of it.
__attribute__((destructor)) void report_leaks() {
  if (state().sticky != CUDA_SUCCESS) return;
  const std::string found = leaks();
  if (!found.empty())
    fprintf(stderr, "simulated CUDA device: at the end of the process, %s\n", found.c_str());
}

}  // namespace
}  // namespace sim
