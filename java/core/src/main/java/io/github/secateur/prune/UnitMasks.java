package io.github.secateur.prune;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Coupling;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;

/** Masks over whole units of tensors. */
final class UnitMasks {
  private UnitMasks() {}

  /** A view of a tensor as a matrix in which axis 0 or 1 runs over the units. */
  static DeviceTensor matrix(DeviceTensor tensor, int axis) {
    return tensor.view(matrix(tensor.shape(), axis));
  }

  /** Prunes the units that are not alive in a tensor. */
  static void prune(Site site, Coupling.Slice slice, boolean[] alive) {
    DeviceMask mask = site.mask(slice.parameter());
    Mask units = Mask.zeros(Shape.of(alive.length * slice.expansion()));
    for (int u = 0; u < alive.length; u++) {
      for (long i = 0; i < slice.expansion(); i++) {
        units.set(u * slice.expansion() + i, alive[u]);
      }
    }
    try (DeviceMask onDevice = site.device().toDevice(units)) {
      site.device()
          .prune()
          .maskUnits(
              slice.axis(),
              onDevice,
              new DeviceMask(mask.words(), matrix(mask.shape(), slice.axis())));
    }
  }

  /** Which units have a kept element left in a tensor. */
  static boolean[] alive(Site site, Coupling.Slice slice, int units) {
    Mask mask = site.device().toHost(site.mask(slice.parameter()));
    Shape matrix = matrix(mask.shape(), slice.axis());
    long columns = matrix.dim(1);
    boolean[] alive = new boolean[units];
    for (long i = 0; i < mask.size(); i++) {
      if (mask.kept(i)) {
        long index = slice.axis() == 0 ? i / columns : i % columns;
        alive[(int) (index / slice.expansion())] = true;
      }
    }
    return alive;
  }

  private static Shape matrix(Shape shape, int axis) {
    long outer = shape.dim(0);
    if (axis == 0) {
      return Shape.of(outer, outer == 0 ? 0 : shape.size() / outer);
    }
    if (axis == 1 && shape.rank() == 2) {
      return shape;
    }
    throw new IllegalArgumentException(
        "units along axis %d of a tensor of shape %s cannot be masked".formatted(axis, shape));
  }
}
