#include "operands.h"

#include <algorithm>
#include <thread>

#include "../library/half.h"

namespace sim::cusparse {

bool is_operation(int op) {
  return op >= CUSPARSE_OPERATION_NON_TRANSPOSE && op <= CUSPARSE_OPERATION_CONJUGATE_TRANSPOSE;
}

bool is_supported(int in_type, int out_type, int compute) {
  if (compute != CUDA_R_32F) return false;
  if (in_type == CUDA_R_32F) return out_type == CUDA_R_32F;
  return (in_type == CUDA_R_16F || in_type == CUDA_R_16BF) &&
         (out_type == in_type || out_type == CUDA_R_32F);
}

namespace {

// Offsets of one matrix; COO has a row index for each nonzero instead.
int64_t offset_count(const sparse_matrix& m) {
  switch (m.format) {
    case CUSPARSE_FORMAT_CSC:
      return m.cols + 1;
    case CUSPARSE_FORMAT_COO:
      return m.nnz;
    default:
      return m.rows + 1;
  }
}

// `count` numbers of a batch, `stride` numbers apart; a stride of 0 is one array for all.
void touch_batch(Work* work, const std::string& what, const void* array, size_t size, int64_t count,
                 int batch, int64_t stride, Access access) {
  if (stride == 0 || batch == 1)
    work->touch(what.c_str(), array, size, size * count, access);
  else
    work->touch(what.c_str(), array, size, size * count, access, batch, size * stride);
}

const void* at(const void* array, int64_t place, size_t size) {
  return static_cast<const char*>(array) + place * static_cast<int64_t>(size);
}

// Copies `count` indices as they are.
std::vector<int64_t> read_indices(const void* array, int64_t start, int64_t count, int type) {
  std::vector<int64_t> indices(count);
  for (int64_t i = 0; i < count; i++)
    indices[i] = type == CUSPARSE_INDEX_64I ? static_cast<const int64_t*>(array)[start + i]
                                            : static_cast<const int32_t*>(array)[start + i];
  return indices;
}

// One nonzero, or one block.
struct Entry {
  int64_t row, col, place;
};

// The nonzeros (BSR: blocks) in the order of the arrays, or what is wrong with these.
std::string read_entries(const sparse_matrix& m, int64_t item, std::vector<Entry>* entries) {
  const int64_t start = item * m.index_stride;
  const std::vector<int64_t> offsets =
      read_indices(m.offsets, item * m.offset_stride, offset_count(m), m.index_type);
  const std::vector<int64_t> indices = read_indices(m.indices, start, m.nnz, m.index_type);
  entries->resize(m.nnz);
  if (m.format == CUSPARSE_FORMAT_COO) {
    for (int64_t i = 0; i < m.nnz; i++) (*entries)[i].row = offsets[i] - m.base;
  } else {
    const int64_t lines = offset_count(m) - 1;
    if (offsets[0] != m.base) return "the first offset is " + std::to_string(offsets[0]);
    if (offsets[lines] != m.nnz + m.base)
      return "the last offset is " + std::to_string(offsets[lines]) + " with " +
             std::to_string(m.nnz) + " nonzeros";
    for (int64_t line = 0; line < lines; line++) {
      if (offsets[line + 1] < offsets[line] || offsets[line + 1] > m.nnz + m.base)
        return "offset " + std::to_string(line + 1) + " is " + std::to_string(offsets[line + 1]) +
               ", out of order";
      for (int64_t i = offsets[line] - m.base; i < offsets[line + 1] - m.base; i++)
        (*entries)[i].row = line;
    }
  }
  for (int64_t i = 0; i < m.nnz; i++) {
    Entry& entry = (*entries)[i];
    entry.col = indices[i] - m.base;
    entry.place = i;
    if (m.format == CUSPARSE_FORMAT_CSC) std::swap(entry.row, entry.col);
    if (entry.row < 0 || entry.row >= m.rows || entry.col < 0 || entry.col >= m.cols)
      return "nonzero " + std::to_string(i) + " lies at (" + std::to_string(entry.row) + ", " +
             std::to_string(entry.col) + "), outside of the matrix";
  }
  return "";
}

// BSR: the numbers of each block, one by one.
std::vector<Entry> expand(const sparse_matrix& m, const std::vector<Entry>& blocks) {
  std::vector<Entry> entries;
  entries.reserve(blocks.size() * m.block * m.block);
  for (const Entry& block : blocks)
    for (int64_t i = 0; i < m.block; i++)
      for (int64_t j = 0; j < m.block; j++)
        entries.push_back(
            {block.row * m.block + i, block.col * m.block + j,
             block.place * m.block * m.block +
                 (m.order == CUSPARSE_ORDER_ROW ? i * m.block + j : i + j * m.block)});
  return entries;
}

}  // namespace

void touch_pattern(Work* work, const char* name, const sparse_matrix& m) {
  const std::string matrix = name;
  const size_t index = index_size(m.index_type);
  touch_batch(work, matrix + (m.format == CUSPARSE_FORMAT_COO ? ".rows" : ".offsets"), m.offsets,
              index, offset_count(m), m.batch, m.offset_stride, Access::kRead);
  touch_batch(work, matrix + ".indices", m.indices, index, m.nnz, m.batch, m.index_stride,
              Access::kRead);
}

void touch(Work* work, const char* name, const sparse_matrix& m, Access values) {
  touch_pattern(work, name, m);
  touch_batch(work, std::string(name) + ".values", m.values, size_of(m.type),
              m.nnz * m.block * m.block, m.batch, m.value_stride, values);
}

void touch(Work* work, const char* name, const dense_matrix& m, Access access) {
  const bool by_rows = m.order == CUSPARSE_ORDER_ROW;
  const int64_t lines = by_rows ? m.rows : m.cols, length = by_rows ? m.cols : m.rows;
  const size_t size = size_of(m.type);
  for (int64_t item = 0; item < (m.stride == 0 ? 1 : m.batch); item++) {
    const void* start = at(m.values, item * m.stride, size);
    if (length == m.ld)
      work->touch(name, start, size, size * length * lines, access);
    else
      work->touch(name, start, size, size * length, access, lines, size * m.ld);
  }
}

Scalar scalar(const cusparse_handle& handle, const void* pointer) {
  const float* number = static_cast<const float*>(pointer);
  return handle.pointer_mode == CUSPARSE_POINTER_MODE_DEVICE ? Scalar::on_device(number)
                                                             : Scalar(*number);
}

std::string read(const sparse_matrix& m, int64_t item, bool transposed, bool with_values,
                 Rows* rows) {
  std::vector<Entry> entries;
  const std::string wrong = read_entries(m, item, &entries);
  if (!wrong.empty()) return wrong;
  if (m.format == CUSPARSE_FORMAT_BSR) entries = expand(m, entries);

  rows->rows = m.rows * m.block, rows->cols = m.cols * m.block;
  if (transposed) {
    std::swap(rows->rows, rows->cols);
    for (Entry& entry : entries) std::swap(entry.row, entry.col);
  }
  const size_t count = entries.size();
  rows->offsets.assign(rows->rows + 1, 0);
  rows->columns.resize(count);
  rows->places.resize(count);
  rows->values.resize(with_values ? count : 0);
  for (const Entry& entry : entries) rows->offsets[entry.row + 1]++;
  for (int64_t row = 0; row < rows->rows; row++) rows->offsets[row + 1] += rows->offsets[row];
  std::vector<int64_t> next(rows->offsets.begin(), rows->offsets.end() - 1);
  for (const Entry& entry : entries) {
    const int64_t to = next[entry.row]++;
    rows->columns[to] = entry.col;
    rows->places[to] = item * m.value_stride + entry.place;
    if (with_values) rows->values[to] = load(m.values, m.type, rows->places[to]);
  }
  return "";
}

std::vector<float> read(const dense_matrix& m, int64_t item, bool transposed) {
  std::vector<float> copy(m.rows * m.cols);
  const int64_t rows = transposed ? m.cols : m.rows, cols = transposed ? m.rows : m.cols;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++)
      copy[i * cols + j] =
          load(m.values, m.type, transposed ? place(m, item, j, i) : place(m, item, i, j));
  return copy;
}

float load(const void* values, int type, int64_t at) {
  if (type == CUDA_R_32F) return static_cast<const float*>(values)[at];
  const uint16_t bits = static_cast<const uint16_t*>(values)[at];
  return type == CUDA_R_16F ? f16_to_float(bits) : bf16_to_float(bits);
}

void store(void* values, int type, int64_t at, float value) {
  if (type == CUDA_R_32F)
    static_cast<float*>(values)[at] = value;
  else
    static_cast<uint16_t*>(values)[at] =
        type == CUDA_R_16F ? float_to_f16(value) : float_to_bf16(value);
}

void parallel(int64_t count, double operations, void (*part)(void*, int64_t, int64_t), void* data) {
  const int64_t processors = std::max(1u, std::thread::hardware_concurrency());
  const int64_t parts = operations < 4e6 ? 1 : std::min(processors, std::max<int64_t>(1, count));
  std::vector<std::thread> threads;
  for (int64_t p = 1; p < parts; p++)
    threads.emplace_back(part, data, count * p / parts, count * (p + 1) / parts);
  part(data, 0, count / parts);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace sim::cusparse
