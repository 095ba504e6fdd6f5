package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps.Binary;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Binary operations under broadcasting, their adjoint sum, transposition, gathering of rows. */
public interface BroadcastContract extends Contract {
  /** Pairs of shapes and the shape they broadcast to. */
  private static Shape[][] triples() {
    return new Shape[][] {
      {Shape.of(), Shape.of(), Shape.of()},
      {Shape.of(1), Shape.of(), Shape.of(1)},
      {Shape.of(1009), Shape.of(), Shape.of(1009)},
      {Shape.of(33, 65), Shape.of(65), Shape.of(33, 65)},
      {Shape.of(100, 300), Shape.of(300), Shape.of(100, 300)},
      {Shape.of(31, 1), Shape.of(1, 63), Shape.of(31, 63)},
      {Shape.of(7, 1), Shape.of(7, 13), Shape.of(7, 13)},
      {Shape.of(2, 3, 1, 5), Shape.of(4, 1), Shape.of(2, 3, 4, 5)},
      {Shape.of(0, 3), Shape.of(3), Shape.of(0, 3)},
      {Shape.of(5, 0), Shape.of(1, 1), Shape.of(5, 0)},
      {
        Shape.of(2, 1, 2, 1, 2, 1, 2, 1),
        Shape.of(1, 3, 1, 3, 1, 1, 2, 2),
        Shape.of(2, 3, 2, 3, 2, 1, 2, 2)
      },
    };
  }

  /** Flat index into a tensor of shape {@code in} of element {@code flat} of shape {@code out}. */
  private static int index(Shape in, Shape out, int flat) {
    int index = 0;
    int stride = 1;
    int rest = flat;
    for (int d = 1; d <= out.rank(); d++) {
      int coordinate = rest % (int) out.dim(-d);
      rest /= (int) out.dim(-d);
      if (d <= in.rank() && in.dim(-d) != 1) {
        index += coordinate * stride;
        stride *= (int) in.dim(-d);
      }
    }
    return index;
  }

  private static double apply(Binary op, float a, float b) {
    return switch (op) {
      case ADD -> (float) ((double) a + b);
      case SUB -> (float) ((double) a - b);
      case MUL -> (float) ((double) a * b);
      case DIV -> (float) ((double) a / b);
    };
  }

  @Test
  default void computesEveryBinaryOperation() {
    for (Binary op : Binary.values()) {
      for (Shape[] t : triples()) {
        float[] a = Numbers.gaussian((int) t[0].size(), 1);
        float[] b = Numbers.gaussian((int) t[1].size(), 2);
        checkBinary(op, t[0], a, t[1], b, t[2]);
        checkBinary(op, t[1], b, t[0], a, t[2]);
      }
      for (int n : SIZES) {
        Shape shape = Shape.of(n);
        float[] b = Numbers.gaussian(n, 3);
        Numbers.all(n).forEach((name, a) -> checkBinary(op, shape, a, shape, b, shape));
      }
    }
  }

