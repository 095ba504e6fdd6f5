// What the ABI's entries check of their arguments; each throws INVALID_ARGUMENT with a sentence.
#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstring>

#include "abi/device.h"
#include "abi/error.h"

namespace secateur {

inline void require_device(const secateur_device* device) {
  SECATEUR_REQUIRE(device != nullptr, "The device is NULL; open one with secateur_device_open.");
}

// A device, and a stream of it.
inline void require_device(const secateur_device* device, const void* stream) {
  require_device(device);
  device->require_stream(stream);
}

// An element count.
inline void require_count(int64_t n, const char* name) {
  SECATEUR_REQUIRE(n >= 0, "%s is %" PRId64 "; a count cannot be negative.", name, n);
}

// That `pointer` is there unless n is 0.
inline void require_pointer(const void* pointer, int64_t n, const char* name) {
  SECATEUR_REQUIRE(pointer != nullptr || n == 0, "%s is NULL but has %" PRId64 " elements.", name,
                   n);
}

// That there is a place to write a result to.
inline void require_place(const void* place, const char* name) {
  SECATEUR_REQUIRE(place != nullptr, "The place for %s is NULL.", name);
}

// That the elements of a matrix can be counted; returns their number.
inline int64_t require_matrix(int64_t rows, int64_t cols) {
  int64_t elements = 0;
  SECATEUR_REQUIRE(rows >= 0 && cols >= 0 && !__builtin_mul_overflow(rows, cols, &elements),
                   "A matrix of %" PRId64 " rows and %" PRId64 " columns does not exist.", rows,
                   cols);
  return elements;
}

inline void require_axis(int32_t axis) {
  SECATEUR_REQUIRE(axis == 0 || axis == 1,
                   "Axis %" PRId32 " of a matrix does not exist; use 0 or 1.", axis);
}

// The number that a caller passed for an enumeration, which may be none of its names: C++ does not
// define what reading such a value as one of the enumeration does.
template <class Enum>
int enum_number(const Enum& value) {
  static_assert(sizeof value == sizeof(int), "enumerations of the ABI are ints");
  int number;
  std::memcpy(&number, &value, sizeof number);
  return number;
}

inline void require_dtype(const secateur_dtype& dtype) {
  const int number = enum_number(dtype);
  SECATEUR_REQUIRE(number == SECATEUR_F32 || number == SECATEUR_F16 || number == SECATEUR_BF16,
                   "Unknown data type %d; use 0 (f32), 1 (f16) or 2 (bf16).", number);
}

inline void require_epilogue(const secateur_epilogue& epilogue) {
  SECATEUR_REQUIRE(epilogue.activation >= SECATEUR_IDENTITY && epilogue.activation <= SECATEUR_ABS,
                   "Unknown activation %" PRId32 "; use a secateur_unary_op or -1 for none.",
                   epilogue.activation);
}

// The convention of workspaces: a NULL workspace asks for the size. Returns false, the size told,
// when it was asked for; else checks the size given.
inline bool require_workspace(size_t needed, const void* workspace, size_t* workspace_bytes) {
  if (workspace == nullptr) {
    *workspace_bytes = needed;
    return false;
  }
  SECATEUR_REQUIRE(*workspace_bytes >= needed,
                   "The workspace has %zu bytes, but %zu are needed; ask for the size first.",
                   *workspace_bytes, needed);
  return true;
}

}  // namespace secateur
