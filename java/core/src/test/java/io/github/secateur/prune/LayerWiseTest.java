package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.solver.Hessian;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layer-wise pruning of small networks from end to end; also run on the simulated CUDA device. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public class LayerWiseTest {
  private static final Allocation PER_LAYER = new Allocation.PerLayer();
  private static final Pattern WEIGHTS = new Pattern.Unstructured();

  private Device device;
  private DataSplit data;
  private Model dense;

  /** The device under test. */
  protected Device open() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }

  @BeforeAll
  void trainDense() {
    device = open();
    data = DataSplit.of(correlated(300, 1));
    dense =
        new Trainer(device, Networks.parse("mlp:24-32-16-4", 3), data, options(3), List.of())
            .run()
            .model();
  }

  @AfterAll
  void closeDevice() {
    assertEquals(0, device.liveBuffers());
    device.close();
  }

  @ParameterizedTest
  @EnumSource(Strategy.Solver.class)
  void outputsStayNearerThanByMagnitudeWithoutFineTuning(Strategy.Solver solver) {
    for (double sparsity : new double[] {0.5, 0.8, 0.9}) {
      Strategy magnitude =
          new Strategy.Scored(
              new Criterion.Magnitude(1), WEIGHTS, PER_LAYER, new Schedule.OneShot());
      double before = outputError(prune(magnitude, sparsity).model());
      double after = outputError(prune(how(solver, WEIGHTS, PER_LAYER), sparsity).model());
      assertTrue(after < 0.7 * before, solver + " " + sparsity + ": " + after + " of " + before);
    }
  }

  @ParameterizedTest
  @EnumSource(Strategy.Solver.class)
  void everyLayerLosesExactlyItsShare(Strategy.Solver solver) {
    PruneResult result = prune(how(solver, WEIGHTS, PER_LAYER), 0.73);
    for (LayerSparsity layer : result.layers()) {
      assertEquals(Quotas.count(0.73, layer.shape().size()), layer.pruned());
    }
    assertPlusZero(result.model());
    assertEquals(0.73, result.requested());
    assertTrue(result.history().isEmpty());
    assertFalse(dense.masks().containsKey(result.layers().getFirst().parameter()));
  }

  @ParameterizedTest
  @EnumSource(Strategy.Solver.class)
  void ratiosDecideForThemselves(Strategy.Solver solver) {
    List<Layer> layers = Layers.trainable(dense);
    String second = layers.get(1).name();
    PruneResult result = prune(how(solver, WEIGHTS, new Allocation.Ratios(Map.of(second, 0.5))), 0);
    assertEquals(0, result.layers().get(0).pruned());
    assertEquals(256, result.layers().get(1).pruned());
    assertEquals(result.reached(), result.requested());
    Tensor untouched = dense.graph().initializer(layers.get(0).parameter());
    assertTrue(untouched.bitEquals(result.model().graph().initializer(layers.get(0).parameter())));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void otherAllocationsAndLimitsHold(boolean lamp) {
    String last = Layers.trainable(dense).getLast().name();
    Limits limits = new Limits(1, Map.of(last, 0.25), 0, Set.of(), Set.of());
    Allocation allocation = lamp ? new Allocation.Lamp() : new Allocation.Erk();
    PruneResult result =
        Pruning.run(
            device,
            dense,
            data,
            new PruneOptions(how(Strategy.Solver.SPARSEGPT, WEIGHTS, allocation), 0.7, none())
                .with(limits));
    long pruned = result.layers().stream().mapToLong(LayerSparsity::pruned).sum();
    assertEquals(Quotas.count(0.7, 24 * 32 + 32 * 16 + 16 * 4), pruned);
    assertTrue(result.layers().getLast().pruned() <= 16);
  }

  @ParameterizedTest
  @EnumSource(Strategy.Solver.class)
  void nOfMInputsStayWhicheverWayWeightsAreStored(Strategy.Solver solver) {
    Model model = mixed();
    Pattern pattern = new Pattern.NM(2, 4, Pattern.Axis.INPUT, false);
    PruneResult result =
        Pruning.run(
            device, model, data, new PruneOptions(how(solver, pattern, PER_LAYER), 0, none()));
    assertEquals(0.5, result.reached());
    assertEquals(0.5, result.requested());
    Mask stored = result.model().masks().get("w1"); // [24 inputs, 8 outputs]
    for (int out = 0; out < 8; out++) {
      for (int group = 0; group < 6; group++) {
        int kept = 0;
        for (int i = 0; i < 4; i++) {
          kept += stored.kept((group * 4L + i) * 8 + out) ? 1 : 0;
        }
        assertEquals(2, kept);
      }
    }
    assertPlusZero(result.model());
  }

  @ParameterizedTest
  @EnumSource(Strategy.Solver.class)
  void blocksGoWhole(Strategy.Solver solver) {
    PruneResult result = prune(how(solver, new Pattern.Block(4, 1), PER_LAYER), 0.5);
    for (LayerSparsity layer : result.layers()) {
      assertEquals(0.5, layer.sparsity());
      Mask mask = result.model().masks().get(layer.parameter());
      long inputs = layer.shape().dim(1);
      for (long i = 0; i < mask.size(); i++) {
        assertEquals(mask.kept(i / inputs / 4 * 4 * inputs + i % inputs), mask.kept(i));
      }
    }
  }

  @Test
  void fineTuningKeepsTheMasks() {
    PruneOptions options =
        new PruneOptions(how(Strategy.Solver.SPARSEGPT, WEIGHTS, PER_LAYER), 0.8, options(2));
    PruneResult tuned = Pruning.run(device, dense, data, options);
    PruneResult plain = prune(how(Strategy.Solver.SPARSEGPT, WEIGHTS, PER_LAYER), 0.8);
    assertEquals(2, tuned.history().size());
    plain
        .model()
        .masks()
        .forEach((name, mask) -> assertTrue(mask.bitEquals(tuned.model().masks().get(name))));
    assertPlusZero(tuned.model());
  }

  @Test
  void whatWasPrunedStaysPrunedAndFrozenLayersStayAsTheyAre() {
    PruneResult first = prune(how(Strategy.Solver.OBC, WEIGHTS, PER_LAYER), 0.5);
    String frozen = first.layers().get(1).layer();
    Limits limits = new Limits(1, Map.of(), 0, Set.of(), Set.of(frozen));
    PruneResult second =
        Pruning.run(
            device,
            first.model(),
            data,
            new PruneOptions(how(Strategy.Solver.OBC, WEIGHTS, PER_LAYER), 0.8, none())
                .with(limits));
    first
        .model()
        .masks()
        .forEach(
            (name, mask) -> {
              Mask now = second.model().masks().get(name);
              for (long i = 0; i < mask.size(); i++) {
                assertFalse(now.kept(i) && !mask.kept(i));
              }
            });
    String weight = first.layers().get(1).parameter();
    assertTrue(
        first
            .model()
            .graph()
            .initializer(weight)
            .bitEquals(second.model().graph().initializer(weight)));
  }

  @ParameterizedTest
  @EnumSource(Strategy.Solver.class)
  void runsRepeat(Strategy.Solver solver) {
    Strategy strategy = how(solver, WEIGHTS, PER_LAYER);
    assertEquals(
        Checkpoint.weightsHash(prune(strategy, 0.7).model()),
        Checkpoint.weightsHash(prune(strategy, 0.7).model()));
  }

  @Test
  void hessiansAreTheProductsOfWhatEachLayerReads() {
    Model model = mixed();
    try (Parameters parameters = Parameters.upload(device, model.graph())) {
      List<Layer> layers = Layers.trainable(model);
      Samples samples = correlated(707, 5); // a full batch and a part
      InputProducts products = new InputProducts(model, parameters, samples);
      double[][] x = rows(samples.x().toFloats(), 707, 24);
      requireGram(x, 600, products.of(layers.get(0), 600).getFirst());
      requireGram(
          relu(times(x, model.graph().initializer("w1"), 8)),
          707,
          products.of(layers.get(1), 9999).getFirst());
    }
  }

  /** Groups, strides, dilations and uneven pads, against loops over the places of the window. */
  @Test
  void hessiansOfConvolutionsCountEveryPlaceOfTheWindow() {
    Graph graph = new Graph("conv");
    ValueInfo.Dim batch = ValueInfo.Dim.symbol("batch");
    ValueInfo.Dim[] image = {batch, ValueInfo.Dim.of(4), ValueInfo.Dim.of(6), ValueInfo.Dim.of(7)};
    graph.inputs().add(ValueInfo.of("x", DType.F32, image));
    graph.outputs().add(new ValueInfo("y", DType.F32, null, new byte[0]));
    graph.initializers().put("w", random(new SplittableRandom(8), 6, 2, 3, 2));
    graph
        .nodes()
        .add(
            Node.of("conv", "Conv", List.of("x", "w"), List.of("y"))
                .with("group", new Attribute.Int(2))
                .with("strides", new Attribute.Ints(List.of(2L, 1L)))
                .with("dilations", new Attribute.Ints(List.of(1L, 2L)))
                .with("pads", new Attribute.Ints(List.of(1L, 0L, 0L, 1L))));
    Model model = new Model(graph);
    int count = 11;
    Tensor x = random(new SplittableRandom(9), count, 4, 6, 7);
    Samples samples = new Samples(x, Tensor.ofInts(Shape.of(count), new int[count]), 1, "", "");
    try (Parameters parameters = Parameters.upload(device, graph)) {
      List<Hessian> hessians =
          new InputProducts(model, parameters, samples).of(Layers.trainable(model).getFirst(), 99);
      assertEquals(2, hessians.size());
      for (int group = 0; group < 2; group++) {
        double[][] columns = columns(x, count, group);
        requireGram(columns, columns.length, hessians.get(group));
      }
    }
  }

  /** Rows: sample and place of the output [3, 6]; columns: channel and place of the window. */
  private static double[][] columns(Tensor x, int count, int group) {
    double[][] rows = new double[count * 3 * 6][2 * 3 * 2];
    for (int r = 0; r < rows.length; r++) {
      for (int c = 0; c < 12; c++) {
        int row = r / 6 % 3 * 2 - 1 + c / 2 % 3;
        int column = r % 6 + c % 2 * 2;
        long plane = (long) r / 18 * 4 + group * 2L + c / 6;
        boolean inside = row >= 0 && row < 6 && column < 7;
        rows[r][c] = inside ? x.getFloat((plane * 6 + row) * 7 + column) : 0;
      }
    }
    return rows;
  }

  @ParameterizedTest
  @EnumSource(Strategy.Solver.class)
  void convolutionsLoseExactlyTheirShareAndTheUpdateHelps(Strategy.Solver solver) {
    Graph graph = new Graph("conv");
    ValueInfo.Dim batch = ValueInfo.Dim.symbol("batch");
    ValueInfo.Dim[] image = {batch, ValueInfo.Dim.of(4), ValueInfo.Dim.of(2), ValueInfo.Dim.of(3)};
    graph.inputs().add(ValueInfo.of("x", DType.F32, image));
    graph.outputs().add(ValueInfo.of("y", DType.F32, batch, ValueInfo.Dim.of(36)));
    graph.initializers().put("w", random(new SplittableRandom(8), 6, 2, 2, 2));
    graph
        .nodes()
        .add(
            Node.of("conv", "Conv", List.of("x", "w"), List.of("c"))
                .with("group", new Attribute.Int(2))
                .with("pads", new Attribute.Ints(List.of(0L, 0L, 1L, 1L))));
    graph.nodes().add(Node.of("flat", "Flatten", List.of("c"), List.of("y")));
    Model model = new Model(graph);
    Samples flat = data.train();
    Tensor x = flat.x().reshape(Shape.of(300, 4, 2, 3));
    DataSplit images = DataSplit.of(new Samples(x, flat.labels(), flat.classes(), "", "images"));
    PruneResult result =
        Pruning.run(
            device, model, images, new PruneOptions(how(solver, WEIGHTS, PER_LAYER), 0.7, none()));
    assertEquals(Quotas.count(0.7, 48), result.layers().getFirst().pruned());
    Model masked = model.copy();
    Tensor weight = graph.initializer("w").copy();
    for (long i = 0; i < weight.size(); i++) {
      weight.setFloat(i, result.model().masks().get("w").kept(i) ? weight.getFloat(i) : 0);
    }
    masked.graph().initializers().put("w", weight);
    double updated = difference(model, result.model(), x);
    double plain = difference(model, masked, x);
    assertTrue(updated < plain, updated + " of " + plain);
  }

  @Test
  void whatDoesNotFitIsRefusedInOneSentence() {
    refused("per layer, erk, lamp", how(Strategy.Solver.OBC, WEIGHTS, new Allocation.Global()));
    refused(
        "axis input",
        how(Strategy.Solver.OBC, new Pattern.NM(2, 4, Pattern.Axis.OUTPUT, false), PER_LAYER));
    refused(
        "single weights, N:M or blocks",
        how(Strategy.Solver.SPARSEGPT, new Pattern.Neuron(), PER_LAYER));
    Model nan = dense.copy();
    Layer layer = Layers.trainable(nan).get(1);
    Tensor weight = nan.graph().initializer(layer.parameter()).copy();
    weight.setFloat(37, Float.NaN);
    nan.graph().initializers().put(layer.parameter(), weight);
    PruneOptions options =
        new PruneOptions(how(Strategy.Solver.OBC, WEIGHTS, PER_LAYER), 0.5, none());
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Pruning.run(device, nan, data, options));
    assertTrue(e.getMessage().contains("'" + layer.parameter() + "'"), e.getMessage());
    assertTrue(e.getMessage().contains("index 37"), e.getMessage());
  }

  private void refused(String words, Strategy strategy) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> prune(strategy, 0.5));
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  private static Strategy how(Strategy.Solver solver, Pattern pattern, Allocation allocation) {
    return new Strategy.LayerWise(solver, pattern, allocation, 200, 0.01);
  }

  private PruneResult prune(Strategy strategy, double sparsity) {
    return Pruning.run(device, dense, data, new PruneOptions(strategy, sparsity, none()));
  }

  private static TrainOptions options(int epochs) {
    return new TrainOptions(
        epochs,
        20,
        io.github.secateur.train.Optimizer.Adam.defaults(),
        new io.github.secateur.train.LearningRate.Cosine(5e-3f),
        11,
        0,
        List.of());
  }

  private static TrainOptions none() {
    return options(0);
  }

  /** Mean square by which the outputs over the samples differ from the dense network's. */
  private double outputError(Model model) {
    return difference(dense, model, data.train().x());
  }

  private double difference(Model a, Model b, Tensor x) {
    float[] before = Evaluator.predict(device, a, x).toFloats();
    float[] after = Evaluator.predict(device, b, x).toFloats();
    double sum = 0;
    for (int i = 0; i < before.length; i++) {
      sum += ((double) after[i] - before[i]) * (after[i] - before[i]);
    }
    return sum / before.length;
  }

  private static void assertPlusZero(Model model) {
    model
        .masks()
        .forEach(
            (name, mask) -> {
              Tensor weight = model.graph().initializer(name);
              for (long i = 0; i < mask.size(); i++) {
                assertTrue(mask.kept(i) || Float.floatToRawIntBits(weight.getFloat(i)) == 0, name);
              }
            });
  }

  /** Four classes in 24 dimensions, neighbours alike. */
  private static Samples correlated(int n, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] x = new float[n * 24];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 4;
      double state = 0;
      for (int j = 0; j < 24; j++) {
        state = 0.8 * state + 0.6 * random.nextGaussian();
        x[i * 24 + j] = (float) (state + (j / 6 == labels[i] ? 1.5 : 0));
      }
    }
    return new Samples(
        Tensor.of(Shape.of(n, 24), x), Tensor.ofInts(Shape.of(n), labels), 4, "", "correlated");
  }

  /** MatMul by [24, 8], Relu, Gemm by [4, 8] transposed. */
  private static Model mixed() {
    Graph graph = new Graph("mixed");
    ValueInfo.Dim batch = ValueInfo.Dim.symbol("batch");
    graph.inputs().add(ValueInfo.of("x", DType.F32, batch, ValueInfo.Dim.of(24)));
    graph.outputs().add(ValueInfo.of("y", DType.F32, batch, ValueInfo.Dim.of(4)));
    SplittableRandom random = new SplittableRandom(4);
    graph.initializers().put("w1", random(random, 24, 8));
    graph.initializers().put("w2", random(random, 4, 8));
    graph.nodes().add(Node.of("first", "MatMul", List.of("x", "w1"), List.of("h")));
    graph.nodes().add(Node.of("relu", "Relu", List.of("h"), List.of("r")));
    graph
        .nodes()
        .add(
            Node.of("second", "Gemm", List.of("r", "w2"), List.of("y"))
                .with("transB", new Attribute.Int(1)));
    return new Model(graph);
  }

  private static Tensor random(SplittableRandom random, long... dims) {
    Tensor tensor = Tensor.zeros(DType.F32, Shape.of(dims));
    for (long i = 0; i < tensor.size(); i++) {
      tensor.setFloat(i, (float) random.nextGaussian());
    }
    return tensor;
  }

  private static double[][] rows(float[] flat, int count, int width) {
    double[][] rows = new double[count][width];
    for (int i = 0; i < flat.length; i++) {
      rows[i / width][i % width] = flat[i];
    }
    return rows;
  }

  private static double[][] times(double[][] x, Tensor w, int out) {
    double[][] y = new double[x.length][out];
    for (int r = 0; r < x.length; r++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < x[r].length; i++) {
          y[r][o] += x[r][i] * w.getFloat((long) i * out + o);
        }
      }
    }
    return y;
  }

  private static double[][] relu(double[][] x) {
    for (double[] row : x) {
      for (int i = 0; i < row.length; i++) {
        row[i] = Math.max(0, row[i]);
      }
    }
    return x;
  }

  /** A Hessian tells its elements by the error of a change: e H eᵀ for one or two ones. */
  private static void requireGram(double[][] x, int count, Hessian hessian) {
    int n = hessian.inputs();
    float[] zero = new float[n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        float[] change = new float[n];
        change[i] = 1;
        change[j] = 1;
        double expected = 0;
        double scale = 0;
        for (int r = 0; r < count; r++) {
          double sum = i == j ? x[r][i] : x[r][i] + x[r][j];
          expected += sum * sum;
          scale += x[r][i] * x[r][i] + x[r][j] * x[r][j];
        }
        assertEquals(expected, hessian.error(zero, change), 1e-5 * scale + 1e-6);
      }
    }
  }
}
