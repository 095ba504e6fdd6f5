package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A criterion with a pattern on a network, pruned once on the device under test and on the CPU. It
 *
 * <ul>
 *   <li>scores as the CPU does: bit for bit where no network is run, else nearly;
 *   <li>makes the masks that sorting its scores makes ({@link PatternOracle}), or of whole units;
 *   <li>makes the CPU's masks from the CPU's scores;
 *   <li>writes +0 where it prunes and leaves every other bit.
 * </ul>
 *
 * @param device under test
 * @param cpu the CPU device
 */
record ScoredCell(Device device, Device cpu) {
  /**
   * What pruning once on a device came to.
   *
   * @param refusal null where it pruned; then the rest counts
   * @param key of scores of weights; null for units
   * @param scores by layer, or by group of units
   */
  record Outcome(
      String refusal,
      PruneOps.Key key,
      List<float[]> scores,
      PrunedMasks masks,
      Map<String, Tensor> weights) {}

  static Outcome prune(Device device, Model model, Strategy.Scored how) {
    try (HeldNetwork held =
        new HeldNetwork(device, model, CriterionPatternContract.samples(model))) {
      String refusal = null;
      PruneOps.Key key = null;
      List<float[]> scores = new ArrayList<>();
      try {
        Pruner<?> pruner = held.pruner(how, CriterionPatternTable.SPARSITY, Limits.NONE);
        try (Pruner.Scores made = pruner.score()) {
          if (made instanceof WeightScores ofWeights) {
            key = ofWeights.key();
            ofWeights.tensors().forEach(t -> scores.add(device.toHost(t).toFloats()));
          } else if (made instanceof UnitScores ofUnits) {
            scores.addAll(ofUnits.byGroup());
          }
        }
        pruner.step(0, 1);
      } catch (IllegalArgumentException e) {
        refusal = e.getMessage();
      }
      Map<String, Tensor> weights = new LinkedHashMap<>();
      model.graph().initializers().keySet().forEach(n -> weights.put(n, held.parameters.toHost(n)));
      return new Outcome(refusal, key, scores, new PrunedMasks(model, held.masks()), weights);
    }
  }

  /**
   * Prunes, and requires all that must be.
   *
   * @return why it was refused, alike on both devices; null where it was not
   */
  String refusal(Strategy.Scored how, Model model) {
    Outcome ours = prune(device, model, how);
    Outcome theirs = prune(cpu, model, how);
    assertEquals(theirs.refusal, ours.refusal);
    ours.masks.requireNothingElseChanged(ours.weights);
    if (ours.refusal != null) {
      ours.masks.requireSparsity(0, 0);
      return ours.refusal;
    }
    requireScores(theirs.scores, ours.scores, tolerance(how.criterion()));
    if (how.pattern() instanceof Pattern.Neuron) {
      ours.masks.requirePattern(how.pattern());
      requireLowest(model, ours, how.pattern());
    } else {
      requireSorted(how, Layers.trainable(model), ours);
    }
    if (tolerance(how.criterion()) > 0) {
      Criterion given = given(model, theirs);
      how = new Strategy.Scored(given, inOrder(how.pattern()), how.allocation(), how.schedule());
      Outcome cpuAgain = prune(cpu, model, how);
      cpuAgain.masks.requireEqual(theirs.masks.masks());
      ours = prune(device, model, how);
    }
    ours.masks.requireEqual(theirs.masks.masks());
    return null;
  }

  /** The pattern for a network whose channels have their order. */
  private static Pattern inOrder(Pattern pattern) {
    return pattern instanceof Pattern.NM(int n, int m, Pattern.Axis axis, _)
        ? new Pattern.NM(n, m, axis, false)
        : pattern;
  }

  /** What devices may differ by, as a share of the largest score: 0 where no network is run. */
  private static double tolerance(Criterion criterion) {
    return switch (criterion) {
      case Criterion.Magnitude _,
          Criterion.Random _,
          Criterion.Given _,
          Criterion.NormScale _,
          Criterion.GeometricMedian _,
          Criterion.Lamp _ ->
          0;
      case Criterion.Activation _,
          Criterion.Snip _,
          Criterion.Taylor _,
          Criterion.Fisher _,
          Criterion.Wanda _,
          Criterion.SynFlow _ ->
          1e-5;
      case Criterion.Grasp _ -> 2e-3; // a difference of two gradients
    };
  }

