package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.device.contract.OnDevice;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Wiring;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Criteria and limits of units on one device, against plain loops in double precision, on a
 * residual network (a group of two layers), a joined one (parts at an offset), a depthwise one and
 * a grouped one. A device's module extends this and opens it.
 */
public abstract class UnitCriteriaContract extends OnDevice {
  private static final int COUNT = GradientSource.BATCH + 13;
  private static final Allocation GLOBAL = new Allocation.Global();

  private static List<Model> models() {
    return List.of(Wiring.residual(2), Wiring.joined(2), Wiring.depthwise(2), Wiring.grouped(2));
  }

  /** A network on a device with its groups of units. */
  private record Held(HeldNetwork network, List<UnitGroup> groups) implements AutoCloseable {
    Held(Device device, Model model) {
      this(new HeldNetwork(device, model, samples(model)), UnitGroups.of(model));
    }

    Pruner<?> pruner(Criterion criterion, Allocation allocation, double sparsity, Limits limits) {
      Strategy.Scored how =
          new Strategy.Scored(criterion, new Pattern.Neuron(), allocation, new Schedule.OneShot());
      return network.pruner(how, sparsity, limits);
    }

    List<float[]> scores(Criterion criterion) {
      return ((UnitPruner) pruner(criterion, GLOBAL, 0.5, Limits.NONE)).score().byGroup();
    }

    Map<String, Mask> prune(Criterion criterion, Allocation allocation, double s, Limits limits) {
      pruner(criterion, allocation, s, limits).step(0, 1);
      return network.masks();
    }

    Tensor host(String parameter) {
      return network.model.graph().initializer(parameter);
    }

    @Override
    public void close() {
      network.close();
    }
  }

  private static Samples samples(Model model) {
    Shape shape = model.graph().requiredInputs().getFirst().shape(COUNT);
    Tensor x = Tensor.zeros(DType.F32, shape);
    Random random = new Random(5);
    for (long i = 0; i < x.size(); i++) {
      x.setFloat(i, (float) random.nextGaussian());
    }
    int[] labels = random.ints(COUNT, 0, 3).toArray();
    return new Samples(x, Tensor.ofInts(Shape.of(COUNT), labels), 3, "", "random");
  }

  /** All incoming weights of a unit, or what another tensor holds in their places. */
  private static double[] incoming(
      UnitGroup group, int unit, Map<String, double[]> values, Held held) {
    return group.incoming().stream()
        .flatMapToDouble(
            slice ->
                PrunedMasks.elements(held.host(slice.parameter()).shape(), slice, unit).stream()
                    .mapToDouble(i -> values.get(slice.parameter())[i.intValue()]))
        .toArray();
  }

  private static Map<String, double[]> weights(Held held) {
    Map<String, double[]> all = new LinkedHashMap<>();
    held.network
        .model
        .graph()
        .initializers()
        .forEach(
            (name, t) -> {
              if (t.dtype() == DType.F32) {
                all.put(name, doubles(t));
              }
            });
    return all;
  }

  private static double[] doubles(Tensor t) {
    double[] values = new double[Math.toIntExact(t.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = t.getFloat(i);
    }
    return values;
  }

  /** What a unit is worth. */
  private interface Oracle {
    double of(UnitGroup group, int unit);
  }

  private static void requireScores(Held held, Criterion criterion, Oracle oracle, double error) {
    List<float[]> scores = held.scores(criterion);
    assertEquals(held.groups.size(), scores.size());
    for (int g = 0; g < scores.size(); g++) {
      UnitGroup group = held.groups.get(g);
      assertEquals(group.units(), scores.get(g).length);
      double[] wanted = new double[group.units()];
      double largest = 0;
      for (int u = 0; u < wanted.length; u++) {
        wanted[u] = oracle.of(group, u);
        largest = Math.max(largest, Math.abs(wanted[u]));
      }
      assertTrue(largest > 0, criterion + " of " + group.layers());
      for (int u = 0; u < wanted.length; u++) {
        String what = criterion + ", unit " + u + " of " + group.layers();
        assertEquals(wanted[u], scores.get(g)[u], error * largest, what);
      }
    }
  }

  @Test
  void normsAreOverAllWeightsThatMakeAUnit() {
    for (Model model : models()) {
      try (Held held = new Held(device, model)) {
        Map<String, double[]> w = weights(held);
        for (double p : new double[] {0.5, 1, 2, 3, Double.POSITIVE_INFINITY}) {
          requireScores(
              held,
              new Criterion.Magnitude(p),
              (group, unit) -> {
                double[] own = incoming(group, unit, w, held);
                return Double.isInfinite(p)
                    ? Arrays.stream(own).map(Math::abs).max().orElseThrow()
                    : Math.pow(Arrays.stream(own).map(v -> Math.pow(Math.abs(v), p)).sum(), 1 / p);
              },
              1e-6);
        }
      }
    }
  }

  @Test
  void normScalesAreThoseOfAllNormalizationsBehindAUnit() {
    try (Held held = new Held(device, Wiring.residual(4))) {
      Map<String, List<String>> norms =
          Map.of(
              "c0", List.of("bn0.scale", "bn2.scale"),
              "c1", List.of("bn1.scale"),
              "c3", List.of("bn3.scale"),
              "c4", List.of("bn4.scale", "bnp.scale"));
      requireScores(
          held,
          new Criterion.NormScale(),
          (group, unit) ->
              norms.get(group.layer()).stream()
                  .mapToDouble(name -> Math.abs(held.host(name).getFloat(unit)))
                  .sum(),
          1e-6);
    }
  }

  @Test
  void unitsWithoutANormalizationHaveNoScaleToRankThem() {
    try (Held held = new Held(device, Networks.parse("lenet-5-caffe", 1))) {
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> held.scores(new Criterion.NormScale()));
      assertEquals(
          "the units of layer '%s' have no batch normalization whose scale would rank them;"
                  .formatted(held.groups.getFirst().layer())
              + " exclude the layer or use another criterion, such as l2",
          e.getMessage());
    }
  }

