// What the stand-ins for cuBLAS and cuSPARSE hand to the simulated driver: one piece of work with
// the exact device memory it touches, to run when its stream runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sim {

enum class Access { kRead, kWrite, kUpdate };  // kUpdate reads and writes

// alpha or beta: a number copied at the call, or device memory read when the work runs.
class Scalar {
 public:
  Scalar() = default;
  explicit Scalar(float value) : value_(value) {}
  static Scalar on_device(const float* address);
  // Without the device's memory at hand: a scalar there is taken to be neither 0 nor 1.
  bool known() const { return address_ == nullptr; }
  bool is_zero() const { return known() && value_ == 0; }
  float get() const { return known() ? value_ : *address_; }
  const float* address() const { return address_; }

 private:
  float value_ = 0;
  const float* address_ = nullptr;
};

class Work {
 public:
  explicit Work(const char* function) : function_(function) {}

  // The work touches `count` runs of `bytes` bytes, `pitch` bytes apart, from address on, whose
  // numbers are `align` bytes wide.
  void touch(const char* what, const void* address, size_t align, size_t bytes, Access access,
             size_t count = 1, size_t pitch = 0);
  void touch(const char* what, const Scalar& scalar);

  // Queues it on the stream. run does the arithmetic and returns what is wrong, or "". The result
  // is a driver status, 0 when queued; faults of the work itself show when it runs.
  int submit(void* stream, std::function<std::string()> run);

 private:
  struct Range {
    std::string what;
    uintptr_t address;
    size_t align, bytes, count, pitch;
    Access access;
    uintptr_t end() const { return address + (count - 1) * pitch + bytes; }
  };
  static bool overlap(const Range& a, const Range& b);
  std::string wrong_ranges() const;

  std::string function_;
  std::vector<Range> ranges_;
};

// Makes a sentence the simulator's last fault: for a call that the documentation forbids.
void record_fault(const std::string& sentence);

// Fills a buffer that the library may use as it likes, so that whoever keeps something else there
// notices. Call it within run.
void scribble(void* buffer, size_t bytes);

}  // namespace sim
