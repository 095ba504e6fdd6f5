package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PruneOps;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.exec.ReverseMode;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * SynFlow (Tanaka et al., arXiv 2006.05467, eq. 2 and algorithm 1): |w| · ∂R/∂|w|, where
 *
 * <pre>R = 1ᵀ (Π over layers of |W_l|) 1</pre>
 *
 * is the sum of the logits for one sample of ones in a network without biases and nonlinearities:
 * each score is the weight of all paths through that weight, and every layer's scores sum to R
 * wherever all paths pass through it. Biases and the shifts and means of batch normalizations are
 * 0, its scales |γ| / √(variance + ε); dropout and nonlinearities (ReLU leaves what is positive
 * anyhow) hand on what they get. The authors' program keeps |biases|; where those are 0, as at
 * initialisation, both give the same scores.
 *
 * <p>R grows exponentially with depth. The sample and the derivative of R are scaled by one power
 * of two each, which scales all scores alike and exactly, until no score overflows and not all
 * vanish.
 *
 * <p>The weights on the device are not touched: absolute ones live in a copy of all parameters.
 * Cost: a forward and a backward pass of one sample, no data.
 */
record SynFlowScorer(WeightScorer.Source source) {
  private static final String SUM = "synflow.sum";
  private static final String ONES = "synflow.ones";
  private static final int SCALE_STEP = 32;
  private static final int LARGEST_SCALE = 96;
  private static final double SMALL = 0x1p-60;

  private static final Set<String> NONLINEARITIES =
      Set.of(
          "Relu",
          "LeakyRelu",
          "PRelu",
          "Elu",
          "Celu",
          "Selu",
          "Sigmoid",
          "HardSigmoid",
          "HardSwish",
          "Tanh",
          "Gelu",
          "Softplus",
          "Softsign",
          "Mish",
          "Clip",
          "Dropout");

  WeightScores score() {
    Model model = source.calibration().model();
    ValueInfo input = model.graph().requiredInputs().getFirst();
    Graph graph = Rewrites.without(NONLINEARITIES, model.graph());
    String logits = logits(graph);
    try (Parameters absolute = absolute(graph)) {
      long classes = size(model.withGraph(graph), logits, absolute);
      Map<String, Shape> shapes = Map.of(input.name(), input.shape(1), ONES, Shape.of(classes, 1));
      Model summed = model.withGraph(differentiated(graph, logits, classes));
      try (Executable executable =
          Executable.compile(summed, shapes, absolute, Executable.Mode.INFERENCE)) {
        return scaled(executable, input.name(), absolute);
      }
    }
  }

  /** Runs at the first power of two that fits. */
  private WeightScores scaled(Executable executable, String input, Parameters absolute) {
    int exponent = 0;
    while (true) {
      float scale = (float) StrictMath.scalb(1.0, exponent);
      device().nn().fill(scale, executable.input(input));
      device().nn().fill(scale, executable.input(ONES));
      executable.run();
      WeightScores scores =
          source.scores(
              (layer, out) ->
                  device()
                      .nn()
                      .binary(
                          NnOps.Binary.MUL,
                          absolute.get(layer.parameter()),
                          executable.output(ReverseMode.gradientName(layer.parameter())),
                          out));
      int better = Math.clamp(exponent + step(exponent, scores), -LARGEST_SCALE, LARGEST_SCALE);
      if (better == exponent) {
        return scores;
      }
      scores.close();
      exponent = better;
    }
  }

  /** How to change the scale: down where scores overflow, up where they vanish, else not. */
  private int step(int exponent, WeightScores scores) {
    double largest = 0;
    for (double total : totals(scores)) {
      if (!Double.isFinite(total)) {
        return exponent <= 0 ? -SCALE_STEP : 0;
      }
      largest = Math.max(largest, total);
    }
    return largest < SMALL && exponent >= 0 ? SCALE_STEP : 0;
  }

  private double[] totals(WeightScores scores) {
    double[] totals = new double[scores.tensors().size()];
    try (DeviceTensor total = device().empty(DType.F32, Shape.of(1))) {
      for (int i = 0; i < totals.length; i++) {
        DeviceTensor s = scores.tensors().get(i);
        device().prune().scoreUnits(PruneOps.Norm.L1, 0, s.view(Shape.of(1, s.size())), total);
        totals[i] = device().toHost(total).getFloat(0);
      }
    }
    return totals;
  }

