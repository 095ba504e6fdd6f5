package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
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

  /**
   * Scores made elsewhere: F32, one for each output of the first weight that makes the units, by
   * its name; those of outputs that are one unit are added.
   */
  static UnitScores given(Site site, List<UnitGroup> groups, Criterion.Given given) {
    List<float[]> all = new ArrayList<>();
    for (UnitGroup group : groups) {
      Coupling.Slice first = group.incoming().getFirst();
      String parameter = first.parameter();
      long outputs = site.weight(parameter).shape().dim(first.axis());
      Tensor scores = given.scores().get(parameter);
      if (scores == null
          || scores.dtype() != DType.F32
          || !scores.shape().equals(Shape.of(outputs))) {
        throw new IllegalArgumentException(
            "neurons of layer '%s' need scores F32 [%d] by the name of weight '%s', got %s"
                .formatted(group.layer(), outputs, parameter, scores));
      }
      double[] sums = new double[group.units()];
      for (Coupling.Slice slice : group.incoming()) {
        if (slice.parameter().equals(parameter)) {
          Coupling.Slice ofScores =
              new Coupling.Slice(slice.role(), "", 0, slice.offset(), slice.expansion());
          UnitWeights.forEach(
              scores.shape(),
              ofScores,
              group.units(),
              (unit, i) -> sums[unit] += scores.getFloat(i));
        }
      }
      all.add(rounded(sums));
    }
    return new UnitScores(all);
  }

  /** Rounds sums made in double. */
  static float[] rounded(double[] sums) {
    float[] scores = new float[sums.length];
    for (int u = 0; u < scores.length; u++) {
      scores[u] = (float) sums[u];
    }
    return scores;
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
