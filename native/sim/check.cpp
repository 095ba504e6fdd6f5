// What -fsanitize=thread makes the kernels call: one function for each load and store (the
// compiler's instrumentation alone; its run-time library is not linked). Kernels run on one OS
// thread here.
#include "check.h"

#if SECATEUR_SIM_CHECKED

#include <link.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "check_race.h"
#include "engine_block.h"
#include "memory.h"
#include "memory_map.h"

namespace sim {
namespace check {

namespace {

enum class Kind : uint8_t { kRead, kWrite, kAtomicLoad, kAtomicStore, kAtomicUpdate };
constexpr bool reads(Kind kind) {
  return kind == Kind::kRead || kind == Kind::kAtomicLoad || kind == Kind::kAtomicUpdate;
}
constexpr bool writes(Kind kind) { return kind != Kind::kRead && kind != Kind::kAtomicLoad; }
constexpr Touch touch_of(Kind kind) {
  return kind == Kind::kRead ? Touch::kRead : kind == Kind::kWrite ? Touch::kWrite : Touch::kAtomic;
}

// Accesses of a thread, without any wait, until it is said to loop for nothing: a second or two.
constexpr uint64_t kAccessLimit = uint64_t{1} << 27;

struct Draw {
  uint32_t block;
  uint8_t phase;
};

// The log hears of neighbouring accesses as one. One run for each of some allocations.
struct Stretch {
  uint32_t extent = 0;
  const char* begin = nullptr;
  const char* end = nullptr;
};
constexpr size_t kStretches = 16;

struct Checks {
  Traffic traffic;
  AccessLog* log = nullptr;
  Stretch stretch[2][kStretches];  // of reads and writes

  uint32_t next_serial = 1;    // of the next launch's block 0
  uint32_t shared_serial = 0;  // of the running block's shared memory
  Toucher shared{}, global{};
  std::map<const void*, std::vector<Draw>> tickets;
  std::vector<uint8_t> acquired;  // by the running block

  Cell* words = nullptr;  // [map.span / 4]
  Cell* bytes = nullptr;  // [map.span], of split words

