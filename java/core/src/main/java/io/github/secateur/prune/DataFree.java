package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import java.util.List;

/** SIGNATURE. */
public final class DataFree {
  private DataFree() {}

  /**
   * What to prune.
   *
   * @param criterion magnitude, random or given
   * @param allocation how the sparsity is spread
   * @param sparsity pruned over prunable weights, 0..1
   */
  public record Options(Criterion criterion, Allocation allocation, double sparsity) {}

  /**
   * A weight that was left as it was.
   *
   * @param layer node name
   * @param parameter weight name, or empty
   * @param reason why
   */
  public record Left(String layer, String parameter, String reason) {}

  /**
   * What came out.
   *
   * @param model the pruned model, masks attached where the weights are initializers of the main
   *     graph
   * @param requested sparsity asked for
   * @param reached pruned over prunable weights
   * @param taken weights that were pruned, by layer
   * @param left weights that were not, and why
   */
  public record Result(
      Model model, double requested, double reached, List<LayerSparsity> taken, List<Left> left) {}

  /** SIGNATURE. */
  public static Result prune(Model model, Options options) {
    throw new IllegalStateException("being written " + model + options);
  }
}
