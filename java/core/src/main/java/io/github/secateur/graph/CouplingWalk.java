package io.github.secateur.graph;

import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.graph.Coupling.Slice;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Walks the nodes of the main graph in order and labels the channels of every value with units.
 * Each operator has one rule: layers make new units and read those of their input ({@link
 * CoupledLayers}), operators that work channel by channel hand them on, some with vectors of one
 * element a channel; two computed values that are combined element by element tie their units;
 * operators that move channels move the labels ({@link CoupledShapes}). Whatever has no rule is an
 * obstacle for the units that flow into it.
 *
 * <p>A pruned unit is 0 where its layer makes it and has no readers left, so what stands between
 * may turn the 0 into any finite number; a Log or a division by it would not be finite and is
 * refused.
 */
final class CouplingWalk {
  private static final Set<String> ELEMENTWISE =
      Set.of(
          "Relu",
          "LeakyRelu",
          "Sigmoid",
          "Tanh",
          "Gelu",
          "Neg",
          "Exp",
          "Sqrt",
          "Erf",
          "Abs",
          "Elu",
          "Selu",
          "Celu",
          "Mish",
          "Softplus",
          "Softsign",
          "HardSigmoid",
          "HardSwish",
          "Clip");
  private static final Set<String> POOLS =
      Set.of(
          "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool");

  private final Graph graph;
  private final UnitTies ties = new UnitTies();
  private final Map<String, Channels> channels = new LinkedHashMap<>();
  private final Map<Node, Map<Integer, Operands.Source>> sources = new IdentityHashMap<>();
  private final Map<String, Integer> useCounts = new HashMap<>();
  private final CoupledLayers layers = new CoupledLayers(this);
  private final CoupledShapes shapes;

  CouplingWalk(Model model) {
    this.graph = model.graph();
    this.shapes = new CoupledShapes(this, KnownShapes.of(model));
    for (Operands.Use use : new Operands(model).uses()) {
      sources.computeIfAbsent(use.node(), n -> new HashMap<>()).put(use.input(), use.source());
      useCounts.merge(use.source().parameter(), 1, Integer::sum);
    }
  }

  UnitTies walk() {
    for (Node node : graph.nodes()) {
      visit(node);
      refuseBodies(node, node);
    }
    graph.outputs().stream()
        .map(o -> channels.get(o.name()))
        .filter(c -> c != null)
        .forEach(c -> ties.show(c.units()));
    return ties;
  }

  private void visit(Node node) {
    boolean standard = node.is(node.opType());
    String op = standard ? node.opType() : "";
    if (layers.visit(node) || shapes.visit(node)) {
      return;
    }
    if (ELEMENTWISE.contains(op)) {
      through(node, op);
    } else if (op.equals("Identity") || op.equals("Dropout") || POOLS.contains(op)) {
      through(node, "");
    } else if (op.equals("Add") || op.equals("Sub") || op.equals("Mul") || op.equals("Div")) {
      binary(node);
    } else if (op.equals("Sum") || op.equals("Max") || op.equals("Min")) {
      tieAll(node, 0);
    } else {
      refuse(node);
    }
  }

  /** The first input's channels go on; none may come in elsewhere, nor leave by another output. */
  private void through(Node node, String activation) {
    Channels in = channels(node.input(0));
    for (int i = 1; i < node.inputs().size(); i++) {
      refuse(channels(node.input(i)), node + " does not keep the units apart");
    }
    if (in == null) {
      return;
    }
    for (String further : node.outputs().subList(1, node.outputs().size())) {
      if (!further.isEmpty() && isRead(further)) {
        refuse(in, "%s shows the units in '%s'".formatted(node, further));
      }
    }
    if (POOLS.contains(node.opType()) && in.fromEnd() != in.rank() - 2) {
      refuse(node);
      return;
    }
    put(node, activation.isEmpty() ? in : in.after(activation));
  }

  /** Whether a node or a graph output reads a value. */
  boolean isRead(String value) {
    return !graph.consumers(value).isEmpty()
        || graph.outputs().stream().anyMatch(o -> o.name().equals(value));
  }

  /** Add, Sub, Mul, Div of units with a parameter, a scalar, or each other. */
  private void binary(Node node) {
    Channels a = channels(node.input(0));
    Channels b = channels(node.input(1));
    if (a == null && b == null) {
      return;
    }
    boolean divides = node.is("Div");
    if (a != null && b != null) {
      if (divides) {
        refuse(node);
        return;
      }
      tieAll(node, 0);
      return;
    }
    int at = a != null ? 1 : 0;
    Channels units = a != null ? a : b;
    Operands.Source other = source(node, at);
    if (other == null) {
      refuse(units, "%s combines the units with '%s'".formatted(node, node.input(at)));
      return;
    }
    if (divides && (at == 0 || other.tensor().size() != 1)) {
      refuse(units, node + " divides by or into a parameter, which cannot be 0");
      return;
    }
    if (units.rank() >= 0 && other.axes().length > units.rank()) {
      refuse(units, node + " gives the units more axes than they had");
      return;
    }
    if (other.tensor().size() != 1) {
      Role role = node.is("Mul") ? Role.SCALE : Role.BIAS;
      layers.vector(node, at, units, role);
    }
    put(node, units.after(node.opType()));
  }

