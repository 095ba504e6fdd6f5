package io.github.secateur.nn;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Tensor;
import java.util.List;

/**
 * Inputs brought to mean 0 and deviation 1, by one mean and one deviation over all features: (x −
 * mean) / deviation. It becomes part of the network, which goes on reading raw inputs. Sparse
 * networks gain most: with inputs that are all positive, few weights have to undo the mean.
 *
 * @param mean of all inputs
 * @param deviation of all inputs, above 0
 */
public record Standardization(float mean, float deviation) {
  /** Checks the range. */
  public Standardization {
    if (!(deviation > 0 && Float.isFinite(deviation) && Float.isFinite(mean))) {
      throw new IllegalArgumentException(
          "inputs of mean %s and deviation %s cannot be standardized; they should be finite and differ"
              .formatted(mean, deviation));
    }
  }

  /**
   * That of training inputs.
   *
   * @param x F32 [n, features...], summed in double precision
   */
  public static Standardization of(Tensor x) {
    double sum = 0;
    for (long i = 0; i < x.size(); i++) {
      sum += x.getFloat(i);
    }
    double mean = sum / x.size();
    double squares = 0;
    for (long i = 0; i < x.size(); i++) {
      double d = x.getFloat(i) - mean;
      squares += d * d;
    }
    return new Standardization((float) mean, (float) Math.sqrt(squares / x.size()));
  }

  /** A copy of a network of one input that standardizes it first. */
  public Model before(Model network) {
    Model result = network.copy();
    Graph graph = result.graph();
    String x = graph.requiredInputs().getFirst().name();
    String centre = graph.freshName(x + ".mean");
    String scale = graph.freshName(x + ".deviation");
    String centred = graph.freshName(x + ".centred");
    String standard = graph.freshName(x + ".standard");
    for (Node node : graph.consumers(x)) {
      Node moved = node;
      for (int i = 0; i < node.inputs().size(); i++) {
        moved = node.input(i).equals(x) ? moved.withInput(i, standard) : moved;
      }
      graph.replace(node, moved);
    }
    List<Node> others = List.copyOf(graph.nodes());
    graph.nodes().clear();
    Activation.constant(graph, centre, mean);
    Activation.constant(graph, scale, deviation);
    graph.nodes().add(Node.of(centred, "Sub", List.of(x, centre), List.of(centred)));
    graph.nodes().add(Node.of(standard, "Div", List.of(centred, scale), List.of(standard)));
    graph.nodes().addAll(others);
    return result;
  }
}