  private static void requireScores(List<float[]> wanted, List<float[]> got, double tolerance) {
    assertEquals(wanted.size(), got.size());
    for (int l = 0; l < wanted.size(); l++) {
      float[] w = wanted.get(l);
      double largest = 0;
      for (float score : w) {
        largest = Math.max(largest, Math.abs(score));
      }
      assertTrue(largest > 0, "nothing is scored");
      for (int i = 0; i < w.length; i++) {
        assertEquals(w[i], got.get(l)[i], tolerance * largest, "score " + i + " of " + l);
      }
    }
  }

  /** The CPU's scores as scores made elsewhere; of a unit at the first of its outputs. */
  private static Criterion given(Model model, Outcome outcome) {
    Map<String, Tensor> scores = new HashMap<>();
    if (outcome.key == null) {
      List<UnitGroup> groups = UnitGroups.of(model);
      for (int g = 0; g < groups.size(); g++) {
        Coupling.Slice first = groups.get(g).incoming().getFirst();
        long outputs = model.graph().initializer(first.parameter()).shape().dim(first.axis());
        Tensor own = Tensor.zeros(DType.F32, Shape.of(outputs));
        for (int u = 0; u < groups.get(g).units(); u++) {
          own.setFloat(first.offset() + u * first.expansion(), outcome.scores.get(g)[u]);
        }
        scores.put(first.parameter(), own);
      }
    } else {
      List<Layer> layers = Layers.trainable(model);
      for (int l = 0; l < layers.size(); l++) {
        Shape shape = layers.get(l).shape();
        scores.put(layers.get(l).parameter(), Tensor.of(shape, outcome.scores.get(l)));
      }
    }
    return new Criterion.Given(scores);
  }

  /** The masks that sorting the device's own scores makes. */
  private static void requireSorted(Strategy.Scored how, List<Layer> layers, Outcome outcome) {
    List<double[]> scores = new ArrayList<>();
    for (float[] own : outcome.scores) {
      double[] values = new double[own.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = outcome.key == PruneOps.Key.ABS ? Math.abs(own[i]) : own[i] + 0.0; // −0 is 0
      }
      scores.add(values);
    }
    PatternOracle oracle =
        new PatternOracle(
            layers, scores, PatternOracle.Pooling.of(how.criterion()), PatternOracle.all(layers));
    double s = CriterionPatternTable.SPARSITY;
    boolean perOutput =
        how.allocation() instanceof Allocation.PerOutput
            && how.pattern() instanceof Pattern.Unstructured;
    List<boolean[]> wanted =
        perOutput
            ? oracle.perOutput(s)
            : oracle.masks(how.pattern(), Quotas.of(how.allocation(), layers, s, s));
    for (int l = 0; l < layers.size(); l++) {
      Mask mask = outcome.masks.masks().get(layers.get(l).parameter());
      boolean[] kept = new boolean[wanted.get(l).length];
      for (int i = 0; i < kept.length; i++) {
        kept[i] = mask == null || mask.kept(i);
      }
      assertEquals(Arrays.toString(wanted.get(l)), Arrays.toString(kept), layers.get(l).name());
    }
  }

  /** Of each group the units of the lowest scores, to the unit nearest to what is asked. */
  private static void requireLowest(Model model, Outcome outcome, Pattern pattern) {
    List<UnitGroup> groups = UnitGroups.of(model);
    for (int g = 0; g < groups.size(); g++) {
      boolean[] alive = outcome.masks.alive(groups.get(g));
      float[] scores = outcome.scores.get(g);
      for (int u = 0; u < alive.length; u++) {
        for (int v = 0; v < alive.length; v++) {
          boolean lower = scores[u] < scores[v] || (scores[u] == scores[v] && u > v);
          assertFalse(lower && alive[u] && !alive[v], groups.get(g).layer() + " " + u + " " + v);
        }
      }
    }
    double half = outcome.masks.largestPart(pattern) / 2.0;
    outcome.masks.requireSparsity(CriterionPatternTable.SPARSITY, half);
  }
}
