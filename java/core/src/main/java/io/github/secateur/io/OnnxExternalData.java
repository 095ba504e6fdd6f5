package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Tensors whose elements lie in a file beside the model: {@code location} (relative to the model's
 * folder), {@code offset} and {@code length} in bytes. A location outside the folder, by {@code
 * ..}, an absolute path or a link, is refused: a model must not read other files.
 */
final class OnnxExternalData {
  private static final int ALIGNMENT = 64;

  private final String location;
  private final List<Tensor> tensors = new ArrayList<>();
  private long size;

  /** An empty data file of this name. */
  OnnxExternalData(String location) {
    this.location = location;
  }

  /** Plans the place of a tensor and points the message at it. */
  void add(TensorProto.Builder proto, Tensor tensor) {
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    proto
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", location))
        .addExternalData(entry("offset", Long.toString(size)))
        .addExternalData(entry("length", Long.toString(tensor.byteSize())));
    tensors.add(tensor);
    size += tensor.byteSize();
  }

  boolean isEmpty() {
    return tensors.isEmpty();
  }

  /** Writes all tensors at their places. */
  void writeTo(FileChannel channel) throws IOException {
    for (Tensor tensor : tensors) {
      Channels.pad(channel, ALIGNMENT);
      Channels.write(channel, tensor.data());
    }
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /** Reads the elements of a tensor. */
  static Tensor read(TensorProto proto, DType dtype, Shape shape, Path model) throws IOException {
    Map<String, String> entries = new HashMap<>();
    proto.getExternalDataList().forEach(e -> entries.put(e.getKey(), e.getValue()));
    Path file = resolve(entries.getOrDefault("location", ""), proto.getName(), model);
    long bytes = shape.size() * dtype.byteSize();
    long offset = number(entries, "offset", 0, proto, model);
    long length = number(entries, "length", bytes, proto, model);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (length != bytes || offset > channel.size() - bytes) {
        throw new FormatException(
            file.toString(),
            offset,
            "%d bytes of tensor '%s', %s%s".formatted(bytes, proto.getName(), dtype, shape),
            "length " + length + " in a file of " + channel.size() + " bytes");
      }
      Tensor tensor = Tensor.zeros(dtype, shape);
      Channels.read(file, channel, offset, tensor.data());
      return tensor;
    }
  }

  private static Path resolve(String location, String tensor, Path model) throws IOException {
    String expected = "a data file of tensor '" + tensor + "' that lies in the model's own folder";
    try {
      Path folder = model.toAbsolutePath().getParent().toRealPath();
      Path file = folder.resolve(location).normalize();
      if (location.isEmpty() || Path.of(location).isAbsolute() || !file.startsWith(folder)) {
        throw new FormatException(model.toString(), -1, expected, "'" + location + "'");
      }
      if (!Files.isRegularFile(file)) {
        throw new FormatException(
            model.toString(), -1, expected, "no file '" + location + "' there");
      }
      Path real = file.toRealPath();
      if (!real.startsWith(folder)) {
        throw new FormatException(
            model.toString(), -1, expected, "a link '" + location + "' out of it");
      }
      return real;
    } catch (InvalidPathException e) {
      throw new FormatException(model.toString(), -1, expected, "'" + location + "'", e);
    }
  }

  private static long number(
      Map<String, String> entries, String key, long otherwise, TensorProto proto, Path model)
      throws FormatException {
    String text = entries.get(key);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("\\d{1,18}")) {
      throw new FormatException(
          model.toString(),
          -1,
          "a number as external " + key + " of tensor '" + proto.getName() + "'",
          "'" + text + "'");
    }
    return Long.parseLong(text);
  }
}
