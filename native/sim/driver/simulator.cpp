// What tests and the library stand-ins ask of the simulator (simulator.h, library.h).
#include "sim/simulator.h"

#include "sim/driver/call.h"
#include "sim/driver/capture.h"
#include "sim/driver/host_memory.h"
#include "sim/driver/library.h"
#include "sim/memory.h"

using namespace sim;

namespace {

struct Locked {
  std::lock_guard<std::recursive_mutex> guard{state().lock};
};

// Keeps a text for the calling thread.
const char* keep(std::string text) {
  static thread_local std::string kept;
  kept = std::move(text);
  return kept.c_str();
}

std::shared_ptr<Work> make_library(const secateur_sim_work& given) {
  auto work = std::make_shared<Work>();
  work->type = Type::kLibrary;
  work->name = given.name;
  for (size_t i = 0; i < given.range_count; i++) {
    const secateur_sim_range& each = given.ranges[i];
    work->ranges.push_back({each.what ? each.what : "", reinterpret_cast<uintptr_t>(each.address),
                            each.bytes, each.count, each.pitch,
                            (each.access & SECATEUR_SIM_READ) != 0,
                            (each.access & SECATEUR_SIM_WRITE) != 0});
  }
  // The data ends with the last task, node or executable graph that holds the work.
  const auto destroy = given.destroy ? given.destroy : [](void*) {};
  work->run = [run = given.run, data = std::shared_ptr<void>(given.data, destroy)](
                  uint64_t, AccessLog*) -> Outcome {
    const char* wrong = run(data.get());
    if (wrong) return {CUDA_ERROR_LAUNCH_FAILED, wrong};
    return {};
  };
  return work;
}

}  // namespace

SECATEUR_SIM_EXPORT int secateur_sim_enqueue(void* stream_handle, const secateur_sim_work* given) {
  const auto work = make_library(*given);
  return call(given->name, Needs::kContext, [&](State&) {
    const auto stream = require_stream(static_cast<CUstream>(stream_handle));
    const bool fails = !capturing(*stream) && launch_fails();
    const auto item = submit(stream, work);
    if (fails) item->fails = true;
  });
}

SECATEUR_SIM_EXPORT void secateur_sim_record_fault(const char* sentence) {
  Locked locked;
  record_fault(sentence);
}

SECATEUR_SIM_EXPORT void secateur_sim_counters_get(secateur_sim_counters* counters) {
  Locked locked;
  *counters = state().counters;
}

SECATEUR_SIM_EXPORT void secateur_sim_counters_reset() {
  Locked locked;
  secateur_sim_counters& counters = state().counters;
  const uint64_t live = counters.live_bytes;
  counters = {};
  counters.live_bytes = counters.peak_bytes = live;
}

SECATEUR_SIM_EXPORT void secateur_sim_fail(int what, uint64_t nth) {
  Locked locked;
  if (what >= SECATEUR_SIM_ALLOCATION && what <= SECATEUR_SIM_LOST) state().fail[what] = nth;
}

SECATEUR_SIM_EXPORT uint64_t secateur_sim_pending(int what) {
  Locked locked;
  const bool known = what >= SECATEUR_SIM_ALLOCATION && what <= SECATEUR_SIM_LOST;
  return known ? state().fail[what] : 0;
}

SECATEUR_SIM_EXPORT void secateur_sim_seed(uint64_t seed) {
  Locked locked;
  state().seed = state().random = seed;
}

SECATEUR_SIM_EXPORT int secateur_sim_checked() { return checked(); }

SECATEUR_SIM_EXPORT const char* secateur_sim_last_fault() {
  Locked locked;
  return keep(state().last_fault);
}

SECATEUR_SIM_EXPORT const char* secateur_sim_leaks() {
  Locked locked;
  return keep(leaks());
}

SECATEUR_SIM_EXPORT void secateur_sim_restart() {
  Locked locked;
  State& all = state();
  while (!all.contexts.empty()) end_context(all.contexts.back());
  handles::remove_if([](Kind, void*, const std::shared_ptr<void>&) { return true; });
  host_memory::clear();
  memory::clear();
  all.allocations.clear();
  all.freed.clear();
  all.order.clear();
  all.in_flight.clear();
  all.pool.reset();
  all.current_pool.reset();
  all.sticky = CUDA_SUCCESS;
  all.last_fault.clear();
  for (uint64_t& each : all.fail) each = 0;
  all.counters = {};
  all.random = all.seed;
  context_stack().clear();
}
