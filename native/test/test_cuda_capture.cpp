// The CUDA device's operations captured into a graph: a whole pruning step and a step of training,
// captured once and replayed with other values in device memory, must give the bits of the same
// calls made one by one. A capture allocates nothing, waits for nothing and runs nothing.
#include <cmath>
#include <functional>
#include <vector>

#include "cuda.h"
#include "cuda/driver.h"
#include "harness.h"
#include "simulated.h"

using namespace secateur::cu;
using secateur::cuda::Driver;
using namespace test;

namespace {

constexpr int kReplays = 10;

secateur_device* device;
CUstream stream;

void begin() {
  CHECK(driver_function<cuStreamBeginCapture_v2_t>("cuStreamBeginCapture_v2")(
            stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL) == CUDA_SUCCESS);
}

CUgraph end() {
  CUgraph graph = nullptr;
  CHECK(driver_function<cuStreamEndCapture_t>("cuStreamEndCapture")(stream, &graph) ==
        CUDA_SUCCESS);
  return graph;
}

class Graph {
 public:
  // Captures what `operations` enqueues on the stream.
  explicit Graph(const std::function<void()>& operations) {
    CHECK_OK(secateur_synchronize(device, stream));  // what was enqueued before is counted before
    const secateur_sim_counters before = counters();
    begin();
    operations();
    const CUgraph graph = end();
    const secateur_sim_counters after = counters();
    CHECK(after.synchronizations == before.synchronizations);
    CHECK(after.allocations == before.allocations);
    CHECK(after.kernels == before.kernels && after.launches == before.launches);
    CHECK(after.memsets == before.memsets && after.copies == before.copies);
    CHECK(driver_function<cuGraphInstantiateWithFlags_t>("cuGraphInstantiateWithFlags")(
              &exec_, graph, 0) == CUDA_SUCCESS);
    CHECK(driver_function<cuGraphDestroy_t>("cuGraphDestroy")(graph) == CUDA_SUCCESS);
  }
  Graph(const Graph&) = delete;
  ~Graph() {
    CHECK(driver_function<cuGraphExecDestroy_t>("cuGraphExecDestroy")(exec_) == CUDA_SUCCESS);
  }
  void launch() const {
    CHECK(driver_function<cuGraphLaunch_t>("cuGraphLaunch")(exec_, stream) == CUDA_SUCCESS);
  }

 private:
  CUgraphExec exec_ = nullptr;
};

// Device memory; all of it is compared between calls made one by one and a replay.
struct Memory {
  struct Block {
    void* data;
    size_t bytes;
  };
  std::vector<Block> blocks;

  Memory() = default;
  Memory(const Memory&) = delete;
  ~Memory() {
    for (const Block& block : blocks) CHECK_OK(secateur_free(device, block.data));
  }

  template <class T>
  T* room(size_t n) {
    void* data = nullptr;
    CHECK_OK(secateur_alloc(device, n * sizeof(T), &data));
    CHECK_OK(secateur_zero(device, stream, data, n * sizeof(T)));
    blocks.push_back({data, n * sizeof(T)});
    return static_cast<T*>(data);
  }
  template <class T>
  T* put(const std::vector<T>& values) {
    T* const data = room<T>(values.size());
    give(values, data);
    return data;
  }
  template <class T>
  static void give(const std::vector<T>& values, T* data) {
    CHECK_OK(secateur_upload(device, stream, values.data(), data, values.size() * sizeof(T)));
  }

