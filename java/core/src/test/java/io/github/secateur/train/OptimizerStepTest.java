package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The optimizers inside real training steps, against loops in double. */
class OptimizerStepTest {
  private static final float RATE = 0.02f;

  static Stream<Optimizer> optimizers() {
    return Stream.of(
        new Optimizer.Sgd(0, 0, false),
        new Optimizer.Sgd(0, 0.01f, false),
        new Optimizer.Sgd(0.9f, 0, false),
        new Optimizer.Sgd(0.9f, 0.01f, false),
        new Optimizer.Sgd(0.9f, 0.01f, true),
        Optimizer.Adam.defaults(),
        new Optimizer.Adam(0.8f, 0.99f, 1e-6f, 0.1f, false),
        new Optimizer.Adam(0.9f, 0.999f, 1e-8f, 0.1f, true));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void followsTheFormula(Optimizer optimizer) {
    Follower follower = new Follower(optimizer);
    try (Device device = Toy.device()) {
      new Trainer(
              device,
              Toy.mlp(3, 4, 9, 3),
              DataSplit.of(Toy.blobs(50, 1)),
              Toy.options(4, 16, optimizer, RATE),
              List.of(follower))
          .run();
    }
    assertEquals(16, follower.steps);
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void keepsMaskedWeightsAtZero(Optimizer optimizer) {
    Model model = Toy.mlp(3, 4, 9, 3);
    Mask mask = Mask.ones(model.graph().initializer("fc1.weight").shape());
    for (int i = 0; i < mask.size(); i += 2) {
      mask.set(i, false);
    }
    Mask none = Mask.zeros(model.graph().initializer("fc2.bias").shape());
    model.masks().put("fc1.weight", mask);
    model.masks().put("fc2.bias", none);
    try (Device device = Toy.device()) {
      TrainResult result =
          new Trainer(
                  device,
                  model,
                  DataSplit.of(Toy.blobs(50, 1)),
                  Toy.options(3, 16, optimizer, RATE),
                  List.of(new ZeroWatch(mask)))
              .run();
      Tensor weight = result.model().graph().initializer("fc1.weight");
      assertTrue(result.model().masks().get("fc1.weight").bitEquals(mask));
      assertTrue(result.model().masks().get("fc2.bias").bitEquals(none));
      for (int i = 0; i < weight.size(); i++) {
        assertEquals(mask.kept(i), Float.floatToRawIntBits(weight.getFloat(i)) != 0, "weight " + i);
      }
      assertEquals(18 / 63.0, result.history().getLast().sparsity(), 1e-15);
    }
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void softThresholdsInItsOwnMetric(Optimizer optimizer) {
    Follower follower = new Follower(optimizer);
    follower.rateFactor = Map.of("fc2.weight", 0.5f);
    follower.undecayed = "fc2.weight";
    TrainOptions options =
        Toy.options(4, 16, optimizer, RATE)
            .withRules(List.of(new TrainOptions.Rule("fc2.weight", 0.5f, false)));
    Thresholds thresholds = new Thresholds(follower);
    try (Device device = Toy.device()) {
      DataSplit data = DataSplit.of(Toy.blobs(50, 1));
      new Trainer(device, Toy.mlp(3, 4, 9, 3), data, options, List.of(follower, thresholds)).run();
    }
    assertEquals(16, follower.steps);
    assertTrue(thresholds.zeros > 0 && thresholds.shrunk > 0);
  }

  @Test
  void obeysRules() {
    Optimizer decaying = new Optimizer.Adam(0.9f, 0.999f, 1e-8f, 0.5f, true);
    TrainOptions options =
        Toy.options(2, 16, decaying, RATE)
            .withRules(
                List.of(
                    new TrainOptions.Rule("fc1.weight", 0, true),
                    new TrainOptions.Rule(".bias", 1, false),
                    new TrainOptions.Rule("fc2.weight", 0.5f, true)));
    Follower follower = new Follower(decaying);
    follower.rateFactor = Map.of("fc2.weight", 0.5f);
    follower.undecayed = "bias";
    Model model = Toy.mlp(3, 4, 9, 3);
    try (Device device = Toy.device()) {
      TrainResult result =
          new Trainer(device, model, DataSplit.of(Toy.blobs(50, 1)), options, List.of(follower))
              .run();
      Tensor frozen = result.model().graph().initializer("fc1.weight");
      assertTrue(frozen.bitEquals(model.graph().initializer("fc1.weight")));
      Tensor trained = result.model().graph().initializer("fc2.weight");
      assertFalse(trained.bitEquals(model.graph().initializer("fc2.weight")));
    }
    assertEquals(8, follower.steps);
  }

  /** Repeats every step in double, from the weights and gradients of the device. */
  private static final class Follower implements TrainHook {
    private final Optimizer optimizer;
    private final Map<String, double[]> expected = new HashMap<>();
    private final Map<String, double[]> first = new HashMap<>();
    private final Map<String, double[]> second = new HashMap<>();
    private Map<String, Float> rateFactor = Map.of();
    private String undecayed = "nothing";
    private int steps;

    Follower(Optimizer optimizer) {
      this.optimizer = optimizer;
    }

    @Override
    public String name() {
      return "follower";
    }

    @Override
    public void afterGradients(Training training) {
      steps++;
      for (String name : training.trained()) {
        float[] w = training.parameters().toHost(name).toFloats();
        float[] g = training.device().toHost(training.gradient(name)).toFloats();
        expected.put(name, step(name, w, g));
      }
    }

    private double[] step(String name, float[] w, float[] g) {
      double[] a = first.computeIfAbsent(name, n -> new double[w.length]);
      double[] b = second.computeIfAbsent(name, n -> new double[w.length]);
      double rate = RATE * rateFactor.getOrDefault(name, 1f);
      boolean decays = !name.endsWith(undecayed);
      double[] next = new double[w.length];
      for (int i = 0; i < w.length; i++) {
        next[i] =
            switch (optimizer) {
              case Optimizer.Sgd o -> {
                double grad = g[i] + (decays ? o.weightDecay() : 0) * w[i];
                a[i] = steps == 1 ? grad : o.momentum() * a[i] + grad;
                yield w[i] - rate * (o.nesterov() ? grad + o.momentum() * a[i] : a[i]);
              }
              case Optimizer.Adam o -> {
                double decay = decays ? o.weightDecay() : 0;
                double grad = g[i] + (o.decoupled() ? 0 : decay * w[i]);
                double start = o.decoupled() ? w[i] * (1 - rate * decay) : w[i];
                a[i] = o.beta1() * a[i] + (1 - o.beta1()) * grad;
                b[i] = o.beta2() * b[i] + (1 - o.beta2()) * grad * grad;
                double m = a[i] / (1 - Math.pow(o.beta1(), steps));
                double v = b[i] / (1 - Math.pow(o.beta2(), steps));
                yield start - rate * m / (Math.sqrt(v) + o.epsilon());
              }
            };
      }
      return next;
    }

    @Override
    public void afterStep(Training training) {
      for (String name : training.trained()) {
        float[] w = training.parameters().toHost(name).toFloats();
        for (int i = 0; i < w.length; i++) {
          double wanted = expected.get(name)[i];
          // A gradient near 0 makes Adam's quotient of moments sensitive to their last bits.
          assertEquals(wanted, w[i], 1e-6 + 1e-5 * Math.abs(wanted), name + " " + i);
        }
      }
    }
  }

  /** Runs after the follower, whose second moments it reads. */
  private static final class Thresholds implements TrainHook {
    private static final float LAMBDA = 0.3f;
    private final Follower follower;
    private int zeros;
    private int shrunk;

    Thresholds(Follower follower) {
      this.follower = follower;
    }

    @Override
    public String name() {
      return "thresholds";
    }

    @Override
    public void beforeStep(Training training) {
      training.setPenalty(LAMBDA);
    }

    @Override
    public void afterStep(Training training) {
      List<String> weights = List.of("fc1.weight", "fc2.weight");
      Map<String, Tensor> before = new HashMap<>();
      training.trained().forEach(n -> before.put(n, training.parameters().toHost(n)));
      training.softThreshold(weights);
      for (String name : training.trained()) {
        Tensor after = training.parameters().toHost(name);
        if (!weights.contains(name)) {
          assertTrue(after.bitEquals(before.get(name)), name);
          continue;
        }
        for (int i = 0; i < after.size(); i++) {
          float w = before.get(name).getFloat(i);
          double threshold = threshold(name, i);
          double size = Math.max(0, Math.abs(w) - threshold);
          // v of the device and v in double differ in their last bits.
          assertEquals(
              Math.copySign(size, w), after.getFloat(i), 1e-6 + 1e-4 * threshold, name + " " + i);
          zeros += w != 0 && after.getFloat(i) == 0 ? 1 : 0;
          shrunk += after.getFloat(i) != 0 ? 1 : 0;
        }
      }
    }

    private double threshold(String name, int i) {
      double scaled = RATE * follower.rateFactor.getOrDefault(name, 1f) * LAMBDA;
      return switch (follower.optimizer) {
        case Optimizer.Sgd sgd -> scaled;
        case Optimizer.Adam o -> {
          double v = follower.second.get(name)[i] / (1 - Math.pow(o.beta2(), follower.steps));
          yield scaled / (Math.sqrt(v) + o.epsilon());
        }
      };
    }
  }

  /** Looks after every step, not only at the end. */
  private record ZeroWatch(Mask mask) implements TrainHook {
    @Override
    public String name() {
      return "zero watch";
    }

    @Override
    public void afterStep(Training training) {
      Tensor weight = training.parameters().toHost("fc1.weight");
      for (int i = 0; i < weight.size(); i++) {
        if (!mask.kept(i)) {
          assertEquals(0, Float.floatToRawIntBits(weight.getFloat(i)), "step " + training.step());
        }
      }
    }
  }
}
