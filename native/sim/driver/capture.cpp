#include "sim/driver/capture.h"

#include <algorithm>

#include "sim/driver/queue.h"

namespace sim {

namespace {

constexpr const char* kInCapture = "is forbidden while a stream is captured";

void leave(Capture& capture) {
  auto& all = state().captures;
  capture.ended = true;
  for (const auto& each : capture.streams) {
    const auto stream = each.lock();
    if (!stream) continue;
    stream->capture.reset();
    stream->capture_after.clear();
  }
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const auto& each) { return each.get() == &capture; }),
            all.end());
}

Context* context_of(const Capture& capture) { return capture.graph->context; }

bool has_blocking_stream(const Capture& capture) {
  return std::any_of(capture.streams.begin(), capture.streams.end(), [](const auto& each) {
    const auto stream = each.lock();
    return stream && stream->blocking();
  });
}

void join(std::vector<size_t>& nodes, const std::vector<size_t>& more) {
  for (size_t each : more)
    if (std::find(nodes.begin(), nodes.end(), each) == nodes.end()) nodes.push_back(each);
}

// Which nodes lie before one of `ends`, these too.
std::vector<bool> reached(const std::vector<Node>& nodes, const std::vector<size_t>& ends) {
  std::vector<bool> found(nodes.size());
  for (size_t each : ends) found[each] = true;
  for (size_t i = nodes.size(); i-- > 0;)
    if (found[i])
      for (size_t before : nodes[i].after) found[before] = true;
  return found;
}

}  // namespace

void invalidate(Capture& capture) { capture.invalid = true; }

bool capturing(Stream& stream) {
  if (stream.capture) {
    if (stream.capture->invalid) refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    return true;
  }
  if (&stream != stream.context->legacy.get()) return false;
  bool implicit = false;
  for (const auto& each : state().captures)
    if (context_of(*each) == stream.context && has_blocking_stream(*each)) {
      invalidate(*each);
      implicit = true;
    }
  if (implicit)
    refuse(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
           "the null stream is used while a stream that waits for it is captured; create that "
           "stream with CU_STREAM_NON_BLOCKING or use another");
  return false;
}

std::shared_ptr<Item> submit(const std::shared_ptr<Stream>& stream,
                             std::shared_ptr<const Work> work) {
  if (!capturing(*stream)) return enqueue(stream, std::move(work));
  auto& nodes = stream->capture->graph->nodes;
  nodes.push_back({std::move(work), stream->capture_after});
  stream->capture_after = {nodes.size() - 1};
  return nullptr;
}

void forbid_on(Stream& stream) {
  if (!stream.capture) return;
  if (stream.capture->invalid) refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  invalidate(*stream.capture);
  refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, kInCapture);
}

void forbid_in(Context& context) {
  bool found = false;
  for (const auto& each : state().captures)
    if (context_of(*each) == &context) {
      invalidate(*each);
      found = true;
    }
  if (found) refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, kInCapture);
}

// As cuThreadExchangeStreamCaptureMode documents it.
void forbid_unsafe() {
  const CUstreamCaptureMode mode = thread_capture_mode();
  if (mode == CU_STREAM_CAPTURE_MODE_RELAXED) return;
  bool found = false;
  for (const auto& each : state().captures) {
    const bool own = each->thread == std::this_thread::get_id();
    const bool concerns =
        own ? each->mode != CU_STREAM_CAPTURE_MODE_RELAXED
            : each->mode == CU_STREAM_CAPTURE_MODE_GLOBAL && mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
    if (!concerns) continue;
    invalidate(*each);
    found = true;
  }
  if (found) refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, kInCapture);
}

void begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode) {
  static uint64_t ids = 0;
  if (stream == stream->context->legacy)
    refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the null stream cannot be captured");
  if (stream->capture) refuse(CUDA_ERROR_ILLEGAL_STATE, "the stream is being captured already");
  auto capture = std::make_shared<Capture>();
  capture->id = ++ids;
  capture->origin = stream;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->graph->context = stream->context;
  capture->streams = {stream};
  stream->capture = capture;
  state().captures.push_back(capture);
}

std::shared_ptr<Graph> end_capture(const std::shared_ptr<Stream>& stream) {
  if (!stream->capture) refuse(CUDA_ERROR_ILLEGAL_STATE, "the stream is not being captured");
  const auto capture = stream->capture;
  if (capture->origin.lock() != stream) {
    invalidate(*capture);
    refuse(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "the capture was begun on another stream");
  }
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
      capture->thread != std::this_thread::get_id())
    refuse(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture was begun by another thread");
  const auto ends = stream->capture_after;
  bool joined = true;
  const std::vector<bool> found = reached(capture->graph->nodes, ends);
  for (const auto& each : capture->streams) {
    const auto other = each.lock();
    if (!other || other == stream) continue;
    for (size_t node : other->capture_after) joined = joined && found[node];
  }
  leave(*capture);
  if (capture->invalid) refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  if (!joined)
    refuse(CUDA_ERROR_STREAM_CAPTURE_UNJOINED,
           "a stream that joined the capture has work that the first stream does not wait for; "
           "record an event on it and wait for that");
  return capture->graph;
}

void record_in_capture(Event& event, Stream& stream) {
  event.capture = stream.capture;
  event.nodes = stream.capture_after;
  event.record.reset();
}

bool wait_in_capture(const std::shared_ptr<Stream>& stream, const Event& event) {
  if (capturing(*stream)) {
    Capture& own = *stream->capture;
    if (!event.capture) {
      invalidate(own);
      refuse(CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
             "a captured stream cannot wait for an event that was recorded outside its capture");
    }
    if (event.capture != stream->capture) {
      invalidate(own);
      invalidate(*event.capture);
      refuse(CUDA_ERROR_STREAM_CAPTURE_MERGE, "the event belongs to another capture");
    }
    join(stream->capture_after, event.nodes);
    return true;
  }
  if (!event.capture) return false;
  if (event.capture->ended)
    refuse(CUDA_ERROR_CAPTURED_EVENT,
           "the event was last recorded in a capture that has ended; record it again");
  if (event.capture->invalid) refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  if (stream == stream->context->legacy) {
    invalidate(*event.capture);
    refuse(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "the null stream cannot join a capture");
  }
  stream->capture = event.capture;
  stream->capture_after = event.nodes;
  event.capture->streams.push_back(stream);
  return true;
}

void end_captures(Context& context) {
  const auto captures = state().captures;
  for (const auto& each : captures)
    if (context_of(*each) == &context) leave(*each);
}

CUstreamCaptureMode& thread_capture_mode() {
  static thread_local CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  return mode;
}

}  // namespace sim
