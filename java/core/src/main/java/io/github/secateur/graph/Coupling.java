package io.github.secateur.graph;

import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds what belongs to the units of each layer: a unit (neuron) is one output of a Gemm or MatMul,
 * with its incoming weights, its bias, the elementwise operators behind it, and the weights that
 * read it. Pruning a unit concerns them all.
 */
public final class Coupling {
  private static final Set<String> ELEMENTWISE =
      Set.of(
          "Relu",
          "LeakyRelu",
          "Sigmoid",
          "Tanh",
          "Gelu",
          "Neg",
          "Exp",
          "Log",
          "Sqrt",
          "Erf",
          "Abs",
          "Elu",
          "Selu",
          "Softplus",
          "HardSigmoid",
          "HardSwish",
          "Identity",
          "Dropout");

  private final Graph graph;
  private final Operands operands;
  private final Map<String, Integer> useCounts = new HashMap<>();

  private Coupling(Model model) {
    this.graph = model.graph();
    this.operands = new Operands(model);
    operands.uses().forEach(u -> useCounts.merge(u.source().parameter(), 1, Integer::sum));
  }

  /**
   * The part of a parameter that belongs to units.
   *
   * @param parameter its path
   * @param axis the axis that counts units
   * @param expansion elements along the axis for each unit: 1, more behind a Flatten
   */
  public record Slice(String parameter, int axis, long expansion) {}

  /**
   * The units of one layer.
   *
   * @param layer name of the node that makes them
   * @param units their number
   * @param weight incoming weights
   * @param vectors bias first if there is one, then other parameters applied unit by unit
   * @param values values that carry the units along their last axis, in order
   * @param output the value that the next layers read: the units after their nonlinearity; empty
   *     when they read several or none
   * @param consumers weights that read the units
   * @param reachesOutput whether a graph output shows the units: then they are never pruned
   * @param obstacle why they cannot be pruned for another reason, or empty
   */
  public record Group(
      String layer,
      long units,
      Slice weight,
      List<Slice> vectors,
      List<String> values,
      String output,
      List<Slice> consumers,
      boolean reachesOutput,
      String obstacle) {
    /** Copies the lists. */
    public Group {
      vectors = List.copyOf(vectors);
      values = List.copyOf(values);
      consumers = List.copyOf(consumers);
    }

    /** Whether its units may be pruned. */
    public boolean prunable() {
      return !reachesOutput && obstacle.isEmpty();
    }

    /** All parameters that a unit has a part in. */
    public List<Slice> slices() {
      List<Slice> all = new ArrayList<>();
      all.add(weight);
      all.addAll(vectors);
      all.addAll(consumers);
      return all;
    }
  }

  /** The groups of all Gemm and MatMul layers of the main graph, in order. */
  public static List<Group> groups(Model model) {
    Coupling coupling = new Coupling(model);
    List<Group> groups = new ArrayList<>();
    for (Node node : model.graph().nodes()) {
      Slice weight = coupling.incoming(node);
      if (weight != null) {
        groups.add(coupling.new Walk(node, weight).group());
      }
    }
    return groups;
  }

  private Operands.Source source(Node node, int input) {
    return operands.uses().stream()
        .filter(u -> u.node().equals(node) && u.input() == input)
        .map(Operands.Use::source)
        .findFirst()
        .orElse(null);
  }

  /** The weight of a layer, sliced by output unit; null when the node is no layer. */
  private Slice incoming(Node node) {
    Integer axis = weightAxis(node, true);
    return axis == null ? null : slice(source(node, 1), axis, 1);
  }

  /** Axis of the right operand that counts outputs or inputs; null when it is no weight matrix. */
  private Integer weightAxis(Node node, boolean outputs) {
    if (!node.is("Gemm") && !node.is("MatMul")) {
      return null;
    }
    Operands.Source weight = source(node, 1);
    if (weight == null || weight.axes().length != 2 || source(node, 0) != null) {
      return null;
    }
    boolean outFirst = node.intAttribute("transB", 0) != 0;
    return outputs == outFirst ? 0 : 1;
  }

  private static Slice slice(Operands.Source source, int operandAxis, long expansion) {
    return new Slice(source.parameter(), source.axes()[operandAxis], expansion);
  }

  /** Follows the units of one layer forward. */
  private final class Walk {
    private final Node layer;
    private final Slice weight;
    private final long units;
    private final Set<String> values = new LinkedHashSet<>();
    private final Set<String> read = new LinkedHashSet<>();
    private final List<Slice> vectors = new ArrayList<>();
    private final List<Slice> consumers = new ArrayList<>();
    private String obstacle = "";

