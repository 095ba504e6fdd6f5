// Threshold selection against a full sort: sizes, distributions, ties, groups, previous masks,
// alignment; every instruction set, several thread counts, both paths.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "check.h"
#include "masks.h"

namespace {

using test::Mask;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

secateur_device* device;
std::mt19937_64 generator(20240601);

int64_t below(int64_t n) { return static_cast<int64_t>(generator() % static_cast<uint64_t>(n)); }
float normal() {
  static std::normal_distribution<float> distribution;
  return distribution(generator);
}

struct Tensor {
  std::vector<float> room;  // scores from `shift` on, so that they are 4-byte aligned only
  int64_t n = 0;
  int shift = 0;
  int group = 0;
  bool has_previous = false;
  std::vector<char> previous;  // one an element, where has_previous

  Tensor(std::vector<float> scores, int group_, int shift_)
      : room(std::move(scores)),
        n(static_cast<int64_t>(room.size())),
        shift(shift_),
        group(group_) {
    room.insert(room.begin(), static_cast<size_t>(shift), kNan);
  }
  const float* scores() const { return room.data() + shift; }
  float at(int64_t i) const { return room[static_cast<size_t>(shift + i)]; }
  bool live(int64_t i) const { return !has_previous || previous[static_cast<size_t>(i)] != 0; }
};

using Tensors = std::vector<Tensor>;

struct Expected {
  std::vector<std::vector<char>> kept;  // by tensor
  std::vector<int64_t> pruned, tied;    // by group
  std::vector<float> threshold;
};

// The definition: sort the live elements of each group by score, among equals the last first.
Expected sort_out(const Tensors& tensors, secateur_key key, const std::vector<int64_t>& k) {
  struct Element {
    float value;
    int tensor;
    int64_t index;
  };
  Expected expected;
  for (const Tensor& tensor : tensors) {
    std::vector<char> kept(static_cast<size_t>(tensor.n));
    for (int64_t i = 0; i < tensor.n; ++i) kept[static_cast<size_t>(i)] = tensor.live(i);
    expected.kept.push_back(kept);
  }
  for (size_t g = 0; g < k.size(); ++g) {
    std::vector<Element> elements;
    int64_t dead = 0;
    for (size_t t = 0; t < tensors.size(); ++t) {
      if (tensors[t].group != static_cast<int>(g)) continue;
      for (int64_t i = 0; i < tensors[t].n; ++i) {
        if (!tensors[t].live(i)) {
          ++dead;
          continue;
        }
        const float x = tensors[t].at(i);
        elements.push_back({key == SECATEUR_KEY_ABS ? std::fabs(x) : x, static_cast<int>(t), i});
      }
    }
    const auto prunes_first = [](const Element& a, const Element& b) {
      if (a.value != b.value) return a.value < b.value;
      return a.tensor != b.tensor ? a.tensor > b.tensor : a.index > b.index;
    };
    const int64_t rank = std::max<int64_t>(0, k[g] - dead);
    if (elements.size() <= 1000000) {
      std::sort(elements.begin(), elements.end(), prunes_first);
    } else if (rank > 0) {  // the same order, less time
      std::nth_element(elements.begin(), elements.begin() + (rank - 1), elements.end(),
                       prunes_first);
    }
    for (int64_t i = 0; i < rank; ++i) {
      const Element& element = elements[static_cast<size_t>(i)];
      expected.kept[static_cast<size_t>(element.tensor)][static_cast<size_t>(element.index)] = 0;
    }
    expected.pruned.push_back(dead + rank);
    const float threshold = rank == 0 ? kNan : elements[static_cast<size_t>(rank - 1)].value;
    expected.threshold.push_back(threshold);
    expected.tied.push_back(
        std::count_if(elements.begin(), elements.end(),
                      [&](const Element& element) { return element.value == threshold; }));
  }
  return expected;
}

struct Outcome {
  secateur_status status;
  std::vector<Mask> masks;
  std::vector<secateur_select_result> results;
};

// Runs a selection; `in_place` lets previous be mask.
Outcome run(const Tensors& tensors, secateur_key key, const std::vector<int64_t>& k,
            bool in_place) {
  Outcome outcome;
  std::vector<Mask> previous;
  std::vector<secateur_segment> segments;
  outcome.masks.reserve(tensors.size());
  previous.reserve(tensors.size());
  for (const Tensor& tensor : tensors) {
    outcome.masks.emplace_back(tensor.n);
    previous.emplace_back(tensor.n);
    Mask& before = in_place ? outcome.masks.back() : previous.back();
    if (tensor.has_previous) {
      before.clear();
      for (int64_t i = 0; i < tensor.n; ++i) before.set(i, tensor.live(i));
    }
    segments.push_back({tensor.scores(), tensor.n, tensor.has_previous ? before.data() : nullptr,
                        outcome.masks.back().data(), tensor.group, 0});
  }
  outcome.results.resize(k.size());
  size_t bytes = 0;
  const auto select = [&](void* workspace) {
    return secateur_select(
        device, nullptr, SECATEUR_F32, key, static_cast<int32_t>(segments.size()), segments.data(),
        static_cast<int32_t>(k.size()), k.data(), outcome.results.data(), workspace, &bytes);
  };
  CHECK_OK(select(nullptr));
  static std::vector<unsigned char> workspace;
  workspace.assign(bytes + 64, 0xa5);
  outcome.status = select(workspace.data() + 4);
  for (size_t i = 0; i < 60; ++i) CHECK(workspace[bytes + 4 + i] == 0xa5);
  for (const Mask& mask : outcome.masks) CHECK(mask.guarded());
  for (const Mask& mask : previous) CHECK(mask.guarded());
  return outcome;
}

void compare(const Tensors& tensors, const Expected& expected, const Outcome& outcome,
             const char* note) {
  CHECK_NOTE(outcome.status == SECATEUR_OK, "%s: %s", note, secateur_last_error());
  for (size_t t = 0; t < tensors.size(); ++t) {
    CHECK_NOTE(outcome.masks[t].clean_tail(tensors[t].n), "%s", note);
    for (int64_t i = 0; i < tensors[t].n; ++i) {
      CHECK_NOTE(outcome.masks[t].bit(i) == (expected.kept[t][static_cast<size_t>(i)] != 0),
                 "%s, tensor %zu of %lld, element %lld, score %g", note, t,
                 static_cast<long long>(tensors[t].n), static_cast<long long>(i),
                 static_cast<double>(tensors[t].at(i)));
    }
  }
  for (size_t g = 0; g < outcome.results.size(); ++g) {
    const secateur_select_result& result = outcome.results[g];
    CHECK_NOTE(result.pruned == expected.pruned[g], "%s", note);
    CHECK_NOTE(result.threshold == expected.threshold[g] ||
                   (std::isnan(result.threshold) && std::isnan(expected.threshold[g])),
               "%s: %g, not %g", note, static_cast<double>(result.threshold),
               static_cast<double>(expected.threshold[g]));
    CHECK_NOTE(result.tied == expected.tied[g], "%s", note);
    CHECK_NOTE((result.path == 0) == std::isnan(result.threshold), "%s", note);
    CHECK_NOTE(result.nan_segment == -1 && result.nan_index == -1, "%s", note);
  }
}

// Compares with the sort for every instruction set; threads, path and place vary, all of them where
// the case is small.
void check_case(const Tensors& tensors, secateur_key key, const std::vector<int64_t>& k,
                const char* note) {
  static int turn = 0;
  const Expected expected = sort_out(tensors, key, k);
  int64_t n = 0;
  for (const Tensor& tensor : tensors) n += tensor.n;
  const int threads[] = {1, 2, 3, 5};
  const int variants = n <= 2000 && !SANITIZED ? 16 : n <= 200000 ? 2 : 1;
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) == SECATEUR_UNAVAILABLE) continue;
    for (int v = 0; v < variants; ++v, ++turn) {
      CHECK_OK(secateur_set_threads(threads[turn % 4]));
      CHECK_OK(secateur_select_force(turn / 4 % 2 == 0 ? 0 : 2));
      const Outcome outcome = run(tensors, key, k, turn / 8 % 2 == 0);
      char where[160];
      snprintf(where, sizeof where, "%s, %s, %d threads, forced path %d, key %d", note, isa,
               threads[turn % 4], turn / 4 % 2 * 2, static_cast<int>(key));
      compare(tensors, expected, outcome, where);
    }
    if (n > 2000000) ++turn;
  }
  CHECK_OK(secateur_cpu_set_isa(nullptr));
  CHECK_OK(secateur_select_force(0));
}

