package io.github.secateur.device.contract;

/** Philox4x32-10 (Salmon et al. 2011), and the draws made of it. */
final class Philox {
  private static final long MASK = 0xffffffffL;

  private Philox() {}

  /** The four output words for a counter of four and a key of two 32-bit words. */
  static int[] block(int[] counter, int key0, int key1) {
    int[] c = counter.clone();
    int k0 = key0;
    int k1 = key1;
    for (int round = 0; round < 10; round++) {
      long left = 0xd2511f53L * (c[0] & MASK);
      long right = 0xcd9e8d57L * (c[2] & MASK);
      c =
          new int[] {
            (int) (right >>> 32) ^ c[1] ^ k0,
            (int) right,
            (int) (left >>> 32) ^ c[3] ^ k1,
            (int) left
          };
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    return c;
  }

  /** The finaliser that turns a salt into a key: Stafford's 13th variant. */
  static long mix(long salt) {
    long x = (salt ^ (salt >>> 30)) * 0xbf58476d1ce4e5b9L;
    x = (x ^ (x >>> 27)) * 0x94d049bb133111ebL;
    return x ^ (x >>> 31);
  }

  /** Element i of the draw (seed, counter, salt): 24 bits and a half, in (0, 1). */
  static double uniform(long seed, long counter, long salt, long i) {
    long key = seed ^ mix(salt);
    long block = i >>> 2;
    int[] c = {(int) block, (int) (block >>> 32), (int) counter, (int) (counter >>> 32)};
    int word = block(c, (int) key, (int) (key >>> 32))[(int) (i & 3)];
    return ((word >>> 8) + 0.5) * 0x1p-24;
  }
}
