package io.github.secateur.sparse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseFormat.Blocks;
import io.github.secateur.device.SparseFormat.Gather;
import io.github.secateur.device.SparseFormat.NM;
import io.github.secateur.device.SparseFormat.Rows;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What is seen in a weight, against loops over its elements, and the formats that follow. */
class WeightPatternTest {
  @Test
  void countsAreThoseOfPlainLoops() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 200; round++) {
      int out = 1 + random.nextInt(round % 2 == 0 ? 20 : 150);
      int in = 1 + random.nextInt(round % 2 == 0 ? 20 : 300);
      double density = random.nextInt(5) * 0.25 * random.nextDouble();
      float[][] w = new float[out][in];
      for (float[] row : w) {
        for (int i = 0; i < in; i++) {
          boolean kept = random.nextDouble() < density;
          row[i] = kept ? (random.nextInt(9) == 0 ? Float.NaN : -1e-42f) : random.nextInt(2) * -0f;
        }
      }
      check(w, WeightPattern.of(stored(w, false), false));
      check(w, WeightPattern.of(stored(w, true), true));
    }
  }

  private static void check(float[][] w, WeightPattern seen) {
    int out = w.length;
    int in = w[0].length;
    long nonzeros = count(w, 0, out, 0, in);
    assertEquals(out, seen.out());
    assertEquals(in, seen.in());
    assertEquals(nonzeros, seen.nonzeros());
    assertEquals(1 - nonzeros / ((double) out * in), seen.sparsity(), 1e-12);
    long fullest = 0;
    for (int o = 0; o < out; o++) {
      fullest = Math.max(fullest, count(w, o, o + 1, 0, in));
    }
    assertEquals(nonzeros == 0 ? 1 : fullest * (double) out / nonzeros, seen.skew(), 1e-9);
    for (Blocks b : WeightPattern.BLOCKS) {
      long stored = 0;
      for (int o = 0; o < out; o += b.rows()) {
        for (int i = 0; i < in; i += b.cols()) {
          boolean any = count(w, o, o + b.rows(), i, i + b.cols()) > 0;
          stored += any ? b.rows() * b.cols() : 0;
        }
      }
      assertEquals(stored, seen.stored(b), () -> b + " of " + out + "x" + in);
    }
    List<NM> fits = new ArrayList<>();
    for (int m : new int[] {4, 8, 16, 32}) {
      int most = 0;
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i += m) {
          most = (int) Math.max(most, count(w, o, o + 1, i, i + m));
        }
      }
      if (most > 0 && most < m) {
        fits.add(new NM(most, m));
      }
    }
    assertEquals(fits, seen.groups());
  }

  /** Nonzeros of a part, cut off at the edges. */
  private static long count(float[][] w, int top, int bottom, int left, int right) {
    long count = 0;
    for (int o = top; o < Math.min(bottom, w.length); o++) {
      for (int i = left; i < Math.min(right, w[0].length); i++) {
        count += w[o][i] != 0 ? 1 : 0;
      }
    }
    return count;
  }

  private static Tensor stored(float[][] w, boolean transposed) {
    int out = w.length;
    int in = w[0].length;
    Tensor t = Tensor.zeros(DType.F32, transposed ? Shape.of(in, out) : Shape.of(out, in));
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < in; i++) {
        t.setFloat(transposed ? (long) i * out + o : (long) o * in + i, w[o][i]);
      }
    }
    return t;
  }

  @Test
  void blocksOfOtherShapesWereNotCounted() {
    WeightPattern seen = pattern(new Rows(), 0.5);
    assertThrows(IllegalArgumentException.class, () -> seen.stored(new Blocks(3, 1)));
  }

  @Test
  void unstructuredZerosAreWorthSingleNonzerosAndFewActivationsGathering() {
    WeightPattern seen = pattern(new Rows(), 0.9);
    assertEquals(List.of(new Rows()), Candidates.of(seen, f -> true, 64));
    assertEquals(List.of(new Rows(), new Gather()), Candidates.of(seen, f -> true, 8));
    assertEquals(List.of(new Rows()), Candidates.of(seen, f -> !(f instanceof Gather), 1));
  }

  @Test
  void wholeBlocksAreWorthTheirFormat() {
    for (Blocks b : WeightPattern.BLOCKS) {
      List<SparseFormat> formats = Candidates.of(pattern(b, 0.9), f -> true, 64);
      assertTrue(formats.contains(b), () -> b + " gave " + formats);
      assertEquals(new Rows(), formats.getFirst());
      assertTrue(formats.size() <= 5, formats::toString);
      List<SparseFormat> none = Candidates.of(pattern(b, 0.9), f -> f instanceof Rows, 64);
      assertEquals(List.of(new Rows()), none);
      assertEquals(b, LayerShape.kind(pattern(b, 0.9)));
    }
  }

  @Test
  void groupsThatFitAreWorthTheirFormat() {
    for (NM nm : List.of(new NM(2, 4), new NM(1, 4), new NM(2, 8), new NM(4, 32))) {
      WeightPattern seen = pattern(nm, 1 - nm.n() / (double) nm.m());
      List<SparseFormat> formats = Candidates.of(seen, f -> true, 64);
      assertTrue(formats.contains(nm), () -> nm + " gave " + formats);
      assertEquals(nm, LayerShape.kind(seen));
    }
    // One weight too many in one group: 3:4 would store half as much again.
    Tensor weight = RandomWeights.of(Shape.of(64, 128), new NM(2, 4), 0.5, 3);
    long third = 0;
    while (weight.getFloat(third) != 0) {
      third++;
    }
    weight.setFloat(third, 1);
    List<SparseFormat> formats = Candidates.of(WeightPattern.of(weight, false), f -> true, 64);
    assertTrue(!formats.contains(new NM(2, 4)), formats::toString);
  }

  @Test
  void randomWeightsHaveExactlyTheZerosAskedFor() {
    for (double sparsity : new double[] {0, 0.3, 0.5, 0.987, 1}) {
      WeightPattern single = pattern(new Rows(), sparsity);
      assertEquals(128 * 96 - Math.round(sparsity * 128 * 96), single.nonzeros());
      WeightPattern blocks = pattern(new Blocks(4, 4), sparsity);
      assertEquals(16 * (768 - Math.round(sparsity * 768)), blocks.nonzeros());
      assertEquals(blocks.nonzeros(), blocks.stored(new Blocks(4, 4)));
    }
    WeightPattern groups = pattern(new NM(1, 8), 0.75);
    assertEquals(128 * 96 / 4, groups.nonzeros());
    assertEquals(new NM(2, 8), groups.groups().get(1));
    Tensor ragged = RandomWeights.of(Shape.of(7, 9), new Blocks(4, 4), 0, 1);
    assertEquals(63, WeightPattern.of(ragged, false).nonzeros());
    for (float value : ragged.toFloats()) {
      assertTrue(Math.abs(value) >= 0.5 && Math.abs(value) < 1);
    }
  }

  private static WeightPattern pattern(SparseFormat kind, double sparsity) {
    return WeightPattern.of(RandomWeights.of(Shape.of(128, 96), kind, sparsity, 5), false);
  }
}
