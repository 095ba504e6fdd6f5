package io.github.secateur.train;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What training and evaluation ask of a graph: one input, and logits or a Softmax of them. */
final class Classifier {
  private Classifier() {}

  /** The graph's only input. */
  static ValueInfo input(Graph graph) {
    List<ValueInfo> inputs = graph.requiredInputs();
    if (inputs.size() != 1) {
      throw new IllegalArgumentException(
          "a classifier has one input, graph '%s' has %s"
              .formatted(graph.name(), inputs.stream().map(ValueInfo::name).toList()));
    }
    return inputs.getFirst();
  }

  /**
   * Checks that samples of any shape have as many numbers as the input takes; they are then read in
   * its shape, row-major.
   */
  static void requireFit(ValueInfo input, Samples samples) {
    Shape wanted = sample(input.shape(1));
    if (samples.features() != wanted.size()) {
      throw new IllegalArgumentException(
          "input '%s' takes %d numbers a sample %s, but %s has %d %s; use another model or data"
              .formatted(
                  input.name(),
                  wanted.size(),
                  wanted,
                  samples.name(),
                  samples.features(),
                  sample(samples.x().shape())));
    }
  }

  private static Shape sample(Shape batch) {
    return Shape.of(Arrays.stream(batch.dims()).skip(1).toArray());
  }

  /** The value that holds the logits: the first output, or what its (Log)Softmax reads. */
  static String logits(Graph graph) {
    if (graph.outputs().isEmpty()) {
      throw new IllegalArgumentException("graph '%s' has no output".formatted(graph.name()));
    }
    String output = graph.outputs().getFirst().name();
    Optional<Node> producer = graph.producer(output);
    return producer
        .filter(node -> node.is("Softmax") || node.is("LogSoftmax"))
        .filter(node -> Math.abs(node.intAttribute("axis", -1)) == 1)
        .map(node -> node.input(0))
        .orElse(output);
  }
}
