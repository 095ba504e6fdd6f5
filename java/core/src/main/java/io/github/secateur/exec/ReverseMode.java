package io.github.secateur.exec;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.Ops;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.Binary;
import io.github.secateur.graph.op.Constant;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Adds gradient nodes to a graph. Walking the nodes backwards from the loss, each operator turns
 * the gradients of its outputs into those of its inputs; gradients that meet at one value are
 * added. Only what lies between the wanted values and the loss is differentiated.
 */
public final class ReverseMode {
  private static final String PREFIX = "grad/";

  private final Graph graph;
  private final Set<String> dependent;
  private final Set<String> names = new HashSet<>();
  private final Map<String, String> gradients = new HashMap<>();

  private ReverseMode(Graph graph, Set<String> dependent) {
    this.graph = graph;
    this.dependent = dependent;
    names.addAll(graph.initializers().keySet());
    graph.inputs().forEach(i -> names.add(i.name()));
    graph.nodes().forEach(n -> names.addAll(n.outputs()));
  }

  /**
   * Name of the value that holds the gradient of another, an output of the differentiated graph.
   */
  public static String gradientName(String value) {
    return PREFIX + value;
  }

  /**
   * A copy of the graph with nodes that compute d loss / d w for each w, and {@link
   * #gradientName}(w) as further outputs.
   *
   * @param loss a scalar value of the graph
   * @param wrt initializers, inputs or other values
   * @throws IllegalArgumentException naming the node when an operator on the way has no gradient
   *     rule, or the value that loss does not depend on
   */
  public static Graph differentiate(Graph graph, String loss, Collection<String> wrt) {
    Graph result = graph.copy();
    Set<String> wanted = new LinkedHashSet<>(wrt);
    ReverseMode reverse = new ReverseMode(result, dependents(graph, wanted));
    if (!reverse.names.contains(loss)) {
      throw new IllegalArgumentException(
          "graph '%s' has no value '%s' to differentiate".formatted(graph.name(), loss));
    }
    wanted.forEach(w -> reverse.names.add(gradientName(w)));
    Attribute one = new Attribute.Data(Tensor.of(Shape.of(), 1f));
    reverse.gradients.put(loss, reverse.emit("loss", Constant.ID, Map.of("value", one)));
    for (Node node : graph.nodes().reversed()) {
      reverse.visit(node);
    }
    for (String w : wanted) {
      reverse.expose(w, loss);
    }
    return result;
  }

  /** The values that depend on any of these, themselves included. */
  private static Set<String> dependents(Graph graph, Collection<String> wrt) {
    Set<String> dependent = new HashSet<>(wrt);
    for (Node node : graph.nodes()) {
      if (node.inputs().stream().anyMatch(dependent::contains)) {
        dependent.addAll(node.outputs());
      }
    }
    dependent.remove("");
    return dependent;
  }

  private void visit(Node node) {
    if (node.outputs().stream().anyMatch(gradients::containsKey)
        && node.inputs().stream().anyMatch(dependent::contains)) {
      Ops.get(node).gradient(node, new Rule(node));
    }
  }

  /** Makes the gradient of a value an output under its own name. */
  private void expose(String value, String loss) {
    String gradient = gradients.get(value);
    if (gradient == null) {
      throw new IllegalArgumentException(
          "'%s' does not depend on '%s': there is no gradient; leave it out"
              .formatted(loss, value));
    }
    String name = gradientName(value);
    graph
        .nodes()
        .add(Node.of(name, OpId.onnx("Identity"), List.of(gradient), List.of(name), Map.of()));
    graph.outputs().add(declaration(name, value));
  }

  private ValueInfo declaration(String name, String value) {
    Tensor initializer = graph.initializers().get(value);
    if (initializer != null) {
      return ValueInfo.of(
          name,
          DType.F32,
          Arrays.stream(initializer.shape().dims())
              .mapToObj(ValueInfo.Dim::of)
              .toArray(ValueInfo.Dim[]::new));
    }
    List<ValueInfo.Dim> dims =
        graph.inputs().stream()
            .filter(i -> i.name().equals(value))
            .findFirst()
            .map(ValueInfo::dims)
            .orElse(null);
    return new ValueInfo(name, DType.F32, dims, new byte[0]);
  }

  private String emit(String origin, OpId op, Map<String, Attribute> attributes, String... inputs) {
    String name = fresh(PREFIX + origin + "/" + op.type());
    graph.nodes().add(Node.of(name, op, List.of(inputs), List.of(name), attributes));
    return name;
  }

  private String fresh(String base) {
    String name = base;
    for (int i = 1; !names.add(name); i++) {
      name = base + "_" + i;
    }
    return name;
  }

  /** Names and emits for one forward node. */
  private final class Rule implements Op.Gradients {
    private Node node;

    Rule(Node node) {
      this.node = node;
    }

    private String origin() {
      return node.name().isEmpty() ? node.output() : node.name();
    }

    @Override
    public String of(int output) {
      return output < node.outputs().size() ? gradients.get(node.outputs().get(output)) : null;
    }

    @Override
    public boolean wanted(int input) {
      return dependent.contains(node.input(input));
    }

    @Override
    public String emit(OpId op, Map<String, Attribute> attributes, String... inputs) {
      return ReverseMode.this.emit(origin(), op, attributes, inputs);
    }

    @Override
    public List<String> emitAll(
        OpId op, Map<String, Attribute> attributes, int outputs, String... inputs) {
      List<String> all = new ArrayList<>();
      for (int i = 0; i < outputs; i++) {
        all.add(fresh(PREFIX + origin() + "/" + op.type()));
      }
      graph.nodes().add(Node.of(all.getFirst(), op, List.of(inputs), all, attributes));
      return all;
    }

    @Override
    public String saved(int output) {
      List<String> outputs = new ArrayList<>(node.outputs());
      while (outputs.size() <= output) {
        outputs.add("");
      }
      if (outputs.get(output).isEmpty()) {
        outputs.set(output, fresh(PREFIX + origin() + "/saved"));
        Node extended = Node.of(node.name(), node.op(), node.inputs(), outputs, node.attributes());
        graph.replace(node, extended);
        node = extended;
      }
      return outputs.get(output);
    }

    @Override
    public void give(int input, String gradient) {
      if (wanted(input)) {
        gradients.merge(node.input(input), gradient, (a, b) -> emit(Binary.ADD, Map.of(), a, b));
      }
    }
  }
}
