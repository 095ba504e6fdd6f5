// Packs the nonzeros of a weight matrix into the layout of rows.h. One pass over the weight notes
// the stored elements as bits, row by row of W however it is stored; everything else goes by them,
// group by group on the pool, and values are read where a bit is set.
#include "sparse/rows_pack.h"

#include <unistd.h>

#include <atomic>
#include <vector>

#include "pool.h"

namespace secateur {
namespace {

constexpr int64_t kWord = 64;        // bits
constexpr int64_t kGrain = 1 << 14;  // weights a chunk
constexpr int64_t kColumnBytes = kRowsUnit * static_cast<int64_t>(sizeof(float));

int64_t words(int64_t bits) { return (bits + kWord - 1) / kWord; }

int64_t at_most(int64_t n, int64_t most) { return n < most ? n : most; }

// ---- stored elements as bits

// Bits of a mask from element i on; those past element i + n - 1 may be anything.
uint64_t mask_bits(const uint32_t* mask, int64_t i, int64_t n) {
  const int64_t word = i / 32, last = (i + n - 1) / 32;
  const int shift = static_cast<int>(i % 32);
  uint64_t bits = mask[word];
  if (last > word) bits |= uint64_t{mask[word + 1]} << 32;
  bits >>= shift;
  if (last > word + 1) bits |= uint64_t{mask[word + 2]} << (64 - shift);
  return bits;
}

// Which of n <= 64 elements of w as stored from element i on get a place: see is_stored.
uint64_t stored_bits(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
                     int64_t i, int64_t n) {
  uint64_t bits = ~uint64_t{0} >> (kWord - n);
  if (weight.mask != nullptr) {
    bits &= mask_bits(weight.mask, i, n);
    if (format.trainable != 0) return bits;
  }
  if (n == kWord) return bits & rows_kernels().nonzero_bits(weight.w + i);
  uint64_t nonzero = 0;
  for (int64_t k = 0; k < n; ++k) nonzero |= uint64_t{weight.w[i + k] != 0.0f} << k;
  return bits & nonzero;
}

// Bit j of word i becomes bit i of word j: halves, quarters, ... change places.
void transpose_bits(uint64_t* word) {
  uint64_t low = 0xffffffff;
  for (int width = 32; width > 0; width /= 2, low ^= low << width) {
    for (int i = 0; i < 64; i = ((i | width) + 1) & ~width) {
      const uint64_t changed = (word[i] >> width ^ word[i | width]) & low;
      word[i] ^= changed << width;
      word[i | width] ^= changed;
    }
  }
}

// The stored elements of W [out, in]: each row begins with a word.
struct Bits {
  int64_t row_words, count;
  std::vector<uint64_t> word;

