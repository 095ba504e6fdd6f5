package io.github.secateur.prune;

import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
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

  /** Keeps what either keeps. */
  static Mask or(Mask a, Mask b) {
    Mask either = Mask.zeros(a.shape());
    for (long offset = 0; offset < either.words().byteSize(); offset += 4) {
      int word = a.words().get(WORD, offset) | b.words().get(WORD, offset);
      either.words().set(WORD, offset, word);
    }
    return either;
  }

  /** Keeps what the mask prunes. */
  static Mask not(Mask mask) {
    Mask other = Mask.ones(mask.shape()); // Bits past the end stay 0.
    for (long offset = 0; offset < other.words().byteSize(); offset += 4) {
      int word = other.words().get(WORD, offset) & ~mask.words().get(WORD, offset);
      other.words().set(WORD, offset, word);
    }
    return other;
  }

  /** A copy of a weight, +0 where the mask prunes. */
  static Tensor apply(Mask mask, Tensor weight) {
    float[] values = weight.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] = mask.kept(i) ? values[i] : 0;
    }
    return Tensor.of(weight.shape(), values);
  }
}
