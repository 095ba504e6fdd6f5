package io.github.secateur.io;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The contents of a safetensors file. Immutable.
 *
 * @param tensors by name, in the order of their bytes
 * @param metadata the header's {@code __metadata__}
 */
public record Safetensors(Map<String, Tensor> tensors, Map<String, String> metadata) {
  /** Bytes that a header may have, as in the format's own implementation. */
  static final long MAX_HEADER = 100_000_000;

  static final String METADATA = "__metadata__";

  /** Copies the maps. */
  public Safetensors {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /** A tensor's type as the header spells it, or null when Tensor does not hold it. */
  static DType dtype(String name) {
    for (DType dtype : DType.values()) {
      if (dtype.name().equals(name)) {
        return dtype;
      }
    }
    return null;
  }
}
