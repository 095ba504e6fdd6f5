package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import java.util.Objects;

/**
 * A sparse format that was timed for a layer.
 *
 * @param format its {@link SparseFormat#label}
 * @param time of one product, with what is fused into it; fewer samples where it was clearly slower
 *     than another
 * @param bytes size of the packed weight on the device
 */
public record Candidate(String format, Spread time, long bytes) {
  /** Checks the label. */
  public Candidate {
    SparseFormat.parse(Objects.requireNonNull(format, "format"));
    Objects.requireNonNull(time, "time");
  }
}
