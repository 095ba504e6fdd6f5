// Streams that are captured into a graph, and which calls are forbidden meanwhile.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sim/driver/state.h"

namespace sim {

struct Capture {
  uint64_t id = 0;
  std::weak_ptr<Stream> origin;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  std::vector<std::weak_ptr<Stream>> streams;  // the origin and those that joined by events
  bool invalid = false, ended = false;
};

// Queues work on a stream, or adds it to the graph that it captures (nullptr then).
std::shared_ptr<Item> submit(const std::shared_ptr<Stream>& stream,
                             std::shared_ptr<const Work> work);

// True when the stream captures. Refuses when its capture was invalidated, and the null stream
// while a stream that waits for it is captured.
bool capturing(Stream& stream);

// For calls that may not be made on a capturing stream, in its context, or, being "potentially
// unsafe" (they may wait for the whole device), in a thread that the captures' modes concern. They
// invalidate the captures and refuse.
void forbid_on(Stream& stream);
void forbid_in(Context& context);
void forbid_unsafe();

void begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode);
std::shared_ptr<Graph> end_capture(const std::shared_ptr<Stream>& stream);
// The event's record is a place in the stream's capture, or none.
void record_in_capture(Event& event, Stream& stream);
// True when the wait was one within a capture.
bool wait_in_capture(const std::shared_ptr<Stream>& stream, const Event& event);
void invalidate(Capture& capture);
// Of a context that ends.
void end_captures(Context& context);
CUstreamCaptureMode& thread_capture_mode();

}  // namespace sim
