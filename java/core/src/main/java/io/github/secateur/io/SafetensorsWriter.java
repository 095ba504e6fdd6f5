package io.github.secateur.io;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Writes safetensors files (format: {@link SafetensorsReader}). The header is padded with spaces to
 * a multiple of 8 bytes and wider types come first, so that every element is aligned.
 */
public final class SafetensorsWriter {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SafetensorsWriter() {}

  /**
   * Writes a file, whole or not at all.
   *
   * @throws IllegalArgumentException when a tensor has the reserved name {@code __metadata__}
   */
  public static void write(Safetensors contents, Path file) throws IOException {
    List<Map.Entry<String, Tensor>> order = new ArrayList<>(contents.tensors().entrySet());
    order.sort(Comparator.comparingInt(e -> -e.getValue().dtype().byteSize()));
    byte[] header = header(contents.metadata(), order);
    AtomicFile.write(
        file,
        channel -> {
          ByteBuffer start = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
          AtomicFile.writeFully(channel, start.putLong(header.length).put(header).flip());
          for (Map.Entry<String, Tensor> entry : order) {
            Channels.write(channel, entry.getValue().data());
          }
        });
  }

  private static byte[] header(Map<String, String> metadata, List<Map.Entry<String, Tensor>> order)
      throws IOException {
    ObjectNode root = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode node = root.putObject(Safetensors.METADATA);
      metadata.forEach(node::put);
    }
    long at = 0;
    for (Map.Entry<String, Tensor> entry : order) {
      Tensor tensor = entry.getValue();
      if (entry.getKey().equals(Safetensors.METADATA)) {
        throw new IllegalArgumentException(
            "the name '" + Safetensors.METADATA + "' is reserved; rename the tensor");
      }
      ObjectNode node = root.putObject(entry.getKey());
      node.put("dtype", tensor.dtype().name());
      for (long dim : tensor.shape().dims()) {
        node.withArray("shape").add(dim);
      }
      node.withArray("shape");
      node.putArray("data_offsets").add(at).add(at + tensor.byteSize());
      at += tensor.byteSize();
    }
    String json = JSON.writeValueAsString(root);
    int length = json.getBytes(StandardCharsets.UTF_8).length;
    String padded = json + " ".repeat((8 - length % 8) % 8);
    return padded.getBytes(StandardCharsets.UTF_8);
  }
}
