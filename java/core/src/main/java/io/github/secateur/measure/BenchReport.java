package io.github.secateur.measure;

import io.github.secateur.device.DeviceInfo;
import io.github.secateur.sparse.BreakEven;
import io.github.secateur.sparse.SparseChoice;
import io.github.secateur.sparse.Sparsified;
import io.github.secateur.sparse.Spread;
import io.github.secateur.sparse.Tuning;
import io.github.secateur.train.Provenance;
import java.util.List;
import java.util.Locale;

/**
 * All that a run of the benchmark found.
 *
 * @param title what was measured, for people
 * @param model the model's file, or null for matrices
 * @param device what it was measured on
 * @param roofline the device's limits, measured in the same run
 * @param results one for each matrix and batch size
 * @param breakEvens one for each matrix, pattern and batch size
 * @param batches the whole model by batch size; empty for matrices
 * @param notes what readers of the numbers must know
 * @param provenance where the numbers come from
 */
public record BenchReport(
    String title,
    String model,
    DeviceInfo device,
    Roofline roofline,
    List<BenchResult> results,
    List<Crossing> breakEvens,
    List<ModelTimes> batches,
    List<String> notes,
    Provenance provenance) {
  /** Version of the JSON that this record becomes; raised when a name or a meaning changes. */
  public static final int SCHEMA = 1;

  /** Copies the lists. */
  public BenchReport {
    results = List.copyOf(results);
    breakEvens = List.copyOf(breakEvens);
    batches = List.copyOf(batches);
    notes = List.copyOf(notes);
  }

  /** From which sparsity on a layer pays sparse, in few words; null when that is not known. */
  public static String pays(SparseChoice choice) {
    BreakEven found = choice.breakEven();
    if (found == null) {
      return null;
    }
    return found.sparsity() == null
        ? String.format(Locale.ROOT, "not to %.0f %%", 100 * found.points().getLast().sparsity())
        : String.format(Locale.ROOT, "from %.0f %%", 100 * found.sparsity());
  }

  /**
   * A whole model at a batch size.
   *
   * @param batch samples a run
   * @param verdict one sentence: how many layers run sparse, or why none does
   * @param denseMicros time of a run, all layers dense
   * @param sparseMicros time of a run, each layer as the dispatcher chose
   * @param layers the choices
   * @param cached whether both times were taken in an earlier run
   * @param tuning what choosing took
   */
  public record ModelTimes(
      long batch,
      String verdict,
      Spread denseMicros,
      Spread sparseMicros,
      List<SparseChoice> layers,
      boolean cached,
      Tuning tuning) {
    static ModelTimes of(Sparsified s) {
      return new ModelTimes(
          s.batch(), s.verdict(), s.dense(), s.sparse(), s.choices(), s.cached(), s.tuning());
    }

    /** Dense over sparse time. */
    public double speedup() {
      return denseMicros.median() / sparseMicros.median();
    }
  }
}
