// Selection among f16 and bf16 scores against a full sort of their values: sizes, ties, groups,
// previous masks, alignment, special values, several thread counts.
#include <algorithm>
#include <cmath>
#include <functional>

#include "common/half.h"
#include "harness.h"
#include "masks.h"

namespace {

using namespace secateur::common;
using test::cpu;
using test::Mask;
using test::Random;

struct Tensor {
  std::vector<uint16_t> room;  // scores from `shift` on, so that they are 2-byte aligned only
  int64_t n;
  int shift, group;
  bool has_previous;
  std::vector<uint32_t> previous;

  Tensor(const std::vector<uint16_t>& scores, int shift_, int group_)
      : room(scores),
        n(static_cast<int64_t>(scores.size())),
        shift(shift_),
        group(group_),
        has_previous(false) {
    room.insert(room.begin(), static_cast<size_t>(shift), 0x7fff);  // NaN
  }
  uint16_t at(int64_t i) const { return room[static_cast<size_t>(shift + i)]; }
  bool live(int64_t i) const { return !has_previous || test::kept(previous, i); }
};

struct Expected {
  std::vector<std::vector<bool>> kept;  // by tensor
  std::vector<secateur_select_result> results;
};

// The definition: the live elements of each group sorted by score, among equals the last first.
template <class Type>
Expected sort_out(const std::vector<Tensor>& tensors, secateur_key key,
                  const std::vector<int64_t>& k) {
  struct Element {
    double value;
    size_t tensor;
    int64_t index;
  };
  Expected expected;
  for (const Tensor& tensor : tensors) {
    std::vector<bool> kept;
    for (int64_t i = 0; i < tensor.n; ++i) kept.push_back(tensor.live(i));
    expected.kept.push_back(kept);
  }
  for (size_t g = 0; g < k.size(); ++g) {
    std::vector<Element> elements;
    int64_t dead = 0;
    for (size_t t = 0; t < tensors.size(); ++t) {
      if (tensors[t].group != static_cast<int>(g)) continue;
      for (int64_t i = 0; i < tensors[t].n; ++i) {
        const double x = static_cast<double>(Type::to_float(tensors[t].at(i)));
        if (tensors[t].live(i)) {
          elements.push_back({key == SECATEUR_KEY_ABS ? std::fabs(x) : x, t, i});
        } else {
          ++dead;
        }
      }
    }
    std::sort(elements.begin(), elements.end(), [](const Element& a, const Element& b) {
      if (a.value != b.value) return a.value < b.value;
      return a.tensor != b.tensor ? a.tensor > b.tensor : a.index > b.index;
    });
    const int64_t rank = std::max<int64_t>(0, k[g] - dead);
    for (int64_t i = 0; i < rank; ++i) {
      const Element& element = elements[static_cast<size_t>(i)];
      expected.kept[element.tensor][static_cast<size_t>(element.index)] = false;
    }
    secateur_select_result result = {};
    result.pruned = dead + rank;
    result.path = rank == 0 ? 0 : 2;
    result.threshold = test::kNan;
    if (rank > 0) {
      const double threshold = elements[static_cast<size_t>(rank - 1)].value;
      result.threshold = static_cast<float>(threshold);
      for (const Element& element : elements) result.tied += element.value == threshold;
    }
    expected.results.push_back(result);
  }
  return expected;
}

struct Outcome {
  secateur_status status;
  std::vector<Mask> masks;
  std::vector<secateur_select_result> results;
};

template <class Type>
Outcome run(const std::vector<Tensor>& tensors, secateur_key key, const std::vector<int64_t>& k,
            bool in_place) {
  Outcome outcome;
  std::vector<secateur_segment> segments;
  outcome.masks.reserve(tensors.size());
  for (const Tensor& tensor : tensors) {
    outcome.masks.emplace_back(tensor.n);
    Mask& mask = outcome.masks.back();
    const uint32_t* previous = tensor.has_previous ? tensor.previous.data() : nullptr;
    if (in_place && tensor.has_previous) {
      std::copy(tensor.previous.begin(), tensor.previous.end(), mask.data());
      previous = mask.data();
    }
    segments.push_back(
        {tensor.room.data() + tensor.shift, tensor.n, previous, mask.data(), tensor.group, 0});
  }
  outcome.results.resize(k.size());
  size_t bytes = 0;
  const auto select = [&](void* workspace) {
    return secateur_select(cpu(), nullptr, static_cast<secateur_dtype>(Type::kDtype), key,
                           static_cast<int32_t>(segments.size()), segments.data(),
                           static_cast<int32_t>(k.size()), k.data(), outcome.results.data(),
                           workspace, &bytes);
  };
  CHECK_OK(select(nullptr));
  std::vector<unsigned char> workspace(bytes + 64, 0xa5);
  outcome.status = select(workspace.data() + 4);
  for (size_t i = 0; i < 60; ++i) CHECK(workspace[bytes + 4 + i] == 0xa5);
  for (const Mask& mask : outcome.masks) CHECK(mask.guarded());
  return outcome;
}

template <class Type>
void check_case(const std::vector<Tensor>& tensors, secateur_key key, const std::vector<int64_t>& k,
                const char* note) {
  static int turn = 0;
  const Expected expected = sort_out<Type>(tensors, key, k);
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (secateur_cpu_set_isa(isa) != SECATEUR_OK) continue;
    const int threads[] = {1, 2, 5};
    ++turn;
    CHECK_OK(secateur_set_threads(threads[turn % 3]));
    CHECK_OK(secateur_select_force(turn / 3 % 3 == 2 ? 2 : 0));
    const Outcome outcome = run<Type>(tensors, key, k, turn / 2 % 2 == 0);
    CHECK_NOTE(outcome.status == SECATEUR_OK, "%s: %s", note, secateur_last_error());
    for (size_t t = 0; t < tensors.size(); ++t) {
      CHECK_NOTE(outcome.masks[t].clean_tail(tensors[t].n), "%s", note);
      for (int64_t i = 0; i < tensors[t].n; ++i) {
        CHECK_NOTE(outcome.masks[t].bit(i) == expected.kept[t][static_cast<size_t>(i)],
                   "%s, key %d, tensor %zu of %lld, element %lld, score %04x", note,
                   static_cast<int>(key), t, static_cast<long long>(tensors[t].n),
                   static_cast<long long>(i), static_cast<unsigned>(tensors[t].at(i)));
      }
    }
    for (size_t g = 0; g < k.size(); ++g) {
      const secateur_select_result &got = outcome.results[g], &want = expected.results[g];
      CHECK_NOTE(got.pruned == want.pruned && got.tied == want.tied &&
                     (got.path == 0) == (want.path == 0) && got.nan_segment == -1 &&
                     got.nan_index == -1 &&
                     (got.threshold == want.threshold || std::isnan(want.threshold)) &&
                     std::isnan(got.threshold) == std::isnan(want.threshold),
                 "%s: group %zu: threshold %g of %g, %lld tied of %lld", note, g,
                 static_cast<double>(got.threshold), static_cast<double>(want.threshold),
                 static_cast<long long>(got.tied), static_cast<long long>(want.tied));
    }
  }
  CHECK_OK(secateur_cpu_set_isa(nullptr));
  CHECK_OK(secateur_select_force(0));
}

