package io.github.secateur.prune;

import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.graph.Prunables;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reorders the units of a network so that N:M groups keep more magnitude (Pool &amp; Yu 2021). The
 * inputs of a layer are the outputs of those before it: to reorder them means to reorder their
 * incoming weights, biases and normalizations, and the weights of all who read them ({@link
 * Coupling}). The network computes the same. Units that are tied get one order, searched for all
 * their layers together.
 */
public final class ChannelPermutation {
  private ChannelPermutation() {}

  /**
   * What was found for units that go together.
   *
   * @param layers whose groups gain
   * @param before magnitude that N:M keeps of them without reordering
   * @param after the same with it, never less
   * @param bound what the same number of weights of each line could keep at most, without groups
   */
  public record Found(List<String> layers, double before, double after, double bound) {}

  /**
   * A layer whose order was left.
   *
   * @param reason why
   */
  public record Left(String layer, String reason) {}

  /**
   * The reordered network.
   *
   * @param model a copy
   * @param found in the order of the graph
   * @param left layers that the pattern prunes in the order as it was
   */
  public record Result(Model model, List<Found> found, List<Left> left) {
    /** Copies the lists. */
    public Result {
      found = List.copyOf(found);
      left = List.copyOf(left);
    }

    /** One line for a log. */
    @Override
    public String toString() {
      double before = found.stream().mapToDouble(Found::before).sum();
      double after = found.stream().mapToDouble(Found::after).sum();
      double bound = found.stream().mapToDouble(Found::bound).sum();
      return "channel order: magnitude kept %.6g, %.6g as it was, at most %.6g; left %s"
          .formatted(after, before, bound, left);
    }
  }

  /**
   * Searches and applies an order for each group of units.
   *
   * @param seed of the search
   */
  public static Result apply(Model model, Pattern.NM pattern, long seed) {
    Map<String, Layer> layers = new HashMap<>();
    Prunables.find(model).stream()
        .map(Layers::of)
        .filter(layer -> GroupMasker.takes(layer, pattern))
        .forEach(layer -> layers.put(layer.parameter(), layer));
    Model reordered = model.copy();
    List<Found> found = new ArrayList<>();
    List<Left> left = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (Coupling.Group group : Coupling.groups(model)) {
      List<Coupling.Slice> targets = targets(group, layers, pattern.axis());
      targets.forEach(slice -> seen.add(slice.parameter()));
      if (targets.isEmpty()) {
        continue;
      }
      List<String> names = targets.stream().map(s -> layers.get(s.parameter()).name()).toList();
      if (!group.prunable()) {
        String reason =
            group.reachesOutput() ? "the graph's outputs show its units" : group.obstacle();
        names.forEach(name -> left.add(new Left(name, reason)));
        continue;
      }
      List<PermutationSearch.Target> weights =
          targets.stream().map(slice -> target(reordered, slice)).toList();
      var search = new PermutationSearch(weights, (int) group.units(), pattern, seed);
      double before = search.retained();
      int[] order = search.search();
      found.add(new Found(names, before, search.retained(), search.bound()));
      reorder(reordered, group, order);
    }
    layers.forEach(
        (parameter, layer) -> {
          if (!seen.contains(parameter)) {
            left.add(new Left(layer.name(), "no layer makes its inputs, or none that is known"));
          }
        });
    return new Result(reordered, found, left);
  }

  /** The weights whose groups run along the units. */
  private static List<Coupling.Slice> targets(
      Coupling.Group group, Map<String, Layer> layers, Pattern.Axis axis) {
    List<Coupling.Slice> slices = axis == Pattern.Axis.INPUT ? group.consumers() : group.incoming();
    return slices.stream()
        .filter(slice -> layers.containsKey(slice.parameter()))
        .filter(
            slice -> {
              Layer layer = layers.get(slice.parameter());
              int along = axis == Pattern.Axis.INPUT ? layer.inputAxis() : layer.outputAxis();
              return slice.axis() == along;
            })
        .toList();
  }

  /** Magnitudes of a weight with the axis of the units first. */
  private static PermutationSearch.Target target(Model model, Coupling.Slice slice) {
    Tensor tensor = FloatTypes.toF32(ParameterPath.read(model, slice.parameter()));
    Shape s = around(tensor.shape(), slice.axis());
    float[] magnitudes = new float[(int) tensor.size()];
    int i = 0;
    for (long position = 0; position < s.dim(1); position++) {
      for (long outer = 0; outer < s.dim(0); outer++) {
        for (long inner = 0; inner < s.dim(2); inner++) {
          long flat = (outer * s.dim(1) + position) * s.dim(2) + inner;
          magnitudes[i++] = Math.abs(tensor.getFloat(flat));
        }
      }
    }
    return new PermutationSearch.Target(
        magnitudes, (int) s.dim(1), (int) slice.offset(), (int) slice.expansion());
  }

  private static Shape around(Shape shape, int axis) {
    long before = 1;
    for (int d = 0; d < axis; d++) {
      before *= shape.dim(d);
    }
    return Shape.of(before, shape.dim(axis), shape.size() / before / shape.dim(axis));
  }

  private static void reorder(Model model, Coupling.Group group, int[] order) {
    List<Coupling.Slice> all = new ArrayList<>(group.masked());
    all.addAll(group.statistics());
    for (Coupling.Slice slice : all) {
      Tensor old = ParameterPath.read(model, slice.parameter());
      Tensor tensor = old.copy();
      Mask before = model.masks().get(slice.parameter());
      Mask mask = before == null ? null : Mask.zeros(old.shape());
      Shape s = around(old.shape(), slice.axis());
      long bytes = s.dim(2) * old.dtype().byteSize();
      for (long line = 0; line < s.dim(0) * s.dim(1); line++) {
        long position = line % s.dim(1);
        long source = line - position + before(slice, order, position);
        tensor
            .data()
            .asSlice(line * bytes, bytes)
            .copyFrom(old.data().asSlice(source * bytes, bytes));
        for (long i = 0; mask != null && i < s.dim(2); i++) {
          mask.set(line * s.dim(2) + i, before.kept(source * s.dim(2) + i));
        }
      }
      ParameterPath.write(model, slice.parameter(), tensor);
      if (mask != null) {
        model.masks().put(slice.parameter(), mask);
      }
    }
  }

  /** Where what comes to a position of a slice's axis was. */
  private static long before(Coupling.Slice slice, int[] order, long position) {
    long at = position - slice.offset();
    if (at < 0 || at >= order.length * slice.expansion()) {
      return position;
    }
    long unit = order[(int) (at / slice.expansion())];
    return slice.offset() + unit * slice.expansion() + at % slice.expansion();
  }
}
