package io.github.secateur.sparse;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Times that were measured on one device, by what they depend on: what a {@link TuneFile} holds.
 *
 * @param schema version of this record's meaning
 * @param device what identifies the device and all that its speed depends on
 * @param layers by {@link LayerKey}
 * @param models by {@link ModelKey}
 * @param breakEvens by shape, batch and pattern
 */
record Times(
    int schema,
    Map<String, String> device,
    TreeMap<String, Layer> layers,
    TreeMap<String, Whole> models,
    TreeMap<String, BreakEven> breakEvens) {
  /** Version that is written and read. */
  static final int SCHEMA = 1;

  /** Checks that all is there. */
  Times {
    if (device == null || hasNull(layers) || hasNull(models) || hasNull(breakEvens)) {
      throw new IllegalArgumentException("something is missing");
    }
  }

  private static boolean hasNull(Map<String, ?> map) {
    return map == null || map.containsValue(null);
  }

  static Times none(Map<String, String> device) {
    return new Times(SCHEMA, device, new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
  }

  /** Takes over what another has. */
  void putAll(Times other) {
    layers.putAll(other.layers);
    models.putAll(other.models);
    breakEvens.putAll(other.breakEvens);
  }

  boolean isEmpty() {
    return layers.isEmpty() && models.isEmpty() && breakEvens.isEmpty();
  }

  /**
   * A layer alone.
   *
   * @param dense product, bias and activation
   * @param sparse formats that were timed, fastest first, those that stopped early last
   * @param date when, ISO 8601, UTC
   */
  record Layer(Spread dense, List<Candidate> sparse, String date) {
    /** Checks that all is there. */
    Layer {
      if (dense == null || sparse == null || date == null) {
        throw new IllegalArgumentException("the times of a layer lack something");
      }
      check(dense);
      sparse = List.copyOf(sparse);
      sparse.forEach(candidate -> check(candidate.time()));
    }
  }

  /**
   * A whole model, once its layers had been chosen.
   *
   * @param dense all dense
   * @param sparse with the chosen layers sparse
   * @param date when, ISO 8601, UTC
   */
  record Whole(Spread dense, Spread sparse, String date) {
    /** Checks that all is there. */
    Whole {
      if (dense == null || sparse == null || date == null) {
        throw new IllegalArgumentException("the times of a model lack something");
      }
      check(dense);
      check(sparse);
    }
  }

  private static void check(Spread time) {
    boolean sound =
        time.low() > 0
            && time.low() <= time.median()
            && time.median() <= time.high()
            && time.high() < Double.POSITIVE_INFINITY
            && time.repeats() > 0;
    if (!sound) {
      throw new IllegalArgumentException(time + " is no measured time");
    }
  }
}
