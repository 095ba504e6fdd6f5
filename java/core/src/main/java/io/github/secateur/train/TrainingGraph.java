package io.github.secateur.train;

import io.github.secateur.exec.ReverseMode;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.BatchNormalization;
import io.github.secateur.nn.Losses;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A classifier with its loss and the gradients of everything that is trained, as one graph whose
 * outputs are the loss (scalar) and the gradients.
 *
 * @param model loss and gradient nodes added
 * @param loss name of the loss
 * @param input name of the model's input
 * @param labels name of the input for the labels, I32 [batch]
 * @param trained parameters that have a gradient, in the graph's order
 */
record TrainingGraph(
    Model model, String loss, ValueInfo input, String labels, Set<String> trained) {

  /** Adds the mean softmax cross-entropy and its gradients. */
  static TrainingGraph of(Model model, TrainOptions options) {
    Model withLoss = Losses.withSoftmaxCrossEntropy(model);
    Graph graph = withLoss.graph().copy();
    if (options.sparse() != SparseMode.OFF) {
      MaskedLayers.replace(graph);
    }
    graph.outputs().clear();
    graph.outputs().add(ValueInfo.of(Losses.LOSS, DType.F32));
    Set<String> trained = trained(graph, options);
    if (trained.isEmpty()) {
      throw new IllegalArgumentException(
          "graph '%s' has no parameter to train: none that the loss depends on, or all frozen"
              .formatted(graph.name()));
    }
    return new TrainingGraph(
        withLoss.withGraph(ReverseMode.differentiate(graph, Losses.LOSS, trained)),
        Losses.LOSS,
        Classifier.input(model.graph()),
        Losses.LABELS,
        trained);
  }

  /**
   * F32 initializers of one or more dimensions that the loss depends on (scalars are constants,
   * such as a dropout ratio), save running statistics, which move by themselves, and those that a
   * rule freezes.
   */
  private static Set<String> trained(Graph graph, TrainOptions options) {
    Set<String> reached = reachedFrom(Losses.LOSS, graph);
    Set<String> statistics = BatchNormalization.runningStatistics(graph);
    Set<String> trained = new LinkedHashSet<>();
    graph
        .initializers()
        .forEach(
            (name, tensor) -> {
              if (reached.contains(name)
                  && isParameter(tensor)
                  && !statistics.contains(name)
                  && OptimizerStep.ruleOf(options, name).rateFactor() != 0) {
                trained.add(name);
              }
            });
    return trained;
  }

  private static boolean isParameter(Tensor tensor) {
    return tensor.dtype() == DType.F32 && tensor.shape().rank() > 0;
  }

  private static Set<String> reachedFrom(String value, Graph graph) {
    Set<String> reached = new HashSet<>();
    Deque<String> pending = new ArrayDeque<>(Set.of(value));
    while (!pending.isEmpty()) {
      String next = pending.pop();
      if (!next.isEmpty() && reached.add(next)) {
        graph.producer(next).map(Node::inputs).ifPresent(pending::addAll);
      }
    }
    return reached;
  }
}
