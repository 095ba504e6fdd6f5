// Packs the stored blocks of a weight matrix into the layout of block.h. One pass over the weights
// counts the blocks of every block row and slice, a second one fills them; both go strip by strip
// (up to 64 outputs) on the pool and find blocks as bits, so that their cost is that of reading
// the weights and of writing what is stored.
#include <cstring>
#include <vector>

#include "mask.h"
#include "pool.h"
#include "sparse/block.h"

namespace secateur {
namespace {

constexpr int64_t kStripRows = 64;    // outputs a strip at most: the bits of one word
constexpr int64_t kSliceInputs = 24;  // that make a slice worth its while
constexpr int64_t kManyGroups = 32;   // groups of a matrix whose blocks are many

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

BlockHeader block_header(const secateur_sparse_format& format,
                         const secateur_sparse_weight& weight) {
  BlockHeader header = {};
  header.packed = make_header(format, weight);
  const int64_t deep = format.rows > 2 ? kBlockDeep : kBlockFlat;
  header.depth = deep / format.cols * format.cols;
  header.slices = ceil_div(weight.in, header.depth);
  header.block_rows = ceil_div(weight.out, format.rows);
  return header;
}

// What is kept of elements first .. first + n (n <= kBlockDeep) of w, as words of 64 bits.
void kept_words(const secateur_sparse_weight& weight, int64_t first, int64_t n, uint64_t* kept) {
  const int64_t all = weight.out * weight.in;
  for (int64_t i = 0; i < n; i += 32) {
    uint64_t bits = load_bits(weight.mask, all, first + i);
    if (i % 64 == 0) {
      kept[i / 64] = bits;
    } else {
      kept[i / 64] |= bits << 32;
    }
  }
}

// Which of n elements from `first` on are stored; clean, if not NULL, gets them with +0 elsewhere.
void occupied(const secateur_sparse_weight& weight, int64_t first, int64_t n, uint64_t* bits,
              float* clean) {
  uint64_t kept[kBlockDeep / 64];
  if (weight.mask != nullptr) kept_words(weight, first, n, kept);
  block_kernels().occupy(n, weight.w + first, weight.mask == nullptr ? nullptr : kept, bits, clean);
}

// A strip of block rows of a weight matrix, walked for its stored blocks.
class Strip {
 public:
  Strip(const BlockHeader& header, const secateur_sparse_weight& weight, int64_t strip, bool fill)
      : header_(header),
        weight_(weight),
        rows_(header.packed.format.rows),
        cols_(header.packed.format.cols),
        first_(strip * per_strip(header)),
        end_(smaller(first_ + per_strip(header), header.block_rows)),
        clean_(
            fill ? static_cast<size_t>(weight.transposed ? cols_ * kStripRows : rows_ * kBlockDeep)
                 : 0) {}

  static int64_t per_strip(const BlockHeader& header) {
    return kStripRows / header.packed.format.rows;
  }
  static int64_t strips(const BlockHeader& header) {
    return ceil_div(header.block_rows, per_strip(header));
  }

  // Calls count(block row, slice, blocks, elements of them that exist) for some stored blocks of a
  // block row at a time, until all have been counted.
  template <class Count>
  void count(Count&& count) {
    const auto one = [&](int64_t row, int64_t slice, int64_t, const float*, int64_t, int64_t,
                         int64_t rows,
                         int64_t cols) { count(row, slice, int64_t{1}, rows * cols); };
    if (weight_.transposed || cols_ > 1) return walk(one);
    for (int64_t row = first_; row < end_; ++row) {
      for (int64_t slice = 0; slice < header_.slices; ++slice) {
        const int64_t begin = slice * header_.depth;
        const int64_t n = smaller(header_.depth, weight_.in - begin);
        uint64_t any[kBlockDeep / 64] = {};
        const int64_t rows = join_outputs(row, begin, n, nullptr, any);
        int64_t blocks = 0;
        for (int64_t i = 0; i < ceil_div(n, 64); ++i) blocks += __builtin_popcountll(any[i]);
        count(row, slice, blocks, blocks * rows);
      }
    }
  }

