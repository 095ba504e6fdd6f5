package io.github.secateur.graph;

/**
 * The units along one axis of a value.
 *
 * @param units the unit of each channel, {@link UnitTies#FIXED} where it stays
 * @param fromEnd the axis, counted from the last, which is 0
 * @param rank of the value, or −1 where it is not known
 * @param repeated whether each channel stands for an unknown number of elements along the axis, as
 *     behind a Flatten: who reads the value knows the number
 * @param activation operator that made the values, empty for the layer itself
 */
record Channels(int[] units, int fromEnd, int rank, boolean repeated, String activation) {
  /** Channels of images [batch, channels, places ...]. */
  static Channels ofImage(int[] units, int rank) {
    return new Channels(units, rank - 2, rank, false, "");
  }

  /** Features along the last axis. */
  static Channels ofFeatures(int[] units, int rank) {
    return new Channels(units, 0, rank, false, "");
  }

  Channels withUnits(int[] other) {
    return new Channels(other, fromEnd, rank, repeated, activation);
  }

  Channels withRank(int other) {
    return new Channels(units, fromEnd, other, repeated, activation);
  }

  Channels after(String operator) {
    return new Channels(units, fromEnd, rank, repeated, operator);
  }

  /** Channels behind a Flatten of all axes but the first; null when they do not follow it. */
  Channels flattened() {
    if (fromEnd == 0 && (rank == 2 || rank < 0)) {
      return new Channels(units, 0, 2, repeated, activation);
    }
    return rank > 2 && fromEnd == rank - 2 && !repeated
        ? new Channels(units, 0, 2, true, activation)
        : null;
  }

  /** The unit of each of {@code size} elements along the axis, null when they do not fit. */
  int[] elements(long size) {
    if (units.length == 0 || size % units.length != 0 || (!repeated && size != units.length)) {
      return null;
    }
    int times = Math.toIntExact(size / units.length);
    int[] elements = new int[Math.toIntExact(size)];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = units[i / times];
    }
    return elements;
  }
}
