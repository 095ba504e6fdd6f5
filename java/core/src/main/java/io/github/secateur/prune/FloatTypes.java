package io.github.secateur.prune;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Floating-point weights of other types as F32, for scoring. */
final class FloatTypes {
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private FloatTypes() {}

  /** Whether {@link #toF32} takes this type. */
  static boolean converts(DType dtype) {
    return dtype.isFloating();
  }

  /** The same values; F64 is rounded, F32 shared. */
  static Tensor toF32(Tensor tensor) {
    if (tensor.dtype() == DType.F32) {
      return tensor;
    }
    Tensor f32 = Tensor.zeros(DType.F32, tensor.shape());
    for (long i = 0; i < tensor.size(); i++) {
      f32.setFloat(i, element(tensor, i));
    }
    return f32;
  }

  private static float element(Tensor tensor, long i) {
    return switch (tensor.dtype()) {
      case F16 -> Float.float16ToFloat(tensor.data().get(U16, 2 * i));
      case BF16 -> Float.intBitsToFloat(tensor.data().get(U16, 2 * i) << 16);
      case F64 -> (float) tensor.data().get(F64, 8 * i);
      default -> throw new IllegalArgumentException("cannot score weights stored as " + tensor);
    };
  }
}
