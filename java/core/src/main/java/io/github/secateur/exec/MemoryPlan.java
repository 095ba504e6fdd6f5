package io.github.secateur.exec;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Places values with known lifetimes in one block of memory so that values that are never alive
 * together share it: the largest first, each at the lowest offset that is free during its lifetime
 * (Pisarchyk and Lee 2020, arXiv 2001.03288, greedy by size).
 */
final class MemoryPlan {
  /** Every value starts on a cache line of its own. */
  private static final long ALIGNMENT = 128;

  private final Map<String, Long> offsets = new HashMap<>();
  private long bytes;

  /**
   * A value to be placed.
   *
   * @param name the value
   * @param byteSize its size
   * @param first step that writes it
   * @param last last step that reads it
   */
  record Lifetime(String name, long byteSize, int first, int last) {
    private boolean meets(Lifetime other) {
      return first <= other.last && other.first <= last;
    }
  }

  private record Placed(Lifetime value, long offset, long end) {}

  private MemoryPlan() {}

  /** Places all values. */
  static MemoryPlan of(List<Lifetime> values) {
    MemoryPlan plan = new MemoryPlan();
    List<Lifetime> order = new ArrayList<>(values);
    order.sort(
        Comparator.comparingLong(Lifetime::byteSize)
            .reversed()
            .thenComparingInt(Lifetime::first)
            .thenComparing(Lifetime::name));
    List<Placed> placed = new ArrayList<>();
    for (Lifetime value : order) {
      long size = (value.byteSize() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      long offset = 0;
      for (Placed other : placed) { // by offset
        if (other.value().meets(value)) {
          if (offset + size <= other.offset()) {
            break;
          }
          offset = Math.max(offset, other.end());
        }
      }
      placed.add(new Placed(value, offset, offset + size));
      placed.sort(Comparator.comparingLong(Placed::offset));
      plan.offsets.put(value.name(), offset);
      plan.bytes = Math.max(plan.bytes, offset + size);
    }
    return plan;
  }

  /** Bytes of the whole block. */
  long byteSize() {
    return bytes;
  }

  /** Where a value starts. */
  long offset(String value) {
    return offsets.get(value);
  }
}
