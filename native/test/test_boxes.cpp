// Boxes of weights against loops over coordinates.
#include <algorithm>
#include <cmath>
#include <vector>

#include "harness.h"

using test::cpu;
using test::Random;

namespace {

struct Cut {
  secateur_boxes boxes;
  int64_t across(int d) const { return (boxes.shape[d] + boxes.box[d] - 1) / boxes.box[d]; }
  int64_t count() const { return across(0) * across(1) * across(2); }
  int64_t elements() const { return boxes.shape[0] * boxes.shape[1] * boxes.shape[2]; }
  int64_t box_of(int64_t i) const {
    const int64_t i2 = i % boxes.shape[2], i1 = i / boxes.shape[2] % boxes.shape[1];
    const int64_t i0 = i / boxes.shape[2] / boxes.shape[1];
    return (i0 / boxes.box[0] * across(1) + i1 / boxes.box[1]) * across(2) + i2 / boxes.box[2];
  }
};

void check_cut(const Cut& cut, Random& random) {
  const int64_t n = cut.elements(), count = cut.count();
  std::vector<float> scores;
  for (int64_t i = 0; i < n; ++i) scores.push_back(random.normal());
  std::vector<uint32_t> mask = random.mask(n, 0.5);
  for (int64_t i = 0; i < n; ++i) {  // some boxes are pruned whole, of some only NaN is
    if (cut.box_of(i) % 3 == 1) mask[static_cast<size_t>(i >> 5)] &= ~(1u << (i & 31));
    if (!test::kept(mask, i) && i % 5 == 0) scores[static_cast<size_t>(i)] = test::kNan;
  }
  for (int32_t pooling : {0, 1, 2, 3}) {
    for (int threads : {1, 3}) {
      CHECK_OK(secateur_set_threads(threads));
      std::vector<double> sums(static_cast<size_t>(count)), sizes(sums), largest(sums);
      std::vector<bool> any(static_cast<size_t>(count));
      for (int64_t i = 0; i < n; ++i) {
        const auto b = static_cast<size_t>(cut.box_of(i));
        sizes[b] += 1;
        if (!test::kept(mask, i)) continue;
        const double x = scores[static_cast<size_t>(i)];
        any[b] = true;
        sums[b] += pooling == 0 ? x : pooling == 1 ? std::fabs(x) : x * x;
        largest[b] = std::max(largest[b], std::fabs(x));
      }
      std::vector<float> pooled(static_cast<size_t>(count) + 1, 7.0f);
      std::vector<uint32_t> live(static_cast<size_t>(SECATEUR_MASK_WORDS(count)) + 1, 0xdeadbeef);
      CHECK_OK(secateur_score_boxes(cpu(), nullptr, pooling, &cut.boxes, scores.data(), mask.data(),
                                    pooled.data(), live.data()));
      CHECK(pooled.back() == 7.0f && live.back() == 0xdeadbeef);
      for (int64_t b = 0; b < count; ++b) {
        const auto at = static_cast<size_t>(b);
        const double expected = pooling == 3 ? largest[at] : sums[at] / sizes[at];
        CHECK(std::fabs(pooled[at] - expected) <= 1e-6 * (1 + std::fabs(expected)));
        CHECK(test::kept(live, b) == any[at]);
      }
      CHECK(count % 32 == 0 || live[static_cast<size_t>(count / 32)] >> (count % 32) == 0);
    }
  }
  const std::vector<uint32_t> kept = random.mask(count, 0.5);
  std::vector<uint32_t> masked = mask;
  masked.push_back(0xdeadbeef);
  CHECK_OK(secateur_mask_boxes(cpu(), nullptr, &cut.boxes, kept.data(), masked.data()));
  CHECK(masked.back() == 0xdeadbeef);
  for (int64_t i = 0; i < n; ++i) {
    CHECK(test::kept(masked, i) == (test::kept(mask, i) && test::kept(kept, cut.box_of(i))));
  }
}

void pools_and_masks() {
  Random random(1);
  const Cut cuts[] = {{{{1, 1, 1}, {1, 1, 1}}},         {{{1, 8, 8}, {1, 4, 1}}},
                      {{{1, 10, 7}, {1, 4, 2}}},        {{{1, 300, 100}, {1, 4, 1}}},
                      {{{1, 33, 65}, {1, 33, 1}}},      {{{1, 33, 65}, {1, 1, 65}}},
                      {{{6, 5, 9}, {6, 1, 9}}},         {{{3, 40, 11}, {1, 16, 4}}},
                      {{{5, 7, 3}, {2, 3, 2}}},         {{{1, 70, 130}, {1, 64, 64}}},
                      {{{10, 7, 1000}, {10, 1, 1000}}}, {{{1, 2, 70000}, {1, 1, 70000}}}};
  for (const Cut& cut : cuts) check_cut(cut, random);
  for (int round = 0; round < 60; ++round) {
    Cut cut;
    for (int d = 0; d < 3; ++d) {
      cut.boxes.shape[d] = 1 + random.below(20);
      cut.boxes.box[d] = 1 + random.below(static_cast<int>(cut.boxes.shape[d]));
    }
    check_cut(cut, random);
  }
}

void a_kept_nan_wins() {
  const float scores[] = {1, test::kNan, 3, 4};
  const secateur_boxes boxes = {{1, 2, 2}, {1, 1, 2}};
  for (int32_t pooling : {0, 1, 2, 3}) {
    float pooled[2];
    uint32_t live;
    CHECK_OK(secateur_score_boxes(cpu(), nullptr, pooling, &boxes, scores, nullptr, pooled, &live));
    CHECK(std::isnan(pooled[0]) && pooled[1] > 0 && live == 3);
  }
}

void refuses_wrong_arguments() {
  const float x[4] = {1, 2, 3, 4};
  float pooled[4];
  uint32_t bits = 15;
  const secateur_boxes right = {{1, 2, 2}, {1, 1, 2}};
  const secateur_boxes wrong[] = {
      {{0, 2, 2}, {1, 1, 1}}, {{1, 2, 2}, {1, 0, 1}}, {{1, 2, 2}, {1, 1, 3}}};
  for (const secateur_boxes& boxes : wrong) {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_score_boxes(cpu(), nullptr, 0, &boxes, x, nullptr, pooled, &bits));
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_mask_boxes(cpu(), nullptr, &boxes, &bits, &bits));
  }
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_score_boxes(cpu(), nullptr, 4, &right, x, nullptr, pooled, &bits));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_score_boxes(cpu(), nullptr, 0, nullptr, x, nullptr, pooled, &bits));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_score_boxes(cpu(), nullptr, 0, &right, x, nullptr, pooled, nullptr));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_mask_boxes(cpu(), nullptr, &right, nullptr, &bits));
}

}  // namespace

int main() {
  pools_and_masks();
  a_kept_nan_wins();
  refuses_wrong_arguments();
  return 0;
}