  /** What the first output's Softmax reads, or else the first output. */
  private static String logits(Graph graph) {
    String output = graph.outputs().getFirst().name();
    for (ValueInfo other : graph.outputs()) {
      Node producer = graph.producer(other.name()).orElse(null);
      if (producer != null && (producer.is("Softmax") || producer.is("LogSoftmax"))) {
        return producer.input(0);
      }
    }
    return output;
  }

  /** Numbers that a value has for one sample. */
  private static long size(Model model, String value, Parameters parameters) {
    Graph graph = model.graph().copy();
    graph.outputs().clear();
    graph.outputs().add(new ValueInfo(value, DType.F32, null, new byte[0]));
    ValueInfo input = graph.requiredInputs().getFirst();
    try (Executable forward =
        Executable.compile(
            model.withGraph(graph),
            Map.of(input.name(), input.shape(1)),
            parameters,
            Executable.Mode.INFERENCE)) {
      return forward.output(value).size();
    }
  }

  /** R and its gradients: the sum is a product with ones that are an input. */
  private Graph differentiated(Graph network, String logits, long classes) {
    Graph graph = network.copy();
    graph.outputs().clear();
    graph
        .inputs()
        .add(ValueInfo.of(ONES, DType.F32, ValueInfo.Dim.of(classes), ValueInfo.Dim.of(1)));
    String row = SUM + ".row";
    String cell = SUM + ".cell";
    graph.initializers().put(row + ".shape", Tensor.ofLongs(Shape.of(2), 1, classes));
    graph.initializers().put(SUM + ".shape", Tensor.ofLongs(Shape.of(0)));
    graph
        .nodes()
        .addAll(
            List.of(
                Node.of(row, "Reshape", List.of(logits, row + ".shape"), List.of(row)),
                Node.of(cell, "MatMul", List.of(row, ONES), List.of(cell)),
                Node.of(SUM, "Reshape", List.of(cell, SUM + ".shape"), List.of(SUM))));
    return ReverseMode.differentiate(
        graph, SUM, source.layers().stream().map(Layer::parameter).toList());
  }

  /** |parameters|, 0 for what is added; the caller owns them. */
  private Parameters absolute(Graph graph) {
    Parameters from = source.calibration().parameters();
    Set<String> added = added(graph);
    Set<String> variances = new HashSet<>();
    graph.nodes().stream()
        .filter(node -> node.is("BatchNormalization"))
        .forEach(node -> variances.add(node.input(4)));
    Parameters absolute = Parameters.upload(device(), new Graph("absolute"));
    try {
      for (String name : from.names()) {
        DeviceTensor tensor = from.get(name);
        DeviceTensor copy = device().empty(tensor.dtype(), tensor.shape());
        absolute.add(name, copy);
        boolean isParameter = tensor.dtype() == DType.F32 && tensor.shape().rank() > 0;
        if (isParameter && added.contains(name)) {
          device().zero(copy.buffer(), 0, copy.buffer().byteSize());
        } else if (isParameter && !variances.contains(name)) {
          device().nn().unary(NnOps.Unary.ABS, 0, tensor, copy);
        } else {
          long bytes = tensor.size() * tensor.dtype().byteSize();
          device().copy(tensor.buffer(), tensor.byteOffset(), copy.buffer(), 0, bytes);
        }
      }
      return absolute;
    } catch (RuntimeException e) {
      absolute.close();
      throw e;
    }
  }

  private static Set<String> added(Graph graph) {
    Set<String> added = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (node.is("Gemm") || node.is("Conv") || node.is("ConvTranspose")) {
        added.add(node.input(2));
      } else if (node.is("Add") || node.is("Sub")) {
        added.addAll(node.inputs());
      } else if (node.is("BatchNormalization")) {
        added.add(node.input(2));
        added.add(node.input(3));
      }
    }
    return added;
  }

  private Device device() {
    return source.site().device();
  }
}
