package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.contract.OnDevice;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.prune.CriteriaContractMlp.Pass;
import io.github.secateur.prune.CriteriaContractMlp.Range;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Criteria for single weights on one device, against plain loops in double precision. A device's
 * module extends this and opens it.
 */
public abstract class CriteriaContract extends OnDevice {
  private static final CriteriaContractMlp TANH =
      new CriteriaContractMlp(List.of(7, 6, 5, 3), false);
  private static final CriteriaContractMlp RELU = new CriteriaContractMlp(List.of(9, 8, 4), true);

  /** Two full batches and a remainder. */
  private static final int COUNT = 2 * GradientSource.BATCH + 37;

  private HeldNetwork held(Model model, Samples samples) {
    return new HeldNetwork(device, model, samples);
  }

  @Test
  void theOracleAgreesWithFiniteDifferences() {
    Model model = TANH.model(1);
    Range range = new Range(TANH.samples(20, 2), 3, 17, 2.5);
    List<double[]> w = TANH.weights(model);
    List<double[]> v = TANH.weights(TANH.model(9));
    List<double[]> biases = TANH.biases(model);
    Pass at = TANH.pass(w, biases, range, v);
    double e = 1e-5;
    Pass up = TANH.pass(plus(w, v, e), biases, range, null);
    Pass down = TANH.pass(plus(w, v, -e), biases, range, null);
    double slope = 0;
    for (int l = 0; l < w.size(); l++) {
      for (int i = 0; i < w.get(l).length; i++) {
        slope += at.gradients().get(l)[i] * v.get(l)[i];
        double change = (up.gradients().get(l)[i] - down.gradients().get(l)[i]) / (2 * e);
        assertEquals(change, at.products().get(l)[i], 1e-8);
      }
    }
    assertEquals((up.loss() - down.loss()) / (2 * e), slope, 1e-8);
  }

  private static List<double[]> plus(List<double[]> w, List<double[]> v, double factor) {
    List<double[]> moved = new ArrayList<>();
    for (int l = 0; l < w.size(); l++) {
      double[] m = w.get(l).clone();
      for (int i = 0; i < m.length; i++) {
        m[i] += factor * v.get(l)[i];
      }
      moved.add(m);
    }
    return moved;
  }

  @Test
  void gradientsOfUnequalBatchesSumToTheGradientOfTheMeanLoss() {
    for (CriteriaContractMlp mlp : List.of(TANH, RELU)) {
      for (int count : new int[] {1, 5, GradientSource.BATCH, COUNT}) {
        Model model = mlp.model(3);
        Samples samples = mlp.samples(COUNT, 4);
        Range range = new Range(samples, 0, count, 200);
        List<double[]> wanted =
            mlp.pass(mlp.weights(model), mlp.biases(model), range, null).gradients();
        try (HeldNetwork held = held(model, samples);
            GradientSource source =
                held.source().gradients(GradientSource.Options.of(count).shared().at(200))) {
          Map<String, DeviceTensor> sums = source.sum();
          for (int l = 0; l < wanted.size(); l++) {
            close(wanted.get(l), held.doubles(sums.get("fc" + (l + 1) + ".weight")), 2e-6);
          }
          sums.values().forEach(DeviceTensor::close);
          assertEquals(count, source.count());
        }
      }
    }
  }

  @Test
  void gradientsFollowTheWeightsOnTheDevice() {
    Model model = RELU.model(5);
    Model other = RELU.model(6);
    Samples samples = RELU.samples(40, 7);
    try (HeldNetwork held = held(model, samples);
        GradientSource source = held.source().gradients(GradientSource.Options.of(1000))) {
      source.forEach(batch -> assertEquals(1, batch.share()));
      other.graph().initializers().forEach(held.parameters::set);
      List<double[]> wanted =
          RELU.pass(RELU.weights(other), RELU.biases(other), new Range(samples, 0, 40, 1), null)
              .gradients();
      source.forEach(
          batch -> close(wanted.get(0), held.doubles(batch.gradient("fc1.weight")), 2e-6));
    }
  }

