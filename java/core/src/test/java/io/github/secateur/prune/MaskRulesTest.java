package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.io.SafetensorsReader;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Masks of other tools, made by {@code golden/mask_rules.py} beside the tensors. */
class MaskRulesTest {
  private static final Criterion L1 = new Criterion.Magnitude(Norm.L1);
  private static final Allocation PER_LAYER = new Allocation.PerLayer();
  private static final Pattern SINGLE = new Pattern.Unstructured();

  private static Map<String, Tensor> golden() throws Exception {
    Path file = Path.of(MaskRulesTest.class.getResource("/golden/mask_rules.safetensors").toURI());
    return SafetensorsReader.read(file).tensors();
  }

  private static void check(MaskRule rule, Strategy.Scored how, double sparsity, String... cases)
      throws Exception {
    Map<String, Tensor> golden = golden();
    Map<String, Tensor> weights = new LinkedHashMap<>();
    List<Layer> layers = new ArrayList<>();
    for (String name : cases) {
      Tensor w = golden.get(name + ".weight");
      boolean inOut = name.endsWith("-in-out");
      weights.put(name, w);
      layers.add(new Layer(name, name, w.shape(), inOut ? 1 : 0, inOut ? 0 : 1));
    }
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        HeldSite site = new HeldSite(device, weights, Map.of())) {
      new WeightPruner(
              new WeightScorer.Source(site, layers, null), how, sparsity, Limits.NONE, rule)
          .step(0, 1);
      for (String name : cases) {
        Tensor expected = golden.get(name + ".mask");
        Mask mask = site.masksToHost().get(name);
        for (int i = 0; i < mask.size(); i++) {
          assertEquals(expected.getFloat(i) != 0, mask.kept(i), name + " at " + i);
        }
      }
    }
  }

  private static Strategy.Scored scored(Pattern pattern, Allocation allocation) {
    return new Strategy.Scored(L1, pattern, allocation, new Schedule.OneShot());
  }

  @Test
  void torch() throws Exception {
    for (double s : new double[] {0.25, 0.5, 0.93}) {
      check(MaskRule.TORCH, scored(SINGLE, PER_LAYER), s, "torch-l1-" + s);
    }
    check(
        MaskRule.TORCH,
        scored(SINGLE, new Allocation.Global()),
        0.37,
        "torch-global-0.37-a",
        "torch-global-0.37-b");
  }

  @Test
  void linesAreTorchesLnStructured() throws Exception {
    for (Pattern.Axis axis : Pattern.Axis.values()) {
      Strategy.Scored how =
          new Strategy.Scored(
              new Criterion.Magnitude(Norm.L2),
              new Pattern.Line(axis),
              PER_LAYER,
              new Schedule.OneShot());
      String dim = axis == Pattern.Axis.OUTPUT ? "0" : "1";
      check(MaskRule.SECATEUR, how, 0.4, "torch-ln-0.4-" + dim);
    }
  }

  @Test
  void unstructuredRules() throws Exception {
    for (double s : new double[] {0.1, 0.5, 0.9}) {
      check(MaskRule.TFMOT, scored(SINGLE, PER_LAYER), s, "tfmot-" + s);
      check(MaskRule.JAXPRUNER, scored(SINGLE, PER_LAYER), s, "jaxpruner-" + s);
      check(MaskRule.WANDA, scored(SINGLE, PER_LAYER), s, "wanda-" + s, "wanda-" + s + "-in-out");
      check(
          MaskRule.SPARSEGPT,
          scored(SINGLE, PER_LAYER),
          s,
          "sparsegpt-" + s,
          "sparsegpt-" + s + "-in-out");
    }
  }

  @Test
  void jaxprunersGroupsKeepTheHigherIndex() throws Exception {
    Pattern.Axis input = Pattern.Axis.INPUT;
    Pattern four = new Pattern.NM(2, 4, input, false);
    check(MaskRule.JAXPRUNER, scored(four, PER_LAYER), 0, "jaxpruner-2:4");
    Pattern five = new Pattern.NM(1, 5, input, false);
    check(MaskRule.JAXPRUNER, scored(five, PER_LAYER), 0, "jaxpruner-1:5");
  }

  @Test
  void whatAToolDoesNotHaveIsRefused() {
    refused(MaskRule.TORCH, scored(new Pattern.NM(2, 4, Pattern.Axis.INPUT, false), PER_LAYER));
    refused(MaskRule.WANDA, scored(new Pattern.Block(2, 2), PER_LAYER));
    refused(MaskRule.TFMOT, scored(SINGLE, new Allocation.Global()));
  }

  private static void refused(MaskRule rule, Strategy.Scored how) {
    var e =
        assertThrows(IllegalArgumentException.class, () -> check(rule, how, 0.5, "torch-l1-0.5"));
    assertTrue(e.getMessage().contains("use"), e.getMessage());
  }
}