struct Distribution {
  const char* name;
  std::function<float(int64_t i, int64_t n)> draw;
};

std::vector<Distribution> distributions() {
  const float denormal = std::numeric_limits<float>::denorm_min();
  return {
      {"normal", [](int64_t, int64_t) { return normal(); }},
      {"all equal", [](int64_t, int64_t) { return -0.5f; }},
      {"all zero", [](int64_t i, int64_t) { return i % 3 == 0 ? -0.0f : 0.0f; }},
      {"mostly zero", [](int64_t, int64_t) { return below(10) == 0 ? normal() : 0.0f; }},
      {"two values", [](int64_t, int64_t) { return below(3) == 0 ? 1.0f : -2.0f; }},
      {"few values", [](int64_t, int64_t) { return static_cast<float>(below(17) - 8); }},
      {"denormals",
       [=](int64_t, int64_t) { return denormal * static_cast<float>(below(100000) - 50000); }},
      {"infinities",
       [](int64_t, int64_t) {
         const int64_t kind = below(8);
         return kind == 0 ? kInf : kind == 1 ? -kInf : kind == 2 ? -0.0f : normal();
       }},
      {"any bits",
       [](int64_t, int64_t) {
         const auto bits = static_cast<uint32_t>(generator());
         float x;
         memcpy(&x, &bits, sizeof x);
         return std::isnan(x) ? 0.0f : x;
       }},
      {"sorted", [](int64_t i, int64_t n) { return static_cast<float>(i - n / 2); }},
      {"falling", [](int64_t i, int64_t) { return 1.0f / static_cast<float>(i + 1); }},
      {"rows scaled",
       [](int64_t i, int64_t) { return normal() * static_cast<float>(1 + i / 512 % 37); }},
      {"columns scaled",
       [](int64_t i, int64_t) { return normal() * std::ldexp(1.0f, static_cast<int>(i % 20)); }},
      {"close together",
       [](int64_t, int64_t) { return 1.0f + static_cast<float>(below(40)) * 0x1p-23f; }},
      {"heavy tie in the middle", [](int64_t, int64_t) { return below(2) == 0 ? 0.7f : normal(); }},
  };
}

