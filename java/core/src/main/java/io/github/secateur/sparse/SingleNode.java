package io.github.secateur.sparse;

import io.github.secateur.exec.ShapeInference;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.TensorType;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.stream.LongStream;

/** One node of a model cut out to be timed alone. */
final class SingleNode {
  private SingleNode() {}

  /** A model of one product: its first input is the graph's input, as large as at this batch. */
  static Model model(Model whole, Node node, long batch) {
    ShapeInference types = ShapeInference.of(whole, Bound.inputShapes(whole, batch));
    Graph graph = new Graph(node.name());
    graph.inputs().add(declared(node.input(0), types.type(node.input(0))));
    for (String input : node.inputs().subList(1, node.inputs().size())) {
      Tensor tensor = whole.graph().initializers().get(input);
      if (tensor != null) {
        graph.initializers().put(input, tensor);
      }
    }
    graph.nodes().add(node);
    graph.outputs().add(declared(node.output(), types.type(node.output())));
    Model model = new Model(graph);
    model.opsets().putAll(whole.opsets());
    model.opsets().putIfAbsent(Node.SECATEUR, 1L);
    return model;
  }

  private static ValueInfo declared(String name, TensorType type) {
    Shape shape = type.shape();
    return ValueInfo.of(
        name,
        type.dtype(),
        LongStream.of(shape.dims()).mapToObj(ValueInfo.Dim::of).toArray(ValueInfo.Dim[]::new));
  }
}