  using Image = std::vector<std::vector<unsigned char>>;
  Image take() const {
    Image image;
    for (const Block& block : blocks) {
      image.emplace_back(block.bytes);
      CHECK_OK(secateur_download(device, stream, block.data, image.back().data(), block.bytes));
    }
    CHECK_OK(secateur_synchronize(device, stream));
    return image;
  }
};

// Runs `step` kReplays times one by one, then as often as a graph; before each, prepare(i) gives it
// its values. restart() sets everything to what it was before the first step.
void replays(const char* what, const Memory& memory, const std::function<void()>& restart,
             const std::function<void(int)>& prepare, const std::function<void()>& step) {
  std::vector<Memory::Image> expected;
  restart();
  for (int i = 0; i < kReplays; ++i) {
    prepare(i);
    step();
    expected.push_back(memory.take());
    CHECK_NOTE(i == 0 || expected[static_cast<size_t>(i)] != expected[static_cast<size_t>(i - 1)],
               "%s, step %d", what, i);
  }
  restart();
  const Graph graph(step);
  for (int i = 0; i < kReplays; ++i) {
    prepare(i);
    const secateur_sim_counters before = counters();
    graph.launch();
    const secateur_sim_counters after = counters();
    CHECK_NOTE(after.synchronizations == before.synchronizations &&
                   after.allocations == before.allocations && after.launches == before.launches,
               "%s, replay %d", what, i);
    const Memory::Image got = memory.take();
    for (size_t b = 0; b < got.size(); ++b) {
      CHECK_NOTE(got[b] == expected[static_cast<size_t>(i)][b], "%s, replay %d, block %zu", what, i,
                 b);
    }
  }
}

// Scores, one threshold over three tensors with k in device memory, masks applied and counted; each
// step prunes more of what the step before kept.
void pruning_step() {
  const int64_t lengths[] = {70001, 8193, 31};
  const int64_t total = 70001 + 8193 + 31;
  Random random(5);
  Memory memory;
  std::vector<std::vector<float>> start;
  std::vector<float*> w, scores;
  std::vector<uint32_t*> masks;
  std::vector<secateur_segment> segments;
  std::vector<secateur_masked> masked;
  for (const int64_t n : lengths) {
    start.push_back(random.normals(n));
    w.push_back(memory.put(start.back()));
    scores.push_back(memory.room<float>(static_cast<size_t>(n)));
    masks.push_back(memory.room<uint32_t>(static_cast<size_t>(SECATEUR_MASK_WORDS(n))));
    segments.push_back({scores.back(), n, masks.back(), masks.back(), 0, 0});
    masked.push_back({masks.back(), w.back(), n});
  }
  auto* const k = memory.room<int64_t>(1);
  auto* const result = memory.room<secateur_select_result>(1);
  auto* const counts = memory.room<int64_t>(2);
  size_t bytes = 0;
  const auto select = [&](void* workspace) {
    CHECK_OK(secateur_select(device, stream, SECATEUR_F32, SECATEUR_KEY_ABS, 3, segments.data(), 1,
                             k, result, workspace, &bytes));
  };
  select(nullptr);
  void* workspace = nullptr;
  CHECK_OK(secateur_alloc(device, bytes, &workspace));

  replays(
      "pruning", memory,
      [&] {
        for (size_t t = 0; t < w.size(); ++t) {
          const auto words = static_cast<size_t>(SECATEUR_MASK_WORDS(lengths[t]));
          std::vector<uint32_t> all(words, ~0u);
          if (lengths[t] % 32 != 0) all.back() = (1u << lengths[t] % 32) - 1;
          Memory::give(start[t], w[t]);
          Memory::give(all, masks[t]);
        }
      },
      [&](int i) { Memory::give<int64_t>({total * (i + 1) / (kReplays + 1)}, k); },
      [&] {
        for (size_t t = 0; t < w.size(); ++t) {
          CHECK_OK(secateur_score_magnitude(device, stream, SECATEUR_L2, SECATEUR_F32, lengths[t],
                                            w[t], scores[t]));
        }
        select(workspace);
        CHECK_OK(secateur_mask_apply_many(device, stream, 3, masked.data()));
        CHECK_OK(
            secateur_mask_count(device, stream, lengths[0], masks[0], w[0], counts, counts + 1));
      });
  secateur_select_result last = {};
  CHECK_OK(secateur_download(device, stream, result, &last, sizeof last));
  CHECK(last.pruned == total * kReplays / (kReplays + 1) && last.path != 0);
  CHECK_OK(secateur_free(device, workspace));
}

// A layer of biases behind a dropout, trained by Adam on a cross-entropy: each step starts from the
// weights, the moments and the draws of the one before.
void training_step() {
  constexpr int64_t kRows = 5000, kCols = 10, kCount = kRows * kCols;
  Random random(6);
  Memory memory;
  std::vector<int32_t> labels;
  for (int64_t r = 0; r < kRows; ++r) labels.push_back(static_cast<int32_t>(random.below(kCols)));
  const float* const x = memory.put(random.normals(kCount));
  const int32_t* const label = memory.put(labels);
  const float* const one = memory.put(std::vector<float>{1});
  const uint32_t* const mask = memory.put(std::vector<uint32_t>{0x3f7});
  auto* const dropped = memory.room<float>(kCount);
  auto* const logits = memory.room<float>(kCount);
  auto* const p = memory.room<float>(kCount);
  auto* const dx = memory.room<float>(kCount);
  auto* const loss = memory.room<float>(1);
  auto* const g = memory.room<float>(kCols);
  auto* const bias = memory.room<float>(kCols);
  auto* const m = memory.room<float>(kCols);
  auto* const v = memory.room<float>(kCols);
  auto* const state = memory.room<uint64_t>(2);
  auto* const params = memory.room<secateur_adam_params>(1);
  const std::vector<float> first = random.normals(kCols);

  replays(
      "training", memory,
      [&] {
        Memory::give(first, bias);
        Memory::give(std::vector<float>(kCols), m);
        Memory::give(std::vector<float>(kCols), v);
      },
      [&](int i) {
        const auto correction1 = static_cast<float>(1 - std::pow(0.9, i + 1));
        const auto correction2 = static_cast<float>(std::sqrt(1 - std::pow(0.999, i + 1)));
        Memory::give<secateur_adam_params>({{0.1f / static_cast<float>(i + 1), 0.9f, 0.999f, 1e-8f,
                                             0.01f, i & 1, correction1, correction2}},
                                           params);
        Memory::give<uint64_t>({42, static_cast<uint64_t>(i)}, state);
      },
      [&] {
        const secateur_broadcast rows = {2, {kRows, kCols}, {kCols, 1}, {0, 1}};
        const int64_t shape[] = {kRows, kCols};
        CHECK_OK(secateur_dropout(device, stream, state, 1, 0.25f, kCount, x, dropped));
        CHECK_OK(secateur_binary(device, stream, SECATEUR_ADD, &rows, dropped, bias, logits));
        CHECK_OK(
            secateur_softmax_cross_entropy(device, stream, kRows, kCols, logits, label, p, loss));
        CHECK_OK(
            secateur_softmax_cross_entropy_grad(device, stream, kRows, kCols, p, label, one, dx));
        CHECK_OK(secateur_reduce_sum(device, stream, 2, shape, 1, dx, g));
        CHECK_OK(secateur_adam_step(device, stream, kCols, params, bias, g, m, v, mask));
      });
  float final_loss = 0;
  CHECK_OK(secateur_download(device, stream, loss, &final_loss, sizeof final_loss));
  CHECK(final_loss > 0 && final_loss < 4);
}

// Pageable memory is refused, and the capture goes on; pinned memory is read again at each replay.
void copies() {
  constexpr size_t kBytes = 4096;
  Memory memory;
  float* const x = memory.room<float>(kBytes / 4);
  std::vector<float> pageable(kBytes / 4, 1.0f);
  void* host = nullptr;
  CHECK(driver_function<cuMemHostAlloc_t>("cuMemHostAlloc")(
            &host, kBytes, CU_MEMHOSTALLOC_PORTABLE) == CUDA_SUCCESS);
  auto* const pinned = static_cast<float*>(host);
  {
    const Graph graph([&] {
      CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                   secateur_upload(device, stream, pageable.data(), x, kBytes));
      CHECK(strstr(secateur_last_error(),
                   "An upload cannot be captured into a graph with pageable host memory: use "
                   "pinned memory.") != nullptr);
      CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                   secateur_download(device, stream, x, pageable.data(), kBytes));
      CHECK(strstr(secateur_last_error(),
                   "A download cannot be captured into a graph with pageable host memory: use "
                   "pinned memory.") != nullptr);
      CHECK_OK(secateur_upload(device, stream, pinned, x, kBytes));
      CHECK_OK(secateur_unary(device, stream, SECATEUR_NEG, 0, kBytes / 4, x, x));
    });
    for (int i = 0; i < 3; ++i) {
      for (size_t j = 0; j < kBytes / 4; ++j) pinned[j] = static_cast<float>(i) + 0.5f;
      graph.launch();
      std::vector<float> got(kBytes / 4);
      CHECK_OK(secateur_download(device, stream, x, got.data(), kBytes));
      for (const float value : got) CHECK(value == -(static_cast<float>(i) + 0.5f));
    }
  }
  CHECK(driver_function<cuMemFreeHost_t>("cuMemFreeHost")(host) == CUDA_SUCCESS);
}

}  // namespace

int main() {
  device = open_cuda();
  CUcontext context = nullptr, popped = nullptr;
  CHECK(Driver::get().cuDevicePrimaryCtxRetain(&context, 0) == CUDA_SUCCESS);
  CHECK(Driver::get().cuCtxPushCurrent_v2(context) == CUDA_SUCCESS);
  CHECK(driver_function<cuStreamCreate_t>("cuStreamCreate")(&stream, CU_STREAM_NON_BLOCKING) ==
        CUDA_SUCCESS);
  pruning_step();
  training_step();
  copies();
  CHECK(driver_function<cuStreamDestroy_v2_t>("cuStreamDestroy_v2")(stream) == CUDA_SUCCESS);
  CHECK(Driver::get().cuCtxPopCurrent_v2(&popped) == CUDA_SUCCESS && popped == context);
  CHECK(Driver::get().cuDevicePrimaryCtxRelease_v2(0) == CUDA_SUCCESS);
  CHECK_OK(secateur_device_close(device));
  return 0;
}