  const uint64_t* row(int64_t r) const { return word.data() + r * row_words; }
};

// Calls body(begin, end), units on the pool, about kGrain elements at once; returns the sum.
template <class Body>
int64_t sum_ranges(int64_t units, int64_t unit_elements, Body&& body) {
  std::atomic<int64_t> sum{0};
  parallel_ranges(units, kGrain / (unit_elements + 1) + 1,
                  [&](int64_t begin, int64_t end) { sum += body(begin, end); });
  return sum;
}

Bits find_stored(const secateur_sparse_format& format, const secateur_sparse_weight& weight) {
  const int64_t out = weight.out, in = weight.in, row_words = words(in);
  Bits bits = {row_words, 0, std::vector<uint64_t>(static_cast<size_t>(out * row_words))};
  uint64_t* const all = bits.word.data();
  if (weight.transposed) {
    bits.count = sum_ranges(row_words, kWord * out, [&](int64_t begin, int64_t end) {
      int64_t count = 0;
      for (int64_t k = begin; k < end; ++k) {
        const int64_t inputs = at_most(in - k * kWord, kWord);
        for (int64_t row = 0; row < out; row += kWord) {
          const int64_t rows = at_most(out - row, kWord);
          uint64_t square[kWord] = {};
          for (int64_t i = 0; i < inputs; ++i) {
            square[i] = stored_bits(format, weight, (k * kWord + i) * out + row, rows);
            count += __builtin_popcountll(square[i]);
          }
          transpose_bits(square);
          for (int64_t r = 0; r < rows; ++r) all[(row + r) * row_words + k] = square[r];
        }
      }
      return count;
    });
  } else {
    bits.count = sum_ranges(out, in, [&](int64_t begin, int64_t end) {
      int64_t count = 0;
      for (int64_t row = begin; row < end; ++row) {
        for (int64_t k = 0; k < row_words; ++k) {
          const int64_t n = at_most(in - k * kWord, kWord);
          const uint64_t word = stored_bits(format, weight, row * in + k * kWord, n);
          count += __builtin_popcountll(word);
          all[row * row_words + k] = word;
        }
      }
      return count;
    });
  }
  return bits;
}

int64_t count_stored(const secateur_sparse_format& format, const secateur_sparse_weight& weight) {
  const int64_t elements = weight.out * weight.in;
  return sum_ranges(words(elements), kWord, [&](int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i) {
      count += __builtin_popcountll(
          stored_bits(format, weight, i * kWord, at_most(elements - i * kWord, kWord)));
    }
    return count;
  });
}

// ---- the shape of the layout

// Inputs a block. A row's nonzero costs four loads from a panel of 64 columns, and its sums four
// loads and four stores a block: long blocks save those, until the panel's block falls out of the
// first-level cache (32 KiB: 128 inputs), which costs the less the fewer of its lines are used.
// Measured on [2048, 2048] x 64.
int64_t block_inputs(double density) {
  const int64_t inputs = density > 0.35    ? 64
                         : density > 0.07  ? 128
                         : density > 0.035 ? 192
                         : density > 0.015 ? 384
                                           : 1024;
  static const long cache = sysconf(_SC_LEVEL1_DCACHE_SIZE);
  return cache >= 64 << 10 ? 2 * inputs : inputs;
}

// All but the number of rows.
RowsHeader rows_header(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
                       int64_t stored) {
  const int64_t out = weight.out, in = weight.in;
  RowsHeader header = {};
  header.packed = make_header(format, weight);
  header.packed.stored = stored;
  // At least eight groups where there are rows enough, so that threads find equal shares.
  const int64_t eighth = ((out + 7) / 8 + 15) / 16 * 16;
  header.group_rows = eighth < kRowsGroup ? (eighth < 16 ? 16 : eighth) : kRowsGroup;
  header.groups = (out + header.group_rows - 1) / header.group_rows;
  const double elements = static_cast<double>(out) * static_cast<double>(in);
  header.block = block_inputs(elements == 0 ? 0 : static_cast<double>(stored) / elements);
  header.blocks = in == 0 ? 1 : (in + header.block - 1) / header.block;
  return header;
}

// Of a matrix with header.rows entries in its table of rows.
size_t packed_size(const RowsHeader& header) {
  return sizeof(RowsHeader) +
         static_cast<size_t>(header.groups * header.blocks + 1) * sizeof(SparseSegment) +
         static_cast<size_t>(header.rows) * sizeof(SparseRow) +
         static_cast<size_t>(header.packed.stored) *
             (sizeof(SparseEntry) + (header.packed.format.trainable ? sizeof(uint32_t) : 0));
}

// ---- segments

// One group x block.
struct Segment {
  int64_t row, rows;    // the group's
  int64_t word, words;  // of a row's bits
  bool all_rows;        // those without nonzeros too
};

Segment segment_at(const RowsHeader& header, const Bits& bits, int64_t group, int64_t block) {
  const int64_t row = group * header.group_rows, step = header.block / kWord;
  return {row, at_most(header.packed.out - row, header.group_rows), block * step,
          at_most(bits.row_words - block * step, step), block == 0};
}

// Nonzeros of each row; returns the segment's size.
SparseSegment count_rows(const Bits& bits, const Segment& s, uint16_t* counts) {
  SparseSegment size = {};
  for (int64_t r = 0; r < s.rows; ++r) {
    const uint64_t* const word = bits.row(s.row + r) + s.word;
    int64_t count = 0;
    for (int64_t k = 0; k < s.words; ++k) count += __builtin_popcountll(word[k]);
    counts[r] = static_cast<uint16_t>(count);
    size.row += count != 0 || s.all_rows;
    size.entry += count;
  }
  return size;
}

// Rows with most nonzeros first, equals in order (a counting sort).
void sort_rows(const Segment& s, const uint16_t* counts, SparseRow* sorted) {
  int64_t most = 0;
  for (int64_t r = 0; r < s.rows; ++r) most = counts[r] > most ? counts[r] : most;
  std::vector<int64_t> place(static_cast<size_t>(most + 1));
  for (int64_t r = 0; r < s.rows; ++r) ++place[counts[r]];
  int64_t before = 0;
  for (int64_t count = most; count >= 0; --count) {
    const int64_t here = place[count];
    place[count] = before;
    before += here;
  }
  for (int64_t r = 0; r < s.rows; ++r) {
    if (counts[r] != 0 || s.all_rows) {
      sorted[place[counts[r]]++] = {static_cast<uint16_t>(r), counts[r]};
    }
  }
}

// indices, of a trainable matrix, get every entry's place in w as stored.
void fill_segment(const secateur_sparse_weight& weight, const Bits& bits, const Segment& s,
                  SparseRow* rows, SparseEntry* entry, uint32_t* indices) {
  uint16_t counts[kRowsGroup];
  const int64_t row_count = count_rows(bits, s, counts).row;
  sort_rows(s, counts, rows);
  const int64_t stride = weight.transposed ? weight.out : 1;
  for (int64_t r = 0; r < row_count; ++r) {
    const int64_t row = s.row + rows[r].row;
    const uint64_t* const word = bits.row(row) + s.word;
    const int64_t start = stored_index(weight, row, s.word * kWord);
    for (int64_t k = 0; k < s.words; ++k) {
      for (uint64_t left = word[k]; left != 0; left &= left - 1) {
        const int64_t input = k * kWord + __builtin_ctzll(left);
        const int64_t i = start + input * stride;
        if (indices != nullptr) *indices++ = static_cast<uint32_t>(i);
        *entry++ = {static_cast<uint32_t>(input * kColumnBytes), weight.w[i]};
      }
    }
  }
}

// Sizes of all segments, then where each begins.
std::vector<SparseSegment> place_segments(const RowsHeader& header, const Bits& bits) {
  std::vector<SparseSegment> segments(static_cast<size_t>(header.groups * header.blocks + 1));
  parallel_for(header.groups, [&](int64_t group) {
    uint16_t counts[kRowsGroup];
    for (int64_t block = 0; block < header.blocks; ++block) {
      segments[group * header.blocks + block] =
          count_rows(bits, segment_at(header, bits, group, block), counts);
    }
  });
  SparseSegment next = {};
  for (SparseSegment& segment : segments) {
    const SparseSegment size = segment;
    segment = next;
    next = {next.row + size.row, next.entry + size.entry};
  }
  return segments;
}

}  // namespace