std::vector<float> draw(const Distribution& distribution, int64_t n) {
  std::vector<float> x(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) x[static_cast<size_t>(i)] = distribution.draw(i, n);
  return x;
}

// Prunes some elements before: a share that differs from word to word; NaN under many of them.
void prune_before(Tensor* tensor) {
  tensor->has_previous = true;
  tensor->previous.resize(static_cast<size_t>(tensor->n));
  for (int64_t i = 0; i < tensor->n; ++i) {
    const bool kept = below(4) > i / 32 % 5 - 1;
    tensor->previous[static_cast<size_t>(i)] = kept;
    if (!kept && i % 3 == 0) tensor->room[static_cast<size_t>(tensor->shift + i)] = kNan;
  }
}

std::vector<int64_t> ranks(int64_t n) {
  std::vector<int64_t> k = {0, 1, n / 2, n - 1, n, below(n + 1)};
  k.erase(std::remove_if(k.begin(), k.end(), [=](int64_t r) { return r < 0 || r > n; }), k.end());
  std::sort(k.begin(), k.end());
  k.erase(std::unique(k.begin(), k.end()), k.end());
  return k;
}

void selects_in_one_tensor() {
  const std::vector<int64_t> sizes = {0,  1,  2,   3,    7,    8,    31,   32,   33,   63,
                                      64, 65, 127, 1009, 4095, 4096, 4097, 8192, 8193, 20011};
  for (const Distribution& distribution : distributions()) {
    for (int64_t n : sizes) {
      for (int64_t k : ranks(n)) {
        for (secateur_key key : {SECATEUR_KEY_ABS, SECATEUR_KEY_SIGNED}) {
          if (below(SANITIZED ? 16 : n > 1009 ? 3 : 1) != 0) continue;
          Tensors tensors = {{draw(distribution, n), 0, static_cast<int>(below(5))}};
          if (below(3) == 0) prune_before(&tensors[0]);
          check_case(tensors, key, {k}, distribution.name);
        }
      }
    }
  }
}

