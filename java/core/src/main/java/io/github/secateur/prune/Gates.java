package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.op.HardConcrete;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Hard-concrete gates in a graph: before each use of a gated tensor w stands Mul(w, z), z =
 * HardConcrete(log α) drawn anew at every training step and without noise otherwise (Louizos et
 * al., arXiv 1712.01312). A gate a weight has w's shape; a gate a unit is broadcast over the
 * weights and the bias of the unit.
 *
 * @param groups the gates, one tensor of them each
 * @param gated which tensors they multiply
 * @param terms how open gates add up to weights
 */
record Gates(List<Group> groups, List<Gated> gated, List<Term> terms) {
  /** End of the names of log α. */
  static final String SUFFIX = ".log_alpha";

  /** log α of every gate at the start: a gate is then shut with probability 0.03. */
  private static final float FIRST_LOG_ALPHA = 2;

  /** No group: always open. */
  static final int NONE = -1;

  /**
   * A tensor of gates.
   *
   * @param logAlpha name of the parameter log α
   * @param shape of the gates
   */
  record Group(String logAlpha, Shape shape) {
    /** Number of gates. */
    long count() {
      return shape.size();
    }
  }

  /**
   * A tensor that gates multiply.
   *
   * @param parameter name of the tensor
   * @param group index of the gates
   * @param view shape in which the gates are broadcast over the tensor
   */
  record Gated(String parameter, int group, Shape view) {}

  /**
   * Weights that live while both their gates are open.
   *
   * @param weights number of weights
   * @param a group of gates, or {@link #NONE}
   * @param b group of gates, or {@link #NONE}
   */
  record Term(long weights, int a, int b) {}

  /** One gate a weight. */
  static Gates perWeight(List<Layer> layers) {
    List<Group> groups = new ArrayList<>();
    List<Gated> gated = new ArrayList<>();
    List<Term> terms = new ArrayList<>();
    for (Layer layer : layers) {
      gated.add(new Gated(layer.parameter(), groups.size(), layer.shape()));
      terms.add(new Term(layer.size(), groups.size(), NONE));
      groups.add(new Group(layer.parameter() + SUFFIX, layer.shape()));
    }
    return new Gates(groups, gated, terms);
  }

  /**
   * One gate a hidden unit; a weight between two gated layers lives while both gates are open.
   *
   * <p>A gate multiplies the scale and the shift of the batch normalizations where there is one for
   * each layer that makes the unit: a gate on weights in front of them would be normalized away.
   * Elsewhere it multiplies all incoming weights and what is added to them.
   */
  static Gates perUnit(Model model, List<Layer> layers, List<UnitGroup> units) {
    List<Group> groups = new ArrayList<>();
    List<Gated> gated = new ArrayList<>();
    for (UnitGroup group : units) {
      int g = groups.size();
      groups.add(
          new Group(group.incoming().getFirst().parameter() + SUFFIX, Shape.of(group.units())));
      for (Coupling.Slice slice : gatedBy(group)) {
        gated.add(new Gated(slice.parameter(), g, view(model, group, slice)));
      }
    }
    List<Term> terms = new ArrayList<>();
    for (Layer layer : layers) {
      terms.add(
          new Term(
              layer.size(),
              groupOf(units, UnitGroup::incoming, layer.parameter()),
              groupOf(units, UnitGroup::outgoing, layer.parameter())));
    }
    return new Gates(groups, gated, terms);
  }

  private static List<Coupling.Slice> gatedBy(UnitGroup group) {
    List<Coupling.Slice> norms =
        group.own().stream()
            .filter(s -> s.role() == Role.NORM_SCALE || s.role() == Role.NORM_SHIFT)
            .toList();
    if (norms.size() >= 2 * group.incoming().size()) {
      return norms;
    }
    List<Coupling.Slice> all = new ArrayList<>(group.incoming());
    all.addAll(group.own());
    return all;
  }

  private static Shape view(Model model, UnitGroup group, Coupling.Slice slice) {
    Shape shape = model.graph().initializer(slice.parameter()).shape();
    if (shape.dim(slice.axis()) != group.units()) {
      throw new IllegalArgumentException(
          ("tensor '%s' %s has not one index along axis %d for each of the %d units of layer '%s';"
                  + " gates need that, so prune it by a scored criterion")
              .formatted(slice.parameter(), shape, slice.axis(), group.units(), group.layer()));
    }
    long[] dims = new long[shape.rank() - slice.axis()];
    Arrays.fill(dims, 1);
    dims[0] = shape.dim(slice.axis());
    return Shape.of(dims);
  }

  private static int groupOf(
      List<UnitGroup> units, Function<UnitGroup, List<Coupling.Slice>> side, String parameter) {
    for (int g = 0; g < units.size(); g++) {
      if (side.apply(units.get(g)).stream().anyMatch(s -> s.parameter().equals(parameter))) {
        return g;
      }
    }
    return NONE;
  }