  @Test
  void distancesAreToAllOtherUnitsOfTheGroup() {
    for (Model model : models()) {
      try (Held held = new Held(device, model)) {
        Map<String, double[]> w = weights(held);
        requireScores(
            held,
            new Criterion.GeometricMedian(),
            (group, unit) -> {
              double sum = 0;
              double[] own = incoming(group, unit, w, held);
              for (int v = 0; v < group.units(); v++) {
                double[] other = incoming(group, v, w, held);
                double squares = 0;
                for (int i = 0; i < own.length; i++) {
                  squares += (own[i] - other[i]) * (own[i] - other[i]);
                }
                sum += Math.sqrt(squares);
              }
              return sum;
            },
            1e-6);
      }
    }
  }

  /** Gradients of each batch, with its share, as the device has them. */
  private static void forBatches(Held held, GradientSource.Options options, Batches batches) {
    List<String> names =
        held.groups.stream()
            .flatMap(g -> g.incoming().stream())
            .map(Coupling.Slice::parameter)
            .distinct()
            .toList();
    try (GradientSource source = new GradientSource(held.network.calibration, names, options)) {
      source.forEach(
          batch -> {
            Map<String, double[]> gradients = new LinkedHashMap<>();
            names.forEach(
                n -> gradients.put(n, doubles(held.network.device().toHost(batch.gradient(n)))));
            batches.take(batch.share(), gradients);
          });
    }
  }

  private interface Batches {
    void take(double share, Map<String, double[]> gradients);
  }

  @Test
  void gradientCriteriaSumOverTheWeightsOfAUnit() {
    for (Model model : models()) {
      try (Held held = new Held(device, model)) {
        Map<String, double[]> w = weights(held);
        Map<String, double[]> taylor = new LinkedHashMap<>();
        Map<String, double[]> fisher = new LinkedHashMap<>();
        forBatches(
            held,
            GradientSource.Options.of(COUNT),
            (share, gradients) -> {
              for (UnitGroup group : held.groups) {
                double[] sums =
                    taylor.computeIfAbsent(group.layer(), l -> new double[group.units()]);
                for (int u = 0; u < sums.length; u++) {
                  double[] own = incoming(group, u, w, held);
                  double[] slopes = incoming(group, u, gradients, held);
                  double product = 0;
                  for (int i = 0; i < own.length; i++) {
                    product += own[i] * slopes[i];
                  }
                  sums[u] += share * product * product;
                }
              }
              gradients.forEach(
                  (name, g) -> {
                    double[] sums = fisher.computeIfAbsent(name, n -> new double[g.length]);
                    for (int i = 0; i < g.length; i++) {
                      sums[i] += 0.5 * share * g[i] * g[i] * w.get(name)[i] * w.get(name)[i];
                    }
                  });
            });
        requireScores(held, new Criterion.Taylor(COUNT), (g, u) -> taylor.get(g.layer())[u], 1e-5);
        requireScores(
            held,
            new Criterion.Fisher(COUNT),
            (g, u) -> Arrays.stream(incoming(g, u, fisher, held)).sum(),
            1e-5);

        Map<String, double[]> mean = new LinkedHashMap<>();
        forBatches(
            held,
            GradientSource.Options.of(COUNT).training(),
            (share, gradients) ->
                gradients.forEach(
                    (name, g) -> {
                      double[] sums = mean.computeIfAbsent(name, n -> new double[g.length]);
                      for (int i = 0; i < g.length; i++) {
                        sums[i] += share * g[i] * w.get(name)[i];
                      }
                    }));
        requireScores(
            held,
            new Criterion.Snip(COUNT),
            (g, u) -> Arrays.stream(incoming(g, u, mean, held)).map(Math::abs).sum(),
            1e-4);
      }
    }
  }

