package io.github.secateur.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class DataTest {
  private static final int SIZE = 32;

  @Test
  void prunesByEachPattern() {
    try (Device device = Devices.open("cpu", new DeviceOptions(1))) {
      Tensor single = Data.Pattern.UNSTRUCTURED.weights(device, SIZE, 0.75);
      assertEquals(SIZE * SIZE / 4, Data.nonzeros(single));
      Tensor blocks = Data.Pattern.BLOCKS_4X1.weights(device, SIZE, 0.75);
      assertEquals(SIZE * SIZE / 4, Data.nonzeros(blocks));
      for (int i = 0; i < SIZE * SIZE; i++) {
        boolean first = blocks.getFloat((long) i / (4 * SIZE) * 4 * SIZE + i % SIZE) != 0;
        assertEquals(first, blocks.getFloat(i) != 0, "weight " + i);
      }
      Tensor pairs = Data.Pattern.N2M4.weights(device, SIZE, 0.5);
      for (int group = 0; group < SIZE * SIZE / 4; group++) {
        int kept = 0;
        for (int i = 0; i < 4; i++) {
          kept += pairs.getFloat(4L * group + i) != 0 ? 1 : 0;
        }
        assertEquals(2, kept, "group " + group);
      }
    }
  }

  @Test
  void transposes() {
    Tensor t = Tensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
    Tensor expected = Tensor.of(Shape.of(3, 2), 1, 4, 2, 5, 3, 6);
    assertTrue(Data.transposed(t).bitEquals(expected));
  }

  @Test
  void roundsToHalfTypes() {
    Tensor t = Tensor.of(Shape.of(3), 1f, -2.5f, 1.0078125f); // the last: 1 + 2^-7
    assertEquals((short) 0x3f80, bits(Data.as(DType.BF16, t), 0));
    assertEquals((short) 0xc020, bits(Data.as(DType.BF16, t), 1));
    assertEquals((short) 0x3f81, bits(Data.as(DType.BF16, t), 2));
    assertEquals((short) 0x3c00, bits(Data.as(DType.F16, t), 0));
    Tensor ties = Tensor.of(Shape.of(2), 1.00390625f, 1.01171875f); // halfway: to even
    assertEquals((short) 0x3f80, bits(Data.as(DType.BF16, ties), 0));
    assertEquals((short) 0x3f82, bits(Data.as(DType.BF16, ties), 1));
  }

  private static short bits(Tensor t, long i) {
    return t.data().getAtIndex(ValueLayout.JAVA_SHORT, i);
  }
}
