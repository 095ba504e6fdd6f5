package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Prunables;
import io.github.secateur.nn.Networks;
import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.DataFree;
import io.github.secateur.prune.Limits;
import io.github.secateur.prune.Pattern;
import io.github.secateur.prune.Pattern.Axis;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** From equal scores the CPU and the device under test make the same masks, by every pattern. */
class PatternMasksTest {
  private static final List<Pattern> PATTERNS =
      List.of(
          new Pattern.Unstructured(),
          new Pattern.NM(2, 4, Axis.INPUT, false),
          new Pattern.NM(3, 7, Axis.INPUT, false),
          new Pattern.NM(1, 4, Axis.OUTPUT, false),
          new Pattern.Block(4, 1),
          new Pattern.Block(3, 5),
          new Pattern.Line(Axis.INPUT),
          new Pattern.Line(Axis.OUTPUT));

  @Test
  void masksAreEqualBitForBit() {
    try (Device cuda = Toys.device();
        Device cpu = Devices.open("cpu", DeviceOptions.defaults())) {
      for (String specification : List.of("mlp:33-21-18-5", "resnet-8:3x8x8")) {
        Model model = Networks.parse(specification, 4);
        List<Criterion> criteria =
            List.of(
                new Criterion.Magnitude(1),
                new Criterion.Magnitude(2),
                new Criterion.Magnitude(Double.POSITIVE_INFINITY),
                new Criterion.Random(3),
                new Criterion.Given(tied(model)));
        for (Pattern pattern : PATTERNS) {
          for (Criterion criterion : criteria) {
            var allocation =
                criterion instanceof Criterion.Random
                    ? new Allocation.PerLayer()
                    : new Allocation.Global();
            var options = new DataFree.Options(criterion, pattern, allocation, Limits.NONE, 0.6);
            DataFree.Result here = DataFree.prune(cpu, model, options);
            DataFree.Result there = DataFree.prune(cuda, model, options);
            assertTrue(here.reached() > 0.3, pattern + " reached " + here.reached());
            assertEquals(here.model().masks().keySet(), there.model().masks().keySet());
            for (Map.Entry<String, Mask> mask : here.model().masks().entrySet()) {
              assertTrue(
                  mask.getValue().bitEquals(there.model().masks().get(mask.getKey())),
                  "%s of %s by %s".formatted(mask.getKey(), pattern, criterion.getClass()));
            }
          }
        }
      }
      assertEquals(0, cuda.liveBuffers());
    }
  }

  /** Signed scores of few values. */
  private static Map<String, Tensor> tied(Model model) {
    Random random = new Random(8);
    Map<String, Tensor> scores = new LinkedHashMap<>();
    Prunables.find(model)
        .forEach(
            p -> {
              Tensor t = Tensor.zeros(DType.F32, p.shape());
              for (int i = 0; i < t.size(); i++) {
                t.setFloat(i, random.nextInt(7) - 3);
              }
              scores.put(p.parameter(), t);
            });
    return scores;
  }
}
