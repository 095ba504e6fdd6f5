package io.github.secateur.report;

import java.util.List;
import java.util.Objects;

/**
 * Weights of one parameter before and after pruning, counted in the same bins.
 *
 * @param parameter weight name, with the network's name where several are shown
 * @param edges bin edges, ascending, one more than bins; bin i is [edge i, edge i+1), the last one
 *     closed
 * @param before weights of the dense network in each bin
 * @param after kept weights of the pruned network in each bin; pruned zeros are not counted here
 * @param prunedZeros weights that the mask prunes
 */
public record WeightHistogram(
    String parameter, List<Double> edges, List<Long> before, List<Long> after, long prunedZeros) {
  /** Copies the lists and checks that they fit. */
  public WeightHistogram {
    Objects.requireNonNull(parameter, "parameter");
    edges = Lists.copy(edges);
    before = Lists.copy(before);
    after = Lists.copy(after);
    if (edges.size() != before.size() + 1 || before.size() != after.size()) {
      throw new IllegalArgumentException(
          "histogram of %s: %d edges, %d bins before, %d after; wanted one edge more than bins"
              .formatted(parameter, edges.size(), before.size(), after.size()));
    }
  }
}
