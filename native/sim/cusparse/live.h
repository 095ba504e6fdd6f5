// The objects of a kind that were created and not yet destroyed. Itself never destroyed: other
// threads may still call when the process ends.
#pragma once

#include <mutex>
#include <set>

namespace sim::cusparse {

template <typename Object>
class Live {
 public:
  Object* add(const Object& object) {
    Object* added = new Object(object);
    std::lock_guard<std::mutex> lock(mutex_);
    objects_.insert(added);
    return added;
  }

  bool has(const Object* object) {
    std::lock_guard<std::mutex> lock(mutex_);
    return objects_.count(object) != 0;
  }

  bool remove(const Object* object) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (objects_.erase(object) == 0) return false;
    delete object;
    return true;
  }

 private:
  std::mutex mutex_;
  std::set<const Object*> objects_;
};

}  // namespace sim::cusparse
