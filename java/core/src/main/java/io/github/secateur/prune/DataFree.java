package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Prunes any ONNX model without running it: whatever operators surround them, the weights of {@link
 * Prunables} are scored, selected and set to zero, in initializers, Constant nodes and subgraphs; a
 * weight that several nodes share counts once. Whole neurons and channels go by their weights too,
 * where the graph is understood.
 */
public final class DataFree {
  private DataFree() {}

  /**
   * What to prune.
   *
   * @param criterion magnitude, random or given (by {@link ParameterPath}); for units also the
   *     scale of normalizations and the geometric median
   * @param pattern single weights, N:M, blocks, rows or columns, or whole units
   * @param allocation how the sparsity is spread; explicit ratios replace {@code budget}
   * @param limits bounds for single layers
   * @param budget a share of the prunable weights, not read by N:M; for units also parameters,
   *     operations or bytes
   */
  public record Options(
      Criterion criterion, Pattern pattern, Allocation allocation, Limits limits, Budget budget) {
    /** Checks the range. */
    public Options {
      Objects.requireNonNull(criterion);
      Objects.requireNonNull(allocation);
      Objects.requireNonNull(limits);
      if (pattern instanceof Pattern.Given) {
        throw new IllegalArgumentException(
            "without running the model single weights, N:M, blocks, rows, columns or units can be"
                + " pruned");
      }
      if (pattern instanceof Pattern.Neuron) {
        DataFreeUnits.requireDataFree(criterion);
      }
      if (budget instanceof Budget.Measured
          || budget instanceof Budget.Counted && !(pattern instanceof Pattern.Neuron)) {
        throw new IllegalArgumentException(
            "without running the model a budget is a sparsity, or for whole units also a number of"
                + " parameters, operations or bytes");
      }
    }

    /**
     * A share of the prunable weights.
     *
     * @param sparsity 0..1
     */
    public Options(
        Criterion criterion,
        Pattern pattern,
        Allocation allocation,
        Limits limits,
        double sparsity) {
      this(criterion, pattern, allocation, limits, new Budget.Sparsity(sparsity));
    }

    /** Single weights, without limits. */
    public Options(Criterion criterion, Allocation allocation, double sparsity) {
      this(criterion, new Pattern.Unstructured(), allocation, Limits.NONE, sparsity);
    }
  }

  /**
   * A weight that was left as it was.
   *
   * @param parameter its path
   * @param reason what it is, or why it cannot be pruned
   */
  public record Left(String parameter, String reason) {}

  /**
   * What came out.
   *
   * @param model the pruned model, with masks for weights that are initializers of the main graph
   * @param requested sparsity asked for, or what explicit ratios come to
   * @param reached pruned over prunable weights
   * @param taken weights that were pruned, by layer
   * @param left weights that were not, and why
   */
  public record Result(
      Model model, double requested, double reached, List<LayerSparsity> taken, List<Left> left) {
    /** Copies the lists. */
    public Result {
      taken = List.copyOf(taken);
      left = List.copyOf(left);
    }
  }

  /**
   * Prunes on the CPU device.
   *
   * @throws IllegalArgumentException when nothing is prunable, a weight is NaN (named with its
   *     index), or options do not fit
   */
  public static Result prune(Model model, Options options) {
    try (Device cpu = Devices.open("cpu", DeviceOptions.defaults())) {
      return prune(cpu, model, options);
    }
  }

  /** Prunes on a device; see {@link #prune(Model, Options)}. */
  public static Result prune(Device device, Model given, Options options) {
    if (options.pattern instanceof Pattern.Neuron) {
      return DataFreeUnits.prune(device, given, options);
    }
    Model model =
        options.pattern instanceof Pattern.NM nm && nm.permute()
            ? ChannelPermutation.apply(given, nm, 0).model()
            : given;
    Map<Layer, Tensor> stored = new LinkedHashMap<>();
    List<Left> left = new ArrayList<>();
    List<Layer> all = Prunables.find(model).stream().map(Layers::of).toList();
    options.limits.exclude().forEach(name -> Layers.requireKnown(name, all));
    for (Prunable p : Prunables.find(model)) {
      if (options.limits.exclude().contains(p.layer())) {
        left.add(new Left(p.parameter(), "excluded"));
      } else if (FloatTypes.converts(p.dtype())) {
        stored.put(Layers.of(p), ParameterPath.read(model, p.parameter()));
      } else {
        left.add(new Left(p.parameter(), "stored as " + p.dtype() + ", which is not pruned"));
      }
    }
    Prunables.left(model).forEach(l -> left.add(new Left(l.parameter(), l.reason())));
    if (stored.isEmpty()) {
      throw new IllegalArgumentException(
          "graph '%s' has no prunable weight: no Gemm, MatMul, Conv or recurrent node reads a"
                  .formatted(model.graph().name())
              + " floating-point constant");
    }
    return prune(device, model, options, stored, left);
  }

  private static Result prune(
      Device device, Model model, Options options, Map<Layer, Tensor> stored, List<Left> left) {
    List<Layer> layers = List.copyOf(stored.keySet());
    Map<String, Tensor> scored = new LinkedHashMap<>();
    Map<String, Mask> before = new LinkedHashMap<>();
    stored.forEach(
        (layer, tensor) -> {
          scored.put(layer.parameter(), FloatTypes.toF32(tensor));
          Mask mask = model.masks().get(layer.parameter());
          if (mask != null) {
            before.put(layer.parameter(), mask);
          }
        });
    Strategy.Scored how =
        new Strategy.Scored(
            options.criterion, options.pattern, options.allocation, new Schedule.OneShot());
    try (HeldSite site = new HeldSite(device, scored, before)) {
      WeightPruner pruner =
          new WeightPruner(
              new WeightScorer.Source(site, layers, null),
              how,
              options.budget instanceof Budget.Sparsity(double sparsity) ? sparsity : 0,
              options.limits,
              MaskRule.SECATEUR);
      pruner.step(0, 1);
      Map<String, Mask> masks = site.masksToHost();
      List<LayerSparsity> taken = Census.of(layers, scored, masks);
      Model pruned = write(model, stored, masks);
      return new Result(pruned, pruner.target(), Census.sparsity(taken), taken, left);
    }
  }

  private static Model write(Model model, Map<Layer, Tensor> stored, Map<String, Mask> masks) {
    Model pruned = model.copy();
    stored.forEach(
        (layer, tensor) -> {
          Mask mask = masks.get(layer.parameter());
          ParameterPath.write(pruned, layer.parameter(), zeroed(tensor, mask));
          if (model.graph().initializers().containsKey(layer.parameter())) {
            pruned.masks().put(layer.parameter(), mask);
          }
        });
    return pruned;
  }

  /** A copy in the same type with +0 where the mask prunes; every kept bit is as it was. */
  private static Tensor zeroed(Tensor tensor, Mask mask) {
    Tensor copy = tensor.copy();
    int bytes = tensor.dtype().byteSize();
    MemorySegment data = copy.data();
    for (long i = 0; i < tensor.size(); i++) {
      if (!mask.kept(i)) {
        data.asSlice(i * bytes, bytes).fill((byte) 0);
      }
    }
    return copy;
  }
}
