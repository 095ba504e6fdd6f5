// The one thread pool of the process. Work is cut into chunks whose bounds depend on the problem
// alone, never on the number of threads, so results are the same at any thread count. The calling
// thread takes part. A region that starts while another thread's region runs, or inside a region,
// runs whole on its calling thread: nothing ever waits for the pool, and several callers at once
// are safe.
#pragma once

#include <cstdint>
#include <type_traits>

namespace secateur {

// Threads a region may use, the calling one included.
int threads() noexcept;

// Sets that number: 1..1024, or 0 for all processors this process may run on.
void set_threads(int count);

namespace detail {
void run_chunks(int64_t count, void (*body)(void* context, int64_t chunk), void* context);
}

// Runs body(0), ..., body(count - 1), each once, in any order and on any thread. All have finished,
// and their writes are visible, when it returns. If bodies throw, one of the exceptions is rethrown
// here, after chunks already started have ended; chunks not yet started are then skipped.
template <class Body>
void parallel_for(int64_t count, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  detail::run_chunks(
      count, [](void* context, int64_t chunk) { (*static_cast<Plain*>(context))(chunk); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Runs body(begin, end) over [0, n) cut at the multiples of `grain`.
template <class Body>
void parallel_ranges(int64_t n, int64_t grain, Body&& body) {
  const int64_t chunks = n / grain + (n % grain != 0);
  parallel_for(chunks, [&](int64_t chunk) {
    const int64_t begin = chunk * grain;
    body(begin, n - begin < grain ? n : begin + grain);
  });
}

}  // namespace secateur
