package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A layer without its weights.
 *
 * @param out its outputs
 * @param in its inputs
 * @param transposed whether its weight is stored [in, out]
 * @param bias whether it has one
 * @param activation the node that follows it, or null
 */
record LayerShape(long out, long in, boolean transposed, boolean bias, Node activation) {
  /** A product alone, its weight stored [out, in]. */
  static LayerShape product(long out, long in) {
    return new LayerShape(out, in, false, false, null);
  }

  static LayerShape of(SparseLayer layer) {
    Node last = layer.tail().isEmpty() ? null : layer.tail().getLast();
    boolean activated = last != null && Fusion.activation(last).isPresent();
    boolean bias = !layer.sparse().input(2).isEmpty() || layer.tail().size() > (activated ? 1 : 0);
    WeightPattern p = layer.pattern();
    return new LayerShape(p.out(), p.in(), layer.transposed(), bias, activated ? last : null);
  }

  /** As it is named among measured times. */
  String key() {
    return "%dx%d%s%s%s"
        .formatted(
            out,
            in,
            transposed ? " input-major" : "",
            bias ? " bias" : "",
            activation == null ? "" : " " + Fusion.activation(activation).orElseThrow());
  }

  /** [out, in], however it is stored. */
  Shape weight() {
    return Shape.of(out, in);
  }

  /**
   * A model of this layer alone.
   *
   * @param weight [out, in]
   */
  Model model(long rows, Tensor weight) {
    Graph graph = new Graph("layer");
    graph.inputs().add(ValueInfo.of("x", DType.F32, dims(rows, in)));
    graph.initializers().put("w", transposed ? RandomWeights.transpose(weight) : weight);
    List<String> inputs = List.of("x", "w");
    if (bias) {
      graph.initializers().put("b", Tensor.zeros(DType.F32, Shape.of(out)));
      inputs = List.of("x", "w", "b");
    }
    Map<String, Attribute> stored = Map.of("transB", new Attribute.Int(transposed ? 0 : 1));
    graph.nodes().add(Node.of("product", OpId.onnx("Gemm"), inputs, List.of("p"), stored));
    String last = "p";
    if (activation != null) {
      last = "y";
      graph
          .nodes()
          .add(
              Node.of(
                  "activation",
                  activation.op(),
                  List.of("p"),
                  List.of(last),
                  activation.attributes()));
    }
    graph.outputs().add(ValueInfo.of(last, DType.F32, dims(rows, out)));
    return new Model(graph);
  }

  /** The kind of pattern that a weight has: blocks or N:M that waste hardly anything, else none. */
  static SparseFormat kind(WeightPattern pattern) {
    SparseFormat kind = new SparseFormat.Rows();
    double wasted = 0.05;
    int largest = 1;
    for (SparseFormat.NM format : pattern.groups()) {
      if (pattern.stored(format) <= (1 + wasted) * pattern.nonzeros() && largest == 1) {
        kind = format;
        largest = 2;
      }
    }
    for (SparseFormat.Blocks blocks : WeightPattern.BLOCKS) {
      int size = blocks.rows() * blocks.cols();
      if (pattern.stored(blocks) <= (1 + wasted) * pattern.nonzeros() && size > largest) {
        kind = blocks;
        largest = size;
      }
    }
    return kind;
  }

  private static ValueInfo.Dim[] dims(long first, long second) {
    return new ValueInfo.Dim[] {ValueInfo.Dim.of(first), ValueInfo.Dim.of(second)};
  }
}
