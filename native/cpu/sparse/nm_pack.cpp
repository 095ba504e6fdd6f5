// Packs an N:M weight matrix into the layout of nm.h, 64 outputs at a time on the pool, in one pass
// over the weights, which also finds the first group that has too many elements.
#include <atomic>
#include <cinttypes>
#include <cstring>

#include "abi/check.h"
#include "mask.h"
#include "pool.h"
#include "sparse/block.h"
#include "sparse/nm.h"

namespace secateur {
namespace {

constexpr int64_t kOutputs = 64;  // a piece of work: the bits of one word
constexpr int64_t kStrips = kOutputs / kNmStrip;
constexpr int64_t kNoGroup = INT64_MAX;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Inputs of a slice: as many as leave a panel's slice in the first-level cache; more where slots
// are so few that starting and ending sums would cost more than a slower cache.
int64_t slice_inputs(int64_t n, int64_t m) {
  const int64_t wanted = 24 * m / n;
  return wanted < 96 ? 96 : wanted < kNmMostInputs ? wanted : kNmMostInputs;
}

NmHeader nm_header(const secateur_sparse_format& format, const secateur_sparse_weight& weight) {
  const int64_t n = format.rows, m = format.cols;
  NmHeader header = {};
  header.packed = make_header(format, weight);
  header.window = m > 16 ? m : 16 / m * m;
  header.depth = slice_inputs(n, m) / header.window * header.window;
  header.slots = ceil_div(weight.in, m) * n;
  header.strips = ceil_div(weight.out, kNmStrip);
  // Sixteen groups where there are strips enough, so that threads find equal shares.
  const int64_t share = header.strips / 16, most = kNmGroup / kNmStrip;
  header.strips_a_group = share < 1 ? 1 : smaller(share, most);
  return header;
}

// The 64 outputs of a piece of work.
class Piece {
 public:
  Piece(const NmHeader& header, const secateur_sparse_weight& weight, int64_t piece, float* values,
        uint8_t* places)
      : header_(header),
        weight_(weight),
        n_(header.packed.format.rows),
        m_(header.packed.format.cols),
        first_(piece * kOutputs),
        outs_(smaller(kOutputs, weight.out - first_)),
        values_(values + piece * kStrips * header.slots * kNmStrip),
        places_(places + piece * kStrips * header.slots * kNmStrip) {}

  int64_t stored() const { return stored_; }
  // The first group, output by output, with more than N elements: output * groups + group.
  int64_t refused() const { return refused_; }

  void fill() {
    for (int64_t begin = 0; begin < weight_.in; begin += header_.depth) {
      const int64_t n = smaller(header_.depth, weight_.in - begin);
      clear(begin, n);
      if (weight_.transposed) {
        fill_by_input(begin, n);
      } else {
        for (int64_t r = 0; r < outs_; ++r) fill_output(r, begin, n);
      }
    }
  }

 private:
  int64_t slot_of(int64_t input) const { return input / m_ * n_; }

  // Where slot `slot` of output r lies.
  int64_t at(int64_t r, int64_t slot) const {
    return (r / kNmStrip * header_.slots + slot) * kNmStrip + r % kNmStrip;
  }

  // All slots of a slice are left over until they are filled.
  void clear(int64_t begin, int64_t n) {
    const int64_t slots = ceil_div(n, m_) * n_;
    for (int64_t r = 0; r < outs_; r += kNmStrip) {
      const int64_t first = at(r, slot_of(begin));
      std::memset(values_ + first, 0, static_cast<size_t>(slots * kNmStrip) * sizeof(float));
      for (int64_t k = 0; k < n; k += m_) {
        std::memset(places_ + first + k / m_ * n_ * kNmStrip, static_cast<int>(k),
                    static_cast<size_t>(n_ * kNmStrip));
      }
    }
  }

  // The bits of the elements first .. first + n (n <= kNmMostInputs) of w that are stored.
  void occupied(int64_t first, int64_t n, uint64_t* bits) const {
    uint64_t kept[kNmMostInputs / 64];
    if (weight_.mask != nullptr) {
      const int64_t all = weight_.out * weight_.in;
      for (int64_t i = 0; i < n; i += 64) {
        kept[i / 64] = load_bits(weight_.mask, all, first + i);
        if (i + 32 < n) {
          kept[i / 64] |= static_cast<uint64_t>(load_bits(weight_.mask, all, first + i + 32)) << 32;
        }
      }
    }
    block_kernels().occupy(n, weight_.w + first, weight_.mask == nullptr ? nullptr : kept, bits,
                           nullptr);
  }

