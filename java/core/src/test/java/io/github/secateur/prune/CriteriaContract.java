package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.prune.CriteriaContractMlp.Pass;
import io.github.secateur.prune.CriteriaContractMlp.Range;
import io.github.secateur.tensor.Mask;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Criteria for single weights on one device, against plain loops in double precision. A device's
 * module extends this and opens it.
 */
public abstract class CriteriaContract {
  private static final CriteriaContractMlp TANH =
      new CriteriaContractMlp(List.of(7, 6, 5, 3), false);
  private static final CriteriaContractMlp RELU = new CriteriaContractMlp(List.of(9, 8, 4), true);

  /** Two full batches and a remainder. */
  private static final int COUNT = 2 * GradientSource.BATCH + 37;

  private Device device;

  /** Opens the device under test. */
  protected abstract Device open();

  @BeforeEach
  void openDevice() {
    device = open();
  }

  @AfterEach
  void closeDevice() {
    assertEquals(0, device.liveBuffers(), "live buffers after the test");
    device.close();
  }

  /** A network with its weights and masks on the device. */
  final class Held implements AutoCloseable, Site {
    final Parameters parameters;
    final Map<String, DeviceMask> masks = new LinkedHashMap<>();
    final WeightScorer.Source source;

    Held(Model model, Samples samples) {
      parameters = Parameters.upload(device, model.graph());
      source =
          new WeightScorer.Source(
              this, Layers.trainable(model), new Calibration(model, parameters, samples));
    }

    @Override
    public Device device() {
      return device;
    }

    @Override
    public DeviceTensor weight(String parameter) {
      return parameters.get(parameter);
    }

    @Override
    public DeviceMask mask(String parameter) {
      return masks.computeIfAbsent(parameter, p -> device.toDevice(Mask.ones(weight(p).shape())));
    }

    List<double[]> scores(Criterion criterion) {
      try (WeightScores scores = WeightScorer.of(criterion, source).score()) {
        return scores.tensors().stream().map(t -> doubles(t)).toList();
      }
    }

    double[] doubles(DeviceTensor tensor) {
      float[] floats = device.toHost(tensor).toFloats();
      double[] values = new double[floats.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = floats[i];
      }
      return values;
    }

    @Override
    public void close() {
      masks.values().forEach(DeviceMask::close);
      parameters.close();
    }
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
        try (Held held = new Held(model, samples);
            GradientSource source =
                held.source.gradients(GradientSource.Options.of(count).shared().at(200))) {
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
    try (Held held = new Held(model, samples);
        GradientSource source = held.source.gradients(GradientSource.Options.of(1000))) {
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
    try (Held held = new Held(model, samples)) {
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

  private static List<double[]> zeros(List<double[]> like) {
    return like.stream().map(a -> new double[a.length]).toList();
  }

  /** Equal to a share of the largest value wanted. */
  private static void close(double[] wanted, double[] got, double tolerance) {
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
