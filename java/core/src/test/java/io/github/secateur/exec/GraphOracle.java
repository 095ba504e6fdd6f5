package io.github.secateur.exec;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;

/**
 * Evaluates forward graphs in double precision with plain loops, and differentiates them by central
 * differences: the oracle for shapes, values and gradients. Shares no code with the engine.
 */
final class GraphOracle {
  private GraphOracle() {}

  /** A value in double precision. */
  record Nd(Shape shape, double[] data) {
    static Nd of(Tensor t) {
      double[] data = new double[(int) t.size()];
      for (int i = 0; i < data.length; i++) {
        data[i] =
            switch (t.dtype()) {
              case F32 -> t.getFloat(i);
              case I32 -> t.getInt(i);
              case I64 -> t.getLong(i);
              default -> throw new IllegalArgumentException("oracle: " + t);
            };
      }
      return new Nd(t.shape(), data);
    }

    static Nd scalar(double value) {
      return new Nd(Shape.of(), new double[] {value});
    }

    Nd as(long... dims) {
      return new Nd(Shape.of(dims), data);
    }
  }

  /** All values of a graph. */
  static Map<String, Nd> evaluate(Graph graph, Map<String, Nd> inputs) {
    Map<String, Nd> values = new HashMap<>();
    graph.initializers().forEach((name, t) -> values.put(name, Nd.of(t)));
    values.putAll(inputs);
    for (Node node : graph.nodes()) {
      List<Nd> in = node.inputs().stream().map(values::get).toList();
      List<Nd> out = apply(node, in);
      for (int i = 0; i < node.outputs().size(); i++) {
        values.put(node.outputs().get(i), out.get(i));
      }
    }
    return values;
  }

  /** d loss / d value by central differences. */
  static double[] gradient(Graph graph, Map<String, Nd> inputs, String loss, String value) {
    Nd at = inputs.containsKey(value) ? inputs.get(value) : Nd.of(graph.initializers().get(value));
    double[] gradient = new double[at.data().length];
    double h = 1e-5;
    for (int i = 0; i < gradient.length; i++) {
      double[] differences = new double[2];
      for (int side = 0; side < 2; side++) {
        double[] moved = at.data().clone();
        moved[i] += side == 0 ? h : -h;
        Map<String, Nd> all = new HashMap<>(inputs);
        all.put(value, new Nd(at.shape(), moved));
        differences[side] = evaluate(graph, all).get(loss).data()[0];
      }
      gradient[i] = (differences[0] - differences[1]) / (2 * h);
    }
    return gradient;
  }

