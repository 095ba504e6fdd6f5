package io.github.secateur.nn;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.MeanSquaredError;
import io.github.secateur.graph.op.SoftmaxCrossEntropy;
import io.github.secateur.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Adds a loss to a network: the graph that is differentiated and trained. */
public final class Losses {
  /** Name of the output that holds the loss, a scalar. */
  public static final String LOSS = "loss";

  /** Name of the input that holds class labels, I32 [batch]. */
  public static final String LABELS = "labels";

  /** Name of the input that holds what the output should be. */
  public static final String TARGET = "target";

  private Losses() {}

  /**
   * A copy of a classifier with an input {@link #LABELS} and an output {@link #LOSS}, the mean
   * softmax cross-entropy of its logits. The logits are the input of the Softmax that makes an
   * output, or else the first output; where only the output reads that Softmax, the loss computes
   * its probabilities too.
   *
   * @throws IllegalArgumentException when the model has no output or uses these names already
   */
  public static Model withSoftmaxCrossEntropy(Model model) {
    Model result = model.copy();
    Graph graph = result.graph();
    requireFree(graph, LABELS, LOSS);
    Optional<Node> softmax =
        graph.outputs().stream()
            .flatMap(o -> graph.producer(o.name()).stream())
            .filter(n -> n.is("Softmax"))
            .findFirst();
    String logits = softmax.map(n -> n.input(0)).orElseGet(() -> firstOutput(graph).name());
    String probabilities = graph.freshName("loss.probabilities");
    if (softmax.isPresent() && graph.consumers(softmax.get().output()).isEmpty()) {
      graph.nodes().remove(softmax.get());
      probabilities = softmax.get().output();
    }
    graph.inputs().add(ValueInfo.of(LABELS, DType.I32, batch(graph, logits)));
    add(
        result,
        Node.of(
            graph.freshName("loss"),
            SoftmaxCrossEntropy.ID,
            List.of(logits, LABELS),
            List.of(LOSS, probabilities),
            Map.of()));
    return result;
  }

  /**
   * A copy of a network with an input {@link #TARGET} of the shape of its first output and an
   * output {@link #LOSS}, the mean over all elements of (output − target)².
   *
   * @throws IllegalArgumentException when the model has no output or uses these names already
   */
  public static Model withMeanSquaredError(Model model) {
    Model result = model.copy();
    Graph graph = result.graph();
    requireFree(graph, TARGET, LOSS);
    ValueInfo output = firstOutput(graph);
    graph.inputs().add(new ValueInfo(TARGET, DType.F32, output.dims(), new byte[0]));
    add(
        result,
        Node.of(
            graph.freshName("loss"),
            MeanSquaredError.ID,
            List.of(output.name(), TARGET),
            List.of(LOSS),
            Map.of()));
    return result;
  }

  private static void add(Model model, Node loss) {
    model.graph().nodes().add(loss);
    model.graph().outputs().add(ValueInfo.of(LOSS, DType.F32));
    model.opsets().put(Node.SECATEUR, 1L);
  }

  private static ValueInfo firstOutput(Graph graph) {
    if (graph.outputs().isEmpty()) {
      throw new IllegalArgumentException("graph '" + graph.name() + "' has no output");
    }
    return graph.outputs().getFirst();
  }

  /** The batch dimension as an output or input declares it. */
  private static ValueInfo.Dim batch(Graph graph, String logits) {
    List<ValueInfo> declared = new ArrayList<>(graph.outputs());
    declared.removeIf(o -> !o.name().equals(logits));
    declared.addAll(graph.requiredInputs());
    return declared.stream()
        .filter(v -> v.dims() != null && !v.dims().isEmpty())
        .map(v -> v.dims().getFirst())
        .findFirst()
        .orElse(ValueInfo.Dim.symbol("batch"));
  }

  private static void requireFree(Graph graph, String... names) {
    for (String name : names) {
      if (!graph.freshName(name).equals(name)) {
        throw new IllegalArgumentException(
            "graph '%s' uses the name '%s' already; rename it".formatted(graph.name(), name));
      }
    }
  }
}
