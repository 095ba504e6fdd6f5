package io.github.secateur.exec;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.Ops;
import io.github.secateur.graph.TensorType;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.Constant;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Concrete types of all values of a graph, from the concrete shapes of its inputs. */
public final class ShapeInference {
  private final Model model;
  private final Map<String, TensorType> types = new LinkedHashMap<>();
  private final Map<String, Tensor> constants = new HashMap<>();

  private ShapeInference(Model model) {
    this.model = model;
    constants.putAll(model.graph().initializers());
    constants.forEach((name, t) -> types.put(name, new TensorType(t.dtype(), t.shape())));
  }

  /**
   * Infers the types of all values.
   *
   * @param inputs shape of every required input
   * @throws IllegalArgumentException naming the input or node whose shapes do not fit, or an
   *     operator that the engine does not know
   */
  public static ShapeInference of(Model model, Map<String, Shape> inputs) {
    return of(model, inputs, Map.of(), model.graph().nodes());
  }

  /**
   * Infers the types of what some of the nodes make.
   *
   * @param further types of values that are neither inputs nor initializers
   * @param nodes in topological order
   */
  static ShapeInference of(
      Model model, Map<String, Shape> inputs, Map<String, TensorType> further, List<Node> nodes) {
    ShapeInference inference = new ShapeInference(model);
    inference.types.putAll(further);
    inference.bindInputs(inputs);
    nodes.forEach(inference::visit);
    return inference;
  }

  private void bindInputs(Map<String, Shape> shapes) {
    Graph graph = model.graph();
    Map<String, Long> symbols = new HashMap<>();
    for (ValueInfo input : graph.requiredInputs()) {
      Shape shape = shapes.get(input.name());
      if (shape == null) {
        throw new IllegalArgumentException(
            "graph '%s' needs the shape of its input '%s'".formatted(graph.name(), input.name()));
      }
      if (input.dims() != null) {
        checkDeclared(input, shape, symbols);
      }
      types.put(
          input.name(), new TensorType(input.dtype() == null ? DType.F32 : input.dtype(), shape));
    }
    for (String name : shapes.keySet()) {
      if (graph.requiredInputs().stream().noneMatch(i -> i.name().equals(name))) {
        throw new IllegalArgumentException(
            "graph '%s' has no input '%s'; its inputs are %s"
                .formatted(
                    graph.name(),
                    name,
                    graph.requiredInputs().stream().map(ValueInfo::name).toList()));
      }
    }
  }

  private static void checkDeclared(ValueInfo input, Shape shape, Map<String, Long> symbols) {
    boolean fits = input.dims().size() == shape.rank();
    for (int d = 0; fits && d < shape.rank(); d++) {
      ValueInfo.Dim dim = input.dims().get(d);
      fits = dim.size() < 0 || dim.size() == shape.dim(d);
      if (!dim.symbol().isEmpty()) {
        Long bound = symbols.putIfAbsent(dim.symbol(), shape.dim(d));
        if (bound != null && bound != shape.dim(d)) {
          throw new IllegalArgumentException(
              "input '%s' %s has size %d at axis %d, but another input has %d for '%s'"
                  .formatted(input.name(), shape, shape.dim(d), d, bound, dim.symbol()));
        }
      }
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "input '%s' is declared %s, got shape %s"
              .formatted(
                  input.name(),
                  input.dims().stream()
                      .map(d -> d.size() >= 0 ? Long.toString(d.size()) : d.symbol())
                      .toList(),
                  shape));
    }
  }

  private void visit(Node node) {
    if (node.is("Constant")) {
      constants.put(node.output(), Constant.value(node));
    }
    List<TensorType> outputs = Ops.get(node).infer(node, at(node));
    for (int i = 0; i < node.outputs().size(); i++) {
      if (i >= outputs.size()) {
        throw new IllegalArgumentException(node + " has no output " + i);
      }
      if (!node.outputs().get(i).isEmpty()) {
        types.put(node.outputs().get(i), outputs.get(i));
      }
    }
  }

  /** What the rules of a node's operator may ask. */
  Op.Inference at(Node node) {
    return new Op.Inference() {
      @Override
      public int count() {
        return node.inputs().size();
      }

      @Override
      public TensorType type(int input) {
        String name = node.input(input);
        return name.isEmpty() ? null : ShapeInference.this.type(name);
      }

      @Override
      public Optional<Tensor> constant(int input) {
        return ShapeInference.this.constant(node.input(input));
      }

      @Override
      public long opset() {
        String domain = node.domain().equals("ai.onnx") ? "" : node.domain();
        return model.opsets().getOrDefault(domain, domain.isEmpty() ? Model.OPSET : 1L);
      }
    };
  }

  /**
   * Type of a value.
   *
   * @throws IllegalArgumentException when nothing makes it
   */
  public TensorType type(String value) {
    TensorType type = types.get(value);
    if (type == null) {
      throw new IllegalArgumentException(
          "nothing in graph '%s' makes the value '%s' before it is read"
              .formatted(model.graph().name(), value));
    }
    return type;
  }

  /** Value of an initializer or of a Constant node's output. */
  public Optional<Tensor> constant(String value) {
    return Optional.ofNullable(constants.get(value));
  }
}
