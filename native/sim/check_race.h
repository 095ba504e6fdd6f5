// Who touched a word last, and whether what orders him before the thread that touches it now: a
// happens-before check (Flanagan and Freund, "FastTrack: efficient and precise dynamic race
// detection", PLDI 2009), cut down to what orders threads on a GPU:
//
//   within a block    barriers: all that was done before Block's barrier_time
//   within a warp     __syncwarp: Warp::all_known and Warp::known. Shuffles and votes order
//   nothing. between blocks    last_block(): what a block did before it drew its ticket is ordered
//   before
//                     what the last one does then. Phases count a block's tickets.
//   between launches  everything
//
// A cell keeps the last plain write, and the plain reads or the atomics since: of one lane or
// several of a warp exactly, beyond that only that they were of several warps or blocks. A word
// whose parts are touched one by one has a cell for each byte.
#pragma once

#include <cstdint>
#include <vector>

#include "engine_block.h"

namespace sim::check {

enum class Touch : uint8_t { kRead, kWrite, kAtomic };

// The thread that touches.
struct Toucher {
  uint32_t block;  // serial number of the block, over all launches; never 0
  uint32_t base;   // blocks of lower serial numbers are ordered before
  uint32_t time, barrier_time;
  uint32_t thread;
  uint8_t phase;
  const Warp* warp;
  const std::vector<uint8_t>* acquired;  // by number of block: phases below are ordered; or nullptr
  uint32_t first_block;                  // serial number of block 0 of this launch
  uint8_t most_acquired;

  uint32_t lane() const { return thread % kWarpSize; }
  uint32_t warp_number() const { return thread / kWarpSize; }
};

class alignas(32) Cell {
 public:
  // False when the touch races with an earlier one; the cell then tells with whose.
  template <Touch kTouch>
  bool touch(const Toucher& me) {
    if (!write_is_before(me)) {
      culprit_is_write = true;
      return false;
    }
    if (kTouch == Touch::kWrite) {
      if (!others_are_before(me)) return false;
      write_block = me.block;
      write_time = me.time;
      write_thread = static_cast<uint16_t>(me.thread);
      write_phase = me.phase;
      others_block = 0;
      flags = 0;
      return true;
    }
    constexpr uint8_t kKind = kTouch == Touch::kAtomic ? kAtomic : 0;
    if (others_are_before(me)) {
      flags = kKind;
      others_phase = me.phase;
    } else if ((flags & kAtomic) != kKind) {
      return false;
    } else if (others_block != me.block) {
      flags = kKind | kSeveralBlocks;
      if (others_phase < me.phase) others_phase = me.phase;
    } else {
      if (others_time > me.barrier_time) {  // else only the other blocks' matter
        if ((flags & kSeveralWarps) == 0 && others_warp == me.warp_number()) {
          lanes |= 1u << me.lane();
          others_time = me.time;
          return true;
        }
        flags |= kSeveralWarps;
      }
      if (others_phase < me.phase) others_phase = me.phase;
    }
    others_block = me.block;
    others_time = me.time;
    others_warp = static_cast<uint8_t>(me.warp_number());
    lanes = 1u << me.lane();
    return true;
  }

  static constexpr uint8_t kAtomic = 1, kSeveralWarps = 2, kSeveralBlocks = 4;

  uint32_t write_block = 0, write_time = 0;
  uint32_t others_block = 0, others_time = 0, lanes = 0;
  uint16_t write_thread = 0;
  uint8_t write_phase = 0, others_phase = 0, others_warp = 0, flags = 0;
  bool split = false;             // bytes have cells of their own
  bool culprit_is_write = false;  // after a race

 private:
  static bool acquired(const Toucher& me, uint32_t block, uint8_t phase) {
    return me.acquired != nullptr && (*me.acquired)[block - me.first_block] > phase;
  }

  bool write_is_before(const Toucher& me) const {
    if (write_block < me.base) return true;
    if (write_block != me.block) return acquired(me, write_block, write_phase);
    if (write_time <= me.barrier_time || write_thread == me.thread) return true;
    return write_thread / kWarpSize == me.warp_number() &&
           (write_time <= me.warp->all_known ||
            write_time <= me.warp->known[me.lane()][write_thread % kWarpSize]);
  }

  bool others_are_before(const Toucher& me) const {
    if (others_block < me.base) return true;
    if ((flags & kSeveralBlocks) != 0 && me.most_acquired <= others_phase) return false;
    if (others_block != me.block) {
      return (flags & kSeveralBlocks) != 0 || acquired(me, others_block, others_phase);
    }
    if (others_time <= me.barrier_time) return true;
    if ((flags & kSeveralWarps) != 0 || others_warp != me.warp_number()) return false;
    uint32_t rest = lanes & ~(1u << me.lane());
    if (others_time <= me.warp->all_known) return true;
    for (; rest != 0; rest &= rest - 1) {
      if (others_time > me.warp->known[me.lane()][__builtin_ctz(rest)]) return false;
    }
    return true;
  }
};
static_assert(sizeof(Cell) == 32, "a cell must not straddle cache lines");

}  // namespace sim::check
