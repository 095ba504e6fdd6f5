package io.github.secateur.io;

import io.github.secateur.tensor.Shape;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads the sparsity patterns of the Deep Learning Matrix Collection (DLMC), text files of three
 * lines:
 *
 * <pre>
 * rows, columns, nonzeros
 * rows + 1 row offsets, from 0 to nonzeros
 * one column index for each nonzero, ascending within a row
 * </pre>
 *
 * Numbers are counted from 0 and stand apart by blanks, commas or both; a pattern has no values.
 * The matrix is a weight [out, in].
 *
 * <p>Source: Gale, Zaharia, Young and Elsen, "Sparse GPU Kernels for Deep Learning", 2020, arXiv
 * 2006.10901.
 */
public final class SmtxReader {
  private static final int END = -1;

  private final String name;
  private final InputStream in;
  private final long bytes;
  private int line = 1;
  private int next;

  private SmtxReader(String name, InputStream in, long bytes) throws IOException {
    this.name = name;
    this.in = in;
    this.bytes = bytes;
    this.next = in.read();
  }

  /**
   * Where a matrix has nonzeros, in compressed rows.
   *
   * @param shape [out, in]
   * @param offsets of each row into {@code columns}, and their number at the end
   * @param columns of the nonzeros, row by row, ascending within each
   */
  public record Pattern(Shape shape, int[] offsets, int[] columns) {
    /** Number of nonzeros. */
    public int nonzeros() {
      return columns.length;
    }
  }

  /**
   * Reads a file.
   *
   * @throws FormatException naming file and line when it is not what is described above
   */
  public static Pattern read(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      return new SmtxReader(file.toString(), in, Files.size(file)).pattern();
    }
  }

  private Pattern pattern() throws IOException {
    int rows = header("a number of rows");
    int columns = header("a number of columns");
    int nonzeros = header("a number of nonzeros");
    endOfLine("the end of the line after rows, columns and nonzeros");
    if (nonzeros > (long) rows * columns) {
      throw FormatException.atLine(
          name, 1, "at most " + (long) rows * columns + " nonzeros", Integer.toString(nonzeros));
    }
    int[] offsets = offsets(rows, nonzeros);
    int[] indices = indices(offsets, columns);
    while (next == '\n') {
      step();
    }
    if (next != END) {
      throw FormatException.atLine(name, line, "the end of the file", found());
    }
    return new Pattern(Shape.of(rows, columns), offsets, indices);
  }

  /** Each number that it counts stands in the file, so it takes two bytes there at least. */
  private int header(String what) throws IOException {
    int value = number(what);
    if (!what.contains("columns") && value > bytes / 2) {
      throw FormatException.atLine(
          name, 1, what + " that fits a file of " + bytes + " bytes", Integer.toString(value));
    }
    return value;
  }

  private int[] offsets(int rows, int nonzeros) throws IOException {
    int[] offsets = new int[rows + 1];
    for (int r = 0; r <= rows; r++) {
      String what = "row offset " + r + " of " + rows;
      offsets[r] = number(what);
      int low = r == 0 ? 0 : offsets[r - 1];
      int high = r == 0 ? 0 : nonzeros;
      if (offsets[r] < low || offsets[r] > high || (r == rows && offsets[r] != nonzeros)) {
        String range = r == rows ? "the " + nonzeros + " of line 1" : low + " to " + high;
        throw FormatException.atLine(
            name, line, what + " to be " + range, Integer.toString(offsets[r]));
      }
    }
    endOfLine("the end of the line after " + (rows + 1) + " row offsets");
    return offsets;
  }

  private int[] indices(int[] offsets, int columns) throws IOException {
    int[] indices = new int[offsets[offsets.length - 1]];
    for (int r = 0; r + 1 < offsets.length; r++) {
      int least = 0;
      for (int i = offsets[r]; i < offsets[r + 1]; i++) {
        indices[i] = number("column index " + i + " of " + indices.length);
        if (indices[i] < least || indices[i] >= columns) {
          throw FormatException.atLine(
              name,
              line,
              "column index %d, in row %d, above %d and below %d"
                  .formatted(i, r, least - 1, columns),
              Integer.toString(indices[i]));
        }
        least = indices[i] + 1;
      }
    }
    if (next != END) {
      endOfLine("the end of the line after " + indices.length + " column indices");
    }
    return indices;
  }

  private int number(String what) throws IOException {
    skipBlanks();
    if (next < '0' || next > '9') {
      throw FormatException.atLine(name, line, what, found());
    }
    long value = 0;
    while (next >= '0' && next <= '9') {
      value = 10 * value + next - '0';
      if (value > Integer.MAX_VALUE) {
        throw FormatException.atLine(name, line, what + " of at most " + Integer.MAX_VALUE, "more");
      }
      step();
    }
    return (int) value;
  }

  private void endOfLine(String what) throws IOException {
    skipBlanks();
    if (next != '\n') {
      throw FormatException.atLine(name, line, what, found());
    }
    step();
    line++;
  }

  private void skipBlanks() throws IOException {
    while (next == ' ' || next == '\t' || next == ',' || next == '\r') {
      step();
    }
  }

  private void step() throws IOException {
    next = in.read();
  }

  private String found() {
    return switch (next) {
      case END -> "the end of the file";
      case '\n' -> "the end of the line";
      default ->
          next > ' ' && next < 127
              ? "'" + (char) next + "'"
              : "byte 0x" + Integer.toHexString(next);
    };
  }
}
