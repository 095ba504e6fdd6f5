// Capture, graphs and their replay.
#include <algorithm>

#include "sim/driver/call.h"
#include "sim/driver/capture.h"

using namespace sim;

namespace {

CUgraph give_out(const std::shared_ptr<Graph>& graph) {
  if (!graph->handle) graph->handle = static_cast<CUgraph>(handles::add(Kind::kGraph, graph));
  return graph->handle;
}

CUgraphNode give_out(const std::shared_ptr<Graph>& graph, size_t position) {
  auto& known = graph->node_handles;
  if (known.size() < graph->nodes.size()) known.resize(graph->nodes.size());
  if (!known[position])
    known[position] = static_cast<CUgraphNode>(
        handles::add(Kind::kNode, std::make_shared<GraphNode>(GraphNode{graph, position})));
  return known[position];
}

CUgraphNodeType type_of(Type type) {
  switch (type) {
    case Type::kKernel:
    case Type::kLibrary:
      return CU_GRAPH_NODE_TYPE_KERNEL;
    case Type::kUpload:
    case Type::kDownload:
    case Type::kCopy:
      return CU_GRAPH_NODE_TYPE_MEMCPY;
    case Type::kMemset:
      return CU_GRAPH_NODE_TYPE_MEMSET;
    case Type::kMark:
    case Type::kFree:
      break;
  }
  return CU_GRAPH_NODE_TYPE_EMPTY;
}

// Chains of nodes, each of which comes after the one before it: what runs in turn has one clock.
void make_lanes(Exec& exec) {
  std::vector<size_t> ends;  // the last node of each lane
  for (size_t i = 0; i < exec.nodes.size(); i++) {
    size_t lane = ends.size();
    for (size_t before : exec.nodes[i].after) {
      const size_t candidate = exec.lanes[before];
      if (ends[candidate] == before) lane = std::min(lane, candidate);
    }
    if (lane == ends.size()) ends.push_back(i);
    ends[lane] = i;
    exec.lanes.push_back(lane);
  }
  for (size_t lane = 1; lane < ends.size(); lane++) exec.slots.push_back(take_slot(exec.clock));
}

// Within a capture, a launched graph's nodes become nodes of the one captured.
void capture_launch(Stream& stream, const Exec& exec) {
  auto& nodes = stream.capture->graph->nodes;
  const size_t first = nodes.size();
  std::vector<bool> last(exec.nodes.size(), true);
  for (const Node& node : exec.nodes) {
    Node copy{node.work, stream.capture_after};
    for (size_t each : node.after) {
      last[each] = false;
      copy.after.push_back(first + each);
    }
    nodes.push_back(std::move(copy));
  }
  std::vector<size_t> ends;
  for (size_t i = 0; i < last.size(); i++)
    if (last[i]) ends.push_back(first + i);
  if (!ends.empty()) stream.capture_after = ends;
}

}  // namespace

SECATEUR_SIM_EXPORT CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode) {
  return call("cuStreamBeginCapture", Needs::kContext, [&](State&) {
    require_value(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED);
    begin_capture(require_stream(stream), mode);
  });
}

SECATEUR_SIM_EXPORT CUresult cuStreamEndCapture(CUstream stream, CUgraph* graph) {
  return call("cuStreamEndCapture", Needs::kContext, [&](State&) {
    require_value(graph != nullptr);
    *graph = nullptr;
    *graph = give_out(end_capture(require_stream(stream)));
  });
}

SECATEUR_SIM_EXPORT CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  return cuStreamGetCaptureInfo_v2(stream, status, nullptr, nullptr, nullptr, nullptr);
}