    Walk(Node layer, Slice weight) {
      this.layer = layer;
      this.weight = weight;
      this.units = operands.parameters().get(weight.parameter()).shape().dim(weight.axis());
    }

    Group group() {
      values.add(layer.output());
      requireSole(weight.parameter());
      if (layer.is("Gemm") && !layer.input(2).isEmpty()) {
        vector(layer, 2);
      }
      for (Node node : graph.nodes()) {
        if (!node.equals(layer) && node.inputs().stream().anyMatch(values::contains)) {
          follow(node);
        }
        if (bodiesRead(node)) {
          refuse("the body of " + node + " reads the units");
        }
      }
      boolean shown = graph.outputs().stream().anyMatch(o -> values.contains(o.name()));
      if (consumers.isEmpty() && !shown) {
        refuse("no layer reads its units");
      }
      return new Group(
          layer.name().isEmpty() ? layer.output() : layer.name(),
          units,
          weight,
          vectors,
          List.copyOf(values),
          read.size() == 1 ? read.iterator().next() : "",
          consumers,
          shown,
          obstacle);
    }

    /** Whether a subgraph of a node reads the units from the outer scope. */
    private boolean bodiesRead(Node node) {
      return node.attributes().values().stream()
          .filter(Attribute.Subgraph.class::isInstance)
          .flatMap(a -> ((Attribute.Subgraph) a).value().nodes().stream())
          .anyMatch(n -> n.inputs().stream().anyMatch(values::contains) || bodiesRead(n));
    }

    private void refuse(String reason) {
      obstacle = obstacle.isEmpty() ? reason : obstacle;
    }

    private void requireSole(String parameter) {
      if (useCounts.getOrDefault(parameter, 0) > 1) {
        refuse("parameter '" + parameter + "' is used more than once");
      }
    }

    private void follow(Node node) {
      boolean first = values.contains(node.input(0));
      if (first && ELEMENTWISE.stream().anyMatch(node::is)) {
        values.add(node.output());
      } else if (first && node.is("Flatten") && node.intAttribute("axis", 1) == 1) {
        values.add(node.output());
      } else if (node.is("Add") || node.is("Sub") || node.is("Mul") || node.is("Div")) {
        combine(node);
      } else if (first && weightAxis(node, false) != null) {
        consume(node);
      } else {
        refuse(node + " does not keep the units apart");
      }
    }

    private void combine(Node node) {
      for (int i = 0; i < 2; i++) {
        if (values.contains(node.input(i))) {
          continue;
        }
        Operands.Source other = source(node, i);
        if (other == null) {
          refuse("%s combines the units with '%s'".formatted(node, node.input(i)));
        } else if (other.tensor().size() == 1) {
          continue;
        } else if (node.is("Div")) {
          refuse(node + " divides by or into a parameter, which cannot be 0");
        } else {
          vector(node, i);
        }
      }
      values.add(node.output());
    }

    /** A parameter [units], perhaps with leading axes of size 1. */
    private void vector(Node node, int input) {
      Operands.Source source = source(node, input);
      if (source == null) {
        refuse("%s adds the computed '%s'".formatted(node, node.input(input)));
        return;
      }
      Tensor tensor = source.tensor();
      int last = source.axes().length - 1;
      if (last < 0 || tensor.size() != units || tensor.shape().dim(source.axes()[last]) != units) {
        refuse(
            "parameter '%s' %s has not one element for each of %d units"
                .formatted(source.parameter(), tensor.shape(), units));
        return;
      }
      requireSole(source.parameter());
      vectors.add(slice(source, last, 1));
    }

    private void consume(Node node) {
      if (node.is("Gemm")
          && (node.intAttribute("transA", 0) != 0 || values.contains(node.input(2)))) {
        refuse(node + " does not read the units as the rows of its first operand");
        return;
      }
      Operands.Source source = source(node, 1);
      Slice slice = slice(source, weightAxis(node, false), 1);
      Shape shape = source.tensor().shape();
      if (shape.dim(slice.axis()) != units) {
        refuse(
            "%s reads %d inputs, not the %d units".formatted(node, shape.dim(slice.axis()), units));
        return;
      }
      requireSole(source.parameter());
      read.add(node.input(0));
      consumers.add(slice);
    }
  }
}
