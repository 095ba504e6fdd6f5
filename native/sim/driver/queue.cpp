#include "sim/driver/queue.h"

#include <algorithm>
#include <chrono>

#include "sim/memory.h"

namespace sim {

namespace {

// A real queue is as long as this before a launch waits for room.
constexpr size_t kQueueLength = 1024;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void Item::finish(double time) {
  for (const Task& task : tasks) release_host_memory(task);
  done = true;
  finished_at = time;
  stream.reset();
  after.clear();
  tasks.clear();
}

namespace {

// ---- running

// Runs the item's tasks in an order that their dependencies allow: the order of the calls, or by
// chance.
Outcome run_tasks(Item& item, uint64_t seed) {
  const size_t count = item.tasks.size();
  if (seed == 0 || count == 1) {
    for (const Task& task : item.tasks)
      if (Outcome outcome = perform(task, seed); outcome.code != CUDA_SUCCESS) return outcome;
    return {};
  }
  std::vector<size_t> missing(count);
  std::vector<std::vector<size_t>> next(count);
  std::vector<size_t> ready;
  for (size_t i = 0; i < count; i++) {
    missing[i] = item.tasks[i].after.size();
    for (size_t before : item.tasks[i].after) next[before].push_back(i);
    if (missing[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    std::swap(ready[random(ready.size())], ready.back());
    const size_t i = ready.back();
    ready.pop_back();
    Outcome outcome = perform(item.tasks[i], random(UINT64_MAX) | 1);
    if (outcome.code != CUDA_SUCCESS) return outcome;
    for (size_t each : next[i])
      if (--missing[each] == 0) ready.push_back(each);
  }
  return {};
}

bool ready(const Item& item) {
  return std::all_of(item.after.begin(), item.after.end(),
                     [](const auto& each) { return each->done; });
}

// Runs the first item of a stream's queue; memory is open.
void run_first(Stream& stream) {
  State& all = state();
  const std::shared_ptr<Item> item = stream.queue.front();
  Outcome outcome;
  if (item->fails)
    outcome = {CUDA_ERROR_LAUNCH_FAILED, *item->tasks.front().touch.who + " failed by order"};
  else
    outcome = run_tasks(*item, all.seed ? random(UINT64_MAX) | 1 : 0);
  stream.queue.pop_front();
  item->finish(now());
  if (outcome.code != CUDA_SUCCESS) {
    break_context(outcome);
    drop_queues();
  }
}

// The stream whose first item can run now and must run before `item` can.
Stream& needed(const Item& item) {
  Stream* stream = item.stream.get();
  for (;;) {
    const Item& first = *stream->queue.front();
    Stream* before = nullptr;
    for (const auto& each : first.after)
      if (!each->done) before = each->stream.get();
    if (!before) return *stream;
    stream = before;
  }
}

Stream* any_ready() {
  std::vector<Stream*> streams;
  for (const auto& each : state().streams)
    if (!each->queue.empty() && ready(*each->queue.front())) streams.push_back(each.get());
  return streams.empty() ? nullptr : streams[random(streams.size())];
}

struct OpenMemory {
  OpenMemory() { memory::open(); }
  ~OpenMemory() { memory::close(); }
};

// Holds the item: its queue lets go of it when it has run.
void run_until_done(std::shared_ptr<Item> item) {
  if (item->done) return;
  OpenMemory open;
  while (!item->done) {
    Stream* stream = state().seed && random(2) ? any_ready() : nullptr;
    run_first(stream ? *stream : needed(*item));
  }
  forget_finished_streams();
}

// ---- queueing

void add(const std::shared_ptr<Stream>& stream, const std::shared_ptr<Item>& item) {
  State& all = state();
  item->stream = stream;
  item->clock.join(stream->clock);
  item->clock.join(all.host);
  for (const auto& each : item->after) item->clock.join(each->clock);

  // The null stream and the blocking streams of its context wait for each other.
  Context& context = *stream->context;
  const auto wait = [&](Stream& other) {
    item->clock.join(other.clock);
    if (other.last && !other.last->done) item->after.push_back(other.last);
  };
  if (stream == context.legacy) {
    for (const auto& each : all.streams)
      if (each->context == &context && each->blocking() && each != stream) wait(*each);
  } else if (stream->blocking()) {
    wait(*context.legacy);
  }
  item->after.erase(
      std::remove_if(item->after.begin(), item->after.end(),
                     [&](const auto& each) { return each->done || each->stream == stream; }),
      item->after.end());
}

void append(const std::shared_ptr<Stream>& stream, const std::shared_ptr<Item>& item) {
  stream->clock.join(item->clock);
  stream->queue.push_back(item);
  stream->last = item;
  if (stream->queue.size() > kQueueLength) run_until_done(stream->queue.front());
}

std::shared_ptr<const std::string> name_of(const Work& work, const Stream& stream) {
  char place[40];
  if (stream.handle)
    snprintf(place, sizeof place, " on stream %p", static_cast<void*>(stream.handle));
  else
    snprintf(place, sizeof place, " on the null stream");
  return std::make_shared<std::string>(work.name + place);
}

}  // namespace

std::shared_ptr<Item> enqueue(const std::shared_ptr<Stream>& stream,
                              std::shared_ptr<const Work> work,
                              std::vector<std::shared_ptr<Item>> after) {
  auto item = std::make_shared<Item>();
  item->after = std::move(after);
  add(stream, item);
  Task task;
  task.touch = {stream->slot, item->clock.tick(stream->slot), name_of(*work, *stream)};
  task.work = std::move(work);
  task.clock = item->clock;
  guard_host_memory(task);
  item->tasks.push_back(std::move(task));
  append(stream, item);
  return item;
}

void enqueue_graph(const std::shared_ptr<Stream>& stream, Exec& exec, bool fails) {
  auto item = std::make_shared<Item>();
  item->fails = fails;
  if (exec.last) item->after.push_back(exec.last);
  add(stream, item);
  item->clock.join(exec.clock);
  const Clock before = item->clock;
  for (size_t i = 0; i < exec.nodes.size(); i++) {
    const Node& node = exec.nodes[i];
    const uint32_t slot = exec.lanes[i] == 0 ? stream->slot : exec.slots[exec.lanes[i] - 1];
    Task task;
    task.work = node.work;
    task.after = node.after;
    task.clock = before;
    for (size_t each : node.after) task.clock.join(item->tasks[each].clock);
    task.touch = {slot, item->clock.tick(slot), name_of(*node.work, *stream)};
    task.clock.reach(slot, task.touch.time);
    item->tasks.push_back(std::move(task));
  }
  for (Task& task : item->tasks) {
    item->clock.join(task.clock);
    guard_host_memory(task);
  }
  exec.last = item;
  exec.clock = item->clock;
  append(stream, item);
}

void wait_for(const std::shared_ptr<Item>& item) {
  if (!item) return;
  run_until_done(item);
  if (state().sticky != CUDA_SUCCESS) refuse(state().sticky);
  state().host.join(item->clock);
}

void wait_for_stream(const std::shared_ptr<Stream>& stream) { wait_for(stream->last); }

void wait_for_all() {
  const auto streams = state().streams;
  for (const auto& each : streams) wait_for(each->last);
}

bool poll(const std::shared_ptr<Item>& item) {
  if (!item) return true;
  const bool done = item->done;
  if (!done) {
    OpenMemory open;
    run_first(needed(*item));
  }
  if (state().sticky != CUDA_SUCCESS) refuse(state().sticky);
  if (done) state().host.join(item->clock);
  return done;
}

void run_by_chance() {
  State& all = state();
  if (all.seed == 0 || random(2) == 0) return;
  size_t steps = 1 + random(4);
  Stream* stream = any_ready();
  if (!stream) return;
  OpenMemory open;
  for (; stream && steps > 0; steps--, stream = any_ready()) run_first(*stream);
}

void drop_queues() {
  for (const auto& each : state().streams) {
    for (const auto& item : each->queue) item->finish(now());
    each->queue.clear();
  }
}

void forget_finished_streams() {
  auto& streams = state().streams;
  streams.erase(std::remove_if(streams.begin(), streams.end(),
                               [](const auto& each) {
                                 if (!each->destroyed || !each->queue.empty()) return false;
                                 give_slot(each->slot, each->clock);
                                 return true;
                               }),
                streams.end());
}

bool launch_fails() {
  if (due(SECATEUR_SIM_LOST)) {
    break_context({CUDA_ERROR_DEVICE_UNAVAILABLE, "the device was lost by order"});
    drop_queues();
    refuse(CUDA_ERROR_DEVICE_UNAVAILABLE);
  }
  return due(SECATEUR_SIM_LAUNCH);
}

}  // namespace sim
