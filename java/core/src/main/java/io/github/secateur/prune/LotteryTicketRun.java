package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.TrainOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Rounds of training, pruning by final magnitude and rewinding, then the ticket's own training:
 *
 * <pre>
 *   w0 → train → cut to (1 − s)^(1/n) kept → w0 under the mask → train → cut to (1 − s)^(2/n) → …
 *      → cut to 1 − s → w0 under the mask → train: the result
 * </pre>
 *
 * w0 are the first weights, or with {@code rewind} k those after k steps of the first round. Each
 * training has fresh optimizer state and goes through the learning-rate schedule from its start.
 * Per-layer allocation halves the rate of a round in the output layer (Frankle &amp; Carbin, arXiv
 * 1803.03635, appendix G): with x pruned of what is left of every other layer, x/2 of the output
 * layer; x is the one that ends at exactly s. The control trains under the same mask from weights
 * that are a random permutation of each layer's first ones: a new draw from their distribution,
 * whatever that is.
 */
record LotteryTicketRun(Stages stages, Strategy.LotteryTicket how) {
  private static final long OTHER_SEED = 0x5851f42d4c957f2dL;

  PruneResult run() {
    TrainOptions options = stages.options().fineTune();
    RewindHook rewind = how.rewind() == 0 ? null : new RewindHook(how.rewind());
    if (rewind != null && options.patience() > 0) {
      throw new IllegalArgumentException(
          "early stopping may end the first round before the step to rewind to; set patience to 0"
              + " or rewind to 0");
    }
    Model start = stages.dense();
    for (int round = 1; round <= how.rounds(); round++) {
      List<TrainHook> hooks = round == 1 && rewind != null ? List.of(rewind) : List.of();
      Model trained = stages.train("round" + round, start, options, hooks);
      Model cut = cut(trained, round);
      boolean last = round == how.rounds();
      Map<String, Tensor> to =
          last && how.reinitialize() ? shuffled() : rewind == null ? first() : rewind.captured();
      start = rewound(cut, to);
    }
    return stages.result(stages.train("ticket", start, options, List.of()), Double.NaN);
  }

  private Map<String, Tensor> first() {
    return stages.dense().graph().initializers();
  }

  private Model cut(Model trained, int round) {
    boolean last = round == how.rounds();
    double share = (double) round / how.rounds();
    if (how.allocation() instanceof Allocation.PerLayer && stages.layers().size() > 1) {
      Allocation.Ratios ratios = new Allocation.Ratios(perLayer(round));
      double total = Quotas.target(ratios, stages.layers(), stages.sparsity());
      return stages.cut(trained, Stages.byMagnitude(ratios), total);
    }
    double sparsity = 1 - StrictMath.pow(1 - stages.sparsity(), share);
    return stages.cut(
        trained, Stages.byMagnitude(how.allocation()), last ? stages.sparsity() : sparsity);
  }

  /** Sparsity of each layer after a round, such that the last round ends at exactly k weights. */
  private Map<String, Double> perLayer(int round) {
    List<Layer> layers = stages.layers();
    long wanted = Quotas.count(stages.sparsity(), Quotas.total(layers));
    double low = 0;
    double high = 1;
    for (int i = 0; i < 100; i++) {
      double middle = (low + high) / 2;
      if (pruned(middle, how.rounds()) < wanted) {
        low = middle;
      } else {
        high = middle;
      }
    }
    Map<String, Double> ratios = new LinkedHashMap<>();
    long left = wanted;
    Layer largest = layers.getFirst();
    for (Layer layer : layers) {
      long k = Quotas.count(1 - kept(layer, high, round), layer.size());
      ratios.put(layer.name(), (double) k / layer.size());
      left -= k;
      largest = layer.size() > largest.size() ? layer : largest;
    }
    if (round == how.rounds()) {
      long k = Math.round(ratios.get(largest.name()) * largest.size()) + left;
      ratios.put(largest.name(), (double) Math.clamp(k, 0, largest.size()) / largest.size());
    }
    return ratios;
  }

  private double pruned(double rate, int round) {
    double sum = 0;
    for (Layer layer : stages.layers()) {
      sum += layer.size() * (1 - kept(layer, rate, round));
    }
    return sum;
  }

  private double kept(Layer layer, double rate, int round) {
    boolean output = layer.equals(Layers.trainable(stages.dense()).getLast());
    return StrictMath.pow(1 - (output ? rate / 2 : rate), round);
  }

  /** First weights, those of each layer in another order. */
  private Map<String, Tensor> shuffled() {
    SplittableRandom random = new SplittableRandom(stages.options().fineTune().seed() ^ OTHER_SEED);
    Map<String, Tensor> other = new LinkedHashMap<>(first());
    for (Layer layer : stages.layers()) {
      Tensor weight = first().get(layer.parameter());
      float[] values = weight.toFloats();
      for (int i = values.length - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        float swapped = values[i];
        values[i] = values[j];
        values[j] = swapped;
      }
      other.put(layer.parameter(), Tensor.of(weight.shape(), values));
    }
    return other;
  }

  /** The model with these weights under its own masks. */
  private static Model rewound(Model cut, Map<String, Tensor> weights) {
    Model model = cut.copy();
    model
        .graph()
        .initializers()
        .replaceAll((name, old) -> old.dtype() == DType.F32 ? weights.get(name) : old);
    model
        .masks()
        .forEach(
            (name, mask) ->
                model
                    .graph()
                    .initializers()
                    .computeIfPresent(name, (n, weight) -> Masks.apply(mask, weight)));
    return model;
  }
}
