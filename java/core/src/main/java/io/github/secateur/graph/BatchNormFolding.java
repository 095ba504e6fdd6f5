package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Makes each BatchNormalization that directly follows a Conv or Gemm part of that layer, for
 * inference: with f = scale / √(variance + ε), W' = f · W for each output and b' = (b − mean) · f +
 * shift. Zeros of W stay zeros, so its mask holds; a mask of b goes where b' needs what it pruned.
 * The layer takes its norm's output as its own.
 *
 * <p>A norm stays where another node reads the layer's result too, or its weight, or where weight,
 * bias or statistics are computed or not F32. The graph can no longer be trained as it was.
 */
public final class BatchNormFolding {
  private BatchNormFolding() {}

  /** A copy of the model with as many norms folded as can be. */
  public static Model fold(Model model) {
    Model result = model.copy();
    Graph graph = result.graph();
    for (Node norm : List.copyOf(graph.nodes())) {
      if (norm.is("BatchNormalization")
          && norm.outputs().stream().filter(o -> !o.isEmpty()).count() == 1) {
        graph
            .producer(norm.input(0))
            .filter(layer -> folds(graph, layer, norm))
            .ifPresent(layer -> fold(result, layer, norm));
      }
    }
    return result;
  }

  private static boolean folds(Graph graph, Node layer, Node norm) {
    boolean gemm =
        layer.is("Gemm")
            && layer.realAttribute("alpha", 1) == 1
            && layer.realAttribute("beta", 1) == 1;
    if (!gemm && !layer.is("Conv")) {
      return false;
    }
    List<String> constants = new ArrayList<>(norm.inputs().subList(1, 5));
    constants.add(layer.input(1));
    if (!layer.input(2).isEmpty()) {
      constants.add(layer.input(2));
    }
    return constants.stream().allMatch(c -> isF32(graph, c))
        && readers(graph, layer.output()) == 1
        && readers(graph, layer.input(1)) == 1
        && graph.initializer(norm.input(1)).size() == outputs(graph, layer)
        && (layer.input(2).isEmpty()
            || graph.initializer(layer.input(2)).shape().equals(Shape.of(outputs(graph, layer))));
  }

  private static boolean isF32(Graph graph, String value) {
    Tensor tensor = graph.initializers().get(value);
    return tensor != null && tensor.dtype() == DType.F32;
  }

  /** Reads of a value by nodes, their subgraphs, and as a graph output. */
  private static long readers(Graph graph, String value) {
    long bodies = 0;
    for (Node node : graph.nodes()) {
      for (Attribute attribute : node.attributes().values()) {
        bodies += attribute instanceof Attribute.Subgraph s ? readers(s.value(), value) : 0;
      }
    }
    return bodies
        + graph.nodes().stream().flatMap(n -> n.inputs().stream()).filter(value::equals).count()
        + graph.outputs().stream().filter(o -> o.name().equals(value)).count();
  }

  /** Whether outputs are the first axis of a layer's weight. */
  private static boolean outputsFirst(Node layer) {
    return layer.is("Conv") || layer.intAttribute("transB", 0) != 0;
  }

  private static long outputs(Graph graph, Node layer) {
    return graph.initializer(layer.input(1)).shape().dim(outputsFirst(layer) ? 0 : 1);
  }

  private static void fold(Model model, Node layer, Node norm) {
    Graph graph = model.graph();
    Tensor weight = graph.initializer(layer.input(1)).copy();
    Tensor scale = graph.initializer(norm.input(1));
    Tensor shift = graph.initializer(norm.input(2));
    Tensor mean = graph.initializer(norm.input(3));
    Tensor variance = graph.initializer(norm.input(4));
    double epsilon = norm.realAttribute("epsilon", 1e-5f);
    long outputs = scale.size();
    long inputs = weight.size() / outputs;
    Tensor bias = Tensor.zeros(DType.F32, Shape.of(outputs));
    for (long o = 0; o < outputs; o++) {
      double factor = scale.getFloat(o) / Math.sqrt(variance.getFloat(o) + epsilon);
      for (long i = 0; i < inputs; i++) {
        long at = outputsFirst(layer) ? o * inputs + i : i * outputs + o;
        // A pruned weight stays +0 under a negative factor.
        float w = weight.getFloat(at);
        weight.setFloat(at, w == 0 ? 0 : (float) (w * factor));
      }
      double b = layer.input(2).isEmpty() ? 0 : graph.initializer(layer.input(2)).getFloat(o);
      bias.setFloat(o, (float) ((b - mean.getFloat(o)) * factor + shift.getFloat(o)));
    }
    String name =
        layer.input(2).isEmpty() || readers(graph, layer.input(2)) > 1
            ? graph.freshName(layer.input(1) + ".folded-bias")
            : layer.input(2);
    graph.initializers().put(layer.input(1), weight);
    graph.initializers().put(name, bias);
    if (graph.inputs().stream().anyMatch(i -> i.name().equals(layer.input(1)))
        && !name.equals(layer.input(2))) {
      graph.inputs().add(ValueInfo.of(name, DType.F32, ValueInfo.Dim.of(outputs)));
    }
    model.masks().computeIfPresent(name, (n, mask) -> holds(mask, bias) ? mask : null);
    graph.replace(
        layer,
        Node.of(
            layer.name(),
            layer.op(),
            List.of(layer.input(0), layer.input(1), name),
            List.of(norm.output()),
            layer.attributes()));
    graph.nodes().remove(norm);
    graph.values().removeIf(v -> v.name().equals(layer.output()));
    for (String input : norm.inputs().subList(1, 5)) {
      if (readers(graph, input) == 0) {
        graph.initializers().remove(input);
        model.masks().remove(input);
        graph.inputs().removeIf(i -> i.name().equals(input));
      }
    }
  }

  /** Whether a folded bias is still 0 wherever it was pruned. */
  private static boolean holds(Mask mask, Tensor bias) {
    return LongStream.range(0, bias.size()).allMatch(i -> mask.kept(i) || bias.getFloat(i) == 0);
  }
}