  // Calls found(block row, slice, input of the slice, values, r stride, c stride, rows, columns)
  // for every stored block; of a block row inputs ascend. Values (NULL unless filling) are +0
  // where nothing is stored; rows and columns are those that exist.
  template <class Found>
  void walk(Found&& found) {
    for (int64_t slice = 0; slice < header_.slices; ++slice) {
      const int64_t begin = slice * header_.depth;
      const int64_t n = smaller(header_.depth, weight_.in - begin);
      if (weight_.transposed) {
        walk_inputs(slice, begin, n, found);
      } else {
        for (int64_t row = first_; row < end_; ++row) walk_outputs(row, slice, begin, n, found);
      }
    }
  }

 private:
  // any |= the bits of the outputs of a block row, of W stored by output; how many outputs it has.
  int64_t join_outputs(int64_t row, int64_t begin, int64_t n, float* clean, uint64_t* any) const {
    uint64_t bits[kBlockDeep / 64];
    const int64_t rows = smaller(rows_, weight_.out - row * rows_);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = (row * rows_ + r) * weight_.in + begin;
      occupied(weight_, at, n, bits, clean == nullptr ? nullptr : clean + r * kBlockDeep);
      for (int64_t i = 0; i < ceil_div(n, 64); ++i) any[i] |= bits[i];
    }
    return rows;
  }

  // One block row of W stored by output.
  template <class Found>
  void walk_outputs(int64_t row, int64_t slice, int64_t begin, int64_t n, Found&& found) {
    uint64_t any[kBlockDeep / 64] = {};
    const int64_t words = ceil_div(n, 64);
    float* const clean = clean_.empty() ? nullptr : clean_.data();
    const int64_t rows = join_outputs(row, begin, n, clean, any);
    for (int64_t word = 0, done = 0; word < words; ++word) {  // `done`: inputs seen to
      uint64_t left = any[word];
      if (done > word * 64) left &= done - word * 64 >= 64 ? 0 : ~uint64_t{0} << (done - word * 64);
      while (left != 0) {
        const int64_t input = word * 64 + __builtin_ctzll(left);
        const int64_t col = cols_ == 1 ? input : input / cols_ * cols_;
        found(row, slice, col, clean == nullptr ? nullptr : clean + col, kBlockDeep, int64_t{1},
              rows, smaller(cols_, n - col));
        done = col + cols_;
        left = done - word * 64 >= 64 ? 0 : left & (~uint64_t{0} << (done - word * 64));
      }
    }
  }

  // All block rows of the strip, of W stored by input: the bits of C inputs are joined.
  template <class Found>
  void walk_inputs(int64_t slice, int64_t begin, int64_t n, Found&& found) {
    const int64_t out_begin = first_ * rows_;
    const int64_t outs = smaller(end_ * rows_, weight_.out) - out_begin;
    float* const clean = clean_.empty() ? nullptr : clean_.data();
    for (int64_t col = 0; col < n; col += cols_) {
      const int64_t cols = smaller(cols_, n - col);
      uint64_t any = 0;
      for (int64_t c = 0; c < cols; ++c) {
        uint64_t bits;
        occupied(weight_, (begin + col + c) * weight_.out + out_begin, outs, &bits,
                 clean == nullptr ? nullptr : clean + c * kStripRows);
        any |= bits;
      }
      while (any != 0) {
        const int64_t row = __builtin_ctzll(any) / rows_, past = (row + 1) * rows_;
        found(first_ + row, slice, col, clean == nullptr ? nullptr : clean + row * rows_,
              int64_t{1}, kStripRows, smaller(rows_, outs - row * rows_), cols);
        any = past >= 64 ? 0 : any & (~uint64_t{0} << past);
      }
    }
  }

