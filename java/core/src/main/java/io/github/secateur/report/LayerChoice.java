package io.github.secateur.report;

import io.github.secateur.sparse.SparseChoice;
import java.util.Objects;

/**
 * How one layer of one network runs at one batch size.
 *
 * @param model the strategy of a cell, or a name where there is no cell; may be null
 * @param choice the choice and the measurement behind it
 */
public record LayerChoice(String model, SparseChoice choice) {
  /** Checks that there is a choice. */
  public LayerChoice {
    Objects.requireNonNull(choice, "choice");
  }
}
