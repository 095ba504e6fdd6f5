package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * What a node says by attribute in older operator sets and by constant input in newer ones.
 *
 * @param values value of an input when it is constant
 * @param shift inputs that a gradient node has before those of its forward node
 */
record Constants(Node node, IntFunction<Optional<Tensor>> values, int shift) {
  /** As a shape rule sees them. */
  static Constants of(Node node, Op.Inference inference) {
    return new Constants(
        node, i -> i < inference.count() ? inference.constant(i) : Optional.empty(), 0);
  }

  /** As a kernel sees them. */
  static Constants of(Node node, Op.Run run) {
    return new Constants(node, i -> run.constant(node.input(i)), 0);
  }

  /** The same for a gradient node, whose inputs come after others. */
  Constants shifted(int by) {
    return new Constants(node, values, by);
  }

  private Optional<Tensor> input(int input) {
    String name = node.input(input + shift);
    if (name.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        values
            .apply(input + shift)
            .orElseThrow(
                () ->
                    Check.misfit(
                        node, "'%s' is computed; only a constant is executed there", name)));
  }

  /** Whole numbers of an input, else of an attribute, else null. */
  List<Long> longs(int input, String attribute) {
    Optional<Tensor> tensor = input(input);
    if (tensor.isEmpty()) {
      return node.intsAttribute(attribute, null);
    }
    return switch (tensor.get().dtype()) {
      case I64 -> LongStream.of(tensor.get().toLongs()).boxed().toList();
      case I32 -> IntStream.of(tensor.get().toInts()).mapToObj(v -> (long) v).toList();
      default ->
          throw Check.misfit(
              node,
              "'%s' must hold whole numbers (I64 or I32), got %s",
              node.input(input + shift),
              tensor.get());
    };
  }

  /** One number of an input, else of an attribute, else a default. */
  float real(int input, String attribute, float otherwise) {
    Optional<Tensor> tensor = input(input);
    if (tensor.isEmpty()) {
      return node.realAttribute(attribute, otherwise);
    }
    if (tensor.get().dtype() != DType.F32 || tensor.get().size() != 1) {
      throw Check.misfit(
          node, "'%s' must be an F32 scalar, got %s", node.input(input + shift), tensor.get());
    }
    return tensor.get().getFloat(0);
  }
}
