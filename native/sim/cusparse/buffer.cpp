#include "buffer.h"

#include <cstring>

namespace sim::cusparse {

namespace {

constexpr size_t kAlignment = 128;
constexpr uint64_t kMark = 0x5ec47e0b5ea1ed00;

struct Seal {
  uint64_t mark, signature, pattern;
};

// Of the contents of offsets and indices: a changed pattern needs a new preprocess.
uint64_t pattern_hash(const sparse_matrix& m) {
  Rows rows;
  if (!read(m, 0, false, false, &rows).empty()) return 0;
  uint64_t hash = 0;
  for (int64_t offset : rows.offsets) hash = mix(hash, offset);
  for (int64_t column : rows.columns) hash = mix(hash, column);
  return hash;
}

}  // namespace

uint64_t mix(uint64_t signature, uint64_t number) {
  uint64_t z = (signature ^ number) + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t mix(uint64_t signature, const dense_matrix& m) {
  for (int64_t number :
       {m.rows, m.cols, m.ld, int64_t{m.type}, int64_t{m.order}, int64_t{m.batch}, m.stride})
    signature = mix(signature, static_cast<uint64_t>(number));
  return signature;
}

uint64_t mix(uint64_t signature, const sparse_matrix& m) {
  for (int64_t number : {m.rows, m.cols, m.nnz, int64_t{m.format}, int64_t{m.index_type},
                         int64_t{m.base}, int64_t{m.type}, m.block, int64_t{m.batch}})
    signature = mix(signature, static_cast<uint64_t>(number));
  signature = mix(signature, reinterpret_cast<uint64_t>(m.offsets));
  return mix(signature, reinterpret_cast<uint64_t>(m.indices));
}

void ExternalBuffer::touch_to_seal(Work* work) const {
  work->touch("external buffer", address_, kAlignment, bytes_, Access::kWrite);
}

std::string ExternalBuffer::seal(const sparse_matrix& pattern) const {
  if (bytes_ == 0) return "";
  scribble(address_, bytes_);
  const Seal seal = {kMark, signature_, pattern_hash(pattern)};
  std::memcpy(address_, &seal, sizeof seal);
  return "";
}

std::string ExternalBuffer::touch_to_use(Work* work, const active_buffer& active) {
  sealed_ = bytes_ != 0 && active.buffer != nullptr && active.buffer == address_;
  if (sealed_ && active.signature != signature_)
    return "the arguments differ from those of the preprocess that made this buffer active";
  work->touch("external buffer", address_, kAlignment, bytes_,
              sealed_ ? Access::kUpdate : Access::kWrite);
  return "";
}

std::string ExternalBuffer::use(const sparse_matrix& pattern) const {
  Seal seal = {};
  if (sealed_) {
    std::memcpy(&seal, address_, sizeof seal);
    if (seal.mark != kMark || seal.signature != signature_)
      return "the external buffer was written to since its preprocess";
    if (seal.pattern != pattern_hash(pattern))
      return "the pattern of the sparse matrix changed since its preprocess";
  }
  scribble(address_, bytes_);
  if (sealed_) std::memcpy(address_, &seal, sizeof seal);
  return "";
}

}  // namespace sim::cusparse
