package io.github.secateur.measure;

import io.github.secateur.device.Device;
import io.github.secateur.sparse.Latency;
import io.github.secateur.sparse.Sparsified;
import io.github.secateur.sparse.Spread;
import io.github.secateur.train.Progress;
import io.github.secateur.train.Provenance;
import io.github.secateur.train.StoppedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Runs the benchmark: the device's limits, every matrix at every batch size, and what follows. */
public final class Bench {
  /** Quartiles so far from their median make a time doubtful. */
  private static final double NOISY = 0.10;

  /** Such a share of doubtful times makes a machine noisy. */
  private static final double MANY = 0.2;

  /** Dense and sparse competitors of a matrix, about. */
  private static final double COMPETITORS = 3;

  private Bench() {}

  /**
   * What to measure.
   *
   * @param title for people
   * @param model the model's file, or null
   * @param matrices in the order of the report
   * @param batches batch sizes
   * @param options how to time
   * @param notes what readers must know of the choice
   */
  public record Plan(
      String title,
      String model,
      List<WeightMatrix> matrices,
      List<Long> batches,
      MatrixBench.Options options,
      List<String> notes) {
    /** Checks that every batch of every matrix can be held. */
    public Plan {
      matrices = List.copyOf(matrices);
      batches = List.copyOf(batches);
      notes = List.copyOf(notes);
      for (WeightMatrix matrix : matrices) {
        batches.forEach(matrix::checkBatch);
      }
    }
  }

  /**
   * Measures.
   *
   * @param models the whole model by batch size, measured before; empty for matrices
   * @throws IllegalArgumentException for a simulated device
   * @throws StoppedException when the progress asks to stop
   * @throws IOException when weights cannot be read
   */
  public static BenchReport run(
      Device device, Plan plan, List<Sparsified> models, Provenance provenance, Progress progress)
      throws IOException {
    Latency.refuseSimulated(device.info());
    Roofline before = Roofline.measure(device);
    List<MatrixBench.Sample> samples = samples(device, plan, before, progress);
    Roofline roofline = before.max(Roofline.measure(device));
    List<BenchResult> results =
        samples.stream().map(sample -> BenchResult.of(sample, roofline)).toList();
    List<BenchReport.ModelTimes> whole = models.stream().map(BenchReport.ModelTimes::of).toList();
    return new BenchReport(
        plan.title,
        plan.model,
        device.info(),
        roofline,
        results,
        Crossing.of(results),
        whole,
        notes(device, plan, results, whole),
        provenance);
  }

  private static List<MatrixBench.Sample> samples(
      Device device, Plan plan, Roofline roofline, Progress progress) throws IOException {
    List<MatrixBench.Sample> samples = new ArrayList<>();
    if (plan.matrices.isEmpty()) {
      return samples;
    }
    long total = (long) plan.matrices.size() * plan.batches.size();
    progress.begin("measuring %s".formatted(about(seconds(plan, roofline))), total);
    long[] done = {0};
    for (WeightMatrix matrix : plan.matrices) {
      Runnable watcher =
          () -> {
            if (progress.stopRequested()) {
              throw new StoppedException("stopped; nothing was written.");
            }
            progress.update(done[0]++, matrix.name() + " " + matrix.pattern());
          };
      samples.addAll(MatrixBench.measure(device, matrix, plan.batches, plan.options, watcher));
    }
    progress.end(total + (total == 1 ? " product" : " products") + ", dense and sparse");
    return samples;
  }

  /** Time the run takes, about: half of the peak rates, and what making the weights costs. */
  static double seconds(Plan plan, Roofline roofline) {
    double seconds = 0;
    int repeats = plan.options.timing().repeats();
    for (WeightMatrix m : plan.matrices) {
      double weights = (double) m.out() * m.in();
      seconds += 2e-7 * weights;
      for (long batch : plan.batches) {
        double columns = (double) batch * m.columns();
        double once =
            Math.max(
                2e-9 * weights * columns / (0.5 * roofline.peakGflops()),
                4e-9 * (weights + columns * (m.in() + m.out())) / (0.5 * roofline.bandwidthGBs()));
        double sample = Math.max(once, 1e-6 * plan.options.timing().sampleMicros());
        seconds += COMPETITORS * ((repeats + 1) * sample + 5 * once + 1e-8 * columns * m.out());
      }
    }
    return seconds;
  }

  private static String about(double seconds) {
    return seconds < 90
        ? String.format(Locale.ROOT, "(about %.0f s)", Math.max(1, seconds))
        : String.format(Locale.ROOT, "(about %.0f min)", seconds / 60);
  }

  private static List<String> notes(
      Device device, Plan plan, List<BenchResult> results, List<BenchReport.ModelTimes> whole) {
    List<String> notes = new ArrayList<>(plan.notes);
    if ("yes".equals(device.info().details().get("blas-held-back"))) {
      notes.add(
          "OPENBLAS_CORETYPE holds the dense baseline on slower kernels than this processor has;"
              + " unset it, and OPENBLAS_L2_SIZE, to measure.");
    }
    List<Spread> times =
        Stream.concat(
                results.stream()
                    .flatMap(r -> r.products().stream())
                    .map(BenchResult.Product::micros),
                whole.stream().flatMap(m -> Stream.of(m.denseMicros(), m.sparseMicros())))
            .toList();
    long noisy = times.stream().filter(t -> t.noise() > NOISY * t.median()).count();
    boolean beyond =
        results.stream().flatMap(r -> r.products().stream()).anyMatch(p -> p.ofPeak() > 1.02);
    if (beyond) {
      notes.add(
          "a product reached more than the measured peak, so the machine was busy while that was"
              + " measured: shares of the peak are too high.");
    }
    if (noisy > MANY * times.size()) {
      notes.add(
          "this machine is noisy: %d of %d times spread by more than %.0f %% around their median;"
                  .formatted(noisy, times.size(), 100 * NOISY)
              + " close what else runs, or raise --repeats.");
    }
    if (results.isEmpty()) {
      notes.add(
          "no layer has zeros enough to be measured; --sparsity 0.8,0.9 tries the same shapes with"
              + " synthetic zeros.");
    }
    if (results.stream().anyMatch(r -> r.best().isEmpty())) {
      notes.add(
          "for some matrices no sparse format was measured: this device has none that suits.");
    }
    return notes;
  }
}
