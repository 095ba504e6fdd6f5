package io.github.secateur.prune;

import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is left of tensors while units go and come: a tensor counts a factor times the product over
 * its axes of the elements that are there. All of its elements count, zeros too, as in the network
 * with the units cut out. A unit costs as many steps to remove as it has slices.
 */
final class UnitCosts {
  private final List<Item> items = new ArrayList<>();
  private final List<List<Touch>> touched = new ArrayList<>();
  private final int[] units;
  private final int[] living;
  private final long dense;
  private long total;

  /** A tensor, the elements left along each axis, and what an element counts. */
  private record Item(long[] left, long factor) {
    long cost() {
      long cost = factor;
      for (long dim : left) {
        cost *= dim;
      }
      return cost;
    }
  }

  /** A unit of a group takes elements of an item with it. */
  private record Touch(Item item, int axis, long elements) {}

  /**
   * Of tensors that count.
   *
   * @param factors what an element of each tensor counts, by parameter
   * @param shapes of these tensors
   */
  UnitCosts(List<UnitGroup> groups, Map<String, Long> factors, Map<String, Shape> shapes) {
    Map<String, Item> byName = new HashMap<>();
    shapes.forEach(
        (name, shape) -> {
          Item item = new Item(shape.dims(), factors.get(name));
          items.add(item);
          byName.put(name, item);
        });
    units = groups.stream().mapToInt(UnitGroup::units).toArray();
    living = units.clone();
    for (int g = 0; g < living.length; g++) {
      UnitGroup group = groups.get(g);
      List<Touch> touches = new ArrayList<>();
      List<Coupling.Slice> slices = new ArrayList<>(group.slices());
      slices.addAll(group.statistics());
      for (Coupling.Slice slice : slices) {
        if (byName.containsKey(slice.parameter())) {
          touches.add(new Touch(byName.get(slice.parameter()), slice.axis(), slice.expansion()));
        }
      }
      touched.add(touches);
    }
    total = items.stream().mapToLong(Item::cost).sum();
    dense = total;
  }

  /** Weights of prunable layers. */
  static UnitCosts weights(List<UnitGroup> groups, List<Layer> layers) {
    Map<String, Long> factors = new LinkedHashMap<>();
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (Layer layer : layers) {
      factors.put(layer.parameter(), 1L);
      shapes.put(layer.parameter(), layer.shape());
    }
    return new UnitCosts(groups, factors, shapes);
  }

  /** What a budget counts. */
  static UnitCosts of(Budget.Unit unit, List<UnitGroup> groups, Model model) {
    Map<String, Long> factors = new LinkedHashMap<>();
    Map<String, Shape> shapes = new LinkedHashMap<>();
    Map<String, Tensor> stored = Costs.stored(model);
    switch (unit) {
      case PARAMETERS -> Costs.learned(model).keySet().forEach(name -> factors.put(name, 1L));
      case FLOPS -> Costs.places(model).forEach((name, places) -> factors.put(name, 2 * places));
      case BYTES ->
          stored.forEach((name, tensor) -> factors.put(name, (long) tensor.dtype().byteSize()));
    }
    factors.keySet().forEach(name -> shapes.put(name, stored.get(name).shape()));
    return new UnitCosts(groups, factors, shapes);
  }

  /** A unit goes. */
  void remove(int group) {
    shift(group, -1);
  }

  /** A unit comes back. */
  void restore(int group) {
    shift(group, 1);
  }

  private void shift(int group, int sign) {
    living[group] += sign;
    for (Touch touch : touched.get(group)) {
      total -= touch.item.cost();
      touch.item.left[touch.axis] += sign * touch.elements;
      total += touch.item.cost();
    }
  }

  /** Units of a group that are there. */
  int living(int group) {
    return living[group];
  }

  /**
   * Cost with the fewest units, which all have to be there now.
   *
   * @param keep how many units of each group stay
   */
  long least(int[] keep) {
    for (int g = 0; g < keep.length; g++) {
      for (int u = living[g]; u > keep[g]; u--) {
        remove(g);
      }
    }
    long least = total;
    for (int g = 0; g < keep.length; g++) {
      while (living[g] < units[g]) {
        restore(g);
      }
    }
    return least;
  }

  /** Cost with all units. */
  long dense() {
    return dense;
  }

  /** Cost of what is there. */
  long total() {
    return total;
  }
}
