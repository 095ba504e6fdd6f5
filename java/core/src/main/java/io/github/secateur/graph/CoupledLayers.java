package io.github.secateur.graph;

import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.graph.CouplingWalk.Elements;
import io.github.secateur.tensor.Shape;

/**
 * The rules of a {@link CouplingWalk} for operators with weights: they read the units of their
 * input and make new ones; a depthwise convolution hands its input's units on; the groups of a
 * grouped convolution have to keep equal sizes, so unit i of each group goes together.
 */
final class CoupledLayers {
  private final CouplingWalk walk;

  CoupledLayers(CouplingWalk walk) {
    this.walk = walk;
  }

  /** Follows a node that is a layer or a normalization; else false. */
  boolean visit(Node node) {
    if (node.is("Conv") || node.is("ConvTranspose")) {
      Operands.Source weight = walk.source(node, 1);
      if (weight == null || weight.axes().length < 3 || walk.source(node, 0) != null) {
        walk.refuse(node);
      } else if (node.is("Conv")) {
        convolution(node, weight);
      } else {
        transposed(node, weight);
      }
      return true;
    }
    if (node.is("Gemm") || node.is("MatMul")) {
      Operands.Source weight = walk.source(node, 1);
      if (weight == null || weight.axes().length != 2 || walk.source(node, 0) != null) {
        walk.refuse(node);
      } else {
        product(node, weight);
      }
      return true;
    }
    if (node.is("BatchNormalization")) {
      normalization(node);
      return true;
    }
    return false;
  }

  private static long dim(Operands.Source source, int axis) {
    return source.tensor().shape().dim(source.axes()[axis]);
  }

  private void product(Node node, Operands.Source weight) {
    boolean gemm = node.is("Gemm");
    int out = gemm && node.intAttribute("transB", 0) != 0 ? 0 : 1;
    Channels in = walk.channels(node.input(0));
    if (in != null) {
      if (in.fromEnd() != 0 || (gemm && node.intAttribute("transA", 0) != 0)) {
        walk.refuse(in, node + " does not read the units as the rows of its first operand");
      } else {
        consume(node, in, weight, 1 - out);
      }
    }
    Channels made =
        Channels.ofFeatures(
            walk.ties().fresh(dim(weight, out)), gemm ? 2 : walk.rank(node.output()));
    walk.use(Role.INCOMING, node, weight, new Elements(out, made.units()));
    if (gemm) {
      bias(node, made);
    }
    walk.put(node, made);
  }

  private void bias(Node node, Channels made) {
    String bias = node.input(2);
    if (bias.isEmpty()) {
      return;
    }
    if (walk.source(node, 2) == null) {
      String reason = "%s adds the computed '%s'".formatted(node, bias);
      walk.refuse(walk.channels(bias), reason);
      walk.refuse(made, reason);
    } else if (walk.source(node, 2).tensor().size() != 1) {
      vector(node, 2, made, Role.BIAS);
    }
  }

  /** A layer's weight reads the units along an axis. */
  private void consume(Node node, Channels in, Operands.Source weight, int axis) {
    int[] elements = in.elements(dim(weight, axis));
    if (elements == null) {
      walk.refuse(
          in,
          "%s reads %d inputs, not the %d units"
              .formatted(node, dim(weight, axis), in.units().length));
      return;
    }
    walk.use(Role.OUTGOING, node, weight, new Elements(axis, elements));
    walk.read(node, in, elements);
  }

  /** Whether the channels are those of an image of a layer's rank. */
  private boolean isImage(Node node, Channels in, int rank) {
    if (in.fromEnd() != rank - 2 || in.repeated()) {
      walk.refuse(in, node + " does not read the units as the channels of an image");
      return false;
    }
    return true;
  }

  private void convolution(Node node, Operands.Source weight) {
    int rank = weight.axes().length;
    int groups = Math.toIntExact(node.intAttribute("group", 1));
    int perGroup = Math.toIntExact(dim(weight, 1));
    int outputs = Math.toIntExact(dim(weight, 0));
    Channels in = walk.channels(node.input(0));
    boolean follows = in != null && isImage(node, in, rank);
    if (follows && in.units().length != groups * perGroup) {
      walk.refuse(
          in,
          "%s reads %d inputs, not the %d units"
              .formatted(node, groups * perGroup, in.units().length));
      follows = false;
    }
    if (groups > 1 && perGroup == 1) {
      if (follows) {
        depthwise(node, weight, in, outputs / groups);
      }
      return;
    }
    int[] made = walk.ties().fresh(outputs);
    if (follows && groups == 1) {
      consume(node, in, weight, 1);
    } else if (follows) {
      tieGroups(node, in.units(), groups);
      int[] elements = new int[perGroup];
      System.arraycopy(in.units(), 0, elements, 0, perGroup);
      walk.use(Role.OUTGOING, node, weight, new Elements(1, elements));
      walk.read(node, in, in.units());
    }
    if (groups > 1) {
      tieGroups(node, made, groups);
    }
    make(node, weight, 0, Channels.ofImage(made, rank));
  }