  const BlockHeader& header_;
  const secateur_sparse_weight& weight_;
  int64_t rows_, cols_, first_, end_;
  std::vector<float> clean_;  // [R][kBlockDeep], or of W stored by input [C][kStripRows]
};

// What is known of a matrix after the first pass.
struct Plan {
  BlockHeader header;
  std::vector<uint16_t> counts;  // [block_rows][slices]
  std::vector<int64_t> firsts;   // [groups + 1]
};

// Cuts the block rows into groups: of 16 outputs or a multiple (where R allows), at most
// kBlockGroup, closed once they have their share of the blocks.
void cut_groups(Plan* plan) {
  BlockHeader& header = plan->header;
  const int64_t rows = header.packed.format.rows;
  const int64_t unit = rows > 8 ? 1 : 16 / rows;
  const int64_t share = ceil_div(header.blocks, kManyGroups);
  int64_t here = 0, first = 0;
  plan->firsts.push_back(0);
  for (int64_t row = 0; row < header.block_rows; ++row) {
    const uint16_t* const count = plan->counts.data() + row * header.slices;
    for (int64_t s = 0; s < header.slices; ++s) here += count[s];
    const int64_t length = row + 1 - first;
    if (row + 1 < header.block_rows && length % unit != 0) continue;
    if (row + 1 == header.block_rows || here >= share || (length + unit) * rows > kBlockGroup) {
      plan->firsts.push_back(row + 1);
      first = row + 1;
      here = 0;
    }
  }
  header.groups = static_cast<int64_t>(plan->firsts.size()) - 1;
}

// Joins slices until a block row has about kSliceInputs inputs in one, or the sums of outputs with
// few inputs would be started and ended more often than added to.
void join_slices(Plan* plan) {
  BlockHeader& header = plan->header;
  const int64_t inputs = header.blocks * header.packed.format.cols;
  int64_t join = 1;
  while (2 * join * header.depth <= kBlockDeep && join < header.slices &&
         inputs * join < header.block_rows * header.slices * kSliceInputs) {
    join *= 2;
  }
  if (join == 1) return;
  const int64_t slices = ceil_div(header.slices, join);
  std::vector<uint16_t> counts(static_cast<size_t>(header.block_rows * slices));
  for (int64_t row = 0; row < header.block_rows; ++row) {
    for (int64_t slice = 0; slice < header.slices; ++slice) {
      uint16_t& count = counts[static_cast<size_t>(row * slices + slice / join)];
      count = static_cast<uint16_t>(count +
                                    plan->counts[static_cast<size_t>(row * header.slices + slice)]);
    }
  }
  plan->counts.swap(counts);
  header.depth *= join;
  header.slices = slices;
}

// Every block row has an entry in the first slice, which starts its sums, and in others where it
// has blocks.
bool has_entry(int64_t slice, uint16_t count) { return slice == 0 || count != 0; }

Plan make_plan(const secateur_sparse_format& format, const secateur_sparse_weight& weight) {
  Plan plan = {block_header(format, weight), {}, {}};
  BlockHeader& header = plan.header;
  plan.counts.resize(static_cast<size_t>(header.block_rows * header.slices));
  std::vector<int64_t> elements(static_cast<size_t>(Strip::strips(header)));
  parallel_for(Strip::strips(header), [&](int64_t strip) {
    int64_t sum = 0;
    Strip(header, weight, strip, false)
        .count([&](int64_t row, int64_t slice, int64_t blocks, int64_t exist) {
          uint16_t& count = plan.counts[static_cast<size_t>(row * header.slices + slice)];
          count = static_cast<uint16_t>(count + blocks);
          sum += exist;
        });
    elements[static_cast<size_t>(strip)] = sum;
  });
  for (int64_t sum : elements) header.packed.stored += sum;  // cut-off elements do not count
  for (uint16_t count : plan.counts) header.blocks += count;
  join_slices(&plan);
  for (size_t i = 0; i < plan.counts.size(); ++i) {
    header.rows += has_entry(static_cast<int64_t>(i) % header.slices, plan.counts[i]);
  }
  cut_groups(&plan);
  return plan;
}

size_t packed_size(const BlockHeader& header) {
  const int64_t tables =
      static_cast<int64_t>(sizeof(BlockHeader)) +
      (header.groups + 1) * static_cast<int64_t>(sizeof(int64_t)) +
      (header.groups * header.slices + 1) * static_cast<int64_t>(sizeof(BlockSegment)) +
      header.rows * static_cast<int64_t>(sizeof(BlockRow)) +
      header.blocks * static_cast<int64_t>(sizeof(uint16_t));
  const int64_t area = header.packed.format.rows * header.packed.format.cols;
  return static_cast<size_t>(ceil_div(tables, 64) * 64 + (header.blocks * area + kBlockSlack) *
                                                             static_cast<int64_t>(sizeof(float)));
}

// Fills the tables; places [block_rows][slices] get where the blocks of a block row begin.
void fill_tables(const Plan& plan, const BlockView& view, std::vector<int64_t>* places) {
  const BlockHeader& header = plan.header;
  auto* segment = const_cast<BlockSegment*>(view.segments);
  auto* const rows = const_cast<BlockRow*>(view.rows);
  std::memcpy(const_cast<int64_t*>(view.firsts), plan.firsts.data(),
              plan.firsts.size() * sizeof(int64_t));
  BlockSegment next = {};
  for (int64_t group = 0; group < header.groups; ++group) {
    const int64_t first = plan.firsts[static_cast<size_t>(group)];
    const int64_t length = plan.firsts[static_cast<size_t>(group + 1)] - first;
    for (int64_t slice = 0; slice < header.slices; ++slice) {
      *segment++ = next;
      const auto count = [&](int64_t r) {
        return plan.counts[static_cast<size_t>((first + r) * header.slices + slice)];
      };
      // A counting sort, most blocks first, equals in order.
      int64_t place[kBlockDeep + 1] = {};
      for (int64_t r = 0; r < length; ++r) ++place[count(r)];
      int64_t before = next.row;
      for (int64_t c = kBlockDeep; c >= 0; --c) {
        const int64_t here = place[c];
        place[c] = before;
        before += here;
      }
      const int64_t begin = next.row;
      for (int64_t r = 0; r < length; ++r) {
        if (!has_entry(slice, count(r))) continue;
        rows[place[count(r)]++] = {static_cast<uint16_t>(r), count(r)};
        ++next.row;
      }
      for (int64_t i = begin; i < next.row; ++i) {
        (*places)[static_cast<size_t>((first + rows[i].row) * header.slices + slice)] = next.block;
        next.block += rows[i].count;
      }
    }
  }
  *segment = next;
}

}  // namespace

