package io.github.secateur.prune;

import io.github.secateur.exec.ShapeInference;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a model costs by its weights: parameters, floating-point operations of a sample, bytes.
 * Zeros count as nothing, for masked weights are zeros; {@link #dense} says what the model would
 * cost without any.
 *
 * @param dense the parameters, operations and bytes if no element were zero
 * @param present the same as the elements are
 * @param layers operations by layer, in graph order
 */
public record Costs(Sum dense, Sum present, List<LayerCost> layers) {
  /** Copies the list. */
  public Costs {
    layers = List.copyOf(layers);
  }

  /**
   * Numbers of a model.
   *
   * @param parameters elements of floating-point tensors that are learned: weights, biases, scales
   *     and shifts, but neither running statistics nor scalars
   * @param flops multiply-adds of a sample by the weights of layers, times two
   * @param bytes of all tensors; as present, sparse (value and 8-byte index) where that is smaller
   */
  public record Sum(long parameters, long flops, long bytes) {
    /** The number that a budget is about. */
    public long of(Budget.Unit unit) {
      return switch (unit) {
        case PARAMETERS -> parameters;
        case FLOPS -> flops;
        case BYTES -> bytes;
      };
    }
  }

  /**
   * A layer.
   *
   * @param layer name of its node
   * @param parameter its weight
   * @param weights number of weights
   * @param nonzero those that are not zero
   * @param places how often a sample takes each weight: the places of a convolution's output, the
   *     rows of a product
   */
  public record LayerCost(String layer, String parameter, long weights, long nonzero, long places) {
    /** Two for each multiply-add of a sample by a weight that is not zero. */
    public long flops() {
      return 2 * places * nonzero;
    }
  }

  /**
   * Counts a model.
   *
   * @throws IllegalArgumentException when shapes cannot be inferred, since an operator is unknown
   *     or sizes of inputs are not declared
   */
  public static Costs of(Model model) {
    Map<String, Long> places = places(model);
    List<LayerCost> layers = new ArrayList<>();
    long flops = 0;
    for (Prunable p : Prunables.find(model)) {
      Tensor weight = ParameterPath.read(model, p.parameter());
      long of = places.getOrDefault(p.parameter(), 0L);
      layers.add(new LayerCost(p.layer(), p.parameter(), p.size(), nonzero(weight), of));
      flops += 2 * of * p.size();
    }
    long present = layers.stream().mapToLong(LayerCost::flops).sum();
    Map<String, Tensor> learned = learned(model);
    long all = learned.values().stream().mapToLong(Tensor::size).sum();
    long nonzero = learned.values().stream().mapToLong(Costs::nonzero).sum();
    Map<String, Tensor> stored = stored(model);
    long bytes = stored.values().stream().mapToLong(Tensor::byteSize).sum();
    long sparse = stored.values().stream().mapToLong(Costs::storedBytes).sum();
    return new Costs(new Sum(all, flops, bytes), new Sum(nonzero, present, sparse), layers);
  }

  /** Initializers of the main graph, and prunable weights elsewhere. */
  static Map<String, Tensor> stored(Model model) {
    Map<String, Tensor> stored = new LinkedHashMap<>(model.graph().initializers());
    for (Prunable p : Prunables.find(model)) {
      stored.putIfAbsent(p.parameter(), ParameterPath.read(model, p.parameter()));
    }
    return stored;
  }

  /** Those of them that are learned. */
  static Map<String, Tensor> learned(Model model) {
    Set<String> statistics = new HashSet<>();
    for (Node node : model.graph().nodes()) {
      if (node.is("BatchNormalization")) {
        statistics.add(node.input(3));
        statistics.add(node.input(4));
      }
    }
    Map<String, Tensor> learned = stored(model);
    learned
        .entrySet()
        .removeIf(
            e ->
                !e.getValue().dtype().isFloating()
                    || e.getValue().shape().rank() == 0
                    || statistics.contains(e.getKey()));
    return learned;
  }

  /** How often a sample takes each weight of the main graph's layers. */
  static Map<String, Long> places(Model model) {
    Graph graph = model.graph();
    Map<String, Shape> inputs = new LinkedHashMap<>();
    for (ValueInfo input : graph.requiredInputs()) {
      if (input.dims() == null || input.dims().stream().skip(1).anyMatch(d -> d.size() < 0)) {
        throw new IllegalArgumentException(
            "operations can only be counted where sizes are declared; input '%s' has %s"
                .formatted(input.name(), input.dims() == null ? "no rank" : "open sizes"));
      }
      inputs.put(input.name(), input.shape(1));
    }
    ShapeInference shapes = ShapeInference.of(model, inputs);
    Map<String, Long> places = new LinkedHashMap<>();
    for (Prunable p : Prunables.find(model)) {
      graph.nodes().stream()
          .filter(n -> p.layer().equals(n.name().isEmpty() ? n.output() : n.name()))
          .findFirst()
          .ifPresent(node -> places.put(p.parameter(), places(node, p, shapes)));
    }
    return places;
  }

  private static long places(Node node, Prunable p, ShapeInference shapes) {
    if (node.is("ConvTranspose")) {
      Shape x = shapes.type(node.input(0)).shape();
      return x.size() / x.dim(1) / x.dim(0);
    }
    Shape y = shapes.type(node.output()).shape();
    boolean batched = y.rank() > 0 && !node.is("Gemm") && y.dim(0) > 0;
    return y.size() / p.shape().dim(p.outAxis()) / (batched ? y.dim(0) : 1);
  }

  private static long storedBytes(Tensor tensor) {
    long sparse = nonzero(tensor) * (Long.BYTES + tensor.dtype().byteSize());
    return tensor.shape().rank() > 0 ? Math.min(tensor.byteSize(), sparse) : tensor.byteSize();
  }

  /** Elements with any bit set but a float's sign. */
  private static long nonzero(Tensor tensor) {
    long count = 0;
    if (FloatTypes.converts(tensor.dtype())) {
      Tensor f32 = FloatTypes.toF32(tensor);
      for (long i = 0; i < f32.size(); i++) {
        count += f32.getFloat(i) == 0 ? 0 : 1;
      }
      return count;
    }
    int bytes = tensor.dtype().byteSize();
    for (long i = 0; i < tensor.size(); i++) {
      boolean any = false;
      for (int b = 0; b < bytes; b++) {
        any |= tensor.data().get(ValueLayout.JAVA_BYTE, i * bytes + b) != 0;
      }
      count += any ? 1 : 0;
    }
    return count;
  }
}
