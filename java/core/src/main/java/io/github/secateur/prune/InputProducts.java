package io.github.secateur.prune;

import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.Conv;
import io.github.secateur.io.Samples;
import io.github.secateur.solver.Hessian;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * X Xᵀ of what a layer multiplies its weights by, over calibration samples with the weights as they
 * are now: the model runs up to the layer, in batches from the front of the training set; sums stay
 * on the device.
 *
 * @param model the network
 * @param parameters its weights on the device
 * @param samples training samples
 */
record InputProducts(Model model, Parameters parameters, Samples samples) {
  private static final long BATCH = 500;

  /**
   * The Hessians of a layer, one a group of a convolution, else one.
   *
   * @param count samples, or all if there are fewer
   * @throws IllegalArgumentException when the layer's operator has no such products
   */
  List<Hessian> of(Layer layer, long count) {
    List<Node> readers = readers(layer);
    int groups = (int) readers.getFirst().intAttribute("group", 1);
    int inputs = Math.toIntExact(layer.size() / layer.units());
    Device device = parameters.device();
    List<DeviceTensor> sums = new ArrayList<>();
    try {
      for (int g = 0; g < groups; g++) {
        sums.add(device.empty(DType.F32, Shape.of(inputs, inputs)));
        device.zero(sums.get(g).buffer(), 0, sums.get(g).buffer().byteSize());
      }
      long all = Math.min(count, samples.count());
      accumulate(readers, sums, 0, all / BATCH, BATCH);
      accumulate(readers, sums, all / BATCH * BATCH, 1, all % BATCH);
      return sums.stream()
          .map(sum -> hessian(layer, device.toHost(sum).toFloats(), inputs))
          .toList();
    } finally {
      sums.forEach(DeviceTensor::close);
    }
  }

  private static Hessian hessian(Layer layer, float[] sums, int inputs) {
    try {
      return new Hessian(sums, inputs);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "layer '%s': %s".formatted(layer.name(), e.getMessage()), e);
    }
  }

  /** The nodes that multiply by a layer's weight. */
  private List<Node> readers(Layer layer) {
    List<Node> readers = model.graph().consumers(layer.parameter());
    for (Node node : readers) {
      boolean second = node.inputs().indexOf(layer.parameter()) == 1;
      if (!second || !(node.is("Gemm") || node.is("MatMul") || node.is("Conv"))) {
        throw unfit(layer, "is read by " + node);
      }
    }
    if (readers.isEmpty()) {
      throw unfit(layer, "is read inside a subgraph");
    }
    return readers;
  }

  private static IllegalArgumentException unfit(Layer layer, String what) {
    return new IllegalArgumentException(
        "layer-wise pruning takes the weights of Gemm, MatMul and Conv, but '%s' of layer '%s' %s;"
                .formatted(layer.parameter(), layer.name(), what)
            + " exclude the layer");
  }

  /** Adds {@code batches} batches of {@code size} samples from sample {@code first} on. */
  private void accumulate(
      List<Node> readers, List<DeviceTensor> sums, long first, long batches, long size) {
    if (batches == 0 || size == 0) {
      return;
    }
    ValueInfo x = model.graph().requiredInputs().getFirst();
    Map<String, Shape> inputs = Map.of(x.name(), x.shape(size));
    try (Executable executable =
        Executable.compile(upTo(readers), inputs, parameters, Executable.Mode.INFERENCE)) {
      DeviceTensor input = executable.input(x.name());
      long bytes = input.size() * input.dtype().byteSize();
      for (long b = 0; b < batches; b++) {
        long from = (first + b * size) * (bytes / size);
        parameters
            .device()
            .upload(samples.x().data().asSlice(from, bytes), input.buffer(), input.byteOffset());
        executable.run();
        for (Node reader : readers) {
          add(reader, executable.output(reader.input(0)), sums);
        }
      }
    }
  }

  private Model upTo(List<Node> readers) {
    Graph graph = model.graph().copy();
    graph.outputs().clear();
    Map<String, ValueInfo> outputs = new LinkedHashMap<>();
    for (Node reader : readers) {
      String value = reader.input(0);
      outputs.put(value, new ValueInfo(value, DType.F32, null, new byte[0]));
    }
    graph.outputs().addAll(outputs.values());
    return model.withGraph(graph);
  }

  private void add(Node reader, DeviceTensor x, List<DeviceTensor> sums) {
    Device device = parameters.device();
    if (reader.is("Conv")) {
      Shape weight = model.graph().initializer(reader.input(1)).shape();
      ConvProducts.add(device, Conv.window(reader, x.shape(), weight), x, sums);
      return;
    }
    DeviceTensor sum = sums.getFirst();
    long inputs = sum.shape().dim(0);
    boolean stored = reader.is("Gemm") && reader.intAttribute("transA", 0) != 0; // X [in, rows]
    Shape matrix =
        stored ? Shape.of(inputs, x.size() / inputs) : Shape.of(x.size() / inputs, inputs);
    DeviceTensor view = x.view(matrix);
    device.dense().gemm(new Gemm(!stored, stored, 1, 1), view, view, sum);
  }
}