// Room for every row in every block: how many are empty is not known yet.
size_t rows_pack_bytes(const secateur_sparse_format& format, const secateur_sparse_weight& weight) {
  RowsHeader header = rows_header(format, weight, count_stored(format, weight));
  header.rows = weight.out * header.blocks;
  return packed_size(header) + sizeof(SparseRow);
}

void rows_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
               void* packed) {
  const Bits bits = find_stored(format, weight);
  auto* const header = static_cast<RowsHeader*>(packed);
  *header = rows_header(format, weight, bits.count);
  const std::vector<SparseSegment> placed = place_segments(*header, bits);
  const int64_t row_count = placed.back().row;
  header->rows = row_count + row_count % 2;  // entries stay 8-byte aligned
  const SparseView view = view_sparse(packed);
  auto* const segments = const_cast<SparseSegment*>(view.segments);
  auto* const rows = const_cast<SparseRow*>(view.rows);
  auto* const entries = const_cast<SparseEntry*>(view.entries);
  auto* const indices = const_cast<uint32_t*>(view.indices);
  for (size_t s = 0; s < placed.size(); ++s) segments[s] = placed[s];
  if (row_count % 2 != 0) rows[row_count] = {0, 0};
  parallel_for(header->groups, [&](int64_t group) {
    for (int64_t block = 0; block < header->blocks; ++block) {
      const SparseSegment& begin = segments[group * header->blocks + block];
      fill_segment(weight, bits, segment_at(*header, bits, group, block), rows + begin.row,
                   entries + begin.entry, indices == nullptr ? nullptr : indices + begin.entry);
    }
  });
}

}  // namespace secateur
