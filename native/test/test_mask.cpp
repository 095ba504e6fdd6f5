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
  keeps_whole_units();
  CHECK_OK(secateur_device_close(device));
  return 0;
}