  private void checkBinary(Binary op, Shape as, float[] a, Shape bs, float[] b, Shape os) {
    double[] expected = new double[(int) os.size()];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = apply(op, a[index(as, os, i)], b[index(bs, os, i)]);
    }
    String what = op + " of " + as + " and " + bs;
    try (Fixture f = new Fixture(device())) {
      DeviceTensor out = f.out(os);
      DeviceTensor db = f.in(bs, b);
      device().nn().binary(op, f.in(as, a), db, out);
      Numbers.assertExact(what, expected, f.read(out));
      if (as.equals(os)) {
        DeviceTensor inPlace = f.inOut(as, a);
        device().nn().binary(op, inPlace, db, inPlace);
        Numbers.assertExact(what + " in place", expected, f.read(inPlace));
      }
    }
  }

  @Test
  default void sumsBackToEachBroadcastShape() {
    for (Shape[] t : triples()) {
      checkSum(t[2], t[0]);
      checkSum(t[2], t[1]);
    }
    checkSum(Shape.of(100_003), Shape.of());
    checkSum(Shape.of(1000, 257), Shape.of(257));
    checkSum(Shape.of(1000, 257), Shape.of(1000, 1));
    checkSum(Shape.of(5, 64, 33), Shape.of(5, 1, 33));
  }

  private void checkSum(Shape from, Shape to) {
    float[] x = Numbers.gaussian((int) from.size(), 4);
    double[] expected = new double[(int) to.size()];
    double[] magnitude = new double[expected.length];
    for (int i = 0; i < x.length; i++) {
      expected[index(to, from, i)] += x[i];
      magnitude[index(to, from, i)] += Math.abs(x[i]);
    }
    double relative = Numbers.sumError(to.size() == 0 ? 0 : from.size() / to.size());
    try (Fixture f = new Fixture(device())) {
      DeviceTensor out = f.out(to);
      device().nn().reduceSumTo(f.in(from, x), out);
      float[] actual = f.read(out);
      for (int i = 0; i < actual.length; i++) {
        Numbers.assertClose(
            "sum of %s to %s at %d".formatted(from, to, i),
            expected[i],
            actual[i],
            0,
            relative * magnitude[i]);
      }
    }
  }

  @Test
  default void carriesNanAndInfinityThroughSums() {
    float[] x = Numbers.gaussian(3 * 65, 5);
    x[64] = Float.NaN;
    x[65] = Float.POSITIVE_INFINITY;
    try (Fixture f = new Fixture(device())) {
      DeviceTensor out = f.out(3, 1);
      device().nn().reduceSumTo(f.in(Shape.of(3, 65), x), out);
      float[] sums = f.read(out);
      assertTrue(Float.isNaN(sums[0]));
      assertTrue(sums[1] == Float.POSITIVE_INFINITY);
      assertTrue(Float.isFinite(sums[2]));
    }
  }

  @Test
  default void transposesAxes() {
    checkTranspose(Shape.of(7), 0);
    checkTranspose(Shape.of(33, 65), 1, 0);
    checkTranspose(Shape.of(300, 784), 1, 0);
    checkTranspose(Shape.of(1, 31), 1, 0);
    checkTranspose(Shape.of(0, 4), 1, 0);
    checkTranspose(Shape.of(2, 3, 5), 2, 0, 1);
    checkTranspose(Shape.of(2, 3, 5, 7), 0, 2, 1, 3);
    checkTranspose(Shape.of(2, 1, 3, 2, 2, 2, 1, 3), 7, 6, 5, 4, 3, 2, 1, 0);
    checkTranspose(Shape.of());
  }

  private void checkTranspose(Shape shape, int... perm) {
    int rank = shape.rank();
    long[] dims = new long[rank];
    int[] strides = new int[rank]; // of x, by axis of out
    for (int d = 0; d < rank; d++) {
      dims[d] = shape.dim(perm[d]);
      int stride = 1;
      for (int e = perm[d] + 1; e < rank; e++) {
        stride *= (int) shape.dim(e);
      }
      strides[d] = stride;
    }
    float[] x = Numbers.gaussian((int) shape.size(), 6);
    float[] expected = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      int rest = i;
      int from = 0;
      for (int d = rank - 1; d >= 0; d--) {
        from += rest % (int) dims[d] * strides[d];
        rest /= (int) dims[d];
      }
      expected[i] = x[from];
    }
    try (Fixture f = new Fixture(device())) {
      DeviceTensor out = f.out(dims);
      device().nn().transpose(perm, f.in(shape, x), out);
      Numbers.assertBits("transpose " + shape + Arrays.toString(perm), expected, f.read(out));
    }
  }

  @Test
  default void gathersRowsOfAnyType() {
    int[] indices = {4, 0, 0, 2, 4};
    try (Fixture f = new Fixture(device())) {
      for (DType dtype : new DType[] {DType.F32, DType.U8, DType.I64, DType.I16}) {
        for (int cols : new int[] {1, 3, 33, 784}) {
          Tensor source = Tensor.zeros(dtype, Shape.of(5, cols));
          Tensor expected = Tensor.zeros(dtype, Shape.of(5, cols));
          int row = cols * dtype.byteSize();
          for (int i = 0; i < source.byteSize(); i++) {
            source.data().setAtIndex(java.lang.foreign.ValueLayout.JAVA_BYTE, i, (byte) (i * 7));
          }
          for (int i = 0; i < indices.length; i++) {
            expected
                .data()
                .asSlice((long) i * row, row)
                .copyFrom(source.data().asSlice((long) indices[i] * row, row));
          }
          DeviceTensor out = f.inOut(Tensor.zeros(dtype, Shape.of(5, cols)));
          device().nn().gatherRows(f.in(source), f.in(Tensor.ofInts(Shape.of(5), indices)), out);
          assertTrue(f.tensor(out).bitEquals(expected), dtype + " rows of " + cols);
        }
      }
      DeviceTensor none = f.out(0, 3);
      device()
          .nn()
          .gatherRows(f.in(Shape.of(1, 3), 1, 2, 3), f.in(Tensor.ofInts(Shape.of(0))), none);
    }
  }

  @Test
  default void refusesRowsAndShapesThatDoNotFit() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor x = f.in(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
      DeviceTensor out = f.out(1, 3);
      for (int bad : new int[] {2, -1}) {
        DeviceTensor index = f.in(Tensor.ofInts(Shape.of(1), bad));
        try {
          device().nn().gatherRows(x, index, out);
          // A device that does not wait can only spoil the result.
          for (float value : f.read(out)) {
            assertTrue(Float.isNaN(value), "a row that does not exist");
          }
        } catch (IllegalArgumentException e) {
          assertTrue(e.getMessage().contains(Integer.toString(bad)), e.getMessage());
        }
      }
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> device().nn().binary(Binary.ADD, x, f.in(1, 2), f.out(2, 3)));
      assertTrue(e.getMessage().contains("[2, 3]"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> device().nn().binary(Binary.ADD, f.in(1, 2, 3), f.in(1, 2, 3), f.out(2, 3)));
      assertThrows(IllegalArgumentException.class, () -> device().nn().reduceSumTo(x, f.out(2)));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().nn().transpose(new int[] {0, 0}, x, f.out(2, 2)));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().nn().transpose(new int[] {1, 0}, x, f.out(2, 3)));
    }
  }
}