  /** Values of the same channels: channel i of each goes together. */
  void tieAll(Node node, int firstInput) {
    Channels all = null;
    boolean fits = true;
    for (int i = firstInput; i < node.inputs().size(); i++) {
      Channels in = channels(node.input(i));
      if (in == null && (source(node, i) == null || source(node, i).tensor().size() != 1)) {
        refuse(node, "%s combines the units with '%s'".formatted(node, node.input(i)));
        return;
      }
      fits &= in == null || all == null || alike(all, in);
      if (in != null) {
        all = all == null ? in : ofLargerRank(all, in);
      }
    }
    if (all == null) {
      return;
    }
    if (!fits) {
      refuse(node);
      return;
    }
    for (int i = firstInput; i < node.inputs().size(); i++) {
      Channels in = channels(node.input(i));
      for (int u = 0; in != null && u < in.units().length; u++) {
        ties.tie(all.units()[u], in.units()[u], node.toString());
      }
    }
    put(node, all.after(node.opType()));
  }

  /** The same channels in a value that broadcasting may have given the other's rank. */
  private static Channels ofLargerRank(Channels a, Channels b) {
    return a.rank() >= 0 && (b.rank() < 0 || b.rank() > a.rank()) ? a.withRank(b.rank()) : a;
  }

  private static boolean alike(Channels a, Channels b) {
    return a.fromEnd() == b.fromEnd()
        && a.units().length == b.units().length
        && a.repeated() == b.repeated();
  }

  /** Refuses what a node reads in the bodies of its subgraphs. */
  private void refuseBodies(Node owner, Node node) {
    for (Attribute attribute : node.attributes().values()) {
      if (attribute instanceof Attribute.Subgraph(Graph body)) {
        for (Node inner : body.nodes()) {
          inner
              .inputs()
              .forEach(i -> refuse(channels(i), "the body of " + owner + " reads the units"));
          refuseBodies(owner, inner);
        }
        body.outputs()
            .forEach(o -> refuse(channels(o.name()), "the body of " + owner + " reads the units"));
      }
    }
  }

  /** Refuses all units that flow into a node; its outputs carry none. */
  void refuse(Node node) {
    refuse(node, node + " does not keep the units apart");
  }

  /** The same for a reason. */
  void refuse(Node node, String reason) {
    node.inputs().forEach(i -> refuse(channels(i), reason));
  }

  /** Refuses units for a reason. */
  void refuse(Channels units, String reason) {
    if (units != null) {
      ties.refuse(units.units(), reason);
    }
  }

  /** The channels of a value, null when they are no units. */
  Channels channels(String value) {
    return channels.get(value);
  }

  /** The node's first output has these channels. */
  void put(Node node, Channels units) {
    channels.put(node.output(), units);
    ties.carry(node.output(), units.units());
  }

  UnitTies ties() {
    return ties;
  }

  /** The parameter behind an input, null when it is computed. */
  Operands.Source source(Node node, int input) {
    return sources.getOrDefault(node, Map.of()).get(input);
  }

  /** A parameter has elements for units, along the given axis of the operand. */
  void use(Role role, Node node, Operands.Source source, Elements elements) {
    if (useCounts.getOrDefault(source.parameter(), 0) > 1) {
      ties.refuse(
          elements.units(), "parameter '" + source.parameter() + "' is used more than once");
    }
    if (isQuantizedByChannel(node, source)) {
      ties.refuse(
          elements.units(),
          "parameter '" + source.parameter() + "' is dequantized channel by channel");
    }
    note(role, node, source.parameter(), source.axes()[elements.axis()], elements.units());
  }

  /** The unit of each element along an axis. */
  record Elements(int axis, int[] units) {}

  /** Something else has elements for units. */
  void note(Role role, Node node, String name, int axis, int[] units) {
    ties.add(new UnitTies.Part(new Slice(role, name, axis, 0, 1), nameOf(node), units, ""));
  }

  /** A layer reads a value. */
  void read(Node node, Channels in, int[] elements) {
    Slice slice = new Slice(Role.READ, node.input(0), in.fromEnd(), 0, 1);
    ties.add(new UnitTies.Part(slice, nameOf(node), elements, in.activation()));
  }

  private static String nameOf(Node node) {
    return node.name().isEmpty() ? node.output() : node.name();
  }

  /** Whether scales of its own, one a channel, would have to be cut with it. */
  private boolean isQuantizedByChannel(Node node, Operands.Source source) {
    for (int i = 0; i < node.inputs().size(); i++) {
      if (!source.equals(source(node, i))) {
        continue;
      }
      Node producer = graph.producer(node.input(i)).orElse(null);
      while (producer != null && !producer.inputs().isEmpty()) {
        Operands.Source scale = source(producer, 1);
        if (producer.is("DequantizeLinear") && (scale == null || scale.tensor().size() != 1)) {
          return true;
        }
        producer = graph.producer(producer.input(0)).orElse(null);
      }
    }
    return false;
  }

  /** Rank of a value, or −1 where it is not known. */
  int rank(String value) {
    return shapes.rank(value);
  }
}
