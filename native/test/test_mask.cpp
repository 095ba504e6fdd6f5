// Operations on bit-packed masks against loops over single bits.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"

namespace {

secateur_device* device;

bool bit(const std::vector<uint32_t>& mask, int64_t i) {
  return (mask[static_cast<size_t>(i >> 5)] >> (i & 31) & 1) != 0;
}

// n bits, each kept with a chance that changes from word to word, then a guard word.
std::vector<uint32_t> random_mask(int64_t n, std::mt19937& random) {
  std::vector<uint32_t> mask(static_cast<size_t>(SECATEUR_MASK_WORDS(n)));
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t chance = static_cast<uint32_t>(i >> 5) * 2654435761u;
    if (random() >= (i / 32 % 3 == 0 ? 0u : i / 32 % 3 == 1 ? ~0u : chance)) {
      mask[static_cast<size_t>(i >> 5)] |= 1u << (i & 31);
    }
  }
  mask.push_back(0xdeadbeef);
  return mask;
}

const int64_t kSizes[] = {0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 1009, 65536, 200003};

void applies_and_counts() {
  std::mt19937 random(1);
  for (int threads : {1, 3}) {
    CHECK_OK(secateur_set_threads(threads));
    for (int64_t n : kSizes) {
      const std::vector<uint32_t> mask = random_mask(n, random);
      std::vector<float> w(static_cast<size_t>(n) + 1, -3.0f);
      for (int64_t i = 0; i < n; ++i) {
        const float kinds[] = {0.0f, -0.0f, 1.0f, -2.0f, std::numeric_limits<float>::quiet_NaN()};
        w[static_cast<size_t>(i)] = kinds[random() % 5];
      }
      int64_t expected_kept = 0, expected_zeros = 0, kept, zeros;
      for (int64_t i = 0; i < n; ++i) {
        expected_kept += bit(mask, i);
        expected_zeros += bit(mask, i) && w[static_cast<size_t>(i)] == 0;
      }
      CHECK_OK(secateur_mask_count(device, nullptr, n, mask.data(), w.data(), &kept, &zeros));
      CHECK(kept == expected_kept && zeros == expected_zeros);
      CHECK_OK(secateur_mask_count(device, nullptr, n, mask.data(), nullptr, &kept, &zeros));
      CHECK(kept == expected_kept && zeros == -1);

      const std::vector<float> before = w;
      CHECK_OK(secateur_mask_apply(device, nullptr, n, mask.data(), w.data()));
      const float zero = 0;
      for (int64_t i = 0; i <= n; ++i) {
        const auto at = static_cast<size_t>(i);
        CHECK(memcmp(&w[at], i == n || bit(mask, i) ? &before[at] : &zero, sizeof zero) == 0);
      }
      CHECK(mask.back() == 0xdeadbeef);
    }
  }
}

// As one call each; also none, and tensors of nothing.
void applies_many() {
  std::mt19937 random(3);
  CHECK_OK(secateur_mask_apply_many(device, nullptr, 0, nullptr));
  for (int threads : {1, 3}) {
    CHECK_OK(secateur_set_threads(threads));
    std::vector<std::vector<uint32_t>> masks;
    std::vector<std::vector<float>> weights;
    std::vector<secateur_masked> tensors;
    for (int round = 0; round < 9; ++round) {
      for (int64_t n : kSizes) {
        if (n > 1009 && round > 0) continue;
        masks.push_back(random_mask(n, random));
        weights.emplace_back(static_cast<size_t>(n) + 1, -3.0f);
      }
    }
    for (size_t t = 0; t < masks.size(); ++t) {
      const auto n = static_cast<int64_t>(weights[t].size()) - 1;
      tensors.push_back(
          {n == 0 ? nullptr : masks[t].data(), n == 0 ? nullptr : weights[t].data(), n});
    }
    CHECK_OK(secateur_mask_apply_many(device, nullptr, static_cast<int32_t>(tensors.size()),
                                      tensors.data()));
    for (size_t t = 0; t < masks.size(); ++t) {
      CHECK(masks[t].back() == 0xdeadbeef && weights[t].back() == -3.0f);
      for (int64_t i = 0; i < tensors[t].length; ++i) {
        const float w = bit(masks[t], i) ? -3.0f : 0.0f;
        CHECK(memcmp(&weights[t][static_cast<size_t>(i)], &w, sizeof w) == 0);
      }
    }
  }
  uint32_t word = 0;
  float w = 1;
  const auto refused = [&](int32_t count, const secateur_masked* tensors) {
    CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
                 secateur_mask_apply_many(device, nullptr, count, tensors));
    CHECK(w == 1);  // nothing was done for those before the wrong one
  };
  const secateur_masked wrong[3][2] = {{{&word, &w, 1}, {&word, &w, -1}},
                                       {{&word, &w, 1}, {nullptr, &w, 1}},
                                       {{&word, &w, 1}, {&word, nullptr, 1}}};
  for (const auto& tensors : wrong) refused(2, tensors);
  refused(-1, wrong[0]);
  refused(1, nullptr);
}

void keeps_whole_units() {
  std::mt19937 random(2);
  const int64_t shapes[][2] = {{1, 1},   {1, 40},  {40, 1},    {3, 5},    {31, 33}, {32, 32},
                               {33, 31}, {7, 257}, {300, 784}, {5003, 3}, {0, 5},   {5, 0}};
  for (const auto& [rows, cols] : shapes) {
    for (int32_t axis : {0, 1}) {
      const std::vector<uint32_t> units = random_mask(axis == 0 ? rows : cols, random);
      const std::vector<uint32_t> before = random_mask(rows * cols, random);
      std::vector<uint32_t> mask = before;
      CHECK_OK(secateur_mask_units(device, nullptr, axis, rows, cols, units.data(), mask.data()));
      for (int64_t i = 0; i < rows * cols; ++i) {
        const bool kept = bit(units, axis == 0 ? i / cols : i % cols);
        CHECK(bit(mask, i) == (bit(before, i) && kept));
      }
      CHECK(mask.back() == 0xdeadbeef);
    }
  }
  uint32_t word = 1;
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_mask_units(device, nullptr, 2, 1, 1, &word, &word));
  CHECK_STATUS(SECATEUR_INVALID_ARGUMENT,
               secateur_mask_units(device, nullptr, 0, 1, 1, nullptr, &word));
}

}  // namespace

int main() {
  CHECK_OK(secateur_device_open(SECATEUR_CPU, 0, &device));
  applies_and_counts();
  applies_many();
  keeps_whole_units();
  CHECK_OK(secateur_device_close(device));
  return 0;
}
