package io.github.secateur.report;

import io.github.secateur.prune.LayerSparsity;
import io.github.secateur.sparse.BreakEven;
import io.github.secateur.sparse.Candidate;
import io.github.secateur.sparse.SparseChoice;
import io.github.secateur.sparse.Spread;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.Metrics;
import io.github.secateur.train.Provenance;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** A made-up report with every part filled: nothing in it was measured. */
final class SampleReport {
  static final List<String> STRATEGIES = List.of("magnitude", "activation (neurons)", "L1 penalty");
  static final double[] SPARSITIES = {0.5, 0.8, 0.9, 0.95, 0.98};
  private static final double[][] ERRORS = {
    {1.71, 1.74, 1.79, 1.98, 2.61}, {1.78, 2.12, 3.45, 9.80, 88.65}, {1.69, 1.76, 1.84, 2.07, 2.95}
  };
  private static final String[] LAYERS = {"fc1", "fc2", "fc3"};
  private static final Shape[] SHAPES = {Shape.of(300, 784), Shape.of(100, 300), Shape.of(10, 100)};

  private SampleReport() {}

  static Report full() {
    return full("lenet-300-100");
  }

  static Report full(String modelName) {
    return new Report(
        "Three ways to prune " + modelName,
        "secateur demo --seed 1 --threads 2",
        provenance(),
        new ModelFacts(
            modelName,
            List.of("fc1 Gemm [300, 784]", "fc2 Gemm [100, 300]", "fc3 Gemm [10, 100]"),
            266_610,
            266_200),
        new Baseline(
            metrics(1.74),
            history(20, 1.74, 0),
            new FileSizes(1_067_412L, null, 985_310L, null, null),
            92.4),
        cells(),
        latencies(),
        choices(),
        histograms(),
        List.of(
            "OPENBLAS_CORETYPE=Haswell holds the dense baseline back: OpenBLAS would choose another"
                + " core by itself, so dense times are too long."),
        List.of(
            new Artifact("demo/report.html", "this page", null),
            new Artifact("demo/report.json", "the same as data", 48_211L),
            new Artifact("demo/magnitude-90.onnx", "masked network", 1_067_412L)));
  }

  /** A report in which a command measured next to nothing. */
  static Report empty() {
    return new Report("Nothing yet", null, null, null, null, null, null, null, null, null, null);
  }

  static Metrics metrics(double errorPercent) {
    double accuracy = 1 - errorPercent / 100;
    return new Metrics(10_000, errorPercent / 30, accuracy, accuracy - 0.001, new long[][] {{1}});
  }

