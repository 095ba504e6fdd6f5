package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
  @TempDir private Path folder;

  private Path file(String header, int dataBytes) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer b = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(json.length).put(json);
    return Files.write(folder.resolve("a.safetensors"), b.array());
  }

  @Test
  void readsAFileMadeByHand() throws IOException {
    Safetensors read =
        SafetensorsReader.read(
            file(
                """
                {"b":{"dtype":"F32","shape":[2,1],"data_offsets":[2,10]},
                 "__metadata__":{"format":"pt"},
                 "a":{"dtype":"F16","shape":[],"data_offsets":[0,2]},
                 "none":{"dtype":"I8","shape":[0,4],"data_offsets":[2,2]}}   \
                """,
                10));
    assertEquals(Map.of("format", "pt"), read.metadata());
    assertEquals(List.of("a", "none", "b"), List.copyOf(read.tensors().keySet()));
    assertEquals(Shape.of(2, 1), read.tensors().get("b").shape());
    assertEquals(DType.F16, read.tensors().get("a").dtype());
  }

  @Test
  void everyTypeSurvives() throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (DType dtype : DType.values()) {
      Tensor t = Tensor.zeros(dtype, Shape.of(3));
      t.data().fill((byte) (1 + dtype.ordinal()));
      tensors.put("näme \" of " + dtype, t);
    }
    Path file = folder.resolve("all.safetensors");
    SafetensorsWriter.write(new Safetensors(tensors, Map.of("k", "v\n")), file);
    Safetensors read = SafetensorsReader.read(file);
    assertEquals(tensors.keySet(), read.tensors().keySet());
    tensors.forEach((name, t) -> assertTrue(t.bitEquals(read.tensors().get(name)), name));
    assertEquals("v\n", read.metadata().get("k"));
    byte[] start = new byte[8];
    ByteBuffer.wrap(Files.readAllBytes(file)).get(start);
    assertEquals(0, ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[7],\"data_offsets\":[0,7]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
        "{\"__metadata__\":{\"a\":1},\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
        "[1]",
        "{} {}",
        "{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}",
        "{\"a\":",
      })
  void refusesHeadersThatLie(String header) throws IOException {
    Path file = file(header, 8);
    FormatException e = assertThrows(FormatException.class, () -> SafetensorsReader.read(file));
    assertTrue(e.getMessage().startsWith(file + ", byte 8: expected "), e.getMessage());
  }

  @Test
  void refusesHeaderLengthsThatLie() throws IOException {
    for (long length : new long[] {0, 1, 17, 1L << 40, -1, Long.MIN_VALUE}) {
      byte[] bytes = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
      Path file = Files.write(folder.resolve("a"), bytes);
      assertEquals(
          0, assertThrows(FormatException.class, () -> SafetensorsReader.read(file)).offset());
    }
  }

  private static Model model() {
    Model model = new Model(new Graph("g"));
    model.graph().initializers().put("w", Tensor.of(Shape.of(2), 1, 2));
    model.graph().initializers().put("b", Tensor.of(Shape.of(1), 3));
    model.metadata().put("trained", "on something");
    return model;
  }

  private Path weights(String name, Tensor tensor) throws IOException {
    Path file = folder.resolve("w.safetensors");
    SafetensorsWriter.write(new Safetensors(Map.of(name, tensor), Map.of()), file);
    return file;
  }

  private String refused(Path file) {
    return assertThrows(IllegalArgumentException.class, () -> Weights.read(file, model()))
        .getMessage();
  }

  @Test
  void weightsGoOutAndIn() throws IOException {
    Path file = folder.resolve("w.safetensors");
    Weights.write(model(), file);
    assertEquals(Map.of("trained", "on something"), SafetensorsReader.read(file).metadata());
    Model zeros = model();
    zeros.graph().initializers().replaceAll((n, t) -> Tensor.zeros(t.dtype(), t.shape()));
    Mask mask = Mask.ones(Shape.of(2));
    mask.set(0, false);
    zeros.masks().put("w", mask);
    Model loaded = Weights.read(file, zeros);
    assertArrayEquals(new float[] {0, 2}, loaded.graph().initializer("w").toFloats());
    assertArrayEquals(new float[] {3}, loaded.graph().initializer("b").toFloats());
    assertArrayEquals(new float[] {0}, zeros.graph().initializer("b").toFloats());
  }

  @Test
  void weightsThatDoNotFitAreRefused() throws IOException {
    assertTrue(refused(weights("v", Tensor.of(Shape.of(2), 1, 2))).contains("'v'"));
    assertTrue(refused(weights("w", Tensor.of(Shape.of(1), 1))).contains("F32[1]"));
    assertTrue(refused(weights("w", Tensor.ofInts(Shape.of(2), 1, 2))).contains("I32[2]"));
    assertTrue(
        refused(weights("w", Tensor.of(Shape.of(2), 1, Float.NaN)))
            .contains("element 1 of tensor 'w'"));
    assertNotNull(Weights.read(weights("w", Tensor.of(Shape.of(2), 8, 9)), model()));
  }
}
