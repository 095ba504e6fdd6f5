// Finding ranks among counts, by a warp for a group: what the last blocks of the pass and of the
// digits do.
#pragma once

#include "common/select_scan.h"

SECATEUR_COMMON_BEGIN

// Sum over the lanes up to and with this one.
SECATEUR_DEVICE unsigned long long warp_upto(unsigned long long x) {
  SECATEUR_UNROLL(5)
  for (int step = 1; step < 32; step *= 2) {
    const unsigned long long before = __shfl_up_sync(kAllLanes, x, step);
    if (static_cast<int>(threadIdx.x & 31) >= step) x += before;
  }
  return x;
}

struct Found {
  int place;  // -1: the counts do not reach the rank
  unsigned long long before, count;
};

// The first place whose count and those before it make `rank` or more. count(i) for i in 0..places.
template <class Count>
SECATEUR_DEVICE Found find_rank(int places, unsigned long long rank, const Count& count) {
  const int lane = static_cast<int>(threadIdx.x & 31);
  Found found = {-1, 0, 0};
  // Each lane sums a stretch, all lanes look into the one that has the rank, and so on.
  int begin = 0;
  while (places > 0) {
    const int stretch = (places + 31) / 32, first = lane * stretch;
    unsigned long long sum = 0;
    SECATEUR_UNROLL(4)
    for (int i = first; i < first + stretch; ++i) {
      if (i < places) sum += count(begin + i);
    }
    const unsigned long long upto = found.before + warp_upto(sum);
    const uint32_t reached = __ballot_sync(kAllLanes, upto >= rank);
    if (reached == 0) return {-1, 0, 0};
    const int who = __ffs(static_cast<int>(reached)) - 1;
    found.before = __shfl_sync(kAllLanes, upto - sum, who);
    if (stretch == 1) {
      found.place = begin + who;
      found.count = __shfl_sync(kAllLanes, sum, who);
      return found;
    }
    begin += who * stretch;
    const int left = places - who * stretch;
    places = left < stretch ? left : stretch;
  }
  return found;
}

// Where the kept ones among `equal` equal keys end, of which the first `keep` in order are kept;
// count(row) of them are in a row.
template <class Count>
SECATEUR_DEVICE void cut_ties(const Select& s, SelectGroup& group, int g, unsigned long long equal,
                              unsigned long long keep, const Count& count) {
  const bool lead = (threadIdx.x & 31) == 0;
  if (keep >= equal) {
    if (lead) group.cut_row = 0x7fffffff;
    return;
  }
  const int first = static_cast<int>(block_of(group.first_tile, s.tiles, s.blocks)) + g;
  const int last = static_cast<int>(block_of(group.end_tile - 1, s.tiles, s.blocks)) + g;
  const Found found =
      find_rank(last - first + 1, keep + 1, [&](int i) { return count(first + i); });
  if (!lead) return;
  group.cut_row = first + found.place;
  group.cut_keep = keep - found.before;
}

// Whether finish has to read the scores again, now that all else about a group is known.
// ties_kept: of the tied key, all (or none) are kept; not to be called where it is the threshold.
SECATEUR_DEVICE int action_of(const SelectGroup& group, bool ties_kept) {
  const bool drafted_kept = group.draft == group.tied;
  const bool right = group.ties == 0 || drafted_kept == ties_kept;
  return right ? kMend : kRewrite;
}

SECATEUR_COMMON_END