  @Test
  void snipTaylorAndFisherFollowTheirFormulas() {
    Model model = RELU.model(8);
    Samples samples = RELU.samples(COUNT, 9);
    List<double[]> w = RELU.weights(model);
    List<double[]> snip = zeros(w);
    List<double[]> taylor = zeros(w);
    List<double[]> fisher = zeros(w);
    Range whole = new Range(samples, 0, COUNT, 1);
    List<double[]> mean = RELU.pass(w, RELU.biases(model), whole, null).gradients();
    for (int from = 0; from < COUNT; from += GradientSource.BATCH) {
      int to = Math.min(COUNT, from + GradientSource.BATCH);
      double share = (double) (to - from) / COUNT;
      List<double[]> g =
          RELU.pass(w, RELU.biases(model), new Range(samples, from, to, 1), null).gradients();
      for (int l = 0; l < w.size(); l++) {
        for (int i = 0; i < w.get(l).length; i++) {
          double weight = w.get(l)[i];
          snip.get(l)[i] = Math.abs(weight * mean.get(l)[i]);
          taylor.get(l)[i] += share * Math.abs(weight * g.get(l)[i]);
          fisher.get(l)[i] += 0.5 * weight * weight * share * g.get(l)[i] * g.get(l)[i];
        }
      }
    }
    try (HeldNetwork held = held(model, samples)) {
      List<double[]> gotSnip = held.scores(new Criterion.Snip(COUNT));
      List<double[]> gotTaylor = held.scores(new Criterion.Taylor(COUNT));
      List<double[]> gotFisher = held.scores(new Criterion.Fisher(COUNT));
      for (int l = 0; l < w.size(); l++) {
        close(snip.get(l), gotSnip.get(l), 2e-6);
        close(taylor.get(l), gotTaylor.get(l), 2e-6);
        close(fisher.get(l), gotFisher.get(l), 4e-6);
      }
    }
  }

  @Test
  void graspIsTheWeightTimesTheHessianTimesTheGradient() {
    for (double temperature : new double[] {1, 200}) {
      Model model = TANH.model(11);
      Samples samples = TANH.samples(COUNT, 12);
      Range whole = new Range(samples, 0, COUNT, temperature);
      List<double[]> w = TANH.weights(model);
      List<double[]> g = TANH.pass(w, TANH.biases(model), whole, null).gradients();
      List<double[]> hg = TANH.pass(w, TANH.biases(model), whole, g).products();
      try (HeldNetwork held = held(model, samples)) {
        List<double[]> scores = held.scores(new Criterion.Grasp(COUNT, temperature));
        for (int l = 0; l < w.size(); l++) {
          double[] wanted = new double[w.get(l).length];
          for (int i = 0; i < wanted.length; i++) {
            wanted[i] = w.get(l)[i] * hg.get(l)[i];
          }
          close(wanted, scores.get(l), 2e-3);
        }
        held.requireUntouched();
      }
    }
  }

  @Test
  void graspRemovesTheHighestOfThePapersScores() {
    Model model = TANH.model(13);
    Samples samples = TANH.samples(50, 14);
    Range whole = new Range(samples, 0, 50, 200);
    List<double[]> w = TANH.weights(model);
    List<double[]> g = TANH.pass(w, TANH.biases(model), whole, null).gradients();
    List<double[]> hg = TANH.pass(w, TANH.biases(model), whole, g).products();
    List<double[]> paper = new ArrayList<>(); // −w (H g): the highest are removed
    for (int l = 0; l < w.size(); l++) {
      double[] s = new double[w.get(l).length];
      for (int i = 0; i < s.length; i++) {
        s[i] = -w.get(l)[i] * hg.get(l)[i];
      }
      paper.add(s);
    }
    double[] sorted = paper.stream().flatMapToDouble(Arrays::stream).sorted().toArray();
    int removed = sorted.length / 5;
    double lowestRemoved = sorted[sorted.length - removed];
    double highestKept = sorted[sorted.length - removed - 1];
    try (HeldNetwork held = held(model, samples)) {
      held.prune(new Criterion.Grasp(50, 200), (double) removed / sorted.length);
      long wrong = 0;
      for (int l = 0; l < w.size(); l++) {
        Mask mask = device.toHost(held.mask("fc" + (l + 1) + ".weight"));
        for (int i = 0; i < mask.size(); i++) {
          double clear = 1e-3 * Math.abs(sorted[sorted.length - 1]);
          if (paper.get(l)[i] > lowestRemoved + clear) {
            wrong += mask.kept(i) ? 1 : 0;
          } else if (paper.get(l)[i] < highestKept - clear) {
            wrong += mask.kept(i) ? 0 : 1;
          }
        }
      }
      assertEquals(0, wrong, "weights on the wrong side of the threshold");
    }
  }

