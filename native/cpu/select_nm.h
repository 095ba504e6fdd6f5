// The loops of N:M selection, by instruction set. Key is int32_t for float scores and int16_t for
// 16-bit ones; it holds a score's bits as well as its key (keys.h, half.h).
//
// Up to 64 groups make a block, laid side by side as keys[element][group], so that one instruction
// compares an element of many groups:
//
//   rows       groups of m rows of a column (axis 0) of a matrix: a block is of 64 adjacent columns
//   flat       groups of m adjacent elements that fill their rows: a block is of 64 m elements
//   scattered  the same where a row ends with fewer than m elements: whole groups in their order,
//              then the last groups of the rows
//
// Reads 4 or 2 bytes an element and compares it with the m - 1 others of its group.
#pragma once

#include <cstdint>

namespace secateur {
namespace nm {

constexpr int kMost = 32;   // m
constexpr int kWidth = 64;  // groups of a block

enum class Order { kRows, kFlat, kScattered };

template <class Key>
struct Task {
  const Key* scores;
  uint32_t* mask;  // as before; bits of elements to be pruned are cleared
  bool all_live;   // no bit of it is 0
  bool is_signed;
  int n, m;
  int64_t outer, rows, cols;  // outer is 1 but for kRows
  Order order;

  int64_t row_blocks() const { return (cols + kWidth - 1) / kWidth; }
  int64_t whole_blocks() const {
    const int64_t groups = order == Order::kFlat ? rows * cols / m : cols / m * rows;
    return (groups + kWidth - 1) / kWidth;
  }
  int64_t blocks() const {
    if (order == Order::kRows) return outer * ((rows + m - 1) / m) * row_blocks();
    return whole_blocks() + (order == Order::kFlat ? 0 : (rows + kWidth - 1) / kWidth);
  }
};

template <class Key>
struct Code {
  // The highest magnitude.
  int32_t (*highest)(const Key* scores, int64_t n);

  // Blocks begin..end - 1.
  void (*prune)(const Task<Key>& task, int64_t begin, int64_t end);
};

void get_code_plain(Code<int32_t>* code);
void get_code_plain(Code<int16_t>* code);
void get_code_avx2(Code<int32_t>* code);
void get_code_avx2(Code<int16_t>* code);
void get_code_avx512(Code<int32_t>* code);
void get_code_avx512(Code<int16_t>* code);

}  // namespace nm
}  // namespace secateur