// Beyond what fits the list of candidates: the sample and the fallback at work.
void selects_in_large_tensors() {
  for (int64_t n : {150001, 400003, 1000003}) {
    if (SANITIZED && n > 150001) continue;
    for (const Distribution& distribution : distributions()) {
      if (SANITIZED && below(3) != 0) continue;
      for (int64_t k : {n / 10, n / 2, n - 3, below(n + 1)}) {
        if ((n > 400003 || SANITIZED) && below(4) != 0) continue;
        Tensors tensors = {{draw(distribution, n), 0, static_cast<int>(below(5))}};
        if (below(3) == 0) prune_before(&tensors[0]);
        check_case(tensors, below(2) == 0 ? SECATEUR_KEY_ABS : SECATEUR_KEY_SIGNED, {k},
                   distribution.name);
      }
    }
  }
  if (SANITIZED) return;
  for (size_t d : {0, 3, 12}) {
    const Distribution distribution = distributions()[d];
    check_case({{draw(distribution, 10000019), 0, 1}}, SECATEUR_KEY_ABS, {9000017},
               distribution.name);
  }
}

// Ordinary weights take the sampled pass and read hardly more than once; ties at most twice.
void reads_little() {
  const int64_t n = SANITIZED ? 300007 : 4000037;
  const auto all = static_cast<double>(n * 4);
  CHECK_OK(secateur_set_threads(2));
  const auto read = [&](const std::vector<float>& x, double sparsity, int path) {
    const Outcome outcome = run({{x, 0, 0}}, SECATEUR_KEY_ABS,
                                {static_cast<int64_t>(sparsity * static_cast<double>(n))}, false);
    CHECK(outcome.status == SECATEUR_OK && outcome.results[0].path == path);
    return static_cast<double>(outcome.results[0].bytes_read) / all;
  };
  const std::vector<Distribution> all_distributions = distributions();
  for (double sparsity : {0.01, 0.5, 0.9, 0.999}) {
    CHECK(read(draw(all_distributions[0], n), sparsity, 1) < 1.1);
    CHECK(read(draw(all_distributions[1], n), sparsity, 1) < 2.1);
    CHECK(read(draw(all_distributions[3], n), sparsity, 1) < 2.1);
    CHECK(read(draw(all_distributions[14], n), sparsity, 1) < 2.1);
  }
}

// Ties between which the cut lies, by tiles that are far apart, and masks made in place.
void cuts_ties_anywhere() {
  const int64_t n = SANITIZED ? 100003 : 600011;
  for (int kind = 0; kind < 4; ++kind) {
    std::vector<float> x(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) {
      // Equal ones everywhere, at the front, at the back, or in some tiles of many.
      const bool tied = kind == 0   ? below(2) == 0
                        : kind == 1 ? i < n / 2
                        : kind == 2 ? i >= n / 2
                                    : i / 4096 % 7 == 0;
      x[static_cast<size_t>(i)] = tied ? -1.0f : 4 * normal();
    }
    Tensors tensors = {{x, 0, 1}};
    if (kind % 2 == 1) prune_before(&tensors[0]);
    const auto lower = static_cast<int64_t>(
        std::count_if(x.begin(), x.end(), [](float v) { return std::fabs(v) < 1; }));
    const auto tied = static_cast<int64_t>(std::count(x.begin(), x.end(), -1.0f));
    for (int64_t k :
         {lower + 1, lower + tied / 3, lower + tied - 1, lower + tied, lower + tied + 9}) {
      check_case(tensors, SECATEUR_KEY_ABS, {k}, "ties in some tiles");
      check_case(tensors, SECATEUR_KEY_SIGNED, {k}, "ties in some tiles");
    }
  }
}

