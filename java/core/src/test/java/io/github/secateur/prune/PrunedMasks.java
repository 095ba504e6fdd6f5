package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What must be true of masks, by plain loops over the definitions.
 *
 * @param model the network as it was before
 * @param masks of its parameters; one that has none is kept whole
 */
record PrunedMasks(Model model, Map<String, Mask> masks) {
  private boolean kept(String parameter, long i) {
    Mask mask = masks.get(parameter);
    return mask == null || mask.kept(i);
  }

  private Shape shape(Coupling.Slice slice) {
    return model.graph().initializer(slice.parameter()).shape();
  }

  /** The same masks, bit for bit. */
  void requireEqual(Map<String, Mask> wanted) {
    assertEquals(wanted.keySet(), masks.keySet());
    wanted.forEach((name, mask) -> assertTrue(mask.bitEquals(masks.get(name)), "mask of " + name));
  }

  /** +0 where pruned. */
  void requireZeros(Map<String, Tensor> weights) {
    masks.forEach(
        (name, mask) -> {
          Tensor weight = weights.get(name);
          for (long i = 0; i < mask.size(); i++) {
            int bits = Float.floatToRawIntBits(weight.getFloat(i));
            assertTrue(mask.kept(i) || bits == 0, name + " at " + i);
          }
        });
  }

  /** The same, and every other bit as it was. */
  void requireNothingElseChanged(Map<String, Tensor> weights) {
    requireZeros(weights);
    weights.forEach(
        (name, weight) -> {
          Tensor before = model.graph().initializer(name);
          for (long i = 0; before.dtype() == DType.F32 && i < weight.size(); i++) {
            if (kept(name, i)) {
              assertEquals(
                  Float.floatToRawIntBits(before.getFloat(i)),
                  Float.floatToRawIntBits(weight.getFloat(i)),
                  name + " at " + i);
            }
          }
        });
  }

  /** The share of all prunable weights, to so many weights. */
  void requireSparsity(double sparsity, double weights) {
    long pruned = 0;
    List<Layer> layers = Layers.trainable(model);
    for (Layer layer : layers) {
      Mask mask = masks.get(layer.parameter());
      pruned += mask == null ? 0 : mask.prunedCount();
    }
    assertEquals(sparsity * Quotas.total(layers), pruned, weights, "pruned weights");
  }

  /** What a pattern takes together is there or gone; N:M keeps n of each m. */
  void requirePattern(Pattern pattern) {
    switch (pattern) {
      case Pattern.Unstructured _, Pattern.Given _ -> {}
      case Pattern.Neuron(int roundTo) -> {
        requireWholeUnits();
        for (UnitGroup group : UnitGroups.of(model)) {
          int living = living(group);
          assertTrue(living % roundTo == 0 || living == group.units(), group.layer());
        }
      }
      case Pattern.NM _, Pattern.Block _, Pattern.Line _ -> {
        for (Layer layer : Layers.trainable(model)) {
          for (List<Integer> part : PatternOracle.parts(layer, pattern)) {
            long kept = part.stream().filter(i -> kept(layer.parameter(), i)).count();
            if (pattern instanceof Pattern.NM nm) {
              assertEquals(PatternOracle.kept(nm, layer, part), kept, layer.name());
            } else {
              assertTrue(kept == 0 || kept == part.size(), layer.name() + " " + part);
            }
          }
        }
      }
    }
  }

  /** The most prunable weights that a pattern takes together. */
  long largestPart(Pattern pattern) {
    List<Layer> layers = Layers.trainable(model);
    long largest = 1;
    if (!(pattern instanceof Pattern.Neuron(int roundTo))) {
      for (Layer layer : layers) {
        for (List<Integer> part : PatternOracle.parts(layer, pattern)) {
          largest = Math.max(largest, part.size());
        }
      }
      return largest;
    }
    List<String> weights = layers.stream().map(Layer::parameter).toList();
    for (UnitGroup group : UnitGroups.of(model)) {
      long own = 0;
      for (Coupling.Slice slice : group.slices()) {
        own += weights.contains(slice.parameter()) ? elements(shape(slice), slice, 0).size() : 0;
      }
      largest = Math.max(largest, own * roundTo);
    }
    return largest;
  }

  /** Flat indices of what belongs to a unit in a tensor, by the definition of a slice. */
  static List<Integer> elements(Shape shape, Coupling.Slice slice, int unit) {
    long inner = 1;
    for (int d = slice.axis() + 1; d < shape.rank(); d++) {
      inner *= shape.dim(d);
    }
    List<Integer> elements = new ArrayList<>();
    for (int i = 0; i < shape.size(); i++) {
      long along = i / inner % shape.dim(slice.axis()) - slice.offset();
      if (Math.floorDiv(along, slice.expansion()) == unit) {
        elements.add(i);
      }
    }
    return elements;
  }

  /** Whether each unit of a group is there, by its bias. */
  boolean[] alive(UnitGroup group) {
    Coupling.Slice bias = group.own().getFirst();
    boolean[] alive = new boolean[group.units()];
    for (int u = 0; u < alive.length; u++) {
      alive[u] = kept(bias.parameter(), elements(shape(bias), bias, u).getFirst());
    }
    return alive;
  }

  private int living(UnitGroup group) {
    int living = 0;
    for (boolean alive : alive(group)) {
      living += alive ? 1 : 0;
    }
    return living;
  }

  /** All that belongs to units that are gone is pruned, and nothing else. */
  private void requireWholeUnits() {
    Map<String, Mask> wanted = new HashMap<>();
    for (UnitGroup group : UnitGroups.of(model)) {
      boolean[] alive = alive(group);
      for (Coupling.Slice slice : group.slices()) {
        Shape shape = shape(slice);
        Mask mask = wanted.computeIfAbsent(slice.parameter(), p -> Mask.ones(shape));
        for (int u = 0; u < alive.length; u++) {
          if (!alive[u]) {
            elements(shape, slice, u).forEach(i -> mask.set(i, false));
          }
        }
      }
    }
    requireEqual(wanted);
  }
}