  uint8_t shared_written[kSharedBytes / 8];
  Cell shared_words[kSharedBytes / 4];
  Cell shared_bytes[kSharedBytes];
};
Checks& checks = *new Checks;

Cell* reserve_cells(size_t count) {
  void* const at = mmap(nullptr, count * sizeof(Cell), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    perror("simulated CUDA device: no addresses for the checks of device memory");
    abort();
  }
  return static_cast<Cell*>(at);
}

std::string text(const void* address) { return hex(reinterpret_cast<uintptr_t>(address)); }

std::string text(Kind kind, size_t size) {
  const char* const what = kind == Kind::kRead          ? "read"
                           : kind == Kind::kWrite       ? "write"
                           : kind == Kind::kAtomicLoad  ? "atomic load"
                           : kind == Kind::kAtomicStore ? "atomic store"
                                                        : "atomic operation";
  return std::string(what) + " of " + std::to_string(size) + " bytes";
}

// "byte 40 of a block of 400 bytes", "byte 8 of shared memory"
std::string place(const char* address) {
  if (memory::contains(address)) {
    const memory::Map& map = memory::map;
    const auto offset = static_cast<size_t>(address - map.base);
    const memory::Extent& extent = map.extent[map.chunk[offset / memory::kChunk]];
    return text(address) + ", byte " + std::to_string(address - extent.begin) + " of a block of " +
           std::to_string(extent.end - extent.begin) + " bytes";
  }
  return "byte " + std::to_string(address - worker->shared) + " of shared memory";
}

// ---- faults, apart from the fast path

[[noreturn]] __attribute__((noinline)) void bad_device_access(const char* at, size_t size,
                                                              Kind kind) {
  const std::string why = memory::check(at, size);
  const bool freed = why.find("freed") != std::string::npos;
  worker->fault(std::string(freed ? "use after free: " : "out of bounds: ") + text(kind, size) +
                " at " + text(at) + " of device memory, " + why);
}

[[noreturn]] __attribute__((noinline)) void bad_shared_access(const char* at, size_t size,
                                                              Kind kind) {
  const Worker& w = *worker;
  std::string where;
  if (at < w.shared) {
    where = std::to_string(w.shared - at) + " bytes before the start of shared memory";
  } else {
    where = std::to_string(at + size - w.shared - static_cast<ptrdiff_t>(w.shared_bytes)) +
            " bytes beyond the " + std::to_string(w.shared_bytes) + " bytes of shared memory";
  }
  worker->fault("out of bounds: " + text(kind, size) + ", " + where);
}

[[noreturn]] __attribute__((noinline)) void misaligned(const char* at, size_t size, Kind kind) {
  worker->fault("misaligned " + text(kind, size) + " at " + text(at));
}

[[noreturn]] __attribute__((noinline)) void uninitialised(const char* at, size_t size, Kind kind) {
  worker->fault("uninitialised: " + text(kind, size) + " at " + place(at) +
                ", which nobody has written");
}

std::string thread_text(uint32_t id) {
  const dim3 size = worker->block.block;
  return sim::text(uint3{id % size.x, id / size.x % size.y, id / size.x / size.y});
}

std::string block_text(uint32_t serial) {
  const dim3 grid = worker->block.grid;
  const uint32_t number = serial - checks.global.first_block;
  return sim::text(uint3{number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y});
}

[[noreturn]] __attribute__((noinline)) void race(const char* at, size_t size, Kind kind,
                                                 const Cell& cell, const Toucher& me) {
  std::string other;
  uint32_t block;
  if (cell.culprit_is_write) {
    block = cell.write_block;
    other = "a write by thread " + thread_text(cell.write_thread);
  } else {
    block = cell.others_block;
    const uint32_t lanes = cell.others_warp == me.warp_number() && block == me.block
                               ? cell.lanes & ~(1u << me.lane())
                               : cell.lanes;
    other = std::string((cell.flags & Cell::kAtomic) != 0 ? "an atomic operation" : "a read") +
            " by thread " +
            thread_text(cell.others_warp * kWarpSize +
                        static_cast<uint32_t>(__builtin_ctz(lanes != 0 ? lanes : cell.lanes)));
  }
  std::string unordered = " with no barrier or __syncwarp between them";
  if (block != me.block) {
    other += " of block " + block_text(block);
    unordered = ", and nothing orders blocks but last_block()";
  }
  worker->fault("race: " + text(kind, size) + " at " + place(at) + " and " + other + unordered);
}

struct ReadOnly {
  const char* begin;
  const char* end;
};

// Constants of the program and its libraries; their literals and tables are what kernels may read.
bool is_constant(const char* at, size_t size) {
  static std::vector<ReadOnly>& found = *new std::vector<ReadOnly>;
  for (const bool again : {false, true}) {
    if (again) {
      found.clear();
      dl_iterate_phdr(
          [](dl_phdr_info* info, size_t, void*) {
            for (int i = 0; i < info->dlpi_phnum; ++i) {
              const ElfW(Phdr)& part = info->dlpi_phdr[i];
              if ((part.p_type == PT_LOAD && (part.p_flags & PF_W) == 0) ||
                  part.p_type == PT_GNU_RELRO) {
                const char* const begin =
                    reinterpret_cast<const char*>(info->dlpi_addr + part.p_vaddr);
                found.push_back({begin, begin + part.p_memsz});
              }
            }
            return 0;
          },
          nullptr);
    }
    for (const ReadOnly& range : found) {
      if (at >= range.begin && at + size <= range.end) return true;
    }
  }
  return false;
}

__attribute__((noinline)) void host_access(const char* at, size_t size, Kind kind) {
  if (kind == Kind::kRead && is_constant(at, size)) return;
  worker->fault("host memory: " + text(kind, size) + " at " + text(at) +
                ", which is neither device nor shared memory nor the thread's own");
}

// ---- the fast path

template <Kind kKind>
void check_cells(const char* at, size_t size, size_t offset, Cell* words, Cell* bytes,
                 const Toucher& me) {
  if (offset % 4 == 0 && size % 4 == 0) {
    for (size_t word = offset / 4; word < (offset + size) / 4; ++word) {
      Cell& cell = words[word];
      if (__builtin_expect(cell.split, 0)) {
        for (size_t byte = 4 * word; byte < 4 * word + 4; ++byte) {
          if (!bytes[byte].touch<touch_of(kKind)>(me)) race(at, size, kKind, bytes[byte], me);
        }
      } else if (__builtin_expect(!cell.touch<touch_of(kKind)>(me), 0)) {
        race(at, size, kKind, cell, me);
      }
    }
    return;
  }
  for (size_t byte = offset; byte < offset + size; ++byte) {
    Cell& word = words[byte / 4];
    if (!word.split) {
      for (size_t part = 0; part < 4; ++part) bytes[byte / 4 * 4 + part] = word;
      word.split = true;
    }
    if (!bytes[byte].touch<touch_of(kKind)>(me)) race(at, size, kKind, bytes[byte], me);
  }
}

bool all_written(const uint8_t* marks, size_t offset, size_t size) {
  if (size == 4 && offset % 4 == 0) return (marks[offset / 8] >> offset % 8 & 0xf) == 0xf;
  if (offset % 8 == 0 && size == 8) return marks[offset / 8] == 0xff;
  for (size_t i = offset; i < offset + size; ++i) {
    if ((marks[i / 8] >> i % 8 & 1) == 0) return false;
  }
  return true;
}

void mark(uint8_t* marks, size_t offset, size_t size) {
  if (size == 4 && offset % 4 == 0) {
    marks[offset / 8] = static_cast<uint8_t>(marks[offset / 8] | 0xf << offset % 8);
    return;
  }
  if (offset % 8 == 0 && size == 8) {
    marks[offset / 8] = 0xff;
    return;
  }
  for (size_t i = offset; i < offset + size; ++i) {
    marks[i / 8] = static_cast<uint8_t>(marks[i / 8] | 1 << i % 8);
  }
}

void log_touch(uint32_t extent, const char* at, size_t size, bool write) {
  Stretch& stretch = checks.stretch[write][extent % kStretches];
  if (stretch.extent == extent && at <= stretch.end && at + size >= stretch.begin) {
    if (at < stretch.begin) stretch.begin = at;
    if (at + size > stretch.end) stretch.end = at + size;
    return;
  }
  if (stretch.extent != 0) {
    checks.log->touch(stretch.begin, static_cast<size_t>(stretch.end - stretch.begin), write);
  }
  stretch = {extent, at, at + size};
}

template <Kind kKind>
inline __attribute__((always_inline)) void access(const void* address, size_t size, bool aligned) {
  Worker* const w = worker;
  if (w == nullptr || w->current == nullptr) return;  // not in a kernel
  const char* const at = static_cast<const char*>(address);

  const auto offset = static_cast<size_t>(at - memory::map.base);
  if (offset < memory::map.span) {
    const uint32_t index = memory::map.chunk[offset / memory::kChunk];
    const memory::Extent& extent = memory::map.extent[index];
    if (at < extent.begin || at + size > extent.end || !extent.live) {
      bad_device_access(at, size, kKind);
    }
    if (aligned && offset % size != 0) misaligned(at, size, kKind);
    if (reads(kKind)) {
      if (!all_written(memory::map.written, offset, size)) uninitialised(at, size, kKind);
      checks.traffic.read += size;
    }
    if (writes(kKind)) {
      mark(memory::map.written, offset, size);
      checks.traffic.written += size;
    }
    if (checks.log != nullptr) log_touch(index, at, size, writes(kKind));
    checks.global.time = w->clock;
    checks.global.barrier_time = w->barrier_time;
    checks.global.thread = w->current->id;
    checks.global.warp = &w->warp[w->current->warp()];
    check_cells<kKind>(at, size, offset, checks.words, checks.bytes, checks.global);
    if (++w->accesses > kAccessLimit) {
      w->fault("endless loop: " + std::to_string(kAccessLimit) + " accesses without an end");
    }
    return;
  }

  const auto in_stack = static_cast<size_t>(at - w->stack().low());
  if (in_stack < w->stack().bytes()) return;

  if (static_cast<size_t>(at - w->shared_window) < Worker::kSharedWindow) {
    const auto shared_offset = static_cast<size_t>(at - w->shared);
    if (at < w->shared || shared_offset + size > w->shared_bytes) {
      bad_shared_access(at, size, kKind);
    }
    if (aligned && shared_offset % size != 0) misaligned(at, size, kKind);
    if (reads(kKind) && !all_written(checks.shared_written, shared_offset, size)) {
      uninitialised(at, size, kKind);
    }
    if (writes(kKind)) mark(checks.shared_written, shared_offset, size);
    checks.shared.time = w->clock;
    checks.shared.barrier_time = w->barrier_time;
    checks.shared.thread = w->current->id;
    checks.shared.warp = &w->warp[w->current->warp()];
    check_cells<kKind>(at, size, shared_offset, checks.shared_words, checks.shared_bytes,
                       checks.shared);
    return;
  }
  host_access(at, size, kKind);
}

}  // namespace

// ---- around launches and blocks

void launch_begins(uint64_t blocks, AccessLog* log) {
  if (checks.words == nullptr && memory::map.span != 0) {
    checks.words = reserve_cells(memory::map.span / 4);
    checks.bytes = reserve_cells(memory::map.span);
  }
  if (checks.next_serial + blocks > 0xffffffffu) {
    fprintf(stderr, "simulated CUDA device: more blocks than one process can check\n");
    abort();
  }
  checks.traffic = {};
  checks.log = log;
  checks.global = {};
  checks.global.base = checks.global.first_block = checks.next_serial;
  checks.next_serial += static_cast<uint32_t>(blocks);
  checks.tickets.clear();
}

Traffic launch_ended() {
  for (const bool write : {false, true}) {
    for (Stretch& stretch : checks.stretch[write]) {
      if (checks.log != nullptr && stretch.extent != 0) {
        checks.log->touch(stretch.begin, static_cast<size_t>(stretch.end - stretch.begin), write);
      }
      stretch = {};
    }
  }
  checks.log = nullptr;
  return checks.traffic;
}

void block_begins(const Worker& w) {
  checks.global.block = checks.global.first_block + static_cast<uint32_t>(w.block_number);
  checks.global.phase = 0;
  checks.global.acquired = nullptr;
  checks.global.most_acquired = 0;
  checks.shared = checks.global;
  checks.shared.block = checks.shared.base = ++checks.shared_serial;
}

void shared_declared(const Worker& w) {
  memset(checks.shared_written, 0, (w.shared_bytes + 7) / 8);
}

void forget(const char* begin, size_t bytes) {
  if (checks.words == nullptr) return;
  // Whole pages; what stays is older than any launch to come.
  const auto drop = [](Cell* first, size_t count) {
    const uintptr_t from = (reinterpret_cast<uintptr_t>(first) + 4095) & ~uintptr_t{4095};
    const uintptr_t to = reinterpret_cast<uintptr_t>(first + count) & ~uintptr_t{4095};
    if (to > from) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
  };
  const auto offset = static_cast<size_t>(begin - memory::map.base);
  drop(checks.words + offset / 4, bytes / 4);
  drop(checks.bytes + offset, bytes);
}

}  // namespace check

using check::access;
using check::Kind;

void atomic_access(const void* address, unsigned bytes, Access how) {
  switch (how) {
    case Access::kLoad:
      return access<Kind::kAtomicLoad>(address, bytes, true);
    case Access::kStore:
      return access<Kind::kAtomicStore>(address, bytes, true);
    case Access::kUpdate:
      return access<Kind::kAtomicUpdate>(address, bytes, true);
  }
}

void vector_access(const void* address, unsigned bytes) {
  const auto* const at = static_cast<const char*>(address);
  const Worker* const w = worker;
  if (w == nullptr || w->current == nullptr) return;
  const bool device =
      memory::contains(at) || static_cast<size_t>(at - w->shared_window) < Worker::kSharedWindow;
  if (device && reinterpret_cast<uintptr_t>(at) % bytes != 0) {
    worker->fault("misaligned vector of " + std::to_string(bytes) + " bytes at " +
                  check::text(address));
  }
}

void ticket_drawn(const void* ticket, bool last) {
  using namespace check;
  Toucher& me = checks.global;
  std::vector<Draw>& draws = checks.tickets[ticket];
  draws.push_back({static_cast<uint32_t>(worker->block_number), me.phase});
  if (me.acquired != nullptr) {  // what it knows from others it passes on
    for (uint32_t block = 0; block < checks.acquired.size(); ++block) {
      if (checks.acquired[block] > 0) {
        draws.push_back({block, static_cast<uint8_t>(checks.acquired[block] - 1)});
      }
    }
  }
  if (me.phase < 254) ++me.phase;
  if (!last) return;
  if (me.acquired == nullptr) {
    const dim3 grid = worker->block.grid;
    checks.acquired.assign(size_t{grid.x} * grid.y * grid.z, 0);
    me.acquired = &checks.acquired;
  }
  for (const Draw& draw : draws) {
    const auto known = static_cast<uint8_t>(draw.phase + 1);
    if (checks.acquired[draw.block] < known) checks.acquired[draw.block] = known;
    if (me.most_acquired < known) me.most_acquired = known;
  }
  draws.clear();
}

}  // namespace sim

