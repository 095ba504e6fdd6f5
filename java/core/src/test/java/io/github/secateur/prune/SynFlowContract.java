package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.contract.OnDevice;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * SynFlow on one device: its scores are the weights of paths, and in rounds it leaves no layer
 * empty (Tanaka et al., arXiv 2006.05467). A device's module extends this and opens it.
 */
public abstract class SynFlowContract extends OnDevice {
  private static final CriteriaContractMlp TANH =
      new CriteriaContractMlp(List.of(7, 6, 5, 3), false);
  private static final CriteriaContractMlp RELU = new CriteriaContractMlp(List.of(9, 8, 4), true);

  private HeldNetwork held(Model model, Samples samples) {
    return new HeldNetwork(device, model, samples);
  }

  private static long kept(HeldNetwork held) {
    return held.masks().values().stream().mapToLong(Mask::keptCount).sum();
  }

  private static long emptyLayers(HeldNetwork held) {
    return held.masks().values().stream().filter(mask -> mask.keptCount() == 0).count();
  }

  @Test
  void synFlowIsTheWeightOfAllPathsThroughEachWeight() {
    for (CriteriaContractMlp mlp : List.of(TANH, RELU)) {
      Model model = mlp.model(16);
      List<double[]> w = mlp.weights(model);
      List<double[]> forward = new ArrayList<>(); // 1ᵀ-free prefix: what reaches each unit
      double[] a = new double[mlp.sizes().getFirst()];
      Arrays.fill(a, 1);
      forward.add(a);
      for (int l = 0; l < w.size(); l++) {
        double[] next = new double[mlp.sizes().get(l + 1)];
        for (int i = 0; i < w.get(l).length; i++) {
          next[i / a.length] += Math.abs(w.get(l)[i]) * a[i % a.length];
        }
        a = next;
        forward.add(a);
      }
      double whole = Arrays.stream(a).sum();
      double[] back = new double[a.length];
      Arrays.fill(back, 1);
      try (HeldNetwork held = held(model, mlp.samples(3, 1))) {
        List<double[]> scores = held.scores(new Criterion.SynFlow(1));
        for (int l = w.size() - 1; l >= 0; l--) {
          int in = mlp.sizes().get(l);
          double[] wanted = new double[w.get(l).length];
          double[] before = new double[in];
          for (int i = 0; i < wanted.length; i++) {
            double weight = Math.abs(w.get(l)[i]);
            wanted[i] = weight * back[i / in] * forward.get(l)[i % in];
            before[i % in] += weight * back[i / in];
          }
          back = before;
          CriteriaContract.close(wanted, scores.get(l), 2e-6);
          assertEquals(whole, Arrays.stream(scores.get(l)).sum(), 1e-5 * whole, "conservation");
        }
        held.requireUntouched();
      }
    }
  }

  @Test
  void synFlowSurvivesNetworksThatOverflowAndThatVanish() {
    List<Integer> sizes = new ArrayList<>(Collections.nCopies(20, 4));
    CriteriaContractMlp deep = new CriteriaContractMlp(sizes, true);
    for (float factor : new float[] {1e-3f, 1, 30}) {
      Model model = deep.model(17);
      for (Tensor t : model.graph().initializers().values()) {
        for (long i = 0; i < t.size(); i++) {
          t.setFloat(i, t.getFloat(i) * factor);
        }
      }
      try (HeldNetwork held = held(model, deep.samples(4, 1))) {
        List<double[]> scores = held.scores(new Criterion.SynFlow(1));
        double total = Arrays.stream(scores.getFirst()).sum();
        assertTrue(Double.isFinite(total) && total > 0, "total " + total);
        for (double[] s : scores) {
          assertEquals(total, Arrays.stream(s).sum(), 1e-4 * total, "conservation");
        }
      }
    }
  }

  @Test
  void synFlowInRoundsLeavesNoLayerEmptyWhereMagnitudeAndSnipDo() {
    // Layers of very unlike sizes and scales, 99.5 % of the weights gone.
    CriteriaContractMlp mlp = new CriteriaContractMlp(List.of(60, 100, 8, 60, 4), true);
    Model model = mlp.model(18);
    Tensor third = model.graph().initializer("fc3.weight");
    for (long i = 0; i < third.size(); i++) {
      third.setFloat(i, third.getFloat(i) * 1e-3f);
    }
    try (HeldNetwork magnitude = held(model, mlp.samples(100, 2));
        HeldNetwork rounds = held(model, mlp.samples(100, 2))) {
      magnitude.prune(new Criterion.Magnitude(1), 0.995);
      rounds.prune(new Criterion.SynFlow(100), 0.995);
      assertEquals(kept(magnitude), kept(rounds));
      assertTrue(emptyLayers(magnitude) > 0, "magnitude empties a layer here");
      assertEquals(0, emptyLayers(rounds), "layers that SynFlow emptied");
    }
  }

  /** At 99.9 % SNIP and magnitude in one shot cut the network apart. */
  @Test
  void synFlowKeepsLenetConnectedAtAThousandthOfItsWeights() {
    CriteriaContractMlp lenet = new CriteriaContractMlp(List.of(784, 300, 100, 10), true);
    Model model = Networks.parse("lenet-300-100", 1);
    Samples samples = lenet.samples(100, 2);
    List<Criterion> criteria =
        List.of(new Criterion.SynFlow(100), new Criterion.Snip(100), new Criterion.Magnitude(1));
    List<Long> onPaths = new ArrayList<>();
    for (Criterion criterion : criteria) {
      try (HeldNetwork held = held(model, samples)) {
        held.prune(criterion, 0.999);
        assertEquals(266, kept(held));
        if (criterion instanceof Criterion.SynFlow) {
          assertEquals(0, emptyLayers(held), "layers that SynFlow emptied");
        }
        onPaths.add(onPaths(held.masks(), lenet.layers()));
      }
    }
    assertTrue(onPaths.get(0) > 0.9 * 266, "weights on paths " + onPaths);
    assertTrue(onPaths.get(1) < 0.5 * onPaths.get(0), "weights on paths " + onPaths);
    assertEquals(0, onPaths.get(2), "magnitude leaves no path");
  }

  /** Kept weights [out, in] that lie on a path of kept weights from an input to an output. */
  private static long onPaths(Map<String, Mask> masks, int layers) {
    List<Mask> all = new ArrayList<>();
    List<boolean[]> reached = new ArrayList<>(); // from the inputs, by the inputs of each layer
    for (int l = 1; l <= layers; l++) {
      Mask mask = masks.get("fc" + l + ".weight");
      int inputs = (int) mask.shape().dim(1);
      if (l == 1) {
        boolean[] every = new boolean[inputs];
        Arrays.fill(every, true);
        reached.add(every);
      }
      boolean[] next = new boolean[(int) mask.shape().dim(0)];
      for (int i = 0; i < mask.size(); i++) {
        next[i / inputs] |= mask.kept(i) && reached.get(l - 1)[i % inputs];
      }
      all.add(mask);
      reached.add(next);
    }
    boolean[] useful = new boolean[reached.getLast().length]; // to the outputs
    Arrays.fill(useful, true);
    long count = 0;
    for (int l = layers - 1; l >= 0; l--) {
      Mask mask = all.get(l);
      int inputs = (int) mask.shape().dim(1);
      boolean[] before = new boolean[inputs];
      for (int i = 0; i < mask.size(); i++) {
        if (mask.kept(i) && useful[i / inputs]) {
          before[i % inputs] = true;
          count += reached.get(l)[i % inputs] ? 1 : 0;
        }
      }
      useful = before;
    }
    return count;
  }
}
