package io.github.secateur.sparse;

import io.github.secateur.graph.Model;
import java.util.List;

/**
 * A pruned model prepared for one batch size.
 *
 * @param batch samples a run
 * @param model to execute at this batch size: with sparse products where they won, or the model as
 *     given
 * @param choices one for each layer that could run sparse
 * @param dense time of a run of the model as given
 * @param sparse time of a run of the model with the chosen layers sparse; equal to {@code dense}
 *     when no layer was chosen
 * @param verdict one sentence: how many layers run sparse, or why none does
 * @param cached whether {@code dense} and {@code sparse} were taken in an earlier run
 * @param tuning what the choice took
 */
public record Sparsified(
    long batch,
    Model model,
    List<SparseChoice> choices,
    Spread dense,
    Spread sparse,
    String verdict,
    boolean cached,
    Tuning tuning) {
  /** Copies the list. */
  public Sparsified {
    choices = List.copyOf(choices);
  }
}
