package io.github.secateur.graph;

import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tells which weights of a model may be pruned: the weights of Gemm, MatMul, Conv, ConvTranspose,
 * LSTM, GRU and RNN, in the main graph and in subgraphs, whether initializers or Constant nodes,
 * also when transposed, cast or dequantized on the way. Biases, norm parameters and embeddings are
 * left, and so is a weight that doubles as an embedding. Needs no shapes but those of the weights.
 */
public final class Prunables {
  private Prunables() {}

  /**
   * A floating-point weight that is left as it is.
   *
   * @param parameter its path
   * @param shape its shape
   * @param reason what it is, or why it cannot be pruned
   */
  public record Left(String parameter, Shape shape, String reason) {}

  /** Axes of an operand that count output and input units. */
  private record Axes(int out, int in) {}

  /** The prunable weights, each once, in the order of the nodes that use them. */
  public static List<Prunable> find(Model model) {
    return find(new Operands(model));
  }

  private static List<Prunable> find(Operands operands) {
    Map<String, Prunable> found = new LinkedHashMap<>();
    List<String> embeddings =
        operands.uses().stream()
            .filter(u -> isEmbedding(u))
            .map(u -> u.source().parameter())
            .toList();
    for (Operands.Use use : operands.uses()) {
      String parameter = use.source().parameter();
      if (!embeddings.contains(parameter)) {
        axes(operands, use).ifPresent(a -> found.putIfAbsent(parameter, prunable(use, a)));
      }
    }
    return List.copyOf(found.values());
  }

  private static Prunable prunable(Operands.Use use, Axes axes) {
    Operands.Source source = use.source();
    return new Prunable(
        source.parameter(),
        use.layer(),
        use.node().opType(),
        source.tensor().dtype(),
        source.tensor().shape(),
        source.axes()[axes.out()],
        source.axes()[axes.in()]);
  }

  /** The axes of an operand that is a weight. */
  private static Optional<Axes> axes(Operands operands, Operands.Use use) {
    Node node = use.node();
    int rank = use.source().axes().length;
    int input = use.input();
    if (node.is("Gemm") && input < 2 && rank == 2) {
      boolean left = input == 0;
      if (left && isParameter(operands, node, 1)) {
        return Optional.empty();
      }
      boolean stored = left == (node.intAttribute(left ? "transA" : "transB", 0) == 0);
      return Optional.of(stored ? new Axes(0, 1) : new Axes(1, 0));
    }
    if (node.is("MatMul") && input < 2 && rank == 2) {
      boolean left = input == 0;
      if (left && isParameter(operands, node, 1)) {
        return Optional.empty();
      }
      return Optional.of(left ? new Axes(0, 1) : new Axes(1, 0));
    }
    if (node.is("Conv") && input == 1 && rank >= 3) {
      return Optional.of(new Axes(0, 1));
    }
    if (node.is("ConvTranspose") && input == 1 && rank >= 3) {
      return Optional.of(new Axes(1, 0));
    }
    if (isRecurrent(node) && (input == 1 || input == 2) && rank == 3) {
      return Optional.of(new Axes(1, 2));
    }
    return Optional.empty();
  }

  private static boolean isParameter(Operands operands, Node node, int input) {
    return operands.uses().stream()
        .anyMatch(u -> u.input() == input && u.node().outputs().equals(node.outputs()));
  }

  private static boolean isRecurrent(Node node) {
    return node.is("LSTM") || node.is("GRU") || node.is("RNN");
  }

  private static boolean isEmbedding(Operands.Use use) {
    return use.node().is("Gather") && use.input() == 0 && use.source().axes().length > 1;
  }

  /** The floating-point weights that {@link #find} does not list, scalars left out. */
  public static List<Left> left(Model model) {
    Operands operands = new Operands(model);
    List<String> taken = find(operands).stream().map(Prunable::parameter).toList();
    List<Left> left = new ArrayList<>();
    operands
        .parameters()
        .forEach(
            (parameter, tensor) -> {
              if (tensor.dtype().isFloating() && tensor.size() > 1 && !taken.contains(parameter)) {
                left.add(new Left(parameter, tensor.shape(), reason(operands, parameter)));
              }
            });
    return left;
  }

  private static String reason(Operands operands, String parameter) {
    List<Operands.Use> uses =
        operands.uses().stream().filter(u -> u.source().parameter().equals(parameter)).toList();
    Optional<Operands.Use> embedding = uses.stream().filter(Prunables::isEmbedding).findFirst();
    if (embedding.isPresent()) {
      return "embedding read by " + embedding.get().node();
    }
    return uses.stream().findFirst().map(Prunables::reason).orElse("no node reads it directly");
  }

  private static String reason(Operands.Use use) {
    Node node = use.node();
    boolean layer =
        node.is("Gemm") || node.is("Conv") || node.is("ConvTranspose") || isRecurrent(node);
    if (layer && use.input() >= 2) {
      return "bias or state of " + node;
    }
    if (node.opType().endsWith("Normalization")) {
      return "norm parameter of " + node;
    }
    if (node.is("Add") && use.source().axes().length == 1) {
      return "bias added by " + node;
    }
    if (node.is("MatMul") || layer) {
      return "operand of rank " + use.source().axes().length + " of " + node;
    }
    return "operand of " + node + ", which is not pruned";
  }
}