  @Test
  void lampScoresAreThoseOfTheDefinition() {
    Model model = TANH.model(15);
    Tensor first = model.graph().initializer("fc1.weight");
    for (int i = 0; i < 10; i++) {
      first.setFloat(i, i % 2 == 0 ? 0.25f : -0.25f); // ties
    }
    first.setFloat(17, 0);
    first.setFloat(18, -0f);
    try (HeldNetwork held = held(model, TANH.samples(3, 1))) {
      List<double[]> scores = held.scores(new Criterion.Lamp());
      List<double[]> w = TANH.weights(model);
      for (int l = 0; l < w.size(); l++) {
        double[] values = w.get(l);
        double largest = 0;
        for (int u = 0; u < values.length; u++) {
          double sum = 0;
          for (int v = 0; v < values.length; v++) {
            double a = Math.abs(values[u]);
            double b = Math.abs(values[v]);
            sum += b > a || (b == a && v <= u) ? b * b : 0;
          }
          double wanted = values[u] == 0 ? 0 : values[u] * values[u] / sum;
          assertEquals((float) wanted, scores.get(l)[u], 1e-7 * wanted, "layer " + l + " at " + u);
          largest = Math.max(largest, scores.get(l)[u]);
        }
        assertEquals(1, largest);
      }
    }
  }

  @Test
  void wandaIsTheWeightTimesTheNormOfItsInput() {
    Model model = RELU.model(21);
    Samples samples = RELU.samples(COUNT + 500, 22);
    List<double[]> w = RELU.weights(model);
    for (int count : new int[] {3, 500, COUNT + 500}) {
      double[] first = new double[9];
      double[] second = new double[8];
      for (int s = 0; s < count; s++) {
        for (int o = 0; o < 8; o++) {
          double z = RELU.biases(model).get(0)[o];
          for (int i = 0; i < 9; i++) {
            z += w.get(0)[o * 9 + i] * samples.x().getFloat(s * 9L + i);
          }
          second[o] += Math.max(z, 0) * Math.max(z, 0);
        }
        for (int i = 0; i < 9; i++) {
          first[i] += Math.pow(samples.x().getFloat(s * 9L + i), 2);
        }
      }
      try (HeldNetwork held = held(model, samples)) {
        List<double[]> scores = held.scores(new Criterion.Wanda(count));
        close(times(w.get(0), first), scores.get(0), 1e-6);
        close(times(w.get(1), second), scores.get(1), 1e-6);
      }
    }
  }

  /** |w| · √squares, row by row. */
  private static double[] times(double[] w, double[] squares) {
    double[] scores = new double[w.length];
    for (int i = 0; i < w.length; i++) {
      scores[i] = Math.abs(w[i]) * Math.sqrt(squares[i % squares.length]);
    }
    return scores;
  }

