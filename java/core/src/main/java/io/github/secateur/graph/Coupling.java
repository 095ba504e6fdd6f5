package io.github.secateur.graph;

import java.util.List;
import java.util.stream.Stream;

/**
 * Finds what belongs together in the units of a network: a unit is an output (neuron) of a Gemm or
 * MatMul, or an output channel (filter) of a convolution, and to remove it, everything that holds
 * one element for it has to shrink too. Residual additions, depthwise and grouped convolutions tie
 * units of several layers, which then go together; a Concat gives one weight parts of several
 * groups; a Flatten gives a unit as many inputs of the next layer as its channel has places. The
 * idea is that of the dependency graph of Fang et al. (DepGraph, arXiv 2301.12900, section 3); here
 * it is a walk over the nodes that labels every channel of every value with its unit and joins
 * labels where the graph ties them ({@link CouplingWalk}), so that a group is found for any wiring.
 *
 * <p>Units that a graph output shows stay, and so do channels of graph inputs; what the walk does
 * not understand is an obstacle, never a guess.
 */
public final class Coupling {
  private Coupling() {}

  /** What a tensor's elements are to the units they belong to. */
  public enum Role {
    /** Weights that make the unit; a depthwise filter is one too. */
    INCOMING,
    /** Weights that read the unit. */
    OUTGOING,
    /** Added to the unit. */
    BIAS,
    /** Multiplies the unit. */
    SCALE,
    /** γ of a batch normalization. */
    NORM_SCALE,
    /** β of a batch normalization. */
    NORM_SHIFT,
    /** Running mean of a batch normalization: nothing to learn or to mask, but cut. */
    NORM_MEAN,
    /** Running variance of a batch normalization. */
    NORM_VARIANCE,
    /** No parameter but a value that a layer reads. */
    READ,
    /** No parameter but the {@code group} attribute of a depthwise convolution. */
    GROUPS,
    /** No parameter but a size that a Reshape names. */
    SIZE
  }

  /**
   * The part of something that belongs to the units of a group: of the elements along an axis those
   * from {@code offset + unit · expansion} on, {@code expansion} many.
   *
   * @param parameter path of a parameter; for {@link Role#READ} the value, for {@link Role#GROUPS}
   *     and {@link Role#SIZE} the first output of the node
   * @param axis the axis that counts units; for {@link Role#READ} counted from the last, 0; for
   *     {@link Role#SIZE} the place in the constant
   * @param offset of the first unit: not 0 behind a Concat and in grouped convolutions
   * @param expansion elements a unit: 1, or the places of a channel behind a Flatten
   */
  public record Slice(Role role, String parameter, int axis, long offset, long expansion) {}

  /**
   * Units that are alike in all that belongs to them.
   *
   * @param layers names of the nodes that make them, in order; several where they are tied
   * @param units their number
   * @param slices all that belongs to them, in the order of the nodes
   * @param values names of all values that carry them
   * @param activations operators that make the values which the next layers read, pools, reshaping
   *     and dropout set aside; empty text where a layer makes them itself
   * @param reachesOutput whether a graph output shows the units: then they are never pruned
   * @param obstacle why they cannot be pruned for another reason, or empty
   */
  public record Group(
      List<String> layers,
      long units,
      List<Slice> slices,
      List<String> values,
      List<String> activations,
      boolean reachesOutput,
      String obstacle) {
    /** Copies the lists. */
    public Group {
      layers = List.copyOf(layers);
      slices = List.copyOf(slices);
      values = List.copyOf(values);
      activations = List.copyOf(activations);
    }

    /** Name of the first node that makes them. */
    public String layer() {
      return layers.getFirst();
    }

    /** Whether its units may be pruned. */
    public boolean prunable() {
      return !reachesOutput && obstacle.isEmpty();
    }

    /** Weights that make the units. */
    public List<Slice> incoming() {
      return of(Role.INCOMING);
    }

    /** Biases, scales and shifts: 0 for a pruned unit. */
    public List<Slice> vectors() {
      return of(Role.BIAS, Role.SCALE, Role.NORM_SCALE, Role.NORM_SHIFT);
    }

    /** Statistics of normalizations: cut with a unit, but not masked. */
    public List<Slice> statistics() {
      return of(Role.NORM_MEAN, Role.NORM_VARIANCE);
    }

    /** Weights that read the units. */
    public List<Slice> consumers() {
      return of(Role.OUTGOING);
    }

    /** Values that these weights read. */
    public List<Slice> read() {
      return of(Role.READ);
    }

    /** Numbers in nodes that say how many units there are. */
    public List<Slice> sizes() {
      return of(Role.GROUPS, Role.SIZE);
    }

    /** All that is 0 for a pruned unit. */
    public List<Slice> masked() {
      return Stream.of(incoming(), vectors(), consumers()).flatMap(List::stream).toList();
    }

    private List<Slice> of(Role... roles) {
      return slices.stream().filter(s -> List.of(roles).contains(s.role())).toList();
    }
  }

  /** The groups of all layers of the main graph, in order. */
  public static List<Group> groups(Model model) {
    return UnitGrouping.of(new CouplingWalk(model).walk());
  }
}