  private static List<Nd> apply(Node node, List<Nd> in) {
    if (ImageOracle.knows(node)) {
      return ImageOracle.apply(node, in);
    }
    Nd x = in.isEmpty() ? null : in.getFirst();
    return switch (node.opType()) {
      case "Gemm" -> List.of(gemm(node, in));
      case "MatMul" -> List.of(matMul(x, in.get(1)));
      case "Add" -> List.of(binary(x, in.get(1), (a, b) -> a + b));
      case "Sub" -> List.of(binary(x, in.get(1), (a, b) -> a - b));
      case "Mul" -> List.of(binary(x, in.get(1), (a, b) -> a * b));
      case "Div" -> List.of(binary(x, in.get(1), (a, b) -> a / b));
      case "Relu" -> List.of(unary(x, v -> Math.max(v, 0)));
      case "LeakyRelu" -> {
        double slope = node.realAttribute("alpha", 0.01f);
        yield List.of(unary(x, v -> v < 0 ? slope * v : v));
      }
      case "Sigmoid" -> List.of(unary(x, v -> 1 / (1 + Math.exp(-v))));
      case "Tanh" -> List.of(unary(x, Math::tanh));
      case "Gelu" ->
          List.of(
              node.textAttribute("approximate", "none").equals("tanh")
                  ? unary(
                      x,
                      v ->
                          v
                              / 2
                              * (1
                                  + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))))
                  : unary(x, v -> v / 2 * (1 + erf(v / Math.sqrt(2)))));
      case "Neg" -> List.of(unary(x, v -> -v));
      case "Exp" -> List.of(unary(x, Math::exp));
      case "Log" -> List.of(unary(x, Math::log));
      case "Sqrt" -> List.of(unary(x, Math::sqrt));
      case "Erf" -> List.of(unary(x, GraphOracle::erf));
      case "Abs" -> List.of(unary(x, Math::abs));
      case "Softmax" -> List.of(softmax(x, (int) node.intAttribute("axis", -1)));
      case "Flatten" -> {
        int axis = (int) node.intAttribute("axis", 1);
        long rows = 1;
        for (int d = 0; d < axis; d++) {
          rows *= x.shape().dim(d);
        }
        yield List.of(x.as(rows, x.data().length / rows));
      }
      case "Reshape" -> List.of(reshape(x, in.get(1)));
      case "Identity", "Dropout" -> List.of(x);
      case "Transpose" -> List.of(transpose(x, node.intsAttribute("perm", null)));
      case "Constant" -> List.of(Nd.of(((Attribute.Data) node.attributes().get("value")).value()));
      case "SoftmaxCrossEntropy" -> crossEntropy(x, in.get(1));
      case "MeanSquaredError" -> {
        double sum = 0;
        for (int i = 0; i < x.data().length; i++) {
          double d = x.data()[i] - in.get(1).data()[i];
          sum += d * d;
        }
        yield List.of(Nd.scalar(sum / x.data().length));
      }
      default -> throw new IllegalArgumentException("oracle: " + node);
    };
  }

  private static Nd unary(Nd x, DoubleUnaryOperator f) {
    return new Nd(x.shape(), Arrays.stream(x.data()).map(f).toArray());
  }

  private static Nd binary(Nd a, Nd b, DoubleBinaryOperator f) {
    int rank = Math.max(a.shape().rank(), b.shape().rank());
    long[] dims = new long[rank];
    for (int i = 1; i <= rank; i++) {
      long da = i <= a.shape().rank() ? a.shape().dim(-i) : 1;
      long db = i <= b.shape().rank() ? b.shape().dim(-i) : 1;
      dims[rank - i] = da == 1 ? db : da;
    }
    Shape shape = Shape.of(dims);
    double[] y = new double[(int) shape.size()];
    for (int i = 0; i < y.length; i++) {
      y[i] = f.applyAsDouble(at(a, shape, i), at(b, shape, i));
    }
    return new Nd(shape, y);
  }

  /** Element of a broadcast value at a flat index of the broadcast shape. */
  private static double at(Nd x, Shape shape, long flat) {
    long index = 0;
    long stride = 1;
    for (int i = 1; i <= shape.rank(); i++) {
      long position = flat % shape.dim(-i);
      flat /= shape.dim(-i);
      if (i <= x.shape().rank()) {
        index += x.shape().dim(-i) == 1 ? 0 : position * stride;
        stride *= x.shape().dim(-i);
      }
    }
    return x.data()[(int) index];
  }

  private static Nd transpose(Nd x, List<Long> perm) {
    int rank = x.shape().rank();
    long[] dims = new long[rank];
    int[] source = new int[rank];
    for (int d = 0; d < rank; d++) {
      source[d] = perm == null ? rank - 1 - d : perm.get(d).intValue();
      dims[d] = x.shape().dim(source[d]);
    }
    Shape shape = Shape.of(dims);
    double[] y = new double[x.data().length];
    for (int i = 0; i < y.length; i++) {
      long[] position = new long[rank];
      long rest = i;
      for (int d = rank - 1; d >= 0; d--) {
        position[source[d]] = rest % dims[d];
        rest /= dims[d];
      }
      long index = 0;
      for (int d = 0; d < rank; d++) {
        index = index * x.shape().dim(d) + position[d];
      }
      y[i] = x.data()[(int) index];
    }
    return new Nd(shape, y);
  }

  private static Nd gemm(Node node, List<Nd> in) {
    Nd a = node.intAttribute("transA", 0) != 0 ? transpose(in.get(0), null) : in.get(0);
    Nd b = node.intAttribute("transB", 0) != 0 ? transpose(in.get(1), null) : in.get(1);
    double alpha = node.realAttribute("alpha", 1);
    double beta = node.realAttribute("beta", 1);
    Nd product = unary(matMul(a, b), v -> alpha * v);
    return in.size() < 3 ? product : binary(product, in.get(2), (p, c) -> p + beta * c);
  }

  private static Nd matMul(Nd a, Nd b) {
    int k = (int) b.shape().dim(0);
    int n = (int) b.shape().dim(1);
    int rows = a.data().length / k;
    double[] y = new double[rows * n];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < n; c++) {
        for (int i = 0; i < k; i++) {
          y[r * n + c] += a.data()[r * k + i] * b.data()[i * n + c];
        }
      }
    }
    long[] dims = a.shape().dims();
    dims[dims.length - 1] = n;
    return new Nd(Shape.of(dims), y);
  }

  private static Nd softmax(Nd x, int axis) {
    int d = axis < 0 ? axis + x.shape().rank() : axis;
    int n = (int) x.shape().dim(d);
    int inner = 1;
    for (int i = d + 1; i < x.shape().rank(); i++) {
      inner *= (int) x.shape().dim(i);
    }
    double[] y = new double[x.data().length];
    for (int i = 0; i < y.length; i++) {
      int first = i - i / inner % n * inner;
      double max = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < n; j++) {
        max = Math.max(max, x.data()[first + j * inner]);
      }
      double sum = 0;
      for (int j = 0; j < n; j++) {
        sum += Math.exp(x.data()[first + j * inner] - max);
      }
      y[i] = Math.exp(x.data()[i] - max) / sum;
    }
    return new Nd(x.shape(), y);
  }

  private static Nd reshape(Nd x, Nd wanted) {
    long[] dims = new long[wanted.data().length];
    long known = 1;
    for (int d = 0; d < dims.length; d++) {
      dims[d] = (long) wanted.data()[d];
      dims[d] = dims[d] == 0 ? x.shape().dim(d) : dims[d];
      known *= dims[d] < 0 ? 1 : dims[d];
    }
    for (int d = 0; d < dims.length; d++) {
      dims[d] = dims[d] < 0 ? x.data().length / known : dims[d];
    }
    return x.as(dims);
  }

  private static List<Nd> crossEntropy(Nd x, Nd labels) {
    Nd p = softmax(x, -1);
    int rows = labels.data().length;
    int classes = p.data().length / rows;
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      sum -= Math.log(p.data()[r * classes + (int) labels.data()[r]]);
    }
    return List.of(Nd.scalar(sum / rows), p);
  }

  /** Error function by its Taylor series, for |x| up to about 4. */
  private static double erf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }
}
