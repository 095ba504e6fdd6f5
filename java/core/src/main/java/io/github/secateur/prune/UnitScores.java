package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Coupling;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Scores of units, on the host (there are few): one array a group.
 *
 * @param byGroup [group][unit]
 */
record UnitScores(List<float[]> byGroup) implements Pruner.Scores {
  /**
   * Norm of each unit's incoming weights; the norms of several incoming tensors are added (L1) or
   * added in squares (L2).
   */
  static UnitScores magnitude(Site site, List<UnitGroup> groups, PruneOps.Norm norm) {
    List<float[]> all = new ArrayList<>();
    for (UnitGroup group : groups) {
      double[] sum = new double[group.units()];
      for (Coupling.Slice slice : group.incoming()) {
        float[] part = norms(site, slice, norm, group.units());
        for (int u = 0; u < sum.length; u++) {
          sum[u] += norm == PruneOps.Norm.L1 ? part[u] : (double) part[u] * part[u];
        }
      }
      float[] scores = new float[sum.length];
      for (int u = 0; u < scores.length; u++) {
        scores[u] = (float) (norm == PruneOps.Norm.L1 ? sum[u] : Math.sqrt(sum[u]));
      }
      all.add(scores);
    }
    return new UnitScores(all);
  }

  private static float[] norms(Site site, Coupling.Slice slice, PruneOps.Norm norm, int units) {
    DeviceTensor weight = site.weight(slice.parameter());
    if (slice.expansion() != 1) {
      throw new IllegalArgumentException(
          "weight '%s' has %d indices a unit; only one is scored by magnitude"
              .formatted(slice.parameter(), slice.expansion()));
    }
    DeviceTensor matrix = UnitMasks.matrix(weight, slice.axis());
    try (DeviceTensor scores = site.device().empty(DType.F32, Shape.of(units))) {
      site.device().prune().scoreUnits(norm, slice.axis(), matrix, scores);
      return site.device().toHost(scores).toFloats();
    }
  }

  /** Uniform random scores, the same at every step. */
  static UnitScores random(Device device, List<UnitGroup> groups, long seed) {
    List<float[]> all = new ArrayList<>();
    try (DeviceTensor state = device.toDevice(Tensor.ofLongs(Shape.of(2), seed, 0))) {
      for (UnitGroup group : groups) {
        try (DeviceTensor scores = device.empty(DType.F32, Shape.of(group.units()))) {
          device.nn().uniform(state, all.size() + 1, scores);
          all.add(device.toHost(scores).toFloats());
        }
      }
    }
    return new UnitScores(all);
  }

  /** Scores made elsewhere: F32 [units] by the name of a weight that makes the units. */
  static UnitScores given(List<UnitGroup> groups, Criterion.Given given) {
    List<float[]> all = new ArrayList<>();
    for (UnitGroup group : groups) {
      String parameter = group.incoming().getFirst().parameter();
      Tensor scores = given.scores().get(parameter);
      if (scores == null
          || scores.dtype() != DType.F32
          || !scores.shape().equals(Shape.of(group.units()))) {
        throw new IllegalArgumentException(
            "neurons of layer '%s' need scores F32 [%d] by the name of weight '%s', got %s"
                .formatted(group.layer(), group.units(), parameter, scores));
      }
      all.add(scores.toFloats());
    }
    return new UnitScores(all);
  }

  /**
   * Refuses NaN.
   *
   * @throws IllegalArgumentException naming layer and unit
   */
  void requireNumbers(List<UnitGroup> groups) {
    for (int g = 0; g < byGroup.size(); g++) {
      float[] scores = byGroup.get(g);
      for (int u = 0; u < scores.length; u++) {
        if (Float.isNaN(scores[u])) {
          throw new IllegalArgumentException(
              "the score of unit %d of layer '%s' is NaN (weights '%s'); no weight was changed"
                  .formatted(
                      u, groups.get(g).layer(), groups.get(g).incoming().getFirst().parameter()));
        }
      }
    }
  }
}
