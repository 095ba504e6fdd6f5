// Errors behind the ABI: code throws Error (by fail or require), every ABI entry runs inside
// guard(), which turns exceptions into a status and keeps the sentence for secateur_last_error().
#pragma once

#include <exception>
#include <new>

#include "secateur.h"

namespace secateur {

// A status and one sentence: what, where, and the cure. Held in place: making one allocates
// nothing.
class Error : public std::exception {
 public:
  static constexpr int kCapacity = 512;

  Error(secateur_status status, const char* sentence) noexcept;
  secateur_status status() const noexcept { return status_; }
  const char* what() const noexcept override { return sentence_; }

 private:
  secateur_status status_;
  char sentence_[kCapacity];
};

// Throws an Error whose sentence is formatted as by printf.
[[noreturn]] void fail(secateur_status status, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

// Throws INVALID_ARGUMENT unless `holds`. The arguments are evaluated only on failure.
#define SECATEUR_REQUIRE(holds, ...)                                        \
  do {                                                                      \
    if (!(holds)) ::secateur::fail(SECATEUR_INVALID_ARGUMENT, __VA_ARGS__); \
  } while (0)

// Keeps `sentence` as the calling thread's last error and returns `status`.
secateur_status set_last_error(secateur_status status, const char* sentence) noexcept;

// Runs an ABI entry: OK when body returns, else the status of what it threw.
template <class Body>
secateur_status guard(Body&& body) noexcept {
  try {
    body();
    return SECATEUR_OK;
  } catch (const Error& error) {
    return set_last_error(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return set_last_error(SECATEUR_OUT_OF_MEMORY,
                          "The process is out of memory; free some or use smaller pieces.");
  } catch (const std::exception& error) {
    return set_last_error(SECATEUR_INTERNAL, error.what());
  } catch (...) {
    return set_last_error(SECATEUR_INTERNAL, "Unknown exception in the native library.");
  }
}

}  // namespace secateur
