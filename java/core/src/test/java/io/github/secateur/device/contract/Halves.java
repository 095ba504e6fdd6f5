package io.github.secateur.device.contract;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;

/** Tensors of F32, F16 and BF16 made from floats, and their exact values as floats. */
final class Halves {
  /** What scores and selections take. */
  static final DType[] TYPES = {DType.F32, DType.F16, DType.BF16};

  private static final ValueLayout.OfShort BITS = ValueLayout.JAVA_SHORT;

  private Halves() {}

  /** The values rounded to F16, cut to BF16, or as they are. */
  static Tensor of(DType dtype, Shape shape, float... values) {
    if (dtype == DType.F32) {
      return Tensor.of(shape, values);
    }
    Tensor tensor = Tensor.zeros(dtype, shape);
    for (int i = 0; i < values.length; i++) {
      tensor.data().setAtIndex(BITS, i, bits(dtype, values[i]));
    }
    return tensor;
  }

  private static short bits(DType dtype, float value) {
    if (dtype == DType.F16) {
      return Float.floatToFloat16(value);
    }
    // Cutting a NaN may leave an infinity; this one stays a NaN.
    return (short) (Float.isNaN(value) ? 0x7fc0 : Float.floatToRawIntBits(value) >>> 16);
  }

  static float[] widen(Tensor tensor) {
    if (tensor.dtype() == DType.F32) {
      return tensor.toFloats();
    }
    float[] values = new float[Math.toIntExact(tensor.size())];
    for (int i = 0; i < values.length; i++) {
      short bits = tensor.data().getAtIndex(BITS, i);
      values[i] =
          tensor.dtype() == DType.F16
              ? Float.float16ToFloat(bits)
              : Float.intBitsToFloat(bits << 16);
    }
    return values;
  }

  /** The values as the type holds them. */
  static float[] rounded(DType dtype, float... values) {
    return widen(of(dtype, Shape.of(values.length), values));
  }
}
