package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Shapes of a graph's values for a batch of one, as far as they can be told: by the shape rules of
 * the operators that the engine knows, from inputs whose sizes but the first are declared, and by
 * the declarations of inner values. What cannot be told is empty, never guessed.
 */
final class KnownShapes {
  private final Model model;
  private final Map<String, TensorType> types = new HashMap<>();
  private final Map<String, Tensor> constants = new HashMap<>();

  private KnownShapes(Model model) {
    this.model = model;
  }

  static KnownShapes of(Model model) {
    KnownShapes shapes = new KnownShapes(model);
    Graph graph = model.graph();
    graph.requiredInputs().forEach(shapes::declare);
    graph.values().forEach(shapes::declare);
    graph
        .initializers()
        .forEach(
            (name, tensor) -> {
              shapes.types.put(name, new TensorType(tensor.dtype(), tensor.shape()));
              shapes.constants.put(name, tensor);
            });
    graph.nodes().forEach(shapes::visit);
    return shapes;
  }

  /** The shape of a value for a batch of one. */
  Optional<Shape> of(String value) {
    return Optional.ofNullable(types.get(value)).map(TensorType::shape);
  }

  private void declare(ValueInfo info) {
    if (info.dims() == null || info.dims().isEmpty()) {
      return;
    }
    boolean fixed = info.dims().stream().skip(1).allMatch(d -> d.size() >= 0);
    if (fixed) {
      long[] dims = info.dims().stream().mapToLong(ValueInfo.Dim::size).toArray();
      dims[0] = dims[0] < 0 ? 1 : dims[0];
      types.put(
          info.name(),
          new TensorType(info.dtype() == null ? DType.F32 : info.dtype(), Shape.of(dims)));
    }
  }

  private void visit(Node node) {
    ParameterPath.constant(node).ifPresent(t -> constants.put(node.output(), t));
    Optional<Op> op = Ops.find(node);
    if (op.isEmpty()
        || node.inputs().stream().anyMatch(i -> !i.isEmpty() && !types.containsKey(i))) {
      return;
    }
    List<TensorType> outputs;
    try {
      outputs = op.get().infer(node, at(node));
    } catch (IllegalArgumentException e) {
      return; // whoever runs the graph is told; here it only stays unknown
    }
    for (int i = 0; i < Math.min(outputs.size(), node.outputs().size()); i++) {
      types.put(node.outputs().get(i), outputs.get(i));
    }
  }

  private Op.Inference at(Node node) {
    return new Op.Inference() {
      @Override
      public int count() {
        return node.inputs().size();
      }

      @Override
      public TensorType type(int input) {
        return types.get(node.input(input));
      }

      @Override
      public Optional<Tensor> constant(int input) {
        return Optional.ofNullable(constants.get(node.input(input)));
      }

      @Override
      public long opset() {
        String domain = node.domain().equals("ai.onnx") ? "" : node.domain();
        return model.opsets().getOrDefault(domain, domain.isEmpty() ? Model.OPSET : 1L);
      }
    };
  }
}
