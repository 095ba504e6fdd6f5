// Boxes of weights that are pruned together (kernels/common/boxes.h). Work is cut at mask words, so
// that no two threads write the same word.
#include "common/boxes.h"

#include <algorithm>
#include <cstring>

#include "common/reduce.h"
#include "device.h"
#include "mask.h"
#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kGrain = int64_t{1} << 15;  // elements a chunk, about

common::Boxes of(const secateur_boxes& b) {
  return {{b.shape[0], b.shape[1], b.shape[2]}, {b.box[0], b.box[1], b.box[2]}};
}

bool is_kept(const uint32_t* mask, int64_t i) {
  return mask == nullptr || (mask[i >> 5] >> (i & 31) & 1u) != 0;
}

// As common::sum of at most kSumLanes values: lanes without one are +0, and adding that changes no
// lane, so the tree is walked over those with one.
template <class Value>
double small_sum(int64_t n, const Value& value) {
  double lane[common::kSumLanes];
  for (int64_t l = 0; l < n; ++l) lane[l] = 0.0 + value(l);
  int64_t left = n;
  for (int half = common::kSumLanes / 2; half > 0; half /= 2) {
    for (int64_t l = 0; l + half < left; ++l) lane[l] += lane[l + half];
    left = std::min<int64_t>(left, half);
  }
  return lane[0];
}

float pooled_score(const common::Box& box, int32_t pooling, const float* scores,
                   const uint32_t* mask) {
  if (pooling == SECATEUR_POOL_LARGEST) {
    uint32_t most = 0;  // of bits, so that NaN wins
    for (int64_t e = 0; e < box.size; ++e) {
      const int64_t i = box.at(e);
      uint32_t bits;
      std::memcpy(&bits, scores + i, sizeof bits);
      if (is_kept(mask, i)) most = std::max(most, bits & 0x7fffffffu);
    }
    float largest;
    std::memcpy(&largest, &most, sizeof largest);
    return largest;
  }
  const auto term = [&](int64_t e) {
    const int64_t i = box.at(e);
    return is_kept(mask, i) ? common::box_term(pooling, scores[i]) : 0.0;
  };
  const double total = box.size <= common::kSumLanes ? small_sum(box.size, term)
                                                     : common::sum<double>(box.size, term);
  return static_cast<float>(total / static_cast<double>(box.size));
}

bool any_kept(const common::Box& box, const uint32_t* mask) {
  if (mask == nullptr) return true;
  for (int64_t e = 0; e < box.size; ++e) {
    if (is_kept(mask, box.at(e))) return true;
  }
  return false;
}

}  // namespace

void CpuDevice::score_boxes(void*, int32_t pooling, const secateur_boxes& boxes,
                            const float* scores, const uint32_t* mask, float* pooled,
                            uint32_t* live) {
  const common::Boxes cut = of(boxes);
  const int64_t count = cut.count();
  const int64_t of_word = 32 * cut.box[0] * cut.box[1] * cut.box[2];
  const int64_t grain = std::max<int64_t>(1, kGrain / of_word);
  parallel_ranges(mask_words(count), grain, [&](int64_t begin, int64_t end) {
    for (int64_t word = begin; word < end; ++word) {
      uint32_t bits = 0;
      for (int64_t b = word * 32; b < std::min(count, word * 32 + 32); ++b) {
        const common::Box box = common::box_at(cut, b);
        pooled[b] = pooled_score(box, pooling, scores, mask);
        if (any_kept(box, mask)) bits |= uint32_t{1} << (b & 31);
      }
      live[word] = bits;
    }
  });
}

void CpuDevice::mask_boxes(void*, const secateur_boxes& boxes, const uint32_t* kept,
                           uint32_t* mask) {
  const common::Boxes cut = of(boxes);
  parallel_ranges(mask_words(cut.elements()), kGrain / 32, [&](int64_t begin, int64_t end) {
    for (int64_t word = begin; word < end; ++word) mask[word] &= box_word(cut, kept, word);
  });
}

}  // namespace secateur
