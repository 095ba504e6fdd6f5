#include "work.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "../driver/library.h"

namespace sim {

namespace {

// What the driver calls back: the work and, after a run, what was wrong with it.
struct Queued {
  std::function<std::string()> run;
  std::string wrong;
};

const char* run_queued(void* data) {
  Queued* queued = static_cast<Queued*>(data);
  queued->wrong = queued->run();
  return queued->wrong.empty() ? nullptr : queued->wrong.c_str();
}

void destroy_queued(void* data) { delete static_cast<Queued*>(data); }

}  // namespace

Scalar Scalar::on_device(const float* address) {
  Scalar scalar;
  scalar.address_ = address;
  return scalar;
}

void Work::touch(const char* what, const void* address, size_t align, size_t bytes, Access access,
                 size_t count, size_t pitch) {
  if (bytes == 0 || count == 0) return;
  ranges_.push_back(
      {what, reinterpret_cast<uintptr_t>(address), align, bytes, count, pitch, access});
}

void Work::touch(const char* what, const Scalar& scalar) {
  if (!scalar.known()) touch(what, scalar.address(), sizeof(float), sizeof(float), Access::kRead);
}

// True when two ranges share a byte: decided run by run, as rows of one matrix may interleave.
bool Work::overlap(const Range& a, const Range& b) {
  if (a.end() <= b.address || b.end() <= a.address) return false;
  if (a.count > b.count) return overlap(b, a);
  for (size_t i = 0; i < a.count; i++) {
    const uintptr_t start = a.address + i * a.pitch, end = start + a.bytes;
    if (end <= b.address || b.end() <= start) continue;
    if (b.count == 1) return true;
    // The last run of b that starts before this run of a ends, and whether it reaches into it.
    const size_t last = std::min<size_t>(b.count - 1, (end - 1 - b.address) / b.pitch);
    if (b.address + last * b.pitch + b.bytes > start) return true;
  }
  return false;
}

std::string Work::wrong_ranges() const {
  for (const Range& range : ranges_)
    if (range.address % range.align != 0)
      return function_ + ": " + range.what + " is not aligned to " + std::to_string(range.align) +
             " bytes";
  std::vector<const Range*> sorted;
  for (const Range& range : ranges_) sorted.push_back(&range);
  std::sort(sorted.begin(), sorted.end(),
            [](const Range* a, const Range* b) { return a->address < b->address; });
  for (size_t i = 0; i < sorted.size(); i++)
    for (size_t j = i + 1; j < sorted.size() && sorted[j]->address < sorted[i]->end(); j++) {
      if (sorted[i]->access == Access::kRead && sorted[j]->access == Access::kRead) continue;
      if (overlap(*sorted[i], *sorted[j]))
        return function_ + ": " + sorted[i]->what + " and " + sorted[j]->what +
               " overlap, and it writes one of them";
    }
  return "";
}

int Work::submit(void* stream, std::function<std::string()> run) {
  std::vector<secateur_sim_range> ranges;
  for (const Range& range : ranges_)
    ranges.push_back({range.what.c_str(), reinterpret_cast<const void*>(range.address), range.bytes,
                      range.count, range.pitch,
                      range.access == Access::kRead    ? SECATEUR_SIM_READ
                      : range.access == Access::kWrite ? SECATEUR_SIM_WRITE
                                                       : SECATEUR_SIM_UPDATE});
  const std::string wrong = wrong_ranges();
  secateur_sim_work work = {};
  work.name = function_.c_str();
  work.ranges = ranges.data();
  work.range_count = ranges.size();
  work.data = new Queued{wrong.empty() ? std::move(run) : [wrong] { return wrong; }, ""};
  work.run = run_queued;
  work.destroy = destroy_queued;
  return secateur_sim_enqueue(stream, &work);
}

void record_fault(const std::string& sentence) { secateur_sim_record_fault(sentence.c_str()); }

void scribble(void* buffer, size_t bytes) {
  if (bytes != 0) std::memset(buffer, 0xa5, bytes);
}

}  // namespace sim