// Knows the sample's places (select_sample.cpp) and shows it other values than the rest has.
void finds_the_rank_where_the_sample_lies() {
  const int64_t n = 1 << 20;
  const int64_t lines = n / 16, strata = n / 40 / 16 / 4 * 4;
  const auto begin = [&](int64_t s) { return lines / strata * s + std::min(s, lines % strata); };
  for (secateur_key key : {SECATEUR_KEY_ABS, SECATEUR_KEY_SIGNED}) {
    for (int kind = 0; kind < 4; kind += SANITIZED ? 3 : 1) {
      std::vector<float> x(n);
      for (float& v : x) v = 2 + (kind < 2 ? std::fabs(normal()) : static_cast<float>(below(2)));
      for (int64_t s = 0; s < strata; ++s) {
        uint64_t h = static_cast<uint64_t>(s) + 0x9e3779b97f4a7c15u;
        h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
        h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
        h ^= h >> 31;
        const auto width = static_cast<uint64_t>(begin(s + 1) - begin(s));
        const int64_t line = begin(s) + static_cast<int64_t>((h >> 32) * width >> 32);
        for (int64_t i = line * 16; i < line * 16 + 16; ++i) {
          x[static_cast<size_t>(i)] =
              kind % 2 == 0 ? 1 + 0.1f * std::fabs(normal()) : 50 + std::fabs(normal());
        }
      }
      for (int64_t k : {n / 3, n - n / 5}) {
        CHECK_OK(secateur_set_threads(2));
        const Tensors tensors = {{x, 0, 0}};
        const Outcome outcome = run(tensors, key, {k}, false);
        compare(tensors, sort_out(tensors, key, {k}), outcome, "misled sample");
        CHECK(outcome.results[0].path == 2);
        CHECK(outcome.results[0].bytes_read < static_cast<int64_t>(5.1 * n * 4));
        if (!SANITIZED) check_case(tensors, key, {k}, "misled sample");
      }
    }
  }
}

void selects_in_groups() {
  const std::vector<Distribution> all = distributions();
  for (int round = 0; round < (SANITIZED ? 10 : 150); ++round) {
    const int groups = 1 + static_cast<int>(below(4));
    const bool large = round % 10 == 9;
    Tensors tensors;
    std::vector<int64_t> elements(static_cast<size_t>(groups));
    for (int64_t count = below(12); count >= 0; --count) {
      const int64_t n = below(3) == 0 ? below(3) : below(large ? 100000 : 3000);
      const int group = static_cast<int>(below(groups));
      tensors.emplace_back(
          draw(all[static_cast<size_t>(below(static_cast<int64_t>(all.size())))], n), group,
          static_cast<int>(below(5)));
      if (below(2) == 0) prune_before(&tensors.back());
      elements[static_cast<size_t>(group)] += n;
    }
    std::vector<int64_t> k;
    for (int64_t n : elements) k.push_back(below(n + 1));
    check_case(tensors, round % 2 == 0 ? SECATEUR_KEY_ABS : SECATEUR_KEY_SIGNED, k, "groups");
  }
  // Short tensors, as biases are.
  for (int round = 0; round < (SANITIZED ? 20 : 300); ++round) {
    Tensors tensors;
    int64_t n = 0;
    for (int64_t count = below(30); count >= 0; --count) {
      tensors.emplace_back(
          draw(all[static_cast<size_t>(below(static_cast<int64_t>(all.size())))], 1 + below(300)),
          0, static_cast<int>(below(5)));
      if (below(2) == 0) prune_before(&tensors.back());
      n += tensors.back().n;
    }
    check_case(tensors, round % 2 == 0 ? SECATEUR_KEY_ABS : SECATEUR_KEY_SIGNED, {below(n + 1)},
               "short tensors");
  }
  // Equal scores everywhere: the last segments go first.
  Tensors tied;
  for (int t = 0; t < 5; ++t) tied.emplace_back(std::vector<float>(10000, 3.0f), 0, t);
  for (int64_t k : {1, 9999, 10000, 10001, 25000, 50000}) {
    check_case(tied, SECATEUR_KEY_ABS, {k}, "tied segments");
  }
}

