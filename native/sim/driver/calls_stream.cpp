// Streams and events.
#include <algorithm>

#include "sim/driver/call.h"
#include "sim/driver/capture.h"

using namespace sim;

namespace {

constexpr int kGreatestPriority = -2;

CUresult create(const char* name, CUstream* handle, unsigned flags, int priority) {
  return call(name, Needs::kContext, [&](State& all) {
    require_value(handle && flags <= CU_STREAM_NON_BLOCKING);
    auto stream = std::make_shared<Stream>();
    stream->context = &current_context();
    stream->flags = flags;
    stream->priority = std::min(0, std::max(kGreatestPriority, priority));
    stream->slot = take_slot(stream->clock);
    stream->handle = *handle = static_cast<CUstream>(handles::add(Kind::kStream, stream));
    all.streams.push_back(std::move(stream));
  });
}

void record(CUevent handle, CUstream stream_handle) {
  const auto event = require<Event>(handle);
  const auto stream = require_stream(stream_handle);
  if (event->context != stream->context)
    refuse(CUDA_ERROR_INVALID_HANDLE, "the event and the stream are of different contexts");
  if (capturing(*stream)) return record_in_capture(*event, *stream);
  event->capture.reset();
  event->nodes.clear();
  event->record = enqueue(stream, make_mark("cuEventRecord"));
}

// A captured event never happens.
void forbid_captured(const Event& event) {
  if (!event.capture) return;
  if (!event.capture->ended) invalidate(*event.capture);
  refuse(CUDA_ERROR_CAPTURED_EVENT, "the event was last recorded in a capture");
}

}  // namespace

SECATEUR_SIM_EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  return create("cuStreamCreate", stream, flags, 0);
}

SECATEUR_SIM_EXPORT CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags,
                                                        int priority) {
  return create("cuStreamCreateWithPriority", stream, flags, priority);
}

// Work that is left runs to its end.
SECATEUR_SIM_EXPORT CUresult cuStreamDestroy_v2(CUstream handle) {
  return call("cuStreamDestroy", Needs::kContext, [&](State&) {
    const auto stream = require<Stream>(handle);
    if (stream->capture) invalidate(*stream->capture);
    stream->destroyed = true;
    handles::remove(handle);
    forget_finished_streams();
  });
}

SECATEUR_SIM_EXPORT CUresult cuStreamGetPriority(CUstream stream, int* priority) {
  return call("cuStreamGetPriority", Needs::kContext, [&](State&) {
    require_value(priority != nullptr);
    *priority = require_stream(stream)->priority;
  });
}

SECATEUR_SIM_EXPORT CUresult cuStreamGetFlags(CUstream stream, unsigned* flags) {
  return call("cuStreamGetFlags", Needs::kContext, [&](State&) {
    require_value(flags != nullptr);
    *flags = require_stream(stream)->flags;
  });
}

SECATEUR_SIM_EXPORT CUresult cuStreamGetCtx(CUstream stream, CUcontext* context) {
  return call("cuStreamGetCtx", Needs::kContext, [&](State&) {
    require_value(context != nullptr);
    *context = require_stream(stream)->context->handle;
  });
}

SECATEUR_SIM_EXPORT CUresult cuStreamSynchronize(CUstream handle) {
  return call("cuStreamSynchronize", Needs::kContext, [&](State& all) {
    const auto stream = require_stream(handle);
    forbid_on(*stream);
    capturing(*stream);
    forbid_unsafe();
    all.counters.synchronizations++;
    // The null stream's past is that of the streams that it waits for.
    if (stream == stream->context->legacy) enqueue(stream, make_mark("cuStreamSynchronize"));
    wait_for_stream(stream);
  });
}

SECATEUR_SIM_EXPORT CUresult cuStreamQuery(CUstream handle) {
  return call("cuStreamQuery", Needs::kContext, [&](State&) {
    const auto stream = require_stream(handle);
    forbid_on(*stream);
    capturing(*stream);
    forbid_unsafe();
    if (!poll(stream->last)) refuse(CUDA_ERROR_NOT_READY);
  });
}

SECATEUR_SIM_EXPORT CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle,
                                               unsigned flags) {
  return call("cuStreamWaitEvent", Needs::kContext, [&](State&) {
    const auto stream = require_stream(handle);
    const auto event = require<Event>(event_handle);
    if (flags != 0) refuse(CUDA_ERROR_NOT_SUPPORTED, "the simulator has no external waits");
    if (wait_in_capture(stream, *event)) return;
    if (event->record) enqueue(stream, make_mark("cuStreamWaitEvent"), {event->record});
  });
}

// ---- events

SECATEUR_SIM_EXPORT CUresult cuEventCreate(CUevent* handle, unsigned flags) {
  return call("cuEventCreate", Needs::kContext, [&](State&) {
    require_value(handle && flags < 8);
    if (flags & CU_EVENT_INTERPROCESS)
      refuse(CUDA_ERROR_NOT_SUPPORTED, "the simulator's events are not shared between processes");
    auto event = std::make_shared<Event>();
    event->context = &current_context();
    event->flags = flags;
    *handle = static_cast<CUevent>(handles::add(Kind::kEvent, std::move(event)));
  });
}

SECATEUR_SIM_EXPORT CUresult cuEventDestroy_v2(CUevent handle) {
  return call("cuEventDestroy", Needs::kContext, [&](State&) {
    require<Event>(handle);
    handles::remove(handle);
  });
}

SECATEUR_SIM_EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
  return call("cuEventRecord", Needs::kContext, [&](State&) { record(event, stream); });
}

SECATEUR_SIM_EXPORT CUresult cuEventRecordWithFlags(CUevent event, CUstream stream,
                                                    unsigned flags) {
  return call("cuEventRecordWithFlags", Needs::kContext, [&](State&) {
    if (flags != 0) refuse(CUDA_ERROR_NOT_SUPPORTED, "the simulator has no external records");
    record(event, stream);
  });
}

SECATEUR_SIM_EXPORT CUresult cuEventQuery(CUevent handle) {
  return call("cuEventQuery", Needs::kContext, [&](State&) {
    const auto event = require<Event>(handle);
    forbid_captured(*event);
    forbid_unsafe();
    if (!poll(event->record)) refuse(CUDA_ERROR_NOT_READY);
  });
}

SECATEUR_SIM_EXPORT CUresult cuEventSynchronize(CUevent handle) {
  return call("cuEventSynchronize", Needs::kContext, [&](State& all) {
    const auto event = require<Event>(handle);
    forbid_captured(*event);
    forbid_unsafe();
    all.counters.synchronizations++;
    wait_for(event->record);
  });
}

// The host's time between the two; nothing that a GPU would take.
SECATEUR_SIM_EXPORT CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return call("cuEventElapsedTime", Needs::kContext, [&](State&) {
    require_value(milliseconds != nullptr);
    const auto first = require<Event>(start), last = require<Event>(end);
    forbid_captured(*first);
    forbid_captured(*last);
    if (!first->record || !last->record ||
        ((first->flags | last->flags) & CU_EVENT_DISABLE_TIMING) != 0)
      refuse(CUDA_ERROR_INVALID_HANDLE, "an event was never recorded, or is one without timing");
    if (!first->record->done || !last->record->done) refuse(CUDA_ERROR_NOT_READY);
    *milliseconds =
        static_cast<float>((last->record->finished_at - first->record->finished_at) * 1e3);
  });
}
