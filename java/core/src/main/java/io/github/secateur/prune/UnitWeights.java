package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Criteria of units that read weights alone. Where units of several layers are tied, all their
 * incoming weights count.
 */
final class UnitWeights {
  private final Device device;
  private final Function<String, DeviceTensor> tensors;
  private final List<UnitGroup> groups;

  /** Of the weights as they are. */
  UnitWeights(Site site, List<UnitGroup> groups) {
    this(site.device(), site::weight, groups);
  }

  /**
   * Of tensors in the place of weights, such as scores of single weights.
   *
   * @param tensors by parameter
   */
  UnitWeights(Device device, Function<String, DeviceTensor> tensors, List<UnitGroup> groups) {
    this.device = device;
    this.tensors = tensors;
    this.groups = groups;
  }

  /** An element of a tensor that belongs to a unit. */
  interface Element {
    /** Takes a unit and the flat index of one of its elements. */
    void at(int unit, long index);
  }

  /** Visits a slice unit by unit, each in the order of flat indices. */
  static void forEach(Shape shape, Coupling.Slice slice, int units, Element element) {
    long inner = 1;
    for (int d = slice.axis() + 1; d < shape.rank(); d++) {
      inner *= shape.dim(d);
    }
    long length = shape.dim(slice.axis());
    long outer = shape.size() / Math.max(1, inner * length);
    for (int u = 0; u < units; u++) {
      long first = slice.offset() + u * slice.expansion();
      for (long o = 0; o < outer; o++) {
        long from = (o * length + first) * inner;
        for (long i = from; i < from + slice.expansion() * inner; i++) {
          element.at(u, i);
        }
      }
    }
  }

  /**
   * ‖w‖_p of each unit's incoming weights. p = 1 and 2 are summed on the device, line by line, and
   * the lines of a unit on the host; others on the host in double.
   */
  UnitScores norms(double order) {
    if (order == 1 || order == 2) {
      return deviceNorms(order == 1 ? PruneOps.Norm.L1 : PruneOps.Norm.L2);
    }
    Map<String, Tensor> weights = new HashMap<>();
    List<float[]> all = new ArrayList<>();
    for (UnitGroup group : groups) {
      double[] sums = new double[group.units()];
      for (Coupling.Slice slice : group.incoming()) {
        Tensor w = weights.computeIfAbsent(slice.parameter(), this::toHost);
        forEach(
            w.shape(),
            slice,
            group.units(),
            (unit, i) -> {
              double magnitude = Math.abs(w.getFloat(i));
              sums[unit] =
                  Double.isInfinite(order)
                      ? Math.max(sums[unit], magnitude)
                      : sums[unit] + StrictMath.pow(magnitude, order);
            });
      }
      for (int u = 0; u < sums.length && !Double.isInfinite(order); u++) {
        sums[u] = StrictMath.pow(sums[u], 1 / order);
      }
      all.add(UnitScores.rounded(sums));
    }
    return new UnitScores(all);
  }

  private Tensor toHost(String parameter) {
    return device.toHost(tensors.apply(parameter));
  }

  private UnitScores deviceNorms(PruneOps.Norm norm) {
    Map<String, float[]> lines = new HashMap<>();
    List<float[]> all = new ArrayList<>();
    for (UnitGroup group : groups) {
      double[] sums = new double[group.units()];
      for (Coupling.Slice slice : group.incoming()) {
        UnitMasks.View view =
            UnitMasks.View.of(tensors.apply(slice.parameter()).shape(), slice.axis());
        float[] norms =
            lines.computeIfAbsent(
                slice.parameter() + " " + slice.axis(),
                key -> lineNorms(slice.parameter(), view, norm));
        long perUnit = slice.expansion() * view.lines();
        for (int u = 0; u < sums.length; u++) {
          long first = slice.offset() * view.lines() + u * perUnit;
          for (long i = first; i < first + perUnit; i++) {
            double line = norms[Math.toIntExact(i)];
            sums[u] += norm == PruneOps.Norm.L1 ? line : line * line;
          }
        }
      }
      for (int u = 0; u < sums.length && norm == PruneOps.Norm.L2; u++) {
        sums[u] = Math.sqrt(sums[u]);
      }
      all.add(UnitScores.rounded(sums));
    }
    return new UnitScores(all);
  }

  private float[] lineNorms(String parameter, UnitMasks.View view, PruneOps.Norm norm) {
    DeviceTensor matrix = tensors.apply(parameter).view(view.matrix());
    long lines = view.matrix().dim(view.axis());
    try (DeviceTensor norms = device.empty(DType.F32, Shape.of(lines))) {
      device.prune().scoreUnits(norm, view.axis(), matrix, norms);
      return device.toHost(norms).toFloats();
    }
  }

  /**
   * |γ| of the batch normalizations behind each unit, summed where several are tied.
   *
   * @throws IllegalArgumentException naming a layer without one
   */
  UnitScores normScales() {
    List<float[]> all = new ArrayList<>();
    for (UnitGroup group : groups) {
      double[] sums = new double[group.units()];
      boolean found = false;
      for (Coupling.Slice slice : group.own()) {
        if (slice.role() == Role.NORM_SCALE) {
          found = true;
          Tensor scale = toHost(slice.parameter());
          forEach(
              scale.shape(),
              slice,
              group.units(),
              (unit, i) -> sums[unit] += Math.abs(scale.getFloat(i)));
        }
      }
      if (!found) {
        throw new IllegalArgumentException(
            ("the units of layer '%s' have no batch normalization whose scale would rank them;"
                    + " exclude the layer or use another criterion, such as l2")
                .formatted(group.layer()));
      }
      all.add(UnitScores.rounded(sums));
    }
    return new UnitScores(all);
  }

  /**
   * Σ over the other units that are alive of the distance between incoming weights, all in double
   * and in the order of the units: O(units² · weights a unit).
   */
  UnitScores distances(List<boolean[]> alive) {
    List<float[]> all = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      UnitGroup group = groups.get(g);
      double[][] weights = vectors(group);
      double[] sums = new double[group.units()];
      for (int u = 0; u < sums.length; u++) {
        for (int v = u + 1; v < sums.length && alive.get(g)[u]; v++) {
          if (alive.get(g)[v]) {
            double distance = distance(weights[u], weights[v]);
            sums[u] += distance;
            sums[v] += distance;
          }
        }
      }
      all.add(UnitScores.rounded(sums));
    }
    return new UnitScores(all);
  }

  private static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = a[i] - b[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  /** Incoming weights [unit][all of them]. */
  private double[][] vectors(UnitGroup group) {
    long perUnit = 0;
    for (Coupling.Slice slice : group.incoming()) {
      Shape shape = tensors.apply(slice.parameter()).shape();
      perUnit += shape.size() / shape.dim(slice.axis()) * slice.expansion();
    }
    double[][] vectors = new double[group.units()][Math.toIntExact(perUnit)];
    int[] next = new int[group.units()];
    for (Coupling.Slice slice : group.incoming()) {
      Tensor w = toHost(slice.parameter());
      forEach(
          w.shape(),
          slice,
          group.units(),
          (unit, i) -> vectors[unit][next[unit]++] = w.getFloat(i));
    }
    return vectors;
  }
}
