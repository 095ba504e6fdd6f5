package io.github.secateur.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * How to train.
 *
 * @param epochs passes over the training samples; 0 leaves out what can be left out, the
 *     fine-tuning after pruning
 * @param batchSize samples a step
 * @param optimizer optimizer
 * @param learningRate schedule over all steps of the run
 * @param seed of shuffling and of random draws on the device
 * @param patience early stopping: epochs without a lower validation loss before training ends and
 *     the best epoch's weights are taken; 0 for never (the last epoch counts)
 * @param rules exceptions for some parameters; the first that matches counts
 * @param sparse whether layers under masks run sparse
 */
public record TrainOptions(
    int epochs,
    int batchSize,
    Optimizer optimizer,
    LearningRate learningRate,
    long seed,
    int patience,
    List<Rule> rules,
    SparseMode sparse) {

  /** All products dense. */
  public TrainOptions(
      int epochs,
      int batchSize,
      Optimizer optimizer,
      LearningRate learningRate,
      long seed,
      int patience,
      List<Rule> rules) {
    this(epochs, batchSize, optimizer, learningRate, seed, patience, rules, SparseMode.OFF);
  }

  /**
   * An exception for parameters whose name ends with a suffix.
   *
   * @param suffix end of the name, such as {@code .log_alpha}
   * @param rateFactor multiplies the learning rate; 0 freezes
   * @param decay whether weight decay applies
   */
  public record Rule(String suffix, float rateFactor, boolean decay) {}

  /** Checks the ranges. */
  public TrainOptions {
    if (epochs < 0) {
      throw new IllegalArgumentException("epochs must be 0 or more, got " + epochs);
    }
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size must be 1 or more, got " + batchSize);
    }
    if (patience < 0) {
      throw new IllegalArgumentException("patience must be 0 or more, got " + patience);
    }
    Objects.requireNonNull(optimizer);
    Objects.requireNonNull(learningRate);
    Objects.requireNonNull(sparse);
    rules = List.copyOf(rules);
  }

  /** Adam with cosine decay from this rate, batch 100. */
  public static TrainOptions adam(int epochs, float rate, long seed) {
    return new TrainOptions(
        epochs, 100, Optimizer.Adam.defaults(), new LearningRate.Cosine(rate), seed, 0, List.of());
  }

  /**
   * The options by name as text, for provenance. Equal texts mean equal options: floats are written
   * with all digits needed to tell them apart.
   */
  public Map<String, String> describe() {
    Map<String, String> text = new LinkedHashMap<>();
    text.put("epochs", Integer.toString(epochs));
    text.put("batch size", Integer.toString(batchSize));
    text.put("optimizer", optimizer.toString());
    text.put("learning rate", learningRate.toString());
    text.put("seed", Long.toString(seed));
    text.put("patience", Integer.toString(patience));
    text.put("rules", rules.toString());
    if (sparse != SparseMode.OFF) {
      text.put("sparse training", sparse.name().toLowerCase(Locale.ROOT));
    }
    return text;
  }

  /** The same with other epochs. */
  public TrainOptions withEpochs(int other) {
    return new TrainOptions(
        other, batchSize, optimizer, learningRate, seed, patience, rules, sparse);
  }

  /** The same with another patience. */
  public TrainOptions withPatience(int other) {
    return new TrainOptions(epochs, batchSize, optimizer, learningRate, seed, other, rules, sparse);
  }

  /** The same with another schedule. */
  public TrainOptions withLearningRate(LearningRate other) {
    return new TrainOptions(epochs, batchSize, optimizer, other, seed, patience, rules, sparse);
  }

  /** The same with another seed. */
  public TrainOptions withSeed(long other) {
    return new TrainOptions(
        epochs, batchSize, optimizer, learningRate, other, patience, rules, sparse);
  }

  /** The same with other rules. */
  public TrainOptions withRules(List<Rule> other) {
    return new TrainOptions(
        epochs, batchSize, optimizer, learningRate, seed, patience, other, sparse);
  }

  /** The same with masked layers sparse or dense. */
  public TrainOptions withSparse(SparseMode other) {
    return new TrainOptions(
        epochs, batchSize, optimizer, learningRate, seed, patience, rules, other);
  }
}
