package io.github.secateur.io;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;

/** The weights of a model as safetensors: names are those of the initializers. */
public final class Weights {
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Weights() {}

  /**
   * A copy of a model with the weights of a file. Initializers that the file does not name keep
   * their values; where the model has a mask, pruned weights are set to 0.
   *
   * @throws IllegalArgumentException when the file names what the model does not have, a type or
   *     shape differs, or a weight is not a finite number (naming tensor and index)
   */
  public static Model read(Path file, Model model) throws IOException {
    Model loaded = model.copy();
    Map<String, Tensor> initializers = loaded.graph().initializers();
    SafetensorsReader.read(file)
        .tensors()
        .forEach(
            (name, tensor) -> {
              requireFit(file, name, tensor, initializers.get(name));
              requireFinite(file, name, tensor);
              initializers.put(name, tensor);
            });
    PrunedWeights.applyMasks(loaded);
    return loaded;
  }

  /**
   * Writes all initializers of a model, with its metadata.
   *
   * @throws IllegalArgumentException when a weight that its mask prunes is not 0
   */
  public static void write(Model model, Path file) throws IOException {
    PrunedWeights.requireZero(model);
    SafetensorsWriter.write(new Safetensors(model.graph().initializers(), model.metadata()), file);
  }

  private static void requireFit(Path file, String name, Tensor given, Tensor wanted) {
    if (wanted == null) {
      throw new IllegalArgumentException(
          "%s has a tensor '%s' that the model does not have".formatted(file, name));
    }
    if (given.dtype() != wanted.dtype() || !given.shape().equals(wanted.shape())) {
      throw new IllegalArgumentException(
          "tensor '%s' of %s is %s, the model needs %s".formatted(name, file, given, wanted));
    }
  }

  private static void requireFinite(Path file, String name, Tensor tensor) {
    if (!tensor.dtype().isFloating()) {
      return;
    }
    for (long i = 0; i < tensor.size(); i++) {
      if (!isFinite(tensor, i)) {
        throw new IllegalArgumentException(
            "element %d of tensor '%s' in %s is NaN or infinite; weights should be finite"
                .formatted(i, name, file));
      }
    }
  }

  private static boolean isFinite(Tensor t, long i) {
    DType dtype = t.dtype();
    return switch (dtype) {
      case F32 -> Float.isFinite(t.getFloat(i));
      case F64 -> Double.isFinite(t.data().get(F64, 8 * i));
      case F16 -> (t.data().get(I16, 2 * i) & 0x7c00) != 0x7c00;
      case BF16 -> (t.data().get(I16, 2 * i) & 0x7f80) != 0x7f80;
      default -> true;
    };
  }
}
