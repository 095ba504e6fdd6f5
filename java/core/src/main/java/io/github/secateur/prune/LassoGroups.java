package io.github.secateur.prune;

import io.github.secateur.device.PruneOps.Boxes;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Groups of weights that a group lasso empties: the units of tied layers, or the blocks or lines of
 * one weight.
 *
 * @param parts where they lie; group i has a piece in each
 * @param sizes weights of each group
 * @param weights factor of each group's norm in the penalty
 * @param touched weights that are dead or gone with a group, its own and those that read it
 */
record LassoGroups(List<Part> parts, float[] sizes, float[] weights, Set<String> touched) {
  /**
   * A region of a weight, as a grid of pieces.
   *
   * @param parameter name of the weight
   * @param tensor its shape, some axes in one
   * @param from first place of the region
   * @param region its extents
   * @param padded the region, perhaps with zeros behind it, so that pieces divide it
   * @param pieces the padded region, its axes split into grid and piece
   * @param sums the same with 1 for the axes within a piece: one element a group, in order
   */
  record Part(
      String parameter,
      Shape tensor,
      long[] from,
      Shape region,
      Shape padded,
      Shape pieces,
      Shape sums) {
    /** Whether the weight can be read in place. */
    boolean inPlace() {
      return padded.equals(tensor);
    }
  }

  /** Number of groups. */
  int count() {
    return sizes.length;
  }

  /**
   * Units with all weights that make them. Norms count as they are, as in the cut by magnitude that
   * follows.
   */
  static List<LassoGroups> ofUnits(Model model, List<UnitGroup> units) {
    List<LassoGroups> all = new ArrayList<>();
    for (UnitGroup group : units) {
      List<Part> parts = new ArrayList<>();
      Set<String> touched = new LinkedHashSet<>();
      long size = 0;
      for (Coupling.Slice slice : group.incoming()) {
        Part part =
            part(model.graph().initializer(slice.parameter()).shape(), slice, group.units());
        parts.add(part);
        size += part.region().size() / group.units();
        touched.add(slice.parameter());
      }
      group.outgoing().forEach(slice -> touched.add(slice.parameter()));
      all.add(new LassoGroups(parts, full(group.units(), size), full(group.units(), 1), touched));
    }
    return all;
  }

  private static Part part(Shape shape, Coupling.Slice slice, long units) {
    long before = 1;
    for (int d = 0; d < slice.axis(); d++) {
      before *= shape.dim(d);
    }
    long length = shape.dim(slice.axis());
    long after = shape.size() / Math.max(1, before * length);
    Shape region = Shape.of(before, units * slice.expansion(), after);
    return new Part(
        slice.parameter(),
        Shape.of(before, length, after),
        new long[] {0, slice.offset(), 0},
        region,
        region,
        Shape.of(before, units, slice.expansion() * after),
        Shape.of(1, units, 1));
  }

  /** Boxes of one weight; norms are weighed by √size (Yuan &amp; Lin 2006), as the cut's are. */
  static LassoGroups ofBoxes(Layer layer, Boxes boxes) {
    Shape grid = boxes.grid();
    Shape box = boxes.box();
    long[] padded = new long[3];
    long[] pieces = new long[6];
    long[] sums = new long[6];
    for (int d = 0; d < 3; d++) {
      padded[d] = grid.dim(d) * box.dim(d);
      pieces[2 * d] = grid.dim(d);
      pieces[2 * d + 1] = box.dim(d);
      sums[2 * d] = grid.dim(d);
      sums[2 * d + 1] = 1;
    }
    Part part =
        new Part(
            layer.parameter(),
            boxes.tensor(),
            new long[3],
            boxes.tensor(),
            Shape.of(padded),
            Shape.of(pieces),
            Shape.of(sums));
    float[] sizes = new float[Math.toIntExact(grid.size())];
    float[] weights = new float[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      long[] at = {i / (grid.dim(1) * grid.dim(2)), i / grid.dim(2) % grid.dim(1), i % grid.dim(2)};
      long size = 1;
      for (int d = 0; d < 3; d++) {
        size *= Math.min(box.dim(d), boxes.tensor().dim(d) - at[d] * box.dim(d));
      }
      sizes[i] = size;
      weights[i] = (float) Math.sqrt(size);
    }
    return new LassoGroups(List.of(part), sizes, weights, Set.of(layer.parameter()));
  }

  private static float[] full(int count, float value) {
    float[] all = new float[count];
    Arrays.fill(all, value);
    return all;
  }
}
