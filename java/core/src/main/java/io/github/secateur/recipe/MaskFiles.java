package io.github.secateur.recipe;

import io.github.secateur.io.SafetensorsReader;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Masks in safetensors files: a BOOL or U8 tensor a weight, 0 where it is pruned. */
final class MaskFiles {
  private MaskFiles() {}

  static Map<String, Mask> read(Path file) throws IOException {
    Map<String, Mask> masks = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> entry : SafetensorsReader.read(file).tensors().entrySet()) {
      masks.put(entry.getKey(), mask(file, entry.getKey(), entry.getValue()));
    }
    return masks;
  }

  private static Mask mask(Path file, String name, Tensor tensor) {
    if (tensor.dtype() != DType.BOOL && tensor.dtype() != DType.U8) {
      throw new RecipeException(
          "%s: mask '%s' should be a BOOL or U8 tensor, got %s".formatted(file, name, tensor));
    }
    Mask mask = Mask.ones(tensor.shape());
    for (long i = 0; i < tensor.size(); i++) {
      if (tensor.data().get(ValueLayout.JAVA_BYTE, i) == 0) {
        mask.set(i, false);
      }
    }
    return mask;
  }
}