// ---- the compiler's instrumentation. Unaligned ones it emits for types that may lie anywhere.

#define SECATEUR_SIM_TSAN(size)                                    \
  void __tsan_read##size(void* at) {                               \
    sim::check::access<sim::check::Kind::kRead>(at, size, true);   \
  }                                                                \
  void __tsan_write##size(void* at) {                              \
    sim::check::access<sim::check::Kind::kWrite>(at, size, true);  \
  }                                                                \
  void __tsan_unaligned_read##size(void* at) {                     \
    sim::check::access<sim::check::Kind::kRead>(at, size, false);  \
  }                                                                \
  void __tsan_unaligned_write##size(void* at) {                    \
    sim::check::access<sim::check::Kind::kWrite>(at, size, false); \
  }

extern "C" {
SECATEUR_SIM_TSAN(1)
SECATEUR_SIM_TSAN(2)
SECATEUR_SIM_TSAN(4)
SECATEUR_SIM_TSAN(8)
SECATEUR_SIM_TSAN(16)

void __tsan_read_range(void* at, size_t size) {
  sim::check::access<sim::check::Kind::kRead>(at, size, false);
}
void __tsan_write_range(void* at, size_t size) {
  sim::check::access<sim::check::Kind::kWrite>(at, size, false);
}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_init() {}
}

#else

namespace sim {

namespace check {
void launch_begins(uint64_t, AccessLog*) {}
Traffic launch_ended() { return {}; }
void block_begins(const Worker&) {}
void shared_declared(const Worker&) {}
void forget(const char*, size_t) {}
}  // namespace check

void ticket_drawn(const void*, bool) {}

}  // namespace sim

#endif
