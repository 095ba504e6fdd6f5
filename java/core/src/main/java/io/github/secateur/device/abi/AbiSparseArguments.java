package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps.Epilogue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Writes the structures that secateur.h's sparse products take, into a segment of the caller's. */
public final class AbiSparseArguments {
  /** Offset of secateur_sparse_format. */
  public static final long FORMAT = 0;

  /** Offset of secateur_sparse_weight. */
  public static final long WEIGHT = 16;

  /** Offset of secateur_epilogue. */
  public static final long EPILOGUE = 56;

  /** Size of all. */
  public static final long BYTES = 72;

  private AbiSparseArguments() {}

  public static void format(MemorySegment target, SparseFormat format, boolean trainable) {
    int kind;
    int rows = 0;
    int cols = 0;
    switch (format) {
      case SparseFormat.Rows() -> kind = 0;
      case SparseFormat.Gather() -> kind = 1;
      case SparseFormat.Blocks(int r, int c) -> {
        kind = 2;
        rows = r;
        cols = c;
      }
      case SparseFormat.NM(int n, int m) -> {
        kind = 3;
        rows = n;
        cols = m;
      }
    }
    target.set(INT, FORMAT, kind);
    target.set(INT, FORMAT + 4, rows);
    target.set(INT, FORMAT + 8, cols);
    target.set(INT, FORMAT + 12, trainable ? 1 : 0);
  }

  /** {@code w} and {@code mask} are addresses; a mask of 0 is none. */
  public static void weight(MemorySegment target, SparseShapes shapes, long w, long mask) {
    target.set(LONG, WEIGHT, shapes.out());
    target.set(LONG, WEIGHT + 8, shapes.in());
    target.set(INT, WEIGHT + 16, shapes.transposed() ? 1 : 0);
    target.set(LONG, WEIGHT + 24, w);
    target.set(LONG, WEIGHT + 32, mask);
  }

  /** {@code bias} is an address or 0. */
  public static void epilogue(MemorySegment target, Epilogue epilogue, long bias) {
    target.set(LONG, EPILOGUE, bias);
    target.set(
        INT, EPILOGUE + 8, epilogue.activation() == null ? -1 : epilogue.activation().ordinal());
    target.set(ValueLayout.JAVA_FLOAT, EPILOGUE + 12, epilogue.alpha());
  }
}