SECATEUR_SIM_EXPORT CUresult cuStreamGetCaptureInfo_v2(CUstream handle,
                                                       CUstreamCaptureStatus* status, uint64_t* id,
                                                       CUgraph* graph,
                                                       const CUgraphNode** dependencies,
                                                       size_t* dependency_count) {
  return call("cuStreamGetCaptureInfo", Needs::kContext, [&](State& all) {
    require_value(status != nullptr);
    const auto stream = require_stream(handle);
    // Asking does not invalidate.
    if (stream == stream->context->legacy)
      for (const auto& capture : all.captures)
        for (const auto& each : capture->streams)
          if (const auto other = each.lock();
              other && other->context == stream->context && other->blocking())
            refuse(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    *status = !stream->capture           ? CU_STREAM_CAPTURE_STATUS_NONE
              : stream->capture->invalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                         : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    if (*status != CU_STREAM_CAPTURE_STATUS_ACTIVE) return;
    if (id) *id = stream->capture->id;
    if (graph) *graph = give_out(stream->capture->graph);
    if (dependencies) {
      static thread_local std::vector<CUgraphNode> nodes;
      nodes.clear();
      for (size_t each : stream->capture_after)
        nodes.push_back(give_out(stream->capture->graph, each));
      *dependencies = nodes.data();
    }
    if (dependency_count) *dependency_count = stream->capture_after.size();
  });
}

SECATEUR_SIM_EXPORT CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  return call("cuThreadExchangeStreamCaptureMode", Needs::kInit, [&](State&) {
    require_value(mode && *mode >= CU_STREAM_CAPTURE_MODE_GLOBAL &&
                  *mode <= CU_STREAM_CAPTURE_MODE_RELAXED);
    std::swap(*mode, thread_capture_mode());
  });
}

// ---- graphs

SECATEUR_SIM_EXPORT CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  return call("cuGraphGetNodes", Needs::kInit, [&](State&) {
    require_value(count != nullptr);
    const auto graph = require<Graph>(handle);
    if (!nodes) {
      *count = graph->nodes.size();
      return;
    }
    for (size_t i = 0; i < *count; i++)
      nodes[i] = i < graph->nodes.size() ? give_out(graph, i) : nullptr;
    *count = std::min(*count, graph->nodes.size());
  });
}

SECATEUR_SIM_EXPORT CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType* type) {
  return call("cuGraphNodeGetType", Needs::kInit, [&](State&) {
    require_value(type != nullptr);
    const auto node = require<GraphNode>(handle);
    *type = type_of(node->graph->nodes[node->position].work->type);
  });
}

SECATEUR_SIM_EXPORT CUresult cuGraphDestroy(CUgraph handle) {
  return call("cuGraphDestroy", Needs::kInit, [&](State&) {
    const auto graph = require<Graph>(handle);
    for (CUgraphNode node : graph->node_handles) handles::remove(node);
    handles::remove(handle);
  });
}

SECATEUR_SIM_EXPORT CUresult cuGraphInstantiateWithFlags(CUgraphExec* handle, CUgraph graph_handle,
                                                         unsigned long long flags) {
  return call("cuGraphInstantiate", Needs::kContext, [&](State&) {
    require_value(handle && flags < 16);
    const auto graph = require<Graph>(graph_handle);
    auto exec = std::make_shared<Exec>();
    exec->context = graph->context;
    exec->nodes = graph->nodes;
    make_lanes(*exec);
    *handle = static_cast<CUgraphExec>(handles::add(Kind::kExec, std::move(exec)));
  });
}

SECATEUR_SIM_EXPORT CUresult cuGraphUpload(CUgraphExec handle, CUstream stream) {
  return call("cuGraphUpload", Needs::kContext, [&](State&) {
    require<Exec>(handle);
    forbid_on(*require_stream(stream));
  });
}

SECATEUR_SIM_EXPORT CUresult cuGraphLaunch(CUgraphExec handle, CUstream stream_handle) {
  return call("cuGraphLaunch", Needs::kContext, [&](State& all) {
    const auto exec = require<Exec>(handle);
    const auto stream = require_stream(stream_handle);
    if (exec->context != stream->context)
      refuse(CUDA_ERROR_INVALID_HANDLE, "the graph and the stream are of different contexts");
    if (capturing(*stream)) return capture_launch(*stream, *exec);
    const bool fails = launch_fails();
    all.counters.graph_launches++;
    if (exec->nodes.empty()) return;
    enqueue_graph(stream, *exec, fails);
  });
}

// A launch that is on its way runs to its end.
SECATEUR_SIM_EXPORT CUresult cuGraphExecDestroy(CUgraphExec handle) {
  return call("cuGraphExecDestroy", Needs::kInit, [&](State&) {
    const auto exec = require<Exec>(handle);
    for (uint32_t slot : exec->slots) give_slot(slot, exec->clock);
    handles::remove(handle);
  });
}
