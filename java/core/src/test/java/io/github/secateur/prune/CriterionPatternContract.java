package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps;
import io.github.secateur.device.contract.OnDevice;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Wiring;
import io.github.secateur.io.Samples;
import io.github.secateur.prune.CriterionPatternTable.Line;
import io.github.secateur.recipe.PruneSettings;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every criterion and every method with every pattern, on a perceptron and on a residual network
 * with a grouped convolution: it prunes, or it is refused by one sentence. A device's module
 * extends this and opens it. What a criterion must do is {@link ScoredCell}'s.
 *
 * <p>Methods that train keep the pattern and the sparsity and end with +0; which weights go is what
 * their last cut's criterion says, a cell of its own.
 */
public abstract class CriterionPatternContract extends OnDevice {
  private static final int COUNT = 24;

  /** All that a cell may be refused by. */
  private static final List<String> REFUSALS =
      List.of(
          "(an activation criterion scores neurons|the scale of a normalization scores units"
              + "|the geometric median scores units), not single weights; use the neuron pattern",
          "(GraSP|Wanda|LAMP|SynFlow) scores single weights, not units; use the unstructured"
              + " pattern, or Taylor",
          "blocks and lines are scored by norms of order 1, 2 or infinity, got \\S+; take one of"
              + " those",
          "scores made elsewhere are for the channels in the order they have; leave"
              + " the permutation out",
          "reinitialize: true: weights are drawn anew where single weights are pruned, not whole"
              + " neurons; leave reinitialize out",
          "reinitialize: true: weights that are drawn anew have no best order of channels; leave"
              + " permute or reinitialize out",
          "pattern: \\S+ has no effect with method \\S+; leave it out",
          "gates learn their masks; use the unstructured or the neuron pattern",
          "a group lasso empties neurons, blocks or lines; use one of these patterns, or the L1"
              + " penalty for single weights",
          "layer-wise pruning chooses single weights, N:M or blocks; use one of those patterns",
          "layer-wise pruning takes N:M along the inputs in the order they have; use the axis"
              + " input, without permutation",
          "ADMM projects on single weights, N:M, blocks or lines; use one of those patterns",
          "ADMM projects on N:M in the order that the channels have; leave the permutation out");

  private final List<Model> networks = List.of(perceptron(), residual(2));
  private Device cpu;

  @BeforeEach
  void openCpu() {
    cpu = Devices.open("cpu", DeviceOptions.defaults());
  }

  @AfterEach
  void closeCpu() {
    cpu.close();
  }

  private static Model perceptron() {
    Wiring w = new Wiring(3);
    String x = w.input("x", 13);
    String a = w.node("r1", "Relu", w.norm("bn1", w.gemm("fc1", x, 16, 13), 16));
    String b = w.node("r2", "Relu", w.norm("bn2", w.gemm("fc2", a, 11, 16), 11));
    return w.model(w.gemm("fc3", b, 5, 11));
  }

  /** A stem and a convolution of so many groups, added, and another behind them. */
  private static Model residual(int groups) {
    Wiring w = new Wiring(4);
    String x = w.input("x", 5, 4, 4);
    String stem = w.node("r0", "Relu", w.norm("bn0", w.conv("c0", x, 8, 5), 8));
    String b = w.norm("bn1", w.conv("c1", stem, 8, 8 / groups, groups), 8);
    String sum = w.node("r1", "Relu", w.node("add", "Add", stem, b));
    String c = w.node("r2", "Relu", w.norm("bn2", w.conv("c2", sum, 10, 8), 10));
    String pooled = w.node("gap", "GlobalAveragePool", c);
    return w.model(w.gemm("fc", w.node("flat", "Flatten", pooled), 5, 10));
  }

