// Threshold selection of the CUDA device beside the CPU device's: the same masks bit for bit, and
// what the kernels move, as a multiple of the least (scores read once, masks written once).
#include <cmath>
#include <functional>
#include <string>

#include "abi/error.h"
#include "common/half.h"
#include "cuda.h"
#include "harness.h"
#include "masks.h"
#include "simulated.h"

using namespace test;
using secateur::common::float_to_bf16;
using secateur::common::float_to_f16;

namespace {

secateur_device* cuda;
Random random_(20250921);

size_t element_bytes(secateur_dtype dtype) { return dtype == SECATEUR_F32 ? 4 : 2; }

struct Tensor {
  std::vector<unsigned char> scores;
  int64_t n = 0;
  int32_t group = 0;
  int shift = 0;                   // elements past an aligned address
  std::vector<uint32_t> previous;  // empty: all kept

  Tensor(const std::vector<float>& x, secateur_dtype dtype, int32_t group_, int shift_)
      : scores(x.size() * element_bytes(dtype)),
        n(static_cast<int64_t>(x.size())),
        group(group_),
        shift(shift_) {
    for (size_t i = 0; i < x.size(); ++i) {
      const uint16_t half = dtype == SECATEUR_F16 ? float_to_f16(x[i]) : float_to_bf16(x[i]);
      const void* const from = dtype == SECATEUR_F32 ? static_cast<const void*>(&x[i]) : &half;
      memcpy(&scores[i * element_bytes(dtype)], from, element_bytes(dtype));
    }
  }
};

struct Outcome {
  secateur_status status = SECATEUR_OK;
  std::vector<std::vector<uint32_t>> masks;
  std::vector<secateur_select_result> results;
  uint64_t moved = 0, launches = 0, synchronizations = 0;
};

constexpr uint32_t kBefore = 0x5aa5c33cu;  // in masks, where no selection wrote

size_t words_of(int64_t n) { return static_cast<size_t>(SECATEUR_MASK_WORDS(n)); }

Outcome on_cpu(const std::vector<Tensor>& tensors, secateur_dtype dtype, secateur_key key,
               const std::vector<int64_t>& k) {
  Outcome outcome;
  std::vector<Mask> masks;
  std::vector<secateur_segment> segments;
  for (const Tensor& tensor : tensors) masks.emplace_back(tensor.n);
  for (size_t t = 0; t < tensors.size(); ++t) {
    const Tensor& tensor = tensors[t];
    segments.push_back({tensor.scores.data(), tensor.n,
                        tensor.previous.empty() ? nullptr : tensor.previous.data(), masks[t].data(),
                        tensor.group, 0});
  }
  outcome.results.resize(k.size());
  size_t bytes = 0;
  std::vector<unsigned char> workspace;
  for (int call = 0; call < 2; ++call) {
    outcome.status =
        secateur_select(cpu(), nullptr, dtype, key, static_cast<int32_t>(segments.size()),
                        segments.data(), static_cast<int32_t>(k.size()), k.data(),
                        outcome.results.data(), call == 0 ? nullptr : workspace.data(), &bytes);
    if (call == 0) workspace.resize(bytes);
  }
  for (size_t t = 0; t < tensors.size(); ++t) {
    outcome.masks.emplace_back(masks[t].data(), masks[t].data() + words_of(tensors[t].n));
  }
  return outcome;
}

// A block of the device that lives as long as this.
class Block {
 public:
  Block(const void* host, size_t bytes, size_t offset = 0) : offset_(offset) {
    CHECK_OK(secateur_alloc(cuda, bytes + offset, &start_));
    if (host != nullptr && bytes != 0) {
      CHECK_OK(secateur_upload(cuda, nullptr, host, data(), bytes));
    }
  }
  Block(Block&& other) noexcept : start_(other.start_), offset_(other.offset_) {
    other.start_ = nullptr;
  }
  Block(const Block&) = delete;
  ~Block() {
    if (start_ != nullptr) CHECK_OK(secateur_free(cuda, start_));
  }
  void* data() const { return static_cast<char*>(start_) + offset_; }
  void download(void* host, size_t bytes) const {
    if (bytes != 0) CHECK_OK(secateur_download(cuda, nullptr, data(), host, bytes));
  }

