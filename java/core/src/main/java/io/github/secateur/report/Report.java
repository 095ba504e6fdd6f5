package io.github.secateur.report;

import io.github.secateur.train.Provenance;
import java.util.List;
import java.util.Objects;

/**
 * What one command measured. Lists may be null or empty where nothing was measured; they are stored
 * as empty lists.
 *
 * @param title one line, shown as the page's title
 * @param command the command line that makes the same report again
 * @param provenance where the numbers come from, or null
 * @param model the network, or null
 * @param dense the dense network that cells are compared with, or null
 * @param cells one for each strategy and sparsity
 * @param latencies times of whole networks by batch size
 * @param choices times of single layers and whether they run sparse
 * @param histograms of weights before and after pruning
 * @param notes sentences for the reader, such as what held a measurement back
 * @param files what was written beside the report
 */
public record Report(
    String title,
    String command,
    Provenance provenance,
    ModelFacts model,
    Baseline dense,
    List<Cell> cells,
    List<LatencyRow> latencies,
    List<LayerChoice> choices,
    List<WeightHistogram> histograms,
    List<String> notes,
    List<Artifact> files) {
  /** Copies the collections, in order. */
  public Report {
    Objects.requireNonNull(title, "title");
    cells = Lists.copy(cells);
    latencies = Lists.copy(latencies);
    choices = Lists.copy(choices);
    histograms = Lists.copy(histograms);
    notes = Lists.copy(notes);
    files = Lists.copy(files);
  }

  /** Names of the strategies, in the order in which their first cells stand. */
  public List<String> strategies() {
    return cells.stream().map(Cell::strategy).distinct().toList();
  }

  /** Sparsities asked for, ascending. */
  public List<Double> sparsities() {
    return cells.stream().map(Cell::requested).distinct().sorted().toList();
  }

  /** The cell of a strategy at a sparsity asked for, or null. */
  public Cell cell(String strategy, double requested) {
    return cells.stream()
        .filter(c -> c.strategy().equals(strategy) && c.requested() == requested)
        .findFirst()
        .orElse(null);
  }
}
