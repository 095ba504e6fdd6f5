package io.github.secateur.reproduce;

import io.github.secateur.recipe.Recipe;

/**
 * How a row's network is made.
 *
 * @param recipe dense training, pruning, fine-tuning; any may be missing
 * @param shortened what is shorter than published, for the reader; empty for nothing
 */
public record Protocol(Recipe recipe, String shortened) {
  /** Which protocol of a row. */
  public enum Kind {
    /** As published. */
    PAPER,
    /** All rows of all tables, three seeds, within ninety minutes on two cores. */
    BUDGET,
    /** A smoke test of some seconds; shows that it runs, not what it reaches. */
    QUICK
  }
}
