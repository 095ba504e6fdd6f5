package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseOps;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Lets layers of a pruned model run from a packed sparse layout, each only where that was measured
 * faster than dense on this device at this batch size, and the whole model only where it then is
 * not slower end to end.
 */
public final class Sparsify {
  private Sparsify() {}

  /**
   * How to choose.
   *
   * @param minimalGain a layer leaves dense only when that shortens its time by this fraction
   * @param minimalSparsity layers with a smaller fraction of zeros stay dense unmeasured
   * @param repeats samples of each time
   */
  public record Options(double minimalGain, double minimalSparsity, int repeats) {
    /** Checks the ranges. */
    public Options {
      if (!(minimalGain >= 0 && minimalGain < 1)
          || !(minimalSparsity >= 0 && minimalSparsity <= 1)
          || repeats < 1) {
        throw new IllegalArgumentException(
            "sparsify needs a gain in [0, 1), a sparsity in [0, 1] and 1 or more repeats, got %s"
                    .formatted(minimalGain)
                + ", %s and %d".formatted(minimalSparsity, repeats));
      }
    }

    /** 5 % gain, 30 % zeros, 15 repeats. */
    public static Options defaults() {
      return new Options(0.05, 0.3, 15);
    }
  }

  /**
   * Prepares a model for each batch size.
   *
   * @param pruned with zeros in its weights, as masks leave them
   * @param batches samples a run
   * @return one result a batch size, in order
   * @throws IllegalArgumentException for a simulated device
   */
  public static List<Sparsified> apply(
      Device device, Model pruned, List<Long> batches, Options options) {
    Latency.refuseSimulated(device.info());
    return batches.stream().map(batch -> apply(device, pruned, batch, options)).toList();
  }

  /**
   * The model with every layer of enough zeros run sparse, unmeasured: for checking results, and
   * for devices that cannot be timed.
   *
   * @param minimalSparsity fraction of zeros from which a layer runs sparse
   */
  public static Model everywhere(Model pruned, double minimalSparsity) {
    Graph graph = pruned.graph().copy();
    List<Candidate> candidates = candidates(pruned, minimalSparsity);
    candidates.forEach(c -> graph.replace(c.dense, c.sparse));
    return withGraph(pruned, graph, !candidates.isEmpty());
  }

  private static Sparsified apply(Device device, Model pruned, long batch, Options options) {
    List<Candidate> candidates = candidates(pruned, options.minimalSparsity);
    List<SparseChoice> choices =
        candidates.stream().map(c -> measure(device, pruned, batch, c, options)).toList();
    Model sparse = replace(pruned, candidates, choices);
    if (choices.stream().noneMatch(SparseChoice::chosen)) {
      Spread dense = race(device, List.of(pruned), batch, options).getFirst();
      String why =
          candidates.isEmpty()
              ? "no layer has zeros enough to be worth a sparse product"
              : "no layer was measured faster sparse than dense";
      return new Sparsified(batch, pruned, choices, dense, dense, why + "; all run dense");
    }
    List<Spread> spreads = race(device, List.of(pruned, sparse), batch, options);
    Spread dense = spreads.get(0);
    Spread fast = spreads.get(1);
    if (fast.median() > dense.median() + dense.noise()) {
      String slower =
          "with sparse layers a run took %.1f µs against %.1f µs dense; all run dense"
              .formatted(fast.median(), dense.median());
      List<SparseChoice> none = choices.stream().map(Sparsify::dense).toList();
      return new Sparsified(batch, pruned, none, dense, dense, slower);
    }
    long chosen = choices.stream().filter(SparseChoice::chosen).count();
    String verdict =
        String.format(
            Locale.ROOT,
            "%d of %d layers run sparse: %.1f µs against %.1f µs dense",
            chosen,
            choices.size(),
            fast.median(),
            dense.median());
    return new Sparsified(batch, sparse, choices, dense, fast, verdict);
  }

  /**
   * A layer that could run sparse.
   *
   * @param dense its node
   * @param sparse what would take its place
   * @param sparsity zeros over all weights
   */
  private record Candidate(Node dense, Node sparse, double sparsity) {}

  private static List<Candidate> candidates(Model model, double minimalSparsity) {
    List<Candidate> found = new ArrayList<>();
    for (Node node : model.graph().nodes()) {
      Optional<Node> sparse = SparseForm.of(node, model.graph());
      if (sparse.isPresent()) {
        double sparsity = sparsity(model.graph().initializer(node.input(1)));
        if (sparsity >= minimalSparsity) {
          found.add(new Candidate(node, sparse.get(), sparsity));
        }
      }
    }
    return found;
  }

  private static double sparsity(Tensor weight) {
    long zeros = 0;
    for (long i = 0; i < weight.size(); i++) {
      zeros += weight.getFloat(i) == 0 ? 1 : 0;
    }
    return weight.size() == 0 ? 0 : (double) zeros / weight.size();
  }

  private static SparseChoice measure(
      Device device, Model model, long batch, Candidate candidate, Options options) {
    List<Model> alone =
        List.of(
            SingleNode.model(model, candidate.dense, batch),
            SingleNode.model(model, candidate.sparse, batch));
    List<Spread> spreads = race(device, alone, batch, options);
    double dense = spreads.get(0).median();
    double sparse = spreads.get(1).median();
    boolean faster = sparse <= dense * (1 - options.minimalGain);
    try (SparseOps.PackedWeight packed = pack(device, model, candidate)) {
      return new SparseChoice(
          candidate.dense.name(),
          batch,
          candidate.sparsity,
          dense,
          sparse,
          faster,
          packed.format().label(),
          packed.byteSize());
    }
  }

  private static SparseOps.PackedWeight pack(Device device, Model model, Candidate candidate) {
    Tensor host = model.graph().initializer(candidate.sparse.input(1));
    try (DeviceTensor weight = device.toDevice(host)) {
      return device.sparse().pack(weight, SparseForm.transposed(candidate.sparse), null);
    }
  }

  private static List<Spread> race(Device device, List<Model> models, long batch, Options options) {
    return Latency.race(device, models, batch, new Stopwatch.Options(options.repeats, 1000));
  }

  private static Model replace(
      Model model, List<Candidate> candidates, List<SparseChoice> choices) {
    Graph graph = model.graph().copy();
    boolean any = false;
    for (int i = 0; i < choices.size(); i++) {
      if (choices.get(i).chosen()) {
        graph.replace(candidates.get(i).dense, candidates.get(i).sparse);
        any = true;
      }
    }
    return withGraph(model, graph, any);
  }

  private static Model withGraph(Model model, Graph graph, boolean anySparse) {
    Model sparse = model.withGraph(graph);
    if (anySparse) {
      sparse.opsets().putIfAbsent(Node.SECATEUR, 1L);
    }
    return sparse;
  }

  private static SparseChoice dense(SparseChoice c) {
    return new SparseChoice(
        c.layer(),
        c.batch(),
        c.sparsity(),
        c.denseMicros(),
        c.sparseMicros(),
        false,
        c.layout(),
        c.bytes());
  }
}