void refuses_nan() {
  const int64_t sizes[] = {1, 33, 9000, SANITIZED ? 50000 : 700000};
  for (int64_t n : sizes) {
    for (float nan : {kNan, -kNan}) {
      for (int forced : {0, 2}) {
        for (int64_t k : {int64_t{0}, n / 2, n}) {
          CHECK_OK(secateur_select_force(forced));
          std::vector<float> x(static_cast<size_t>(n));
          for (float& v : x) v = normal();
          Tensors tensors = {{x, 0, 0}, {x, 1, 1}, {x, 0, 2}};
          prune_before(&tensors[1]);
          const int64_t first = below(n);
          tensors[2].room[static_cast<size_t>(tensors[2].shift + first)] = nan;
          tensors[2].room[static_cast<size_t>(tensors[2].shift + n - 1)] = nan;
          const Outcome outcome = run(tensors, SECATEUR_KEY_SIGNED, {k, k}, true);
          CHECK(outcome.status == SECATEUR_NAN_SCORE);
          CHECK(strstr(secateur_last_error(), "segment 2") != nullptr);
          for (const secateur_select_result& result : outcome.results) {
            CHECK(result.nan_segment == 2 && result.nan_index == first);
          }
          for (size_t t = 0; t < 3; ++t) {  // masks as they were: the guard's pattern, or previous
            for (int64_t i = 0; i < n; ++i) {
              const bool before = tensors[t].has_previous ? tensors[t].live(i)
                                                          : (Mask::kGuard >> (i & 31) & 1) != 0;
              CHECK(outcome.masks[t].bit(i) == before);
            }
          }
        }
      }
    }
  }
  CHECK_OK(secateur_select_force(0));
}

void refuses_wrong_arguments() {
  alignas(128) uint32_t mask[32];
  const float x[3] = {1, 2, 3};
  int64_t k = 1;
  secateur_select_result result;
  size_t bytes = 0;
  secateur_segment segment = {x, 3, nullptr, mask, 0, 0};
  const auto select = [&](secateur_dtype dtype, int32_t key, void* workspace) {
    return secateur_select(device, nullptr, dtype, static_cast<secateur_key>(key), 1, &segment, 1,
                           &k, &result, workspace, &bytes);
  };
  CHECK_OK(select(SECATEUR_F32, 0, nullptr));
  std::vector<char> workspace(bytes);
  CHECK_OK(select(SECATEUR_F32, 0, workspace.data()));
  CHECK(mask[0] == 6 && result.threshold == 1 && result.pruned == 1);
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               select(static_cast<secateur_dtype>(3), 0, workspace.data()));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, select(SECATEUR_F32, 2, nullptr));
  const auto refused = [&] {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, select(SECATEUR_F32, 0, workspace.data()));
  };
  k = 4, refused(), k = -1, refused(), k = 1;
  segment.group = 1, refused(), segment.group = -1, refused(), segment.group = 0;
  segment.length = -1, refused(), segment.length = 3;
  segment.mask = mask + 16, refused(), segment.mask = nullptr, refused(), segment.mask = mask;
  segment.scores = reinterpret_cast<const char*>(x) + 2, refused(), segment.scores = x;
  --bytes, refused(), ++bytes;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT, secateur_select_force(1));
}

// Scratch memory for many weights is at most 5 % of them.
void needs_little_scratch() {
  alignas(128) uint32_t mask[32];
  const float x = 1;
  const int64_t k = 0;
  secateur_select_result result;
  for (int shift : {24, 26, 30}) {
    size_t bytes = 0;
    const secateur_segment segment = {&x, int64_t{1} << shift, nullptr, mask, 0, 0};
    CHECK_OK(secateur_select(device, nullptr, SECATEUR_F32, SECATEUR_KEY_ABS, 1, &segment, 1, &k,
                             &result, nullptr, &bytes));
    CHECK(bytes * 20 <= size_t{4} << shift);
  }
}

}  // namespace

int main() {
  CHECK_OK(secateur_device_open(SECATEUR_CPU, 0, &device));
  refuses_wrong_arguments();
  needs_little_scratch();
  refuses_nan();
  selects_in_one_tensor();
  selects_in_groups();
  reads_little();
  cuts_ties_anywhere();
  finds_the_rank_where_the_sample_lies();
  selects_in_large_tensors();
  CHECK_OK(secateur_device_close(device));
  return 0;
}
