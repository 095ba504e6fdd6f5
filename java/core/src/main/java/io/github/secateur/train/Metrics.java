package io.github.secateur.train;

import io.github.secateur.tensor.Tensor;

/**
 * Quality of a classifier on a set of samples.
 *
 * @param samples number of samples
 * @param loss mean cross-entropy
 * @param accuracy correct / samples, 0..1
 * @param macroF1 mean over the classes of 2PR/(P+R), 0 for a class that is neither present nor
 *     predicted
 * @param confusion [true class][predicted class] counts
 */
public record Metrics(
    long samples, double loss, double accuracy, double macroF1, long[][] confusion) {
  /** 100 · (1 − accuracy). */
  public double errorPercent() {
    return 100 * (1 - accuracy);
  }

  /**
   * Metrics of logits, counted in double on the host.
   *
   * @param logits F32 [n, classes]; of equal logits the lower class is predicted
   * @param labels I32 [n]
   * @throws IllegalArgumentException naming the sample when a logit is NaN
   */
  public static Metrics of(Tensor logits, Tensor labels) {
    Confusion confusion = new Confusion(Math.toIntExact(logits.shape().dim(-1)));
    confusion.add(logits, labels.toInts());
    return confusion.metrics();
  }
}
