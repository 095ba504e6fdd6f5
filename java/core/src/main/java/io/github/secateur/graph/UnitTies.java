package io.github.secateur.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a {@link CouplingWalk} finds: units, which of them are tied (union–find), why some have to
 * stay, and what holds elements for them.
 */
final class UnitTies {
  /** In place of a unit: a channel that stays, such as one of a graph input. */
  static final int FIXED = -1;

  private int[] parent = new int[64];
  private int count;
  private final Map<Integer, String> obstacles = new LinkedHashMap<>();
  private final List<Integer> shown = new ArrayList<>();
  private final List<Part> parts = new ArrayList<>();
  private final Map<String, int[]> values = new LinkedHashMap<>();

  /**
   * Something with elements for units.
   *
   * @param slice role, name and axis; its offset and expansion mean nothing yet
   * @param layer name of the node that reads it
   * @param units unit of each element along the axis, or {@link #FIXED}
   * @param activation of a value that is read
   */
  record Part(Coupling.Slice slice, String layer, int[] units, String activation) {}

  /** New units, each by itself. */
  int[] fresh(long number) {
    int[] units = new int[Math.toIntExact(number)];
    parent =
        parent.length < count + number ? Arrays.copyOf(parent, 2 * count + units.length) : parent;
    for (int i = 0; i < units.length; i++) {
      parent[count] = count;
      units[i] = count++;
    }
    return units;
  }

  /** The unit that stands for all that are tied to this one: the first of them. */
  int find(int unit) {
    int root = unit;
    while (parent[root] != root) {
      root = parent[root];
    }
    for (int u = unit; u != root; ) {
      int next = parent[u];
      parent[u] = root;
      u = next;
    }
    return root;
  }

  /** From now on both go together; tied to a fixed channel, a unit stays. */
  void tie(int a, int b, String node) {
    if (a == FIXED || b == FIXED) {
      refuse(new int[] {Math.max(a, b)}, node + " ties the units to channels that have to stay");
      return;
    }
    int x = find(a);
    int y = find(b);
    parent[Math.max(x, y)] = Math.min(x, y);
  }

  /** Units stay, for a reason; the first counts. */
  void refuse(int[] units, String reason) {
    for (int unit : units) {
      if (unit != FIXED) {
        obstacles.putIfAbsent(unit, reason);
      }
    }
  }

  /** A graph output shows these. */
  void show(int[] units) {
    for (int unit : units) {
      if (unit != FIXED) {
        shown.add(unit);
      }
    }
  }

  /** Notes something that holds elements for units. */
  void add(Part part) {
    parts.add(part);
  }

  /** Notes a value that carries units. */
  void carry(String value, int[] units) {
    values.put(value, units);
  }

  /** Number of units before ties. */
  int count() {
    return count;
  }

  List<Part> parts() {
    return parts;
  }

  /** Units along the channels of each value. */
  Map<String, int[]> values() {
    return values;
  }

  /** The obstacle of each set of tied units that has one, by {@link #find}. */
  Map<Integer, String> obstacles() {
    Map<Integer, String> bySet = new LinkedHashMap<>();
    obstacles.forEach((unit, reason) -> bySet.putIfAbsent(find(unit), reason));
    return bySet;
  }

  /** The sets that graph outputs show, by {@link #find}. */
  List<Integer> shown() {
    return shown.stream().map(this::find).distinct().toList();
  }
}
