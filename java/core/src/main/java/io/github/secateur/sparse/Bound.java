package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * A model compiled for one batch size with inputs of uniform random numbers in [0, 1), ready to be
 * timed.
 */
final class Bound implements AutoCloseable {
  private final Executable executable;
  private final Device.Replay pass;

  private Bound(Model model, Parameters parameters, long batch) {
    executable =
        Executable.compile(model, inputShapes(model, batch), parameters, Executable.Mode.INFERENCE);
    Device device = parameters.device();
    pass = device.replay(executable::run);
    try {
      for (ValueInfo input : model.graph().requiredInputs()) {
        fill(device, executable.input(input.name()));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Does something with the forward passes of several models on a device. Models whose weights are
   * the same tensors share them there.
   *
   * @param batch size of open dimensions of their inputs
   * @param body is given what enqueues one pass of each
   */
  static <R> R with(
      Device device, List<Model> models, long batch, Function<List<Runnable>, R> body) {
    Map<Model, Parameters> uploaded = new LinkedHashMap<>();
    List<Bound> bound = new ArrayList<>();
    try {
      for (Model model : models) {
        Parameters parameters = shared(uploaded, model);
        if (parameters == null) {
          parameters = Parameters.upload(device, model.graph());
          uploaded.put(model, parameters);
        }
        bound.add(new Bound(model, parameters, batch));
      }
      return body.apply(bound.stream().map(b -> (Runnable) b.pass::run).toList());
    } finally {
      bound.forEach(Bound::close);
      uploaded.values().forEach(Parameters::close);
    }
  }

  private static Parameters shared(Map<Model, Parameters> uploaded, Model model) {
    Map<String, Tensor> weights = model.graph().initializers(); // equal when they share memory
    return uploaded.entrySet().stream()
        .filter(entry -> entry.getKey().graph().initializers().equals(weights))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(null);
  }

  /** Shape of every required input when its open dimensions take the batch size. */
  static Map<String, Shape> inputShapes(Model model, long batch) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (ValueInfo input : model.graph().requiredInputs()) {
      shapes.put(input.name(), input.shape(batch));
    }
    return shapes;
  }

  private static void fill(Device device, DeviceTensor input) {
    Tensor host = Tensor.zeros(input.dtype(), input.shape());
    if (input.dtype() == DType.F32) {
      SplittableRandom random = new SplittableRandom(1);
      for (long i = 0; i < host.size(); i++) {
        host.setFloat(i, (float) random.nextDouble());
      }
    }
    device.upload(host, input);
  }

  @Override
  public void close() {
    pass.close();
    executable.close();
  }
}