  void refuse(int64_t r, int64_t input) {
    const int64_t group = (first_ + r) * ceil_div(weight_.in, m_) + input / m_;
    refused_ = smaller(refused_, group);
  }

  // Output r of W stored by output.
  void fill_output(int64_t r, int64_t begin, int64_t n) {
    const int64_t first = (first_ + r) * weight_.in + begin;
    const float* const w = weight_.w + first;
    uint64_t bits[kNmMostInputs / 64 + 1];
    occupied(first, n, bits);
    bits[ceil_div(n, 64)] = 0;
    int64_t here = at(r, slot_of(begin));
    for (int64_t k = 0; k < n; k += m_, here += n_ * kNmStrip) {
      const int shift = static_cast<int>(k % 64);
      uint64_t some = bits[k / 64] >> shift;
      if (shift + m_ > 64) some |= bits[k / 64 + 1] << (64 - shift);
      some &= (uint64_t{1} << m_) - 1;
      const int count = __builtin_popcountll(some);
      stored_ += count;
      if (count > n_) {
        refuse(r, begin + k);
        continue;
      }
      for (int64_t slot = here; some != 0; some &= some - 1, slot += kNmStrip) {
        const int64_t input = k + __builtin_ctzll(some);
        values_[slot] = w[input];
        places_[slot] = static_cast<uint8_t>(input);
      }
    }
  }

  // All outputs of W stored by input.
  void fill_by_input(int64_t begin, int64_t n) {
    for (int64_t k = 0; k < n; k += m_) {
      const int64_t slot = slot_of(begin + k);
      uint8_t filled[kOutputs] = {};
      for (int64_t input = k; input < smaller(k + m_, n); ++input) {
        const int64_t first = (begin + input) * weight_.out + first_;
        uint64_t bits;
        occupied(first, outs_, &bits);
        stored_ += __builtin_popcountll(bits);
        for (; bits != 0; bits &= bits - 1) {
          const int64_t r = __builtin_ctzll(bits);
          if (filled[r] == n_) {
            refuse(r, begin + k);
            continue;
          }
          const int64_t place = at(r, slot + filled[r]++);
          values_[place] = weight_.w[first + r];
          places_[place] = static_cast<uint8_t>(input);
        }
      }
    }
  }

  const NmHeader& header_;
  const secateur_sparse_weight& weight_;
  int64_t n_, m_, first_, outs_;
  float* values_;
  uint8_t* places_;
  int64_t stored_ = 0, refused_ = kNoGroup;
};

[[noreturn]] void refuse(const NmHeader& header, const secateur_sparse_weight& weight,
                         int64_t where) {
  const secateur_sparse_format& format = header.packed.format;
  const int64_t m = format.cols, groups = ceil_div(weight.in, m);
  const int64_t row = where / groups, group = where % groups, begin = group * m;
  const int64_t end = smaller(begin + m, weight.in);
  int64_t count = 0;
  for (int64_t k = begin; k < end; ++k) {
    count += is_stored(format, weight, stored_index(weight, row, k));
  }
  fail(SECATEUR_INVALID_ARGUMENT,
       "Row %" PRId64 " has %" PRId64 " nonzeros in group %" PRId64 " (inputs %" PRId64
       " to %" PRId64 "), more than %" PRId32 ":%" PRId32
       " allows; prune it to that pattern or choose another format.",
       row, count, group, begin, end - 1, format.rows, format.cols);
}

}  // namespace

size_t nm_pack_bytes(const secateur_sparse_format& format, const secateur_sparse_weight& weight) {
  const NmHeader header = nm_header(format, weight);
  return sizeof(NmHeader) + static_cast<size_t>(header.strips * header.slots * kNmStrip) *
                                (sizeof(float) + sizeof(uint8_t));
}

void nm_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
             void* packed) {
  NmHeader header = nm_header(format, weight);
  auto* const values = reinterpret_cast<float*>(static_cast<NmHeader*>(packed) + 1);
  auto* const places = reinterpret_cast<uint8_t*>(values + header.strips * header.slots * kNmStrip);
  std::atomic<int64_t> stored{0}, refused{kNoGroup};
  parallel_for(ceil_div(weight.out, kOutputs), [&](int64_t index) {
    Piece piece(header, weight, index, values, places);
    piece.fill();
    stored += piece.stored();
    int64_t first = refused;
    while (piece.refused() < first && !refused.compare_exchange_weak(first, piece.refused())) {
    }
  });
  if (refused != kNoGroup) refuse(header, weight, refused);
  header.packed.stored = stored;
  *static_cast<NmHeader*>(packed) = header;  // last: what is refused is no packed matrix
}

}  // namespace secateur