  private static Provenance provenance() {
    Map<String, String> details = new LinkedHashMap<>();
    details.put("instruction set", "AVX-512");
    details.put("threads", "2");
    details.put("BLAS", "OpenBLAS 0.3.31");
    details.put("BLAS core", "SkylakeX");
    return new Provenance(
        "0.1.0",
        "25.0.3, OpenJDK 64-Bit Server VM 25.0.3+9",
        "Linux 6.1, amd64",
        "cpu: 2 cores",
        details,
        1,
        Map.of("optimizer", "Adam, learning rate 1.2e-3, cosine"),
        Map.of("train", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        "2026-01-02T03:04:05Z");
  }

  private static List<EpochRecord> history(int epochs, double finalError, double sparsity) {
    List<EpochRecord> history = new ArrayList<>();
    for (int e = 1; e <= epochs; e++) {
      double fade = Math.exp(-e / 3.0);
      double now = sparsity * (1 - Math.pow(1 - (double) e / epochs, 3));
      history.add(
          new EpochRecord(
              e,
              0.01 + 0.3 * fade,
              0.06 + 0.2 * fade,
              1 - (finalError + 5 * fade) / 100,
              1.2e-3 * (1 + Math.cos(Math.PI * e / epochs)) / 2,
              now,
              4.6));
    }
    return history;
  }

  private static List<Cell> cells() {
    List<Cell> cells = new ArrayList<>();
    for (int s = 0; s < STRATEGIES.size(); s++) {
      for (int i = 0; i < SPARSITIES.length; i++) {
        cells.add(
            s == 2 && i == 4
                ? Cell.failed(STRATEGIES.get(s), SPARSITIES[i], "loss became NaN in epoch 3")
                : cell(s, i));
      }
    }
    return cells;
  }

  private static Cell cell(int strategy, int level) {
    double sparsity = SPARSITIES[level];
    double error = ERRORS[strategy][level];
    List<LayerSparsity> layers = layers(sparsity, strategy);
    MaskCounts mask = MaskCounts.of(layers);
    long gzipped = Math.round(985_310 * (1 - sparsity) * 1.25);
    long sparse = Math.round(266_200 * (1 - sparsity) * 12) + 3_000;
    Long shrunk = strategy == 1 ? (Long) Math.round(1_067_412 * (1 - sparsity)) : null;
    return new Cell(
        STRATEGIES.get(strategy),
        sparsity,
        (double) mask.pruned() / 266_200,
        strategy == 2 ? (Double) (sparsity - 0.013) : null,
        mask,
        mask.nonzeros(),
        metrics(error),
        error - 1.74,
        error > Cell.COLLAPSED_ERROR_PERCENT,
        layers,
        history(15, error, sparsity),
        new FileSizes(1_067_412L, 1_067_412L, gzipped, sparse, shrunk),
        61.5 + 20 * strategy,
        null);
  }

  private static List<LayerSparsity> layers(double sparsity, int strategy) {
    double[][] shares = {{1.02, 0.9, 0.4}, {1, 1.01, 0.8}, {1.015, 0.92, 0.55}};
    List<LayerSparsity> layers = new ArrayList<>();
    for (int i = 0; i < LAYERS.length; i++) {
      long size = SHAPES[i].size();
      long pruned = Math.min(Math.round(size * sparsity * shares[strategy][i]), size);
      layers.add(
          new LayerSparsity(
              LAYERS[i], LAYERS[i] + ".weight", SHAPES[i], pruned, i, SHAPES[i].dim(0), 0));
    }
    return layers;
  }

  private static List<LatencyRow> latencies() {
    List<LatencyRow> rows = new ArrayList<>();
    for (int s = 0; s < STRATEGIES.size(); s++) {
      for (double sparsity : SPARSITIES) {
        for (long batch : new long[] {1, 8, 64, 256}) {
          double dense = 22 + 3.1 * batch;
          double sparse = 9 + dense * Math.min(1, 0.15 + 3.2 * (1 - sparsity));
          rows.add(
              new LatencyRow(
                  STRATEGIES.get(s),
                  sparsity,
                  batch,
                  spread(dense),
                  spread(sparse),
                  s == 1 ? spread(8 + dense * (1 - sparsity)) : null,
                  2,
                  "SkylakeX"));
        }
      }
    }
    return rows;
  }

  private static Spread spread(double micros) {
    return new Spread(micros, micros * 0.98, micros * 1.04, 31);
  }

  private static final List<BreakEven.Point> POINTS =
      List.of(new BreakEven.Point(0.8, 10, 11, "csr"), new BreakEven.Point(0.85, 10, 8, "csr"));

  private static List<LayerChoice> choices() {
    List<LayerChoice> choices = new ArrayList<>();
    for (int i = 0; i < LAYERS.length; i++) {
      for (long batch : new long[] {1, 64, 256}) {
        double dense = 4 + batch * SHAPES[i].size() / 9e4;
        double sparse = 3 + batch * SHAPES[i].size() / 3e5 + (i == 1 ? batch / 10.0 : i * 3);
        boolean chosen = sparse < 0.95 * dense;
        choices.add(
            new LayerChoice(
                STRATEGIES.get(0),
                new SparseChoice(
                    LAYERS[i],
                    batch,
                    0.92 - 0.09 * i,
                    dense,
                    sparse,
                    chosen,
                    "csr",
                    150_000,
                    List.of(
                        new Candidate("csr", spread(sparse), 150_000),
                        new Candidate("4x1", spread(1.2 * sparse), 190_000)),
                    i == 2 ? null : new BreakEven("csr", i == 0 ? 0.8125 : null, POINTS),
                    batch == 64)));
      }
    }
    return choices;
  }

  private static List<WeightHistogram> histograms() {
    List<WeightHistogram> histograms = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < LAYERS.length; i++) {
      Tensor before = Tensor.zeros(DType.F32, SHAPES[i]);
      Tensor after = before.copy();
      Mask mask = Mask.ones(SHAPES[i]);
      for (long w = 0; w < before.size(); w++) {
        float value = (float) (random.nextGaussian() * 0.05);
        before.setFloat(w, value);
        boolean kept = Math.abs(value) > 0.08;
        mask.set(w, kept);
        after.setFloat(w, kept ? value * 1.1f : 0);
      }
      histograms.add(Histograms.of(LAYERS[i] + ".weight", before, after, mask, Histograms.BINS));
    }
    return histograms;
  }
}
