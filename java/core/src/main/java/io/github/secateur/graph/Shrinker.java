package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Removes pruned units physically. A unit goes when its incoming weights, its bias, the scale and
 * shift of its normalizations and its outgoing weights are all pruned: it then adds exactly 0 to
 * the next layer whatever the activation, so that the smaller network computes what the masked one
 * does. Each group of units keeps at least one.
 */
public final class Shrinker {
  private Shrinker() {}

  /**
   * A copy of the model without the pruned units: weights, vectors, statistics, masks, numbers of
   * groups and sizes named by Reshape nodes are cut; declared shapes of values that carried them
   * are dropped. An element counts as pruned where its mask says so, or, in a parameter without a
   * mask, where it is 0.
   */
  public static Model shrink(Model model) {
    Model result = model.copy();
    Map<String, Map<Integer, boolean[]>> cuts = new LinkedHashMap<>();
    Map<String, Long> removed = new LinkedHashMap<>();
    Set<String> changedValues = new HashSet<>();
    for (Coupling.Group group : Coupling.groups(model)) {
      boolean[] kept = group.prunable() ? kept(model, group) : null;
      if (kept == null || count(kept) == kept.length) {
        continue;
      }
      List<Coupling.Slice> parameters = new ArrayList<>(group.masked());
      parameters.addAll(group.statistics());
      for (Coupling.Slice slice : parameters) {
        boolean[] elements =
            cuts.computeIfAbsent(slice.parameter(), p -> new LinkedHashMap<>())
                .computeIfAbsent(slice.axis(), axis -> all(model, slice));
        cut(elements, slice, kept);
      }
      for (Coupling.Slice size : group.sizes()) {
        removed.merge(size.parameter(), (kept.length - count(kept)) * size.expansion(), Long::sum);
      }
      changedValues.addAll(group.values());
    }
    cuts.forEach(
        (parameter, axes) ->
            axes.forEach((axis, kept) -> cut(result, parameter, axis, indices(kept))));
    removed.forEach((value, gone) -> resize(result, value, gone));
    result.graph().values().removeIf(v -> changedValues.contains(v.name()));
    return result;
  }

  /** Which units stay. */
  private static boolean[] kept(Model model, Coupling.Group group) {
    boolean[] kept = new boolean[Math.toIntExact(group.units())];
    for (Coupling.Slice slice : group.masked()) {
      Tensor tensor = ParameterPath.read(model, slice.parameter());
      Mask mask = model.masks().get(slice.parameter());
      for (int unit = 0; unit < kept.length; unit++) {
        kept[unit] |= !isPruned(tensor, mask, slice, unit);
      }
    }
    kept[0] |= count(kept) == 0;
    return kept;
  }

  private static boolean isPruned(Tensor tensor, Mask mask, Coupling.Slice slice, int unit) {
    Blocks blocks = Blocks.of(tensor.shape(), slice.axis());
    long start = slice.offset() + unit * slice.expansion();
    for (long e = start; e < start + slice.expansion(); e++) {
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

  private static int count(boolean[] kept) {
    int count = 0;
    for (boolean k : kept) {
      count += k ? 1 : 0;
    }
    return count;
  }

  private static boolean[] all(Model model, Coupling.Slice slice) {
    Shape shape = ParameterPath.read(model, slice.parameter()).shape();
    boolean[] elements = new boolean[Math.toIntExact(shape.dim(slice.axis()))];
    Arrays.fill(elements, true);
    return elements;
  }

  private static void cut(boolean[] elements, Coupling.Slice slice, boolean[] kept) {
    int expansion = Math.toIntExact(slice.expansion());
    for (int i = 0; i < kept.length * expansion; i++) {
      elements[Math.toIntExact(slice.offset()) + i] &= kept[i / expansion];
    }
  }

  private static long[] indices(boolean[] kept) {
    return IntStream.range(0, kept.length).filter(i -> kept[i]).asLongStream().toArray();
  }

  /** Lowers the number of groups of a convolution, or the size of axis 1 that a Reshape names. */
  private static void resize(Model model, String value, long gone) {
    Graph graph = model.graph();
    Node node = graph.producer(value).orElseThrow();
    if (node.is("Conv")) {
      long groups = node.intAttribute("group", 1) - gone;
      graph.replace(node, node.with("group", new Attribute.Int(groups)));
      return;
    }
    String name = node.input(1);
    Tensor sizes = ParameterPath.read(model, name).copy();
    long[] numbers = sizes.toLongs();
    numbers[1] -= gone;
    Tensor smaller = Tensor.ofLongs(sizes.shape(), numbers);
    String own = graph.freshName(name + ".pruned");
    graph.initializers().put(own, smaller);
    graph.replace(node, node.withInput(1, own));
    if (graph.consumers(name).isEmpty()) {
      graph.initializers().remove(name);
    }
  }

  private static boolean isZero(Tensor tensor, long index) {
    if (tensor.dtype() == DType.F32) {
      return tensor.getFloat(index) == 0;
    }
    int size = tensor.dtype().byteSize();
    return tensor.data().asSlice(index * size, size).mismatch(MemorySegment.ofArray(new byte[size]))
        == -1;
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