  static Samples samples(Model model) {
    Random random = new Random(5);
    Shape shape = model.graph().requiredInputs().getFirst().shape(COUNT);
    Tensor x = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < x.size(); i++) {
      x.setFloat(i, (float) random.nextGaussian());
    }
    int[] labels = random.ints(COUNT, 0, 5).toArray();
    return new Samples(x, Tensor.ofInts(Shape.of(COUNT), labels), 5, "", "random");
  }

  @TestFactory
  Stream<DynamicNode> everyCellPrunesOrIsRefused() {
    CriterionPatternTable table = new CriterionPatternTable();
    Stream<DynamicNode> rows =
        CriterionPatternTable.rows().stream()
            .map(
                row ->
                    DynamicContainer.dynamicContainer(
                        row.label(),
                        CriterionPatternTable.columns().stream()
                            .map(
                                column ->
                                    DynamicTest.dynamicTest(
                                        column.label(),
                                        () -> table.add(row, column, works(row, column))))));
    return Stream.concat(
        rows, Stream.of(DynamicTest.dynamicTest("the README says so", table::requireReadme)));
  }

  /** Whether all recipes of a cell work, for all networks; or else none. */
  private boolean works(Line row, Line column) {
    Map<String, Boolean> outcomes = new LinkedHashMap<>();
    for (Map<String, String> words : row.settings()) {
      for (Map<String, String> pattern : column.settings()) {
        for (Model network : networks(words)) {
          outcomes.put(
              "%s %s %s".formatted(words, pattern, network.graph().nodes().getFirst().name()),
              works(row, words, pattern, network));
        }
      }
    }
    assertEquals(1, new HashSet<>(outcomes.values()).size(), "needs rows of its own: " + outcomes);
    return outcomes.values().iterator().next();
  }

  /** Gates need one filter a unit, which a convolution of two groups has not. */
  private List<Model> networks(Map<String, String> words) {
    boolean gates = words.getOrDefault("method", "").equals("gates");
    return gates ? List.of(networks.getFirst(), residual(1)) : networks;
  }

  private boolean works(
      Line row, Map<String, String> words, Map<String, String> column, Model network) {
    try {
      PruneOptions options = CriterionPatternTable.options(words, column);
      if (!(options.strategy() instanceof Strategy.Scored how)) {
        learn(options, pattern(column), network);
        return true;
      }
      if (row.equals(CriterionPatternTable.OWN_SCORES)) {
        boolean units = how.pattern() instanceof Pattern.Neuron;
        Criterion given = new Criterion.Given(units ? ofUnits(network) : ofWeights(network));
        how = new Strategy.Scored(given, how.pattern(), how.allocation(), how.schedule());
      }
      Model model =
          how.pattern() instanceof Pattern.NM nm && nm.permute()
              ? ChannelPermutation.apply(network, nm, 1).model()
              : network;
      String refusal = new ScoredCell(device, cpu).refusal(how, model);
      if (refusal != null) {
        requireSentence(refusal);
      }
      return refusal == null;
    } catch (IllegalArgumentException e) {
      requireSentence(e.getMessage());
      return false;
    }
  }

  private static Pattern pattern(Map<String, String> column) {
    Map<String, String> any = Map.of("criterion", "magnitude");
    return ((Strategy.Scored) CriterionPatternTable.options(any, column).strategy()).pattern();
  }

  private static void requireSentence(String message) {
    assertTrue(REFUSALS.stream().anyMatch(message::matches), message);
  }

  /** Signed scores of few values. */
  private static Tensor tied(Shape shape, Random random) {
    Tensor t = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, random.nextInt(7) - 3);
    }
    return t;
  }

  private static Map<String, Tensor> ofWeights(Model model) {
    Random random = new Random(8);
    return Layers.trainable(model).stream()
        .collect(Collectors.toMap(Layer::parameter, layer -> tied(layer.shape(), random)));
  }

  private static Map<String, Tensor> ofUnits(Model model) {
    Random random = new Random(9);
    return UnitGroups.of(model).stream()
        .map(group -> group.incoming().getFirst())
        .collect(
            Collectors.toMap(
                Coupling.Slice::parameter,
                slice ->
                    tied(
                        Shape.of(
                            model.graph().initializer(slice.parameter()).shape().dim(slice.axis())),
                        random)));
  }

  /** A cell of a method: a run on the device. */
  private void learn(PruneOptions options, Pattern pattern, Model network) {
    PruneResult result = Pruning.run(device, network, DataSplit.of(samples(network)), options);
    PrunedMasks masks = new PrunedMasks(network, result.model().masks());
    if (options.strategy() instanceof Strategy.DenseSparseDense) {
      assertEquals(CriterionPatternTable.SPARSITY, result.learned(), 0.01, "of the sparse part");
      masks.requireSparsity(0, 0);
      return;
    }
    masks.requireZeros(result.model().graph().initializers());
    masks.requirePattern(pattern);
    long layers = result.layers().size();
    switch (pattern) {
      case Pattern.NM _, Pattern.Given _ -> {} // the sparsity follows
      case Pattern.Unstructured _ -> masks.requireSparsity(CriterionPatternTable.SPARSITY, layers);
      case Pattern.Neuron _, Pattern.Block _, Pattern.Line _ -> // solvers count blocks, cut or not
          masks.requireSparsity(
              CriterionPatternTable.SPARSITY, masks.largestPart(pattern) * layers);
    }
  }

  @Test
  void masksOfOnesOwnAreTakenAsTheyAre() {
    for (Model model : networks) {
      Map<String, Mask> masks = new HashMap<>();
      Random random = new Random(6);
      for (Layer layer : Layers.trainable(model)) {
        Mask mask = Mask.ones(layer.shape());
        for (long i = 0; i < mask.size(); i++) {
          mask.set(i, random.nextBoolean());
        }
        masks.put(layer.parameter(), mask);
      }
      Strategy.Scored how =
          new Strategy.Scored(
              new Criterion.Magnitude(1),
              new Pattern.Given(masks),
              new Allocation.Global(),
              new Schedule.OneShot());
      ScoredCell.Outcome outcome = ScoredCell.prune(device, model, how);
      assertNull(outcome.refusal());
      outcome.masks().requireEqual(masks);
      outcome.masks().requireNothingElseChanged(outcome.weights());
    }
  }

  @Test
  void gatesOfUnitsOverSeveralFiltersAreRefused() {
    PruneOptions options =
        CriterionPatternTable.options(Map.of("method", "gates"), Map.of("pattern", "neuron"));
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> learn(options, new Pattern.Neuron(), networks.getLast()));
    assertTrue(
        e.getMessage().endsWith("gates need that, so prune it by a scored criterion"),
        e.getMessage());
  }

  /** What the sealed interfaces and the recipes have, the table has. */
  @Test
  void nothingIsMissingInTheTable() {
    Set<Class<?>> seen = new HashSet<>(Set.of(Criterion.Given.class, Pattern.Given.class));
    Set<String> methods = new HashSet<>(Set.of("score"));
    Set<PruneOps.Statistic> statistics = new HashSet<>();
    Map<String, String> single = CriterionPatternTable.columns().getFirst().settings().getFirst();
    for (Line row : CriterionPatternTable.rows()) {
      for (Map<String, String> words : row.settings()) {
        methods.add(words.getOrDefault("method", "score"));
        Map<String, String> any =
            words.getOrDefault("method", "").equals("group-lasso")
                ? Map.of("pattern", "4x1")
                : single;
        Strategy strategy = CriterionPatternTable.options(words, any).strategy();
        seen.add(strategy.getClass());
        if (strategy instanceof Strategy.Scored(Criterion criterion, _, _, _)) {
          seen.add(criterion.getClass());
          if (criterion instanceof Criterion.Activation activation) {
            statistics.add(activation.statistic());
          }
        }
      }
    }
    assertEquals(Set.of(PruneOps.Statistic.values()), statistics);
    Set<Pattern.Axis> axes = new HashSet<>();
    for (Line column : CriterionPatternTable.columns()) {
      for (Map<String, String> words : column.settings()) {
        Pattern pattern = pattern(words);
        seen.add(pattern.getClass());
        if (pattern instanceof Pattern.NM nm) {
          axes.add(nm.axis());
        }
      }
    }
    for (Class<?> kind : List.of(Criterion.class, Pattern.class, Strategy.class)) {
      for (Class<?> type : kind.getPermittedSubclasses()) {
        assertTrue(seen.contains(type), type + " has no row or column");
      }
    }
    assertEquals(Set.of(Pattern.Axis.values()), axes);
    assertEquals(Set.copyOf(PruneSettings.METHODS), methods);
  }
}
