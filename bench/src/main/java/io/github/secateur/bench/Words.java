package io.github.secateur.bench;

/** Numbers in words. */
final class Words {
  private Words() {}

  static String threads(int threads) {
    return threads == 1 ? "1 thread" : threads + " threads";
  }
}