  @Test
  void wandaReadsWeightsStoredInputFirstAndConvolutionsByPlacesOfTheirWindow() {
    // y = flatten(conv(x [4, 5, 6], 2 groups, 3x2 window, stride 2, pad 1)) · W [in, out]
    Graph graph = new Graph("small");
    ValueInfo.Dim batch = ValueInfo.Dim.symbol("batch");
    graph
        .inputs()
        .add(
            ValueInfo.of(
                "x",
                DType.F32,
                batch,
                ValueInfo.Dim.of(4),
                ValueInfo.Dim.of(5),
                ValueInfo.Dim.of(6)));
    int n = 7;
    Tensor x = gaussian(Shape.of(n, 4, 5, 6), 23);
    Tensor kernel = gaussian(Shape.of(6, 2, 3, 2), 24);
    Tensor matrix = gaussian(Shape.of(6 * 3 * 4, 3), 25);
    graph.initializers().put("conv.weight", kernel);
    graph.initializers().put("fc.weight", matrix);
    Map<String, Attribute> window =
        Map.of(
            "group", new Attribute.Int(2),
            "strides", new Attribute.Ints(List.of(2L, 2L)),
            "pads", new Attribute.Ints(List.of(1L, 1L, 1L, 1L)));
    graph
        .nodes()
        .addAll(
            List.of(
                Node.of(
                    "conv", OpId.onnx("Conv"), List.of("x", "conv.weight"), List.of("c"), window),
                Node.of("flat", "Flatten", List.of("c"), List.of("f")),
                Node.of("fc", "MatMul", List.of("f", "fc.weight"), List.of("y"))));
    graph.outputs().add(ValueInfo.of("y", DType.F32, batch, ValueInfo.Dim.of(3)));
    int[] labels = new int[n];
    Samples samples = new Samples(x, Tensor.ofInts(Shape.of(n), labels), 3, "", "images");

    double[] seen = new double[4 * 3 * 2]; // Σ x² by channel and place of the window
    double[] flat = new double[6 * 3 * 4]; // Σ y² by place of the convolution's output
    for (int s = 0; s < n; s++) {
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 4; j++) {
          double[] sum = new double[6];
          for (int c = 0; c < 4; c++) {
            for (int k = 0; k < 3; k++) {
              for (int l = 0; l < 2; l++) {
                int r = 2 * i + k - 1;
                int q = 2 * j + l - 1;
                boolean inside = r >= 0 && r < 5 && q >= 0 && q < 6;
                double v = inside ? x.getFloat(((s * 4L + c) * 5 + r) * 6 + q) : 0;
                seen[(c * 3 + k) * 2 + l] += v * v;
                for (int o = c / 2 * 3; o < c / 2 * 3 + 3; o++) {
                  sum[o] += v * kernel.getFloat(((o * 2L + c % 2) * 3 + k) * 2 + l);
                }
              }
            }
          }
          for (int o = 0; o < 6; o++) {
            flat[(o * 3 + i) * 4 + j] += sum[o] * sum[o];
          }
        }
      }
    }
    double[] wantedKernel = new double[(int) kernel.size()];
    for (int i = 0; i < wantedKernel.length; i++) {
      int o = i / 12;
      wantedKernel[i] = Math.abs(kernel.getFloat(i)) * Math.sqrt(seen[o / 3 * 12 + i % 12]);
    }
    double[] wantedMatrix = new double[(int) matrix.size()];
    for (int i = 0; i < wantedMatrix.length; i++) {
      wantedMatrix[i] = Math.abs(matrix.getFloat(i)) * Math.sqrt(flat[i / 3]);
    }
    try (HeldNetwork held = held(new Model(graph), samples)) {
      List<double[]> scores = held.scores(new Criterion.Wanda(n));
      close(wantedKernel, scores.get(0), 1e-6);
      close(wantedMatrix, scores.get(1), 1e-6);
    }
  }

  private static Tensor gaussian(Shape shape, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Tensor t = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) random.nextGaussian());
    }
    return t;
  }

  @Test
  void batchNormalizationComesOutAsItWas() {
    Model model = Networks.parse("resnet-8", 1);
    Samples samples =
        new Samples(
            gaussian(Shape.of(2, 1, 28, 28), 5), Tensor.ofInts(Shape.of(2), 0, 9), 10, "", "two");
    try (HeldNetwork held = held(model, samples)) {
      for (Criterion criterion :
          List.of(
              new Criterion.Snip(2),
              new Criterion.Grasp(2, 200),
              new Criterion.Taylor(2),
              new Criterion.Fisher(2),
              new Criterion.SynFlow(1),
              new Criterion.Wanda(2))) {
        for (double[] scores : held.scores(criterion)) {
          assertTrue(Arrays.stream(scores).allMatch(Double::isFinite), criterion.toString());
          assertTrue(Arrays.stream(scores).anyMatch(s -> s != 0), criterion.toString());
        }
        held.requireUntouched();
      }
    }
  }

  @Test
  void perOutputPrunesTheSameNumberInEveryRow() {
    Model model = TANH.model(26);
    try (HeldNetwork held = held(model, TANH.samples(50, 27))) {
      List<double[]> scores = held.scores(new Criterion.Wanda(50));
      held.prune(new Criterion.Wanda(50), new Allocation.PerOutput(), 0.6);
      for (int l = 0; l < scores.size(); l++) {
        int in = TANH.sizes().get(l);
        Mask mask = device.toHost(held.mask("fc" + (l + 1) + ".weight"));
        for (int o = 0; o < TANH.sizes().get(l + 1); o++) {
          double[] row = Arrays.copyOfRange(scores.get(l), o * in, (o + 1) * in);
          double[] sorted = row.clone();
          Arrays.sort(sorted);
          int k = (int) Math.rint(0.6 * in);
          for (int i = 0; i < in; i++) {
            assertEquals(row[i] >= sorted[k], mask.kept((long) o * in + i), "row " + o);
          }
        }
      }
    }
  }

  private static List<double[]> zeros(List<double[]> like) {
    return like.stream().map(a -> new double[a.length]).toList();
  }

  /** Equal to a share of the largest value wanted. */
  static void close(double[] wanted, double[] got, double tolerance) {
    double largest = 0;
    for (double value : wanted) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertTrue(largest > 0, "nothing is wanted");
    for (int i = 0; i < wanted.length; i++) {
      assertEquals(wanted[i], got[i], tolerance * largest, "index " + i);
    }
  }
}
