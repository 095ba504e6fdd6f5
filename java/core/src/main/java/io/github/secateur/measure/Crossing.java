package io.github.secateur.measure;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * From which sparsity on the fastest sparse product of a matrix beats the dense one, at a batch
 * size. Between measured sparsities the time of a sparse product is taken as linear in the number
 * of nonzeros, which is what it is but for its fixed costs.
 *
 * @param matrix name of the layer or shape
 * @param pattern where its zeros are
 * @param batch samples
 * @param columns columns of the activations
 * @param sparsity the break-even sparsity, 0..1; null when it lies outside what was measured
 * @param pays what the measurements say
 * @param verdict the same as a sentence
 */
public record Crossing(
    String matrix,
    String pattern,
    long batch,
    long columns,
    Double sparsity,
    Pays pays,
    String verdict) {
  /** Where sparse is faster. */
  public enum Pays {
    /** From the break-even sparsity on. */
    FROM,
    /** At every sparsity that was measured. */
    EVERYWHERE,
    /** At none. */
    NOWHERE
  }

  /** One for each matrix, pattern and batch size, in the order of the results. */
  public static List<Crossing> of(List<BenchResult> results) {
    Map<List<Object>, List<BenchResult>> curves = new LinkedHashMap<>();
    for (BenchResult r : results) {
      if (r.best().isPresent()) {
        curves
            .computeIfAbsent(List.of(r.matrix(), r.pattern(), r.batch()), key -> new ArrayList<>())
            .add(r);
      }
    }
    return curves.values().stream().map(Crossing::ofCurve).toList();
  }

  private static Crossing ofCurve(List<BenchResult> results) {
    List<BenchResult> curve =
        results.stream().sorted(Comparator.comparingDouble(BenchResult::sparsity)).toList();
    BenchResult first = curve.getFirst();
    int loses = curve.size() - 1; // the highest sparsity at which dense is at least as fast
    while (loses >= 0 && time(curve.get(loses)) < 1) {
      loses--;
    }
    Pays pays = loses == curve.size() - 1 ? Pays.NOWHERE : loses < 0 ? Pays.EVERYWHERE : Pays.FROM;
    Double sparsity = pays == Pays.FROM ? between(curve.get(loses), curve.get(loses + 1)) : null;
    return new Crossing(
        first.matrix(),
        first.pattern(),
        first.batch(),
        first.columns(),
        sparsity,
        pays,
        subject(first) + ": " + verdict(curve, pays, sparsity));
  }

  /** The fastest sparse over the dense time. */
  private static double time(BenchResult r) {
    return 1 / r.best().orElseThrow().speedup();
  }

  /** Where the line through the relative times of a loss and a gain crosses 1. */
  private static double between(BenchResult loss, BenchResult gain) {
    double fall = time(loss) - time(gain);
    return loss.sparsity() + (gain.sparsity() - loss.sparsity()) * (time(loss) - 1) / fall;
  }

  private static String subject(BenchResult r) {
    String pattern = r.pattern().equals("random") ? "" : ", " + r.pattern() + ",";
    return r.matrix() + pattern + " at batch " + r.batch();
  }

  private static String verdict(List<BenchResult> curve, Pays pays, Double sparsity) {
    BenchResult last = curve.getLast();
    BenchResult usual =
        curve.stream()
            .min(Comparator.comparingDouble(r -> Math.abs(r.sparsity() - 0.9)))
            .orElseThrow();
    return switch (pays) {
      case NOWHERE -> "sparse does not pay; " + at(last);
      case EVERYWHERE ->
          curve.size() == 1
              ? "sparse pays; " + at(last)
              : "sparse pays from below %s on; %s"
                  .formatted(percent(curve.getFirst().sparsity()), at(usual));
      case FROM -> {
        BenchResult shown = time(usual) < 1 ? usual : last;
        yield "sparse pays from %s on; %s".formatted(percent(sparsity), at(shown));
      }
    };
  }

  private static String at(BenchResult r) {
    BenchResult.Product best = r.best().orElseThrow();
    double gain = best.speedup();
    String times =
        String.format(Locale.ROOT, gain < 2 ? "%.2f" : gain < 10 ? "%.1f" : "%.0f", gain);
    return "at %s %sx (%s)".formatted(percent(r.sparsity()), times, best.format());
  }

  private static String percent(double fraction) {
    boolean fine = fraction > 0.99 && fraction < 1;
    return String.format(Locale.ROOT, fine ? "%.1f %%" : "%.0f %%", 100 * fraction);
  }
}
