package io.github.secateur.train;

import io.github.secateur.io.Samples;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The samples of a run by their use.
 *
 * @param train weights are fitted to these
 * @param validation early stopping and the choice of hyperparameters look at these; null for none
 * @param test looked at once, for the report; null for none
 */
public record DataSplit(Samples train, Samples validation, Samples test) {
  /** Checks that there is something to train on and that all parts are of one kind. */
  public DataSplit {
    Objects.requireNonNull(train);
    if (train.count() == 0) {
      throw new IllegalArgumentException(train.name() + ": there are no samples to train on");
    }
    requireAlike(train, validation);
    requireAlike(train, test);
  }

  /** Everything is trained on. */
  public static DataSplit of(Samples train) {
    return new DataSplit(train, null, null);
  }

  /**
   * Sets samples aside for validation: {@code round-half-even(fraction · n)} of them, drawn by the
   * seed. Both parts keep the order of the samples.
   *
   * @param validationFraction 0..1; 0 gives no validation samples
   * @throws IllegalArgumentException when a part that is wanted would be empty
   */
  public static DataSplit split(Samples samples, double validationFraction, long seed) {
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new IllegalArgumentException(
          "the validation fraction must be in [0, 1), got " + validationFraction);
    }
    if (validationFraction == 0) {
      return of(samples);
    }
    int n = Math.toIntExact(samples.count());
    int aside = (int) Math.rint(validationFraction * n);
    if (aside == 0 || aside == n) {
      throw new IllegalArgumentException(
          "%s: a validation fraction of %s of %d samples leaves %s; take another fraction"
              .formatted(
                  samples.name(),
                  validationFraction,
                  n,
                  aside == 0 ? "none to validate on" : "none to train on"));
    }
    int[] order = Permutation.of(n, seed, Permutation.VALIDATION_SPLIT);
    int[] validation = Arrays.copyOfRange(order, 0, aside);
    int[] train = Arrays.copyOfRange(order, aside, n);
    Arrays.sort(validation);
    Arrays.sort(train);
    return new DataSplit(
        take(samples, train, "training part"), take(samples, validation, "validation part"), null);
  }

  /** The same with test samples. */
  public DataSplit withTest(Samples samples) {
    return new DataSplit(train, validation, samples);
  }

  /** SHA-256 of each part by its use, for provenance. */
  public Map<String, String> hashes() {
    Map<String, String> hashes = new LinkedHashMap<>();
    hashes.put("training", train.sha256());
    if (validation != null) {
      hashes.put("validation", validation.sha256());
    }
    if (test != null) {
      hashes.put("test", test.sha256());
    }
    return hashes;
  }

  private static Samples take(Samples samples, int[] rows, String part) {
    long[] dims = samples.x().shape().dims();
    dims[0] = rows.length;
    Tensor x = Tensor.zeros(DType.F32, Shape.of(dims));
    int[] all = samples.labels().toInts();
    int[] labels = new int[rows.length];
    long rowBytes = samples.features() * DType.F32.byteSize();
    for (int i = 0; i < rows.length; i++) {
      MemorySegment.copy(samples.x().data(), rows[i] * rowBytes, x.data(), i * rowBytes, rowBytes);
      labels[i] = all[rows[i]];
    }
    String hash = new Digest().text(samples.sha256()).ints(rows).hex();
    return new Samples(
        x,
        Tensor.ofInts(Shape.of(labels.length), labels),
        samples.classes(),
        hash,
        samples.name() + ", " + part);
  }

  private static void requireAlike(Samples train, Samples other) {
    if (other == null) {
      return;
    }
    if (other.classes() > train.classes() || other.features() != train.features()) {
      throw new IllegalArgumentException(
          "%s has %d numbers a sample and %d classes, but %s has %d and %d"
              .formatted(
                  other.name(),
                  other.features(),
                  other.classes(),
                  train.name(),
                  train.features(),
                  train.classes()));
    }
  }
}
