package io.github.secateur.train;

/**
 * Shuffled orders, each a pure function of (n, seed, stream), the same on every platform and in
 * every version: a run can be resumed in the middle of an epoch from its step number alone.
 *
 * <p>Fisher–Yates from the last position down; each draw is taken from [0, bound) by the high half
 * of a 32×32-bit product with rejection (Lemire, arXiv 1805.10941), so every order is equally
 * likely as far as the generator goes. The generator is SplitMix64 (Steele, Lea &amp; Flood, 2014)
 * started at mix(seed + mix(stream + γ)).
 */
final class Permutation {
  private static final long GAMMA = 0x9e3779b97f4a7c15L;

  /** Streams of one seed that must not meet: epochs count from 0 up, other uses from -1 down. */
  static final long VALIDATION_SPLIT = -1;

  private long state;

  private Permutation(long seed, long stream) {
    state = mix(seed + mix(stream + GAMMA));
  }

  /** The order number {@code stream} of 0 .. n-1. */
  static int[] of(int n, long seed, long stream) {
    Permutation generator = new Permutation(seed, stream);
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    for (int last = n - 1; last > 0; last--) {
      int other = generator.below(last + 1);
      int swapped = order[last];
      order[last] = order[other];
      order[other] = swapped;
    }
    return order;
  }

  private int below(int bound) {
    long threshold = (1L << 32) % bound;
    while (true) {
      long product = (next() >>> 32) * bound;
      if ((product & 0xffffffffL) >= threshold) {
        return (int) (product >>> 32);
      }
    }
  }

  private long next() {
    state += GAMMA;
    return mix(state);
  }

  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    long b = (a ^ (a >>> 27)) * 0x94d049bb133111ebL;
    return b ^ (b >>> 31);
  }
}
