package io.github.secateur.graph;

import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The rules of a {@link CouplingWalk} for operators that move channels without computing on them,
 * or reduce the places of an image: Concat, Flatten, Reshape, Squeeze, Pad and reductions.
 */
final class CoupledShapes {
  private static final Set<String> REDUCTIONS = Set.of("ReduceMean", "ReduceMax", "ReduceSum");

  private final CouplingWalk walk;
  private final KnownShapes known;

  CoupledShapes(CouplingWalk walk, KnownShapes known) {
    this.walk = walk;
    this.known = known;
  }

  /** Rank of a value, or −1. */
  int rank(String value) {
    return known.of(value).map(Shape::rank).orElse(-1);
  }

  /** Follows a node that one of these rules is for; else false. */
  boolean visit(Node node) {
    Channels in = walk.channels(node.input(0));
    if (node.is("Concat")) {
      concat(node);
    } else if (node.is("Flatten")) {
      Channels flat = in == null ? null : in.flattened();
      give(node, in, node.intAttribute("axis", 1) == 1 ? flat : null);
    } else if (node.is("Reshape")) {
      reshape(node, in);
    } else if (node.is("Pad")) {
      give(node, in, in != null && padsPlaces(node, in) ? in : null);
    } else if (REDUCTIONS.stream().anyMatch(node::is)) {
      boolean keeps = node.intAttribute("keepdims", 1) != 0;
      give(node, in, in == null ? null : without(in, axes(node, in), keeps));
    } else if (node.is("Squeeze")) {
      give(node, in, in == null ? null : without(in, axes(node, in), false));
    } else {
      return false;
    }
    return true;
  }

  /** Hands on the channels, or refuses what came in when there are none to hand on. */
  private void give(Node node, Channels in, Channels out) {
    if (in != null && out != null) {
      walk.put(node, out);
    } else {
      walk.refuse(node);
    }
  }

  private void concat(Node node) {
    List<Channels> parts = node.inputs().stream().map(walk::channels).toList();
    Channels model = parts.stream().filter(p -> p != null).findFirst().orElse(null);
    if (model == null) {
      return;
    }
    long axis = node.intAttribute("axis", 0);
    if (axis >= 0 && model.rank() < 0) {
      walk.refuse(node);
      return;
    }
    long fromEnd = axis < 0 ? -1 - axis : model.rank() - 1 - axis;
    if (fromEnd != model.fromEnd()) {
      walk.tieAll(node, 0);
      return;
    }
    int[] units = {};
    String activation = model.activation();
    for (int i = 0; i < parts.size(); i++) {
      Channels part = parts.get(i);
      int[] more = part == null ? fixed(node.input(i), model.fromEnd()) : elements(node, i);
      if (more == null || (part != null && part.fromEnd() != model.fromEnd())) {
        walk.refuse(
            node,
            "%s joins the units with '%s', whose size is not known".formatted(node, node.input(i)));
        return;
      }
      int before = units.length;
      units = Arrays.copyOf(units, before + more.length);
      System.arraycopy(more, 0, units, before, more.length);
      if (part != null && !part.activation().equals(activation)) {
        activation = "several operators";
      }
    }
    walk.put(node, new Channels(units, model.fromEnd(), model.rank(), false, activation));
  }

  /** The units of an input's elements; null where their number is not known. */
  private int[] elements(Node node, int input) {
    Channels part = walk.channels(node.input(input));
    if (!part.repeated()) {
      return part.units();
    }
    return size(node.input(input), part.fromEnd()).map(part::elements).orElse(null);
  }

  private Optional<Long> size(String value, int fromEnd) {
    return known.of(value).filter(s -> s.rank() > fromEnd).map(s -> s.dim(s.rank() - 1 - fromEnd));
  }

  /** Channels that are no units, such as those of a graph input. */
  private int[] fixed(String value, int fromEnd) {
    return size(value, fromEnd)
        .map(
            size -> {
              int[] units = new int[Math.toIntExact(size)];
              Arrays.fill(units, UnitTies.FIXED);
              return units;
            })
        .orElse(null);
  }

