// The external buffer of a product. The real library keeps there what it likes during a call, and
// from preprocess to the last product what it found out about the pattern. The stand-in writes over
// all of it, and leaves a seal after a preprocess that later products must find intact.
#pragma once

#include <cstdint>
#include <string>

#include "../library/work.h"
#include "operands.h"

namespace sim::cusparse {

// Mixes a number into a signature.
uint64_t mix(uint64_t signature, uint64_t number);
uint64_t mix(uint64_t signature, const dense_matrix& matrix);   // shape, order and types
uint64_t mix(uint64_t signature, const sparse_matrix& matrix);  // also the arrays of the pattern

class ExternalBuffer {
 public:
  // The buffer of one product, of 0 bytes where it needs none; signature stands for all that must
  // not change after preprocess.
  ExternalBuffer(void* address, size_t bytes, uint64_t signature)
      : address_(address), bytes_(bytes), signature_(signature) {}

  // For preprocess: seals the buffer when the work runs.
  void touch_to_seal(Work* work) const;
  std::string seal(const sparse_matrix& pattern) const;

  // For the product. `active` is the matrix's; without it nothing is expected in the buffer.
  // Returns "" or what the documentation forbids.
  std::string touch_to_use(Work* work, const active_buffer& active);
  std::string use(const sparse_matrix& pattern) const;

 private:
  void* address_;
  size_t bytes_;
  uint64_t signature_;
  bool sealed_ = false;
};

}  // namespace sim::cusparse