// A previous mask, with NaN under many of the elements that it prunes.
template <class Type>
void prune_before(Tensor* tensor, Random* random) {
  tensor->has_previous = true;
  tensor->previous = random->mask(tensor->n, 0.6);
  for (int64_t i = 0; i < tensor->n; i += 3) {
    if (!tensor->live(i)) {
      tensor->room[static_cast<size_t>(tensor->shift + i)] = Type::from_float(test::kNan);
    }
  }
}

// What scores are made of.
using Draw = std::function<uint16_t(Random&)>;

template <class Type>
std::vector<std::pair<const char*, Draw>> draws() {
  return {
      {"normal", [](Random& random) { return Type::from_float(random.normal()); }},
      {"zeros and few others",
       [](Random& random) {
         const uint16_t kinds[] = {0, 0x8000, 0, 1, 0x8001};
         return kinds[random.below(5)];
       }},
      {"all equal", [](Random&) { return Type::from_float(-0.5f); }},
      {"every number",
       [](Random& random) {
         const auto key = static_cast<int32_t>(random.below(2 * Type::kInfinity + 1));
         return key_bits16(key - Type::kInfinity);
       }},
  };
}

template <class Type>
void selects_in_one_tensor() {
  Random random(1);
  for (int64_t n : {1, 2, 31, 32, 33, 63, 64, 65, 1009, 4095, 4096, 4097, 50021}) {
    if (SANITIZED && n != 1 && n != 33 && n != 1009 && n != 4097) continue;
    for (const auto& [note, draw] : draws<Type>()) {
      std::vector<uint16_t> scores(static_cast<size_t>(n));
      for (uint16_t& score : scores) score = draw(random);
      Tensor tensor(scores, static_cast<int>(n % 3), 0);
      for (secateur_key key : {SECATEUR_KEY_ABS, SECATEUR_KEY_SIGNED}) {
        for (int64_t k : {int64_t{0}, int64_t{1}, n / 2, n - 1, n}) {
          check_case<Type>({tensor}, key, {k}, note);
          Tensor pruned = tensor;
          prune_before<Type>(&pruned, &random);
          check_case<Type>({pruned}, key, {k}, note);
        }
      }
    }
  }
}