  /** The axes that a node names, counted from the last; null when it names none or they vary. */
  private Set<Integer> axes(Node node, Channels in) {
    List<Long> named = node.intsAttribute("axes", List.of());
    if (named.isEmpty() && !node.input(1).isEmpty()) {
      named = constant(node, 1);
    }
    if (named == null || named.isEmpty() || in.rank() < 0) {
      return null;
    }
    return named.stream()
        .map(a -> (int) (a < 0 ? -1 - a : in.rank() - 1 - a))
        .collect(Collectors.toSet());
  }

  private List<Long> constant(Node node, int input) {
    Operands.Source source = walk.source(node, input);
    if (source == null || source.tensor().dtype() != DType.I64) {
      return null;
    }
    return Arrays.stream(source.tensor().toLongs()).boxed().toList();
  }

  /** Channels where some places' axes were reduced; null when the channels were. */
  private static Channels without(Channels in, Set<Integer> axes, boolean keeps) {
    if (axes == null || axes.contains(in.fromEnd()) || in.repeated()) {
      return null;
    }
    if (keeps) {
      return in;
    }
    int behind = (int) axes.stream().filter(a -> a < in.fromEnd()).count();
    return new Channels(
        in.units(), in.fromEnd() - behind, in.rank() - axes.size(), false, in.activation());
  }

  private boolean padsPlaces(Node node, Channels in) {
    List<Long> pads = node.intsAttribute("pads", List.of());
    if (pads.isEmpty()) {
      pads = constant(node, 1);
    }
    if (pads == null || pads.size() != 2 * in.rank() || !node.input(3).isEmpty()) {
      return false;
    }
    int axis = in.rank() - 1 - in.fromEnd();
    return pads.get(axis) == 0 && pads.get(axis + in.rank()) == 0;
  }

  /**
   * Reshapes that keep the channels of each sample in order: [batch, channels, places ...] to
   * [batch, channels · places] or to other axes of places, and back again. Sizes that count
   * channels are noted, for they change with them.
   */
  private void reshape(Node node, Channels in) {
    List<Long> to = constant(node, 1);
    Shape from = known.of(node.input(0)).orElse(null);
    Shape out = known.of(node.output()).orElse(null);
    boolean told = in != null && to != null && from != null && out != null;
    if (!told || from.dim(0) != out.dim(0) || to.size() < 2) {
      walk.refuse(node);
      return;
    }
    int axis = from.rank() - 1 - in.fromEnd();
    int[] elements = in.elements(from.dim(axis));
    if (axis != 1 || elements == null || out.rank() != to.size()) {
      walk.refuse(node);
      return;
    }
    long places = from.size() / from.dim(0) / from.dim(1);
    long placesOut = out.size() / out.dim(0) / out.dim(1);
    int[] units = regroup(node, elements, places, placesOut);
    if (units == null || units.length != out.dim(1)) {
      walk.refuse(node);
      return;
    }
    if (to.get(1) > 0) {
      walk.note(Role.SIZE, node, node.output(), 1, units);
    }
    walk.put(node, new Channels(units, out.rank() - 2, out.rank(), false, in.activation()));
  }

  /** Units of the new axis 1, whose every element has {@code after} places behind it. */
  private int[] regroup(Node node, int[] elements, long before, long after) {
    if (before % after == 0) {
      int times = Math.toIntExact(before / after);
      int[] units = new int[elements.length * times];
      for (int i = 0; i < units.length; i++) {
        units[i] = elements[i / times];
      }
      return units;
    }
    if (after % before != 0 || elements.length % (after / before) != 0) {
      return null;
    }
    int together = Math.toIntExact(after / before);
    int[] units = new int[elements.length / together];
    for (int i = 0; i < elements.length; i++) {
      units[i / together] = elements[i / together * together];
      walk.ties().tie(units[i / together], elements[i], node.toString());
    }
    return units;
  }
}
