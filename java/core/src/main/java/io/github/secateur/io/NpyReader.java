package io.github.secateur.io;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads NumPy's NPY files, versions 1 to 3: the magic {@code 93 NUMPY}, the version, the header's
 * length (2 bytes in version 1, else 4), a Python dictionary with {@code descr}, {@code
 * fortran_order} and {@code shape}, and the elements. Types: {@code <f4 <f8 |u1 <i4 <i8},
 * row-major.
 *
 * <p>Source: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 */
public final class NpyReader {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final long MAX_HEADER = 1 << 16;
  private static final int MAX_RANK = 32;
  private static final Pattern DESCR =
      Pattern.compile("['\"]descr['\"]\\s*:\\s*['\"]([^'\"]*)['\"]");
  private static final Pattern ORDER =
      Pattern.compile("['\"]fortran_order['\"]\\s*:\\s*(True|False)");
  private static final Pattern SHAPE =
      Pattern.compile(
          "['\"]shape['\"]\\s*:\\s*\\(\\s*((?:\\d{1,18}(?:\\s*,\\s*\\d{1,18})*+\\s*,?)?)\\s*\\)");

  private NpyReader() {}

  /**
   * Reads a file.
   *
   * @throws FormatException when it is no NPY file, has another type or Fortran order (with the
   *     cure), or its size is not what its header says
   */
  public static Tensor read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return read(file, channel);
    }
  }

  private static Tensor read(Path file, FileChannel channel) throws IOException {
    String name = file.toString();
    long size = channel.size();
    MemorySegment start = bytes(Math.min(size, 12));
    Channels.read(file, channel, 0, start);
    if (size < 10 || start.asSlice(0, 6).mismatch(MemorySegment.ofArray(MAGIC)) != -1) {
      throw new FormatException(name, 0, "an NPY file (93 'NUMPY')", "other bytes");
    }
    int version = start.get(ValueLayout.JAVA_BYTE, 6);
    if (version < 1 || version > 3 || (version > 1 && size < 12)) {
      throw new FormatException(name, 6, "NPY version 1, 2 or 3", "version " + version);
    }
    long headerStart = version == 1 ? 10 : 12;
    long headerSize =
        version == 1
            ? Short.toUnsignedLong(start.get(little(ValueLayout.JAVA_SHORT_UNALIGNED), 8))
            : Integer.toUnsignedLong(start.get(little(ValueLayout.JAVA_INT_UNALIGNED), 8));
    if (headerSize > Math.min(MAX_HEADER, size - headerStart)) {
      throw new FormatException(
          name, 8, "a header inside the file, 64 KiB at most", headerSize + " bytes");
    }
    MemorySegment header = bytes(headerSize);
    Channels.read(file, channel, headerStart, header);
    String text =
        new String(
            header.toArray(ValueLayout.JAVA_BYTE),
            version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
    return elements(file, channel, text, headerStart, headerStart + headerSize);
  }

  private static Tensor elements(
      Path file, FileChannel channel, String header, long headerStart, long dataStart)
      throws IOException {
    String name = file.toString();
    DType dtype = dtype(name, headerStart, find(name, headerStart, DESCR, header, "'descr'"));
    if (find(name, headerStart, ORDER, header, "'fortran_order'").equals("True")) {
      throw new FormatException(
          name, headerStart, "row-major order (save numpy.ascontiguousarray(x))", "Fortran order");
    }
    String dims = find(name, headerStart, SHAPE, header, "'shape'");
    long most = (channel.size() - dataStart) / dtype.byteSize();
    Shape shape = shape(name, headerStart, dims, most);
    long bytes = shape.size() * dtype.byteSize();
    if (dataStart + bytes != channel.size()) {
      throw new FormatException(
          name,
          dataStart,
          "%d bytes, as the header says %s%s".formatted(bytes, dtype, shape),
          (channel.size() - dataStart) + " bytes");
    }
    Tensor t = Tensor.zeros(dtype, shape);
    Channels.read(file, channel, dataStart, t.data());
    return t;
  }

  private static DType dtype(String name, long offset, String descr) throws FormatException {
    return switch (descr) {
      case "<f4" -> DType.F32;
      case "<f8" -> DType.F64;
      case "|u1", "<u1", "u1" -> DType.U8;
      case "<i4" -> DType.I32;
      case "<i8" -> DType.I64;
      default ->
          throw new FormatException(
              name,
              offset,
              "type <f4, <f8, |u1, <i4 or <i8 (save x.astype('<f4'))",
              "'" + descr + "'");
    };
  }

  private static String find(String name, long offset, Pattern what, String header, String label)
      throws FormatException {
    Matcher m = what.matcher(header);
    if (!m.find()) {
      throw new FormatException(name, offset, "a header with " + label, "'" + header.strip() + "'");
    }
    return m.group(1);
  }

  /** Checks each product against the elements that the file can hold. */
  private static Shape shape(String name, long offset, String text, long most)
      throws FormatException {
    long[] dims =
        Arrays.stream(text.split(","))
            .map(String::strip)
            .filter(s -> !s.isEmpty())
            .mapToLong(Long::parseLong)
            .toArray();
    long product = 1;
    boolean fits = dims.length <= MAX_RANK;
    for (int i = 0; i < dims.length && fits; i++) {
      fits = dims[i] == 0 || product <= most / dims[i];
      product *= dims[i];
    }
    if (!fits) {
      throw new FormatException(
          name,
          offset,
          "at most " + most + " elements, as the file is no larger",
          "shape (" + text.strip() + ")");
    }
    return Shape.of(dims);
  }

  private static MemorySegment bytes(long size) {
    return Arena.ofAuto().allocate(size);
  }

  private static <L extends ValueLayout> L little(L layout) {
    @SuppressWarnings("unchecked")
    L ordered = (L) layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    return ordered;
  }
}
