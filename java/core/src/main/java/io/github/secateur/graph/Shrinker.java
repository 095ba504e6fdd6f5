package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Removes pruned units physically. A unit goes when its incoming weights, its bias and its outgoing
 * weights are all pruned: it then adds exactly 0 to the next layer whatever the activation, so that
 * the smaller network computes what the masked one does. Each layer keeps at least one unit.
 */
public final class Shrinker {
  private Shrinker() {}

  /**
   * A copy of the model without the pruned units: weights, biases, masks and declared shapes are
   * cut. An element counts as pruned where its mask says so, or, in a parameter without a mask,
   * where it is 0.
   */
  public static Model shrink(Model model) {
    Model result = model.copy();
    Map<String, Map<Integer, long[]>> cuts = new LinkedHashMap<>();
    Set<String> changedValues = new HashSet<>();
    for (Coupling.Group group : Coupling.groups(model)) {
      long[] kept = group.prunable() ? kept(model, group) : null;
      if (kept != null && kept.length < group.units()) {
        for (Coupling.Slice slice : group.slices()) {
          cuts.computeIfAbsent(slice.parameter(), p -> new LinkedHashMap<>())
              .put(slice.axis(), expand(kept, slice.expansion()));
        }
        changedValues.addAll(group.values());
      }
    }
    cuts.forEach(
        (parameter, axes) -> axes.forEach((axis, kept) -> cut(result, parameter, axis, kept)));
    result.graph().values().removeIf(v -> changedValues.contains(v.name()));
    return result;
  }

  /** The units that stay, ascending. */
  private static long[] kept(Model model, Coupling.Group group) {
    List<Long> kept = new ArrayList<>();
    for (long unit = 0; unit < group.units(); unit++) {
      long u = unit;
      if (!group.slices().stream().allMatch(s -> isPruned(model, s, u))) {
        kept.add(unit);
      }
    }
    if (kept.isEmpty()) {
      kept.add(0L);
    }
    return kept.stream().mapToLong(Long::longValue).toArray();
  }

  private static boolean isPruned(Model model, Coupling.Slice slice, long unit) {
    Tensor tensor = ParameterPath.read(model, slice.parameter());
    Mask mask = model.masks().get(slice.parameter());
    Blocks blocks = Blocks.of(tensor.shape(), slice.axis());
    for (long e = unit * slice.expansion(); e < (unit + 1) * slice.expansion(); e++) {
      for (long outer = 0; outer < blocks.outer; outer++) {
        long first = (outer * blocks.length + e) * blocks.inner;
        for (long i = first; i < first + blocks.inner; i++) {
          if (mask == null ? !isZero(tensor, i) : mask.kept(i)) {
            return false;
          }
        }
      }
    }
    return true;
  }

  private static boolean isZero(Tensor tensor, long index) {
    if (tensor.dtype() == DType.F32) {
      return tensor.getFloat(index) == 0;
    }
    int size = tensor.dtype().byteSize();
    return tensor.data().asSlice(index * size, size).mismatch(MemorySegment.ofArray(new byte[size]))
        == -1;
  }

  private static long[] expand(long[] units, long expansion) {
    long[] elements = new long[Math.toIntExact(units.length * expansion)];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = units[(int) (i / expansion)] * expansion + i % expansion;
    }
    return elements;
  }

  private static void cut(Model model, String parameter, int axis, long[] kept) {
    Tensor tensor = ParameterPath.read(model, parameter);
    Tensor smaller = cut(tensor, axis, kept);
    ParameterPath.write(model, parameter, smaller);
    model.masks().computeIfPresent(parameter, (p, mask) -> cut(mask, axis, kept));
    model
        .graph()
        .inputs()
        .replaceAll(i -> i.name().equals(parameter) ? declaration(parameter, smaller) : i);
  }

  private static ValueInfo declaration(String name, Tensor tensor) {
    ValueInfo.Dim[] dims = new ValueInfo.Dim[tensor.shape().rank()];
    for (int d = 0; d < dims.length; d++) {
      dims[d] = ValueInfo.Dim.of(tensor.shape().dim(d));
    }
    return ValueInfo.of(name, tensor.dtype(), dims);
  }

  private static Tensor cut(Tensor tensor, int axis, long[] kept) {
    Blocks from = Blocks.of(tensor.shape(), axis);
    Tensor result = Tensor.zeros(tensor.dtype(), from.resized(kept.length));
    long bytes = from.inner * tensor.dtype().byteSize();
    long target = 0;
    for (long outer = 0; outer < from.outer; outer++) {
      for (long k : kept) {
        result
            .data()
            .asSlice(target, bytes)
            .copyFrom(tensor.data().asSlice((outer * from.length + k) * bytes, bytes));
        target += bytes;
      }
    }
    return result;
  }

  private static Mask cut(Mask mask, int axis, long[] kept) {
    Blocks from = Blocks.of(mask.shape(), axis);
    Mask result = Mask.zeros(from.resized(kept.length));
    long target = 0;
    for (long outer = 0; outer < from.outer; outer++) {
      for (long k : kept) {
        long first = (outer * from.length + k) * from.inner;
        for (long i = first; i < first + from.inner; i++) {
          result.set(target++, mask.kept(i));
        }
      }
    }
    return result;
  }

  /** A shape as [outer, length, inner] around an axis. */
  private record Blocks(Shape shape, int axis, long outer, long length, long inner) {
    static Blocks of(Shape shape, int axis) {
      long outer = 1;
      long inner = 1;
      for (int d = 0; d < shape.rank(); d++) {
        outer *= d < axis ? shape.dim(d) : 1;
        inner *= d > axis ? shape.dim(d) : 1;
      }
      return new Blocks(shape, axis, outer, shape.dim(axis), inner);
    }

    Shape resized(long size) {
      long[] dims = shape.dims();
      dims[axis] = size;
      return Shape.of(dims);
    }
  }
}