size_t block_pack_bytes(const secateur_sparse_format& format,
                        const secateur_sparse_weight& weight) {
  return packed_size(make_plan(format, weight).header);
}

void block_pack(const secateur_sparse_format& format, const secateur_sparse_weight& weight,
                void* packed) {
  const Plan plan = make_plan(format, weight);
  const BlockHeader& header = plan.header;
  *static_cast<BlockHeader*>(packed) = header;
  const BlockView view = view_blocks(packed);
  auto* const inputs = const_cast<uint16_t*>(view.inputs);
  auto* const values = const_cast<float*>(view.values);
  std::vector<int64_t> places(plan.counts.size());
  fill_tables(plan, view, &places);
  const int64_t rows = format.rows, cols = format.cols;
  parallel_for(Strip::strips(header), [&](int64_t strip) {
    Strip(header, weight, strip, true)
        .walk([&](int64_t row, int64_t slice, int64_t col, const float* w, int64_t r_stride,
                  int64_t c_stride, int64_t has_rows, int64_t has_cols) {
          const int64_t at = places[static_cast<size_t>(row * header.slices + slice)]++;
          inputs[at] = static_cast<uint16_t>(col);
          float* value = values + at * rows * cols;
          if (has_rows < rows || has_cols < cols) {
            std::memset(value, 0, static_cast<size_t>(rows * cols) * sizeof(float));
          }
          for (int64_t c = 0; c < has_cols; ++c, value += rows) {
            for (int64_t r = 0; r < has_rows; ++r) value[r] = w[r * r_stride + c * c_stride];
          }
        });
  });
  std::memset(values + header.blocks * rows * cols, 0,
              static_cast<size_t>(kBlockSlack) * sizeof(float));
}

}  // namespace secateur