  /** The model with gates before every use of the gated tensors. */
  Model insert(Model model) {
    Graph graph = model.graph().copy();
    List<Node> inserted = new ArrayList<>();
    List<String> z = new ArrayList<>();
    for (Group group : groups) {
      float[] start = new float[Math.toIntExact(group.count())];
      Arrays.fill(start, FIRST_LOG_ALPHA);
      graph.initializers().put(group.logAlpha(), Tensor.of(group.shape(), start));
      z.add(graph.freshName(group.logAlpha() + "/z"));
      inserted.add(
          Node.of(
              z.getLast(),
              HardConcrete.ID,
              List.of(group.logAlpha()),
              z.subList(z.size() - 1, z.size()),
              Map.of()));
    }
    Map<String, String> renamed = new HashMap<>();
    for (Gated tensor : gated) {
      String gates = viewed(graph, z.get(tensor.group()), tensor, inserted);
      String product = graph.freshName(tensor.parameter() + "/gated");
      inserted.add(
          Node.of(
              product,
              OpId.onnx("Mul"),
              List.of(tensor.parameter(), gates),
              List.of(product),
              Map.of()));
      renamed.put(tensor.parameter(), product);
    }
    graph.nodes().replaceAll(node -> withInputs(node, renamed));
    graph.nodes().addAll(0, inserted);
    Model gatedModel = model.withGraph(graph);
    gatedModel.opsets().putIfAbsent(Node.SECATEUR, 1L);
    return gatedModel;
  }

  private String viewed(Graph graph, String z, Gated tensor, List<Node> inserted) {
    if (tensor.view().equals(groups.get(tensor.group()).shape())) {
      return z;
    }
    String shape = graph.freshName(tensor.parameter() + "/gate_shape");
    graph
        .initializers()
        .put(shape, Tensor.ofLongs(Shape.of(tensor.view().rank()), tensor.view().dims()));
    String view = graph.freshName(tensor.parameter() + "/gate");
    inserted.add(Node.of(view, OpId.onnx("Reshape"), List.of(z, shape), List.of(view), Map.of()));
    return view;
  }

  private static Node withInputs(Node node, Map<String, String> renamed) {
    Node changed = node;
    for (int i = 0; i < node.inputs().size(); i++) {
      String to = renamed.get(node.input(i));
      changed = to == null ? changed : changed.withInput(i, to);
    }
    return changed;
  }

  /**
   * The model in its original form, each gated tensor multiplied by its gates without noise.
   *
   * @param trained the model with gates, trained
   * @param original the model that gates were inserted into
   */
  Model fold(Device device, Model trained, Model original) {
    Graph graph = original.graph().copy();
    graph.initializers().replaceAll((name, old) -> trained.graph().initializer(name));
    for (Gated tensor : gated) {
      Tensor logAlpha = trained.graph().initializer(groups.get(tensor.group()).logAlpha());
      Tensor weight = trained.graph().initializer(tensor.parameter());
      graph
          .initializers()
          .put(tensor.parameter(), product(device, weight, logAlpha, tensor.view()));
    }
    Model folded = original.withGraph(graph);
    folded.masks().clear();
    folded.masks().putAll(trained.masks());
    return folded;
  }

  private static Tensor product(Device device, Tensor weight, Tensor logAlpha, Shape view) {
    try (DeviceTensor w = device.toDevice(weight);
        DeviceTensor a = device.toDevice(logAlpha);
        DeviceTensor z = device.empty(DType.F32, view);
        DeviceTensor out = device.empty(DType.F32, weight.shape())) {
      device.prune().hardConcreteEval(a.view(view), z);
      device.nn().binary(NnOps.Binary.MUL, w, z, out);
      return device.toHost(out);
    }
  }

  /** log α by the first weight that makes the gated units, for the exact cut. */
  Map<String, Tensor> logAlphas(Model trained) {
    Map<String, Tensor> byWeight = new LinkedHashMap<>();
    for (Group group : groups) {
      String name = group.logAlpha();
      byWeight.put(
          name.substring(0, name.length() - SUFFIX.length()), trained.graph().initializer(name));
    }
    return byWeight;
  }

  /** Sparsity that training reached by itself: weights with a gate that is 0 without noise. */
  double shut(Device device, Model trained) {
    double[] open = new double[groups.size()];
    for (int g = 0; g < open.length; g++) {
      Tensor logAlpha = trained.graph().initializer(groups.get(g).logAlpha());
      try (DeviceTensor a = device.toDevice(logAlpha);
          DeviceTensor z = device.empty(DType.F32, logAlpha.shape())) {
        device.prune().hardConcreteEval(a, z);
        for (float gate : device.toHost(z).toFloats()) {
          open[g] += gate > 0 ? 1 : 0;
        }
      }
    }
    return expectedSparsity(open);
  }

  /** 1 − expected weights over all weights, from the expected number of open gates by group. */
  double expectedSparsity(double[] open) {
    double alive = 0;
    for (Term term : terms) {
      alive += term.weights() * fraction(term.a(), open) * fraction(term.b(), open);
    }
    return 1 - alive / Math.max(1, weights());
  }

  /** Derivative of the expected density by the expected number of open gates of a group. */
  double densityPerOpenGate(int group, double[] open) {
    double slope = 0;
    for (Term term : terms) {
      if (term.a() == group) {
        slope += term.weights() * fraction(term.b(), open);
      }
      if (term.b() == group) {
        slope += term.weights() * fraction(term.a(), open);
      }
    }
    return slope / groups.get(group).count() / Math.max(1, weights());
  }

  private double fraction(int group, double[] open) {
    return group == NONE ? 1 : open[group] / groups.get(group).count();
  }

  private long weights() {
    return terms.stream().mapToLong(Term::weights).sum();
  }
}
