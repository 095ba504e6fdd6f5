package io.github.secateur.prune;

import io.github.secateur.tensor.Mask;
import java.lang.foreign.ValueLayout;

/** Arithmetic on host masks. */
final class Masks {
  private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED;

  private Masks() {}

  /** Keeps what both keep. */
  static Mask and(Mask a, Mask b) {
    Mask both = Mask.zeros(a.shape());
    for (long offset = 0; offset < both.words().byteSize(); offset += 4) {
      int word = a.words().get(WORD, offset) & b.words().get(WORD, offset);
      both.words().set(WORD, offset, word);
    }
    return both;
  }
}
