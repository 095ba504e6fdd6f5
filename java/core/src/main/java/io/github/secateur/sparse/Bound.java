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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A model compiled for one batch size with its own parameters and inputs of uniform random numbers
 * in [0, 1), ready to be timed.
 */
final class Bound implements AutoCloseable {
  private final Parameters parameters;
  private final Executable executable;
  private final Device.Replay pass;

  Bound(Device device, Model model, long batch) {
    parameters = Parameters.upload(device, model.graph());
    try {
      executable =
          Executable.compile(
              model, inputShapes(model, batch), parameters, Executable.Mode.INFERENCE);
    } catch (RuntimeException e) {
      parameters.close();
      throw e;
    }
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

  /** One forward pass, enqueued. */
  void run() {
    pass.run();
  }

  @Override
  public void close() {
    pass.close();
    executable.close();
    parameters.close();
  }
}