template <class Type>
void selects_in_groups() {
  Random random(2);
  for (int round = 0; round < (SANITIZED ? 4 : 60); ++round) {
    const int64_t groups = 1 + random.below(4);
    std::vector<Tensor> tensors;
    std::vector<int64_t> k(static_cast<size_t>(groups));
    const auto kinds = draws<Type>();
    for (int64_t t = random.below(7); t >= 0; --t) {
      const int64_t sizes[] = {0, 1, 31, 1 + random.below(300), 700, 4097, 20000};
      std::vector<uint16_t> scores(static_cast<size_t>(sizes[random.below(7)]));
      const Draw& draw = kinds[static_cast<size_t>(random.below(4))].second;
      for (uint16_t& score : scores) score = draw(random);
      tensors.emplace_back(scores, static_cast<int>(random.below(4)),
                           static_cast<int>(random.below(groups)));
      if (random.below(2) == 0) prune_before<Type>(&tensors.back(), &random);
      k[static_cast<size_t>(tensors.back().group)] += tensors.back().n;
    }
    for (int64_t& wanted : k) wanted = random.below(wanted + 1);
    for (secateur_key key : {SECATEUR_KEY_ABS, SECATEUR_KEY_SIGNED}) {
      check_case<Type>(tensors, key, k, "groups");
    }
  }
}

// The sample at work; and ties over many tiles.
template <class Type>
void selects_in_a_large_tensor() {
  Random random(3);
  const int64_t n = (SANITIZED ? 300007 : 2000003);
  std::vector<uint16_t> scores(static_cast<size_t>(n));
  for (uint16_t& score : scores) score = Type::from_float(std::round(4 * random.normal()));
  const Tensor tensor(scores, 1, 0);
  for (int64_t k : {n / 3, n / 2}) check_case<Type>({tensor}, SECATEUR_KEY_ABS, {k}, "large");
  for (uint16_t& score : scores) score = Type::from_float(random.normal());
  Tensor weights(scores, 1, 0);
  for (int64_t k : {n / 2, n - n / 20}) {
    check_case<Type>({weights}, SECATEUR_KEY_ABS, {k}, "weights");
    check_case<Type>({weights}, SECATEUR_KEY_SIGNED, {k}, "weights");
    const Outcome outcome = run<Type>({weights}, SECATEUR_KEY_ABS, {k}, false);
    CHECK(outcome.results[0].path == 1);
    if (!SANITIZED) CHECK(outcome.results[0].bytes_read < n * 2 * 11 / 10);
  }
  prune_before<Type>(&weights, &random);
  check_case<Type>({weights}, SECATEUR_KEY_ABS, {n - n / 10}, "weights pruned before");
}

