package io.github.secateur.train;

import io.github.secateur.tensor.Tensor;

/** Counts a classifier's hits and misses, and sums its loss, in double. */
final class Confusion {
  private final long[][] counts;
  private double lossSum;
  private long samples;

  Confusion(int classes) {
    counts = new long[classes][classes];
  }

  /**
   * Adds the logits [rows, classes] of some samples. The predicted class is the lowest index of the
   * largest logit; the loss is logsumexp(logits) − logits[label].
   *
   * @throws IllegalArgumentException naming the sample when a logit is NaN
   */
  void add(Tensor logits, int[] labels) {
    int classes = counts.length;
    float[] all = logits.toFloats();
    int rows = all.length / classes;
    for (int row = 0; row < rows; row++) {
      int label = labels[row];
      int predicted = largest(all, row * classes, classes, row);
      counts[label][predicted]++;
      lossSum += crossEntropy(all, row * classes, classes, label, predicted);
    }
    samples += rows;
  }

  private static int largest(float[] logits, int offset, int classes, int sample) {
    int best = 0;
    for (int c = 0; c < classes; c++) {
      if (Float.isNaN(logits[offset + c])) {
        throw new IllegalArgumentException(
            "output %d of the model for sample %d is NaN; its weights are damaged or overflow"
                .formatted(c, sample));
      }
      if (logits[offset + c] > logits[offset + best]) {
        best = c;
      }
    }
    return best;
  }

  private static double crossEntropy(
      float[] logits, int offset, int classes, int label, int predicted) {
    double largest = logits[offset + predicted];
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp(logits[offset + c] - largest);
    }
    return largest + Math.log(sum) - logits[offset + label];
  }

  /** The metrics of all samples added. */
  Metrics metrics() {
    long correct = 0;
    double f1Sum = 0;
    for (int c = 0; c < counts.length; c++) {
      correct += counts[c][c];
      f1Sum += f1(c);
    }
    return new Metrics(
        samples, lossSum / samples, (double) correct / samples, f1Sum / counts.length, counts);
  }

  /** 2 TP / (2 TP + FP + FN), which is 2PR/(P+R). */
  private double f1(int c) {
    long present = 0;
    long predicted = 0;
    for (int other = 0; other < counts.length; other++) {
      present += counts[c][other];
      predicted += counts[other][c];
    }
    return present + predicted == 0 ? 0 : 2.0 * counts[c][c] / (present + predicted);
  }
}
