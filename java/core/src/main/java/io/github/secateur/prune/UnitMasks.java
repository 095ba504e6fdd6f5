package io.github.secateur.prune;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.graph.Coupling;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;

/** Masks over whole units of tensors. */
final class UnitMasks {
  private UnitMasks() {}

  /**
   * A tensor [..., dim of the axis, ...] as a matrix in which rows or columns belong to units.
   *
   * @param matrix its shape
   * @param axis of the matrix: 0 where the tensor's first axis counts units, else 1
   * @param lines rows or columns of the matrix for each element along the tensor's axis
   */
  record View(Shape matrix, int axis, int lines) {
    static View of(Shape shape, int axis) {
      long inner = 1;
      for (int d = axis + 1; d < shape.rank(); d++) {
        inner *= shape.dim(d);
      }
      if (axis == 0) {
        return new View(Shape.of(shape.dim(0), inner), 0, 1);
      }
      long line = shape.dim(axis) * inner;
      long outer = 1;
      for (int d = 0; d < axis; d++) {
        outer *= shape.dim(d);
      }
      return new View(Shape.of(outer, line), 1, Math.toIntExact(inner));
    }
  }

  /** Prunes the units that are not alive in a tensor. */
  static void prune(Site site, Coupling.Slice slice, boolean[] alive) {
    DeviceMask mask = site.mask(slice.parameter());
    View view = View.of(mask.shape(), slice.axis());
    Mask lines = Mask.ones(Shape.of(view.matrix.dim(view.axis)));
    long perUnit = slice.expansion() * view.lines;
    long first = slice.offset() * view.lines;
    for (int u = 0; u < alive.length; u++) {
      for (long i = 0; !alive[u] && i < perUnit; i++) {
        lines.set(first + u * perUnit + i, false);
      }
    }
    try (DeviceMask onDevice = site.device().toDevice(lines)) {
      site.device()
          .prune()
          .maskUnits(view.axis, onDevice, new DeviceMask(mask.words(), view.matrix));
    }
  }

  /** Which units have a kept element left in a tensor. */
  static boolean[] alive(Site site, Coupling.Slice slice, int units) {
    Mask mask = site.device().toHost(site.mask(slice.parameter()));
    View view = View.of(mask.shape(), slice.axis());
    long columns = view.matrix.dim(1);
    long perUnit = slice.expansion() * view.lines;
    long first = slice.offset() * view.lines;
    boolean[] alive = new boolean[units];
    for (long i = 0; i < mask.size(); i++) {
      long line = view.axis == 0 ? i / columns : i % columns;
      if (line >= first && line < first + units * perUnit && mask.kept(i)) {
        alive[(int) ((line - first) / perUnit)] = true;
      }
    }
    return alive;
  }
}
