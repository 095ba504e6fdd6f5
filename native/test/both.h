// One operation on the CPU device and on a CUDA device, whose results must have the same bits.
//
//   check("relu of 100", [&](Side& side) {
//     const float* x = side.put(values);
//     float* y = side.room<float>(100);
//     return secateur_unary(side.device(), nullptr, SECATEUR_RELU, 0, 100, x, y);
//   });
//
// Every array that the operation was given is compared afterwards, whole: inputs that must stay as
// they were, and the elements before and behind, too.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace test {

// The CUDA device, or none where it cannot be opened; the reason is printed then.
inline secateur_device* cuda() {
  static secateur_device* const device = [] {
    secateur_device* opened = nullptr;
    if (secateur_device_open(SECATEUR_CUDA, 0, &opened) != SECATEUR_OK) {
      std::printf("skipped: %s\n", secateur_last_error());
    }
    return opened;
  }();
  return device;
}

class Side {
 public:
  Side(secateur_device* device, int shift) : device_(device), shift_(shift) {}
  Side(const Side&) = delete;
  ~Side() {
    for (Array& array : arrays_) CHECK_OK(secateur_free(device_, array.block));
  }

  secateur_device* device() const { return device_; }

  // Memory with these elements, `shift` of them past a 128-byte line unless they are aligned.
  template <class T>
  T* put(const std::vector<T>& values, bool aligned = false) {
    const size_t before = kGuard + (aligned ? 0 : static_cast<size_t>(shift_) * sizeof(T));
    const size_t bytes = values.size() * sizeof(T);
    std::vector<unsigned char> image(before + bytes + kGuard, 0xa5);
    if (bytes > 0) memcpy(image.data() + before, values.data(), bytes);
    Array array{nullptr, image.size(), std::is_same<T, float>::value, before, bytes};
    CHECK_OK(secateur_alloc(device_, image.size(), &array.block));
    CHECK_OK(secateur_upload(device_, nullptr, image.data(), array.block, image.size()));
    arrays_.push_back(array);
    return reinterpret_cast<T*>(static_cast<unsigned char*>(array.block) + before);
  }

  template <class T>
  T* room(int64_t n, bool aligned = false) {
    return put(std::vector<T>(static_cast<size_t>(n), T(77)), aligned);
  }

  // All arrays, guards included.
  std::vector<std::vector<unsigned char>> take() {
    std::vector<std::vector<unsigned char>> images;
    for (Array& array : arrays_) {
      images.emplace_back(array.size);
      CHECK_OK(secateur_download(device_, nullptr, array.block, images.back().data(), array.size));
    }
    CHECK_OK(secateur_synchronize(device_, nullptr));
    return images;
  }

  // Whether element i of array `a` is the same on both sides: any NaN is as any other.
  bool same_image(size_t a, const std::vector<unsigned char>& left,
                  const std::vector<unsigned char>& right) const {
    if (left == right) return true;
    const Array& array = arrays_[a];
    if (!array.floats || left.size() != right.size()) return false;
    for (size_t i = array.before % sizeof(float); i + sizeof(float) <= left.size();
         i += sizeof(float)) {
      float l, r;
      memcpy(&l, &left[i], sizeof l);
      memcpy(&r, &right[i], sizeof r);
      if (!same(l, r)) {
        std::fprintf(stderr, "array %zu, element %td: %a on the CPU, %a on the GPU\n", a,
                     static_cast<ptrdiff_t>(i - array.before) / 4, static_cast<double>(l),
                     static_cast<double>(r));
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr size_t kGuard = 128;

  struct Array {
    void* block;
    size_t size;
    bool floats;
    size_t before, bytes;
  };

  secateur_device* device_;
  int shift_;
  std::vector<Array> arrays_;
};

using Operation = std::function<secateur_status(Side&)>;

// Runs it on both, with the arrays aligned and, unless told otherwise, not.
inline void check(const std::string& what, const Operation& operation, bool aligned_only = false) {
  for (int shift : {0, 1}) {
    if (shift != 0 && aligned_only) break;
    Side left(cpu(), shift), right(cuda(), shift);
    CHECK_OK(operation(left));
    CHECK_OK(operation(right));
    const auto expected = left.take(), got = right.take();
    CHECK(expected.size() == got.size());
    for (size_t a = 0; a < got.size(); ++a) {
      CHECK_NOTE(left.same_image(a, expected[a], got[a]), "%s, arrays shifted by %d", what.c_str(),
                 shift);
    }
  }
}

}  // namespace test