template <class Type>
void refuses_nan() {
  Random random(4);
  std::vector<uint16_t> scores(40000);
  for (uint16_t& score : scores) score = Type::from_float(random.normal());
  std::vector<Tensor> tensors(3, Tensor(scores, 1, 0));
  tensors[1].group = 1;
  for (Tensor& tensor : tensors) {
    tensor.has_previous = true;
    tensor.previous = random.mask(tensor.n, 0.5);
  }
  for (uint16_t nan : {Type::kInfinity + 1, 0x7fff, 0x8000 + Type::kInfinity + 1, 0xffff}) {
    std::vector<Tensor> spoiled = tensors;
    int64_t live = 30000, dead = 100;
    while (!spoiled[2].live(live)) ++live;
    while (spoiled[2].live(dead)) ++dead;
    for (int64_t i : {dead, live}) spoiled[2].room[static_cast<size_t>(1 + i)] = nan;
    for (secateur_key key : {SECATEUR_KEY_ABS, SECATEUR_KEY_SIGNED}) {
      for (int64_t k : {0, 100, 60000}) {
        for (bool in_place : {false, true}) {
          const Outcome outcome = run<Type>(spoiled, key, {k, 100}, in_place);
          CHECK(outcome.status == SECATEUR_NAN_SCORE);
          for (const secateur_select_result& result : outcome.results) {
            CHECK(result.nan_segment == 2 && result.nan_index == live);
            CHECK(result.pruned == 0 && std::isnan(result.threshold) && result.tied == 0);
          }
          for (size_t t = 0; t < 3; ++t) {
            for (int64_t i = 0; i < spoiled[t].n; ++i) {
              const bool before =
                  in_place ? spoiled[t].live(i) : (Mask::kGuard >> (i % 32) & 1) != 0;
              CHECK(outcome.masks[t].bit(i) == before);
            }
          }
        }
      }
    }
    spoiled[2].room[static_cast<size_t>(1 + live)] = scores[static_cast<size_t>(live)];
    const Outcome ignored = run<Type>(spoiled, SECATEUR_KEY_ABS, {100, 100}, false);
    CHECK(ignored.status == SECATEUR_OK);  // the other NaN was pruned before
  }
}

// One pass where all keys can be listed.
void reads_little() {
  std::vector<uint16_t> scores;
  for (int i = 0; i < 1000; ++i) scores.push_back(static_cast<uint16_t>(i / 2));
  const Tensor tensor(scores, 0, 0);
  for (int64_t k : {0, 500, 501}) {
    const Outcome outcome = run<F16>({tensor}, SECATEUR_KEY_ABS, {k}, false);
    CHECK(outcome.results[0].bytes_read == 2000);
    CHECK(outcome.results[0].path == (k == 0 ? 0 : 1));
  }
  uint16_t odd[2] = {};
  alignas(128) uint32_t mask[32];
  const secateur_segment segment = {reinterpret_cast<char*>(odd) + 1, 1, nullptr, mask, 0, 0};
  const int64_t k = 0;
  secateur_select_result result;
  size_t bytes = 0;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_select(cpu(), nullptr, SECATEUR_F16, SECATEUR_KEY_ABS, 1, &segment, 1, &k,
                               &result, nullptr, &bytes));
}

template <class Type>
void selects() {
  selects_in_one_tensor<Type>();
  selects_in_groups<Type>();
  selects_in_a_large_tensor<Type>();
  refuses_nan<Type>();
}

}  // namespace

int main() {
  selects<F16>();
  selects<BF16>();
  reads_little();
  return 0;
}
