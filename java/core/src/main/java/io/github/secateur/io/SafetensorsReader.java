package io.github.secateur.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads safetensors files: 8 bytes little-endian length of the header, the header in JSON ({@code
 * "name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}}), the elements. The
 * tensors must fill the file without gap or overlap.
 *
 * <p>Source: github.com/huggingface/safetensors, "Format".
 */
public final class SafetensorsReader {
  private static final int MAX_RANK = 32;
  private static final ObjectMapper JSON =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(8)
                          .maxNumberLength(20)
                          .maxNameLength(4096)
                          .maxStringLength(1 << 24)
                          .maxDocumentLength(Safetensors.MAX_HEADER)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Path file;
  private final FileChannel channel;

  private SafetensorsReader(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /** Where a tensor lies; offsets are counted from the end of the header. */
  private record Entry(String name, DType dtype, Shape shape, long begin, long end) {}

  /**
   * Reads a file, each tensor into memory of its own.
   *
   * @throws FormatException when it is no safetensors file, or is damaged
   */
  public static Safetensors read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return new SafetensorsReader(file, channel).read();
    }
  }

  private Safetensors read() throws IOException {
    long size = channel.size();
    if (size < 8) {
      throw bad(0, "a safetensors file of at least 8 bytes", size + " bytes");
    }
    long headerSize = bytes(0, 8).order(ByteOrder.LITTLE_ENDIAN).getLong();
    long most = Math.min(Safetensors.MAX_HEADER, size - 8);
    if (headerSize < 2 || headerSize > most) {
      throw bad(
          0, "the length of a safetensors header, 2 .. " + most, Long.toUnsignedString(headerSize));
    }
    JsonNode header = header((int) headerSize);
    List<Entry> entries = new ArrayList<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : header.properties()) {
      if (field.getKey().equals(Safetensors.METADATA)) {
        metadata(field.getValue(), metadata);
      } else {
        entries.add(entry(field.getKey(), field.getValue()));
      }
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    requireWhole(entries, size - 8 - headerSize);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Entry entry : entries) {
      Tensor tensor = Tensor.zeros(entry.dtype, entry.shape);
      Channels.read(file, channel, 8 + headerSize + entry.begin, tensor.data());
      tensors.put(entry.name, tensor);
    }
    return new Safetensors(tensors, metadata);
  }

  private JsonNode header(int size) throws IOException {
    try {
      JsonNode header = JSON.readTree(bytes(8, size).array());
      if (header == null || !header.isObject()) {
        throw bad(8, "a JSON object", "other JSON");
      }
      return header;
    } catch (JsonProcessingException e) {
      FormatException bad = bad(8, "a JSON header", "damage (" + e.getOriginalMessage() + ")");
      bad.initCause(e);
      throw bad;
    }
  }

  private void metadata(JsonNode node, Map<String, String> into) throws FormatException {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getValue().isTextual()) {
        throw bad(8, "text in __metadata__", field.getKey() + ": " + field.getValue());
      }
      into.put(field.getKey(), field.getValue().textValue());
    }
  }

  private Entry entry(String name, JsonNode node) throws FormatException {
    DType dtype = Safetensors.dtype(node.path("dtype").asText());
    if (dtype == null) {
      throw bad(
          8,
          "a type F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL of tensor '" + name + "'",
          node.path("dtype").toString());
    }
    long[] dims = numbers(name, node.path("shape"), MAX_RANK);
    long[] offsets = numbers(name, node.path("data_offsets"), 2);
    Shape shape;
    long bytes;
    try {
      shape = Shape.of(dims);
      bytes = Math.multiplyExact(shape.size(), (long) dtype.byteSize());
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw bad(8, "a valid shape of tensor '" + name + "'", node.path("shape").toString());
    }
    if (offsets.length != 2 || offsets[1] - offsets[0] != bytes) {
      throw bad(
          8,
          "data_offsets of tensor '%s' that span %d bytes, as for %s%s"
              .formatted(name, bytes, dtype, shape),
          node.path("data_offsets").toString());
    }
    return new Entry(name, dtype, shape, offsets[0], offsets[1]);
  }

  private long[] numbers(String name, JsonNode node, int most) throws FormatException {
    boolean fits = node.isArray() && node.size() <= most;
    for (JsonNode number : node) {
      fits &= number.isIntegralNumber() && number.canConvertToLong() && number.longValue() >= 0;
    }
    if (!fits) {
      throw bad(
          8, "whole numbers, at most " + most + ", for tensor '" + name + "'", node.toString());
    }
    long[] numbers = new long[node.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = node.get(i).longValue();
    }
    return numbers;
  }

  private void requireWhole(List<Entry> entries, long dataSize) throws FormatException {
    long at = 0;
    for (Entry entry : entries) {
      if (entry.begin != at) {
        throw bad(
            8,
            "tensor '%s' to begin at offset %d, where the one before ends"
                .formatted(entry.name, at),
            "offset " + entry.begin);
      }
      at = entry.end;
    }
    if (at != dataSize) {
      throw bad(8, "tensors of " + dataSize + " bytes, as the file has", at + " bytes");
    }
  }

  private ByteBuffer bytes(long offset, int count) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count);
    Channels.read(file, channel, offset, MemorySegment.ofBuffer(buffer));
    return buffer;
  }

  private FormatException bad(long offset, String expected, String found) {
    String shortened = found.length() > 200 ? found.substring(0, 200) + "..." : found;
    return new FormatException(file.toString(), offset, expected, shortened);
  }
}