  @Test
  void activationsAreOverSamplesAndPlacesOfAllValuesThatLayersRead() {
    for (Model model : models()) {
      try (Held held = new Held(device, model)) {
        List<String> values =
            held.groups.stream()
                .flatMap(g -> g.read().stream())
                .map(Coupling.Slice::parameter)
                .distinct()
                .toList();
        Map<String, List<Tensor>> seen = new LinkedHashMap<>();
        held.network.calibration.forEach(
            values,
            COUNT,
            executable ->
                values.forEach(
                    v ->
                        seen.computeIfAbsent(v, x -> new ArrayList<>())
                            .add(held.network.device().toHost(executable.output(v)))));
        for (Statistic statistic : List.of(Statistic.MEAN_ABS, Statistic.RMS)) {
          requireScores(
              held,
              new Criterion.Activation(statistic, COUNT),
              (group, unit) -> {
                double sum = 0;
                long count = 0;
                for (Coupling.Slice slice : group.read()) {
                  for (Tensor t : seen.get(slice.parameter())) {
                    int axis = t.shape().rank() - 1 - slice.axis();
                    Coupling.Slice own =
                        new Coupling.Slice(
                            slice.role(), "", axis, slice.offset(), slice.expansion());
                    for (long i : PrunedMasks.elements(t.shape(), own, unit)) {
                      double v = t.getFloat(i);
                      sum += statistic == Statistic.RMS ? v * v : Math.abs(v);
                      count++;
                    }
                  }
                }
                return statistic == Statistic.RMS ? Math.sqrt(sum / count) : sum / count;
              },
              1e-5);
        }
      }
    }
  }

  @Test
  void limitsBoundTheUnitsOfEachGroup() {
    Limits limits = new Limits(0.5, Map.of("c1", 0.8, "c2", 0.25), 2, Set.of("c3"), Set.of("fc"));
    try (Held held = new Held(device, Wiring.residual(6))) {
      Map<String, Mask> masks = held.prune(new Criterion.Random(1), GLOBAL, 1, limits);
      assertEquals(5, kept(masks, "c0.bias"), "tied to c2, a quarter of 6 units may go");
      assertEquals(5, kept(masks, "c2.bias"));
      assertEquals(2, kept(masks, "c1.bias"), "four fifths may go, but 2 stay");
      assertEquals(7, kept(masks, "c3.bias"), "excluded");
      assertEquals(8, kept(masks, "c4.bias"), "read by a frozen layer");
      assertEquals(8, kept(masks, "proj.bias"));
    }
  }

  private static long kept(Map<String, Mask> masks, String parameter) {
    return masks.get(parameter).keptCount();
  }

  @Test
  void equalScoresMakeEqualMasksOnEveryDevice() {
    try (Device cpu = Devices.open("cpu", DeviceOptions.defaults())) {
      for (Model model : models()) {
        Map<String, Tensor> scores = new LinkedHashMap<>();
        Random random = new Random(9);
        UnitGroups.of(model)
            .forEach(
                group -> {
                  Coupling.Slice first = group.incoming().getFirst();
                  Shape shape = model.graph().initializer(first.parameter()).shape();
                  Tensor t = Tensor.zeros(DType.F32, Shape.of(shape.dim(first.axis())));
                  for (long i = 0; i < t.size(); i++) {
                    t.setFloat(i, random.nextInt(5) - 2);
                  }
                  scores.put(first.parameter(), t);
                });
        List<Criterion> criteria =
            List.of(
                new Criterion.Magnitude(1),
                new Criterion.Magnitude(2),
                new Criterion.Magnitude(3),
                new Criterion.GeometricMedian(),
                new Criterion.Random(4),
                new Criterion.Given(scores));
        for (Criterion criterion : criteria) {
          for (Allocation allocation : List.of(GLOBAL, new Allocation.PerLayer())) {
            try (Held here = new Held(cpu, model);
                Held there = new Held(device, model)) {
              Map<String, Mask> expected = here.prune(criterion, allocation, 0.45, Limits.NONE);
              Map<String, Mask> made = there.prune(criterion, allocation, 0.45, Limits.NONE);
              assertTrue(expected.values().stream().anyMatch(m -> m.prunedCount() > 0));
              PrunedMasks masks = new PrunedMasks(model, made);
              masks.requireEqual(expected);
              Map<String, Tensor> weights = new LinkedHashMap<>();
              made.keySet().forEach(n -> weights.put(n, there.network.parameters.toHost(n)));
              masks.requireNothingElseChanged(weights);
            }
          }
        }
      }
    }
  }
}
