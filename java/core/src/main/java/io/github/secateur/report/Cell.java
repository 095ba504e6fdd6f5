package io.github.secateur.report;

import io.github.secateur.prune.LayerSparsity;
import io.github.secateur.prune.PruneResult;
import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.Metrics;
import java.util.List;
import java.util.Objects;

/**
 * One strategy at one sparsity. Sparsities are 0..1 over prunable weights.
 *
 * @param strategy name shown, such as {@code magnitude}
 * @param requested sparsity asked for
 * @param reached pruned over prunable weights, or null
 * @param learned sparsity that training reached by itself before the exact cut, or null
 * @param mask counts of mask bits, or null
 * @param onnxNonzeros nonzero prunable weights counted in the exported ONNX file, or null
 * @param test quality on the test samples, or null
 * @param deltaPoints error minus the dense network's error, percentage points, or null
 * @param collapsed test error above 50 %
 * @param layers by layer
 * @param history of sparsifying and fine-tuning
 * @param files sizes of its files, or null
 * @param trainSeconds wall time of pruning and fine-tuning, or null
 * @param error why the cell failed, or null
 */
public record Cell(
    String strategy,
    double requested,
    Double reached,
    Double learned,
    MaskCounts mask,
    Long onnxNonzeros,
    Metrics test,
    Double deltaPoints,
    boolean collapsed,
    List<LayerSparsity> layers,
    List<EpochRecord> history,
    FileSizes files,
    Double trainSeconds,
    String error) {
  /** Test error in percent above which a network is called collapsed. */
  public static final double COLLAPSED_ERROR_PERCENT = 50;

  /** Copies the lists; NaN becomes null. */
  public Cell {
    Objects.requireNonNull(strategy, "strategy");
    if (!(requested >= 0 && requested <= 1)) {
      throw new IllegalArgumentException("sparsity of a report's cell is 0..1, got " + requested);
    }
    reached = Lists.measured(reached);
    learned = Lists.measured(learned);
    deltaPoints = Lists.measured(deltaPoints);
    trainSeconds = Lists.measured(trainSeconds);
    layers = Lists.copy(layers);
    history = Lists.copy(history);
  }

  /**
   * A cell from what pruning returned.
   *
   * @param test quality of the pruned network, or null
   * @param dense quality of the dense network on the same samples, or null
   */
  public static Cell of(String strategy, PruneResult result, Metrics test, Metrics dense) {
    Double delta =
        test == null || dense == null ? null : test.errorPercent() - dense.errorPercent();
    boolean collapsed = test != null && test.errorPercent() > COLLAPSED_ERROR_PERCENT;
    return new Cell(
        strategy,
        result.requested(),
        result.reached(),
        result.learned(),
        MaskCounts.of(result.layers()),
        null,
        test,
        delta,
        collapsed,
        result.layers(),
        result.history(),
        null,
        null,
        null);
  }

  /** A cell that failed with one sentence. */
  public static Cell failed(String strategy, double requested, String error) {
    Objects.requireNonNull(error, "error");
    return new Cell(
        strategy, requested, null, null, null, null, null, null, false, null, null, null, null,
        error);
  }

  /** The same cell with what was counted in its exported file and the sizes of its files. */
  public Cell withExport(Long onnxNonzeros, FileSizes files) {
    return new Cell(
        strategy,
        requested,
        reached,
        learned,
        mask,
        onnxNonzeros,
        test,
        deltaPoints,
        collapsed,
        layers,
        history,
        files,
        trainSeconds,
        error);
  }

  /** The same cell with the wall time of pruning and fine-tuning. */
  public Cell withTrainSeconds(double seconds) {
    return new Cell(
        strategy,
        requested,
        reached,
        learned,
        mask,
        onnxNonzeros,
        test,
        deltaPoints,
        collapsed,
        layers,
        history,
        files,
        seconds,
        error);
  }
}