  private void make(Node node, Operands.Source weight, int axis, Channels made) {
    walk.use(Role.INCOMING, node, weight, new Elements(axis, made.units()));
    bias(node, asVector(made));
    walk.put(node, made);
  }

  private void tieGroups(Node node, int[] units, int groups) {
    int size = units.length / groups;
    for (int i = size; i < units.length; i++) {
      walk.ties().tie(units[i % size], units[i], node.toString());
    }
  }

  /** Output o is made of channel o / multiplier alone and goes with it. */
  private void depthwise(Node node, Operands.Source weight, Channels in, int multiplier) {
    int[] units = new int[in.units().length * multiplier];
    for (int o = 0; o < units.length; o++) {
      units[o] = in.units()[o / multiplier];
    }
    walk.note(Role.GROUPS, node, node.output(), 0, in.units());
    make(node, weight, 0, Channels.ofImage(units, in.rank()));
  }

  private void transposed(Node node, Operands.Source weight) {
    Channels in = walk.channels(node.input(0));
    int rank = weight.axes().length;
    Channels made = Channels.ofImage(walk.ties().fresh(dim(weight, 1)), rank);
    if (node.intAttribute("group", 1) != 1) {
      String reason = node + " has groups, which are not followed in transposed convolutions";
      walk.refuse(in, reason);
      walk.refuse(made, reason);
    } else if (in != null && isImage(node, in, rank)) {
      consume(node, in, weight, 0);
    }
    if (node.intAttribute("group", 1) == 1) {
      make(node, weight, 1, made);
    } else {
      walk.use(Role.INCOMING, node, weight, new Elements(1, made.units()));
    }
  }

  private void normalization(Node node) {
    Channels in = walk.channels(node.input(0));
    if (in == null) {
      return;
    }
    boolean statistics = node.outputs().stream().skip(1).anyMatch(walk::isRead);
    if (in.fromEnd() != in.rank() - 2) {
      walk.refuse(node);
      return;
    }
    if (statistics) {
      walk.refuse(in, node + " shows statistics of the units");
    }
    Role[] roles = {Role.NORM_SCALE, Role.NORM_SHIFT, Role.NORM_MEAN, Role.NORM_VARIANCE};
    for (int i = 0; i < roles.length; i++) {
      vector(node, i + 1, in.fromEnd() == 0 ? in : asVector(in), roles[i]);
    }
    walk.put(node, in.after(node.opType()));
  }

  private static Channels asVector(Channels in) {
    return new Channels(in.units(), 0, 1, in.repeated(), in.activation());
  }

  /**
   * A parameter with one element, or one slice, a channel along the axis that the channels come to
   * lie at; one with 1 there is the same for all.
   */
  void vector(Node node, int input, Channels units, Role role) {
    Operands.Source source = walk.source(node, input);
    if (source == null) {
      walk.refuse(units, "%s adds the computed '%s'".formatted(node, node.input(input)));
      return;
    }
    int axis = source.axes().length - 1 - units.fromEnd();
    if (fitsRank(source, axis, units)) {
      if (axis < 0 || (dim(source, axis) == 1 && units.units().length > 1)) {
        return;
      }
      int[] elements = units.elements(dim(source, axis));
      if (elements != null) {
        walk.use(role, node, source, new Elements(axis, elements));
        return;
      }
    }
    walk.refuse(
        units,
        "parameter '%s' %s has not one element for each of %d units"
            .formatted(source.parameter(), source.tensor().shape(), units.units().length));
  }

  /** Whether broadcasting leaves the channels where they are. */
  private static boolean fitsRank(Operands.Source source, int axis, Channels units) {
    Shape shape = source.tensor().shape();
    if (units.rank() >= 0) {
      return source.axes().length <= units.rank();
    }
    boolean ones = true;
    for (int a = 0; a < axis; a++) {
      ones &= shape.dim(source.axes()[a]) == 1;
    }
    return ones;
  }
}
