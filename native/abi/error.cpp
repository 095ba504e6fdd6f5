#include "abi/error.h"

#include <cstdarg>
#include <cstdio>

namespace secateur {
namespace {

thread_local char last_error[Error::kCapacity] = "";

}  // namespace

Error::Error(secateur_status status, const char* sentence) noexcept : status_(status) {
  std::snprintf(sentence_, sizeof sentence_, "%s", sentence);
}

void fail(secateur_status status, const char* format, ...) {
  char sentence[Error::kCapacity];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  throw Error(status, sentence);
}

secateur_status set_last_error(secateur_status status, const char* sentence) noexcept {
  std::snprintf(last_error, sizeof last_error, "%s", sentence);
  return status;
}

}  // namespace secateur

const char* secateur_last_error(void) { return secateur::last_error; }