 private:
  void* start_ = nullptr;
  size_t offset_;
};

Outcome on_cuda(const std::vector<Tensor>& tensors, secateur_dtype dtype, secateur_key key,
                const std::vector<int64_t>& k, bool in_place) {
  Outcome outcome;
  outcome.results.resize(k.size());
  std::vector<Block> blocks;
  std::vector<size_t> mask_at;
  std::vector<secateur_segment> segments;
  blocks.reserve(3 * tensors.size() + 1);
  for (const Tensor& tensor : tensors) {
    blocks.emplace_back(tensor.scores.data(), tensor.scores.size(),
                        static_cast<size_t>(tensor.shift) * element_bytes(dtype));
    const void* const scores = blocks.back().data();
    const bool same = in_place && !tensor.previous.empty();
    const std::vector<uint32_t> before =
        same ? tensor.previous : std::vector<uint32_t>(words_of(tensor.n), kBefore);
    blocks.emplace_back(before.data(), before.size() * 4);
    mask_at.push_back(blocks.size() - 1);
    auto* const mask = static_cast<uint32_t*>(blocks.back().data());
    const uint32_t* previous = same ? mask : nullptr;
    if (!same && !tensor.previous.empty()) {
      blocks.emplace_back(tensor.previous.data(), tensor.previous.size() * 4);
      previous = static_cast<const uint32_t*>(blocks.back().data());
    }
    segments.push_back({scores, tensor.n, previous, mask, tensor.group, 0});
  }
  const Block device_k(k.data(), k.size() * sizeof k[0]);
  const size_t result_bytes = k.size() * sizeof outcome.results[0];
  const Block results(nullptr, result_bytes);
  size_t bytes = 0;
  const auto select = [&](void* workspace) {
    CHECK_OK(secateur_select(
        cuda, nullptr, dtype, key, static_cast<int32_t>(segments.size()), segments.data(),
        static_cast<int32_t>(k.size()), static_cast<const int64_t*>(device_k.data()),
        static_cast<secateur_select_result*>(results.data()), workspace, &bytes));
  };
  select(nullptr);
  const Block workspace(nullptr, bytes, 4);
  CHECK_OK(secateur_synchronize(cuda, nullptr));
  const secateur_sim_counters before = counters();
  select(workspace.data());
  const secateur_sim_counters called = counters();
  CHECK_OK(secateur_synchronize(cuda, nullptr));
  const secateur_sim_counters after = counters();
  outcome.launches = called.launches - before.launches;
  outcome.synchronizations = called.synchronizations - before.synchronizations;
  outcome.moved = after.kernel_bytes_read - before.kernel_bytes_read + after.kernel_bytes_written -
                  before.kernel_bytes_written;
  results.download(outcome.results.data(), result_bytes);
  for (size_t t = 0; t < tensors.size(); ++t) {
    outcome.masks.emplace_back(words_of(tensors[t].n));
    blocks[mask_at[t]].download(outcome.masks.back().data(), outcome.masks.back().size() * 4);
  }
  return outcome;
}

int turn = 0;

// Returns what the CUDA device made, after it was found right.
Outcome compare(const std::string& name, const std::vector<Tensor>& tensors, secateur_dtype dtype,
                secateur_key key, const std::vector<int64_t>& k) {
  ++turn;
  seed(static_cast<uint64_t>(turn % 3 == 0 ? 0 : turn));
  const bool in_place = turn % 2 == 0;
  const Outcome want = on_cpu(tensors, dtype, key, k);
  const Outcome got = on_cuda(tensors, dtype, key, k, in_place);
  char where[200];
  snprintf(where, sizeof where, "%s, dtype %d, key %d, turn %d", name.c_str(), dtype, key, turn);
  if (simulated()) {
    CHECK_NOTE(got.launches == 6 + (tensors.size() + 63) / 64 || tensors.size() == 0 ||
                   got.launches <= 7 + tensors.size() / 64,
               "%s: %d launches", where, static_cast<int>(got.launches));
    CHECK_NOTE(got.synchronizations == 0, "%s: synchronizes", where);
  }
  for (size_t g = 0; g < k.size(); ++g) {
    const secateur_select_result &a = got.results[g], &b = want.results[g];
    CHECK_NOTE(a.nan_segment == b.nan_segment && a.nan_index == b.nan_index,
               "%s: NaN in segment %d at %lld", where, a.nan_segment,
               static_cast<long long>(a.nan_index));
    if (want.status != SECATEUR_OK) continue;
    CHECK_NOTE(a.pruned == b.pruned && same(a.threshold, b.threshold) && a.tied == b.tied &&
                   (a.path == 0) == (b.path == 0),
               "%s, group %zu: pruned %lld at %a, %lld tied, path %d; not %lld at %a, %lld tied",
               where, g, static_cast<long long>(a.pruned), a.threshold,
               static_cast<long long>(a.tied), a.path, static_cast<long long>(b.pruned),
               b.threshold, static_cast<long long>(b.tied));
  }
  for (size_t t = 0; t < tensors.size(); ++t) {
    const bool kept_before = in_place && !tensors[t].previous.empty();
    for (size_t w = 0; w < got.masks[t].size(); ++w) {
      const uint32_t expected = want.status == SECATEUR_OK ? want.masks[t][w]
                                : kept_before              ? tensors[t].previous[w]
                                                           : kBefore;
      CHECK_NOTE(got.masks[t][w] == expected, "%s: word %zu of mask %zu is %08x, not %08x", where,
                 w, t, got.masks[t][w], expected);
    }
  }
  return got;
}

using Draw = std::function<float(int64_t i)>;

std::vector<float> drawn(int64_t n, const Draw& draw) {
  std::vector<float> x(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) x[static_cast<size_t>(i)] = draw(i);
  return x;
}

struct Kind {
  const char* name;
  Draw draw;
};

const std::vector<Kind> kKinds = {
    {"normal", [](int64_t) { return random_.normal(); }},
    {"all equal", [](int64_t) { return -0.5f; }},
    {"zeros of both signs", [](int64_t i) { return i % 3 == 0 ? -0.0f : 0.0f; }},
    {"60 % zeros", [](int64_t) { return random_.below(10) < 6 ? 0.0f : random_.normal(); }},
    {"two values", [](int64_t) { return random_.below(3) == 0 ? 1.0f : -2.0f; }},
    {"denormals",
     [](int64_t) { return 0x1p-149f * static_cast<float>(random_.below(100000) - 50000); }},
    {"infinities",
     [](int64_t i) { return i % 8 == 0   ? kInf
                            : i % 8 == 1 ? -kInf
                                         : random_.normal(); }},
    {"sorted", [](int64_t i) { return static_cast<float>(i - 70000); }},
    {"in one bin", [](int64_t) { return 1 + static_cast<float>(random_.below(40)) * 0x1p-23f; }},
    {"tie in the middle", [](int64_t) { return random_.below(2) == 0 ? 0.7f : random_.normal(); }},
};

void selects_alike() {
  for (const int64_t n : {int64_t{0}, int64_t{1}, int64_t{33}, int64_t{8193}, int64_t{150001}}) {
    for (size_t d = 0; d < kKinds.size(); ++d) {
      if (n > 8193 && checked() && d % 2 != 0) continue;
      const auto dtype = static_cast<secateur_dtype>((d + static_cast<size_t>(n)) % 3);
      const int64_t ranks[] = {n / 2, n / 10, n, n - n / 7, 0};
      std::vector<Tensor> tensors;
      tensors.emplace_back(drawn(n, kKinds[d].draw), dtype, 0, static_cast<int>(d % 5));
      if (d % 3 == 0) tensors[0].previous = random_.mask(n, 0.7);
      CHECK_OK(secateur_select_force(d % 4 == 3 ? 2 : 0));
      compare(kKinds[d].name, tensors, dtype, d % 2 == 0 ? SECATEUR_KEY_ABS : SECATEUR_KEY_SIGNED,
              {ranks[d % 5]});
      CHECK_OK(secateur_select_force(0));
    }
  }
}

void selects_in_groups() {
  for (int round = 0; round < 4; ++round) {
    const int32_t groups = 1 + round;
    std::vector<Tensor> tensors;
    std::vector<int64_t> elements(static_cast<size_t>(groups));
    const int count = round == 3 ? 140 : 9;
    for (int t = 0; t < count; ++t) {
      const int64_t n = t % 4 == 0 ? random_.below(3) : random_.below(t == 1 ? 90000 : 2500);
      const auto group = static_cast<int32_t>(random_.below(groups));
      tensors.emplace_back(drawn(n, kKinds[static_cast<size_t>(t) % kKinds.size()].draw),
                           SECATEUR_F32, group, t % 4);
      if (t % 2 == 0) tensors.back().previous = random_.mask(n, 0.6);
      elements[static_cast<size_t>(group)] += n;
    }
    std::vector<int64_t> k;
    for (const int64_t n : elements) k.push_back(random_.below(n + 1));
    compare("groups", tensors, SECATEUR_F32,
            round % 2 == 0 ? SECATEUR_KEY_ABS : SECATEUR_KEY_SIGNED, k);
  }
  compare("no segments", {}, SECATEUR_F32, SECATEUR_KEY_ABS, {0, 0});
}

void refuses_nan() {
  for (const int64_t n : {int64_t{1}, int64_t{9000}, int64_t{70000}}) {
    for (const int32_t forced : {0, 2}) {
      CHECK_OK(secateur_select_force(forced));
      std::vector<Tensor> tensors;
      for (int t = 0; t < 3; ++t) {
        std::vector<float> x = random_.normals(n);
        if (t == 2) x[static_cast<size_t>(random_.below(n))] = x[static_cast<size_t>(n - 1)] = kNan;
        tensors.emplace_back(x, SECATEUR_F32, t % 2, t);
      }
      tensors[1].previous = random_.mask(n, 0.5);
      compare("NaN", tensors, SECATEUR_F32, SECATEUR_KEY_ABS, {n / 2, n / 3});
    }
  }
  CHECK_OK(secateur_select_force(0));
}

// Bytes moved by all kernels over n scores of 4 bytes and n bits, in the checked simulator, which
// counts them; else the bytes of scores that the device says it read.
void moves_little() {
  const int64_t n = int64_t{1} << 23, columns = 1024;
  const auto measure = [&](const char* name, const Draw& draw, double sparsity, double most,
                           secateur_dtype dtype = SECATEUR_F32) {
    std::vector<Tensor> tensors;
    tensors.emplace_back(drawn(n, draw), dtype, 0, 0);
    turn = 2;  // blocks in parallel, previous none
    const Outcome outcome = compare(name, tensors, dtype, SECATEUR_KEY_ABS,
                                    {static_cast<int64_t>(sparsity * static_cast<double>(n))});
    const double scores = static_cast<double>(n * static_cast<int64_t>(element_bytes(dtype)));
    const double read = static_cast<double>(outcome.results[0].bytes_read) / scores;
    const double moved = static_cast<double>(outcome.moved) / (scores + static_cast<double>(n) / 8);
    printf("%-22s sparsity %.2f: path %d, scores read %.3f times", name, sparsity,
           outcome.results[0].path, read);
    if (outcome.moved != 0) printf(", moved %.3f of the least", moved);
    printf("\n");
    CHECK(read <= most);
    CHECK(outcome.moved == 0 || moved <= most);
    return outcome.results[0].path;
  };
  const Draw normal = kKinds[0].draw;
  for (const double sparsity : {0.5, 0.9}) measure("normal", normal, sparsity, 1.1);
  measure("60 % zeros", kKinds[3].draw, 0.3, 2.1);
  measure("60 % zeros", kKinds[3].draw, 0.8, 1.1);
  measure("tie in the middle", kKinds[9].draw, 0.5, 2.1);
  measure("all equal", kKinds[1].draw, 0.5, 2.1);
  measure("normal of 16 bits", normal, 0.5, 2.1, SECATEUR_BF16);
  CHECK_OK(secateur_select_force(2));
  measure("forced fallback", normal, 0.5, 5);
  CHECK_OK(secateur_select_force(0));
  // Scores alike within rows, columns and filters: how often does the sample mislead?
  int fallbacks = 0, runs = 0;
  for (int kind = 0; kind < 3; ++kind) {
    for (const double sparsity : {0.5, 0.9}) {
      std::vector<float> scale(static_cast<size_t>(n));
      for (float& s : scale) s = std::exp2(2 * random_.normal());
      const auto draw = [&](int64_t i) {
        const int64_t at = kind == 0 ? i / columns : kind == 1 ? i % columns : i / 9;
        return random_.normal() * scale[static_cast<size_t>(at)];
      };
      const char* const names[] = {"rows scaled", "columns scaled", "filters scaled"};
      fallbacks += measure(names[kind], draw, sparsity, 5) == 2;
      ++runs;
    }
  }
  printf("scaled scores fell back %d times of %d\n", fallbacks, runs);
}

}  // namespace

int main() {
  cuda = open_cuda();
  selects_alike();
  selects_in_groups();
  refuses_nan();
  moves_little();
  CHECK_OK(secateur_device_close(cuda));
  return 0;
}
