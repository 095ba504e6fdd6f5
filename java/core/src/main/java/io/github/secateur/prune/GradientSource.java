package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.ReverseMode;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.Binary;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Losses;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;

/**
 * Gradients of the mean softmax cross-entropy over calibration samples, at the weights that are on
 * the device at that moment.
 *
 * <p>The first samples of the training set go through the network in batches of {@value #BATCH} and
 * a remainder. A batch of b of n samples has the share b/n of the whole, so that Σ share · gradient
 * over the batches is the gradient of the mean over all n, whatever the remainder. Dropout is off;
 * batch normalization uses its running statistics, or, on request, those of the batch, as in
 * training; the running statistics come out as they were either way.
 *
 * <p>Cost: a forward and a backward pass a batch, and memory for one training step without
 * optimizer state. Nothing is downloaded and nothing waits between batches.
 */
final class GradientSource implements AutoCloseable {
  /** Samples a batch. */
  static final int BATCH = 100;

  private static final String FACTOR = "calibration.factor";
  private static final String TEMPERATURE = "calibration.temperature";
  private static final String SCALED_LOSS = "calibration.loss";

  private final Calibration calibration;
  private final List<String> parameters;
  private final Options options;
  private final long count;
  private final ValueInfo input;
  private final Map<Long, Executable> executables = new LinkedHashMap<>();

  /**
   * What is differentiated.
   *
   * @param samples calibration samples, fewer if there are fewer
   * @param temperature divides the logits
   * @param mode TRAINING: batch normalization by the statistics of each batch
   * @param factor multiplies a batch's gradients, a function of its share
   */
  record Options(
      long samples, double temperature, Executable.Mode mode, DoubleUnaryOperator factor) {
    /** The plain gradient of each batch's mean loss, in evaluation mode. */
    static Options of(long samples) {
      return new Options(samples, 1, Executable.Mode.INFERENCE, share -> 1);
    }

    /** The same in training mode. */
    Options training() {
      return new Options(samples, temperature, Executable.Mode.TRAINING, factor);
    }

    /** The same with softened or sharpened logits. */
    Options at(double otherTemperature) {
      return new Options(samples, otherTemperature, mode, factor);
    }

    /** The same with each batch's gradients multiplied by a function of its share. */
    Options times(DoubleUnaryOperator other) {
      return new Options(samples, temperature, mode, other);
    }

    /** The same with each batch's gradients multiplied by its share: they sum to the mean. */
    Options shared() {
      return times(share -> share);
    }
  }

  /**
   * A batch that has been through the network; valid until the next.
   *
   * @param size samples in it
   * @param share its size over the number of all samples
   */
  record Batch(long size, double share, Executable executable) {
    /** Gradient of a parameter times the factor of the options, of the parameter's shape. */
    DeviceTensor gradient(String parameter) {
      return executable.output(ReverseMode.gradientName(parameter));
    }
  }

  /**
   * Prepares; nothing is allocated before the first pass.
   *
   * @param parameters F32 initializers that the loss depends on
   */
  GradientSource(Calibration calibration, List<String> parameters, Options options) {
    this.calibration = calibration;
    this.parameters = List.copyOf(parameters);
    this.options = options;
    this.count = Math.min(options.samples(), calibration.samples().count());
    this.input = calibration.model().graph().requiredInputs().getFirst();
  }

  /** Samples that it goes through. */
  long count() {
    return count;
  }

  /** Gives the gradients of one batch after the other, in the samples' order. */
  void forEach(Consumer<Batch> consumer) {
    try (RunningStatistics _ = statistics()) {
      for (long from = 0; from < count; from += BATCH) {
        long size = Math.min(BATCH, count - from);
        Executable executable = executables.get(size);
        if (executable == null) {
          executable = compile(size);
          executables.put(size, executable);
        }
        upload(executable, from, size);
        executable.run();
        consumer.accept(new Batch(size, share(size), executable));
      }
    }
  }

  /**
   * Sum over the batches of factor · gradient, by parameter; whoever calls closes the tensors. With
   * {@link Options#shared} it is the gradient of the mean loss over all samples.
   */
  Map<String, DeviceTensor> sum() {
    Device device = calibration.parameters().device();
    NnOps nn = device.nn();
    Map<String, DeviceTensor> sums = new LinkedHashMap<>();
    try {
      for (String name : parameters) {
        DeviceTensor sum = device.empty(DType.F32, calibration.parameters().get(name).shape());
        sums.put(name, sum);
        device.zero(sum.buffer(), 0, sum.buffer().byteSize());
      }
      forEach(
          batch ->
              sums.forEach(
                  (name, sum) -> nn.binary(NnOps.Binary.ADD, sum, batch.gradient(name), sum)));
      return sums;
    } catch (RuntimeException e) {
      sums.values().forEach(DeviceTensor::close);
      throw e;
    }
  }

  private double share(long size) {
    return (double) size / count;
  }

  private void upload(Executable executable, long from, long size) {
    Samples samples = calibration.samples();
    Device device = executable.device();
    DeviceTensor x = executable.input(input.name());
    long bytes = samples.features() * DType.F32.byteSize();
    if (x.size() != size * samples.features()) {
      throw new IllegalArgumentException(
          "the model's input '%s' takes %d numbers a sample, %s has %d"
              .formatted(input.name(), x.size() / size, samples.name(), samples.features()));
    }
    device.upload(
        samples.x().data().asSlice(from * bytes, size * bytes), x.buffer(), x.byteOffset());
    DeviceTensor labels = executable.input(Losses.LABELS);
    device.upload(
        samples.labels().data().asSlice(4 * from, 4 * size), labels.buffer(), labels.byteOffset());
  }

  private Executable compile(long size) {
    Model withLoss = Losses.withSoftmaxCrossEntropy(calibration.model());
    Graph graph = Rewrites.without(Set.of("Dropout"), withLoss.graph());
    soften(graph);
    graph.initializers().put(FACTOR, scalar(options.factor().applyAsDouble(share(size))));
    graph
        .nodes()
        .add(
            Node.of(
                SCALED_LOSS,
                Binary.MUL,
                List.of(Losses.LOSS, FACTOR),
                List.of(SCALED_LOSS),
                Map.of()));
    graph.outputs().clear();
    Graph differentiated = ReverseMode.differentiate(graph, SCALED_LOSS, parameters);
    Map<String, Shape> shapes =
        Map.of(input.name(), input.shape(size), Losses.LABELS, Shape.of(size));
    return Executable.compile(
        withLoss.withGraph(differentiated), shapes, calibration.parameters(), options.mode());
  }

  /** Divides the logits by the temperature. */
  private void soften(Graph graph) {
    if (options.temperature() == 1) {
      return;
    }
    graph.initializers().put(TEMPERATURE, scalar(options.temperature()));
    Node loss = graph.producer(Losses.LOSS).orElseThrow();
    String softened = TEMPERATURE + ".logits";
    int at = graph.nodes().indexOf(loss);
    graph.nodes().set(at, loss.withInput(0, softened));
    graph
        .nodes()
        .add(
            at,
            Node.of(
                softened,
                Binary.DIV,
                List.of(loss.input(0), TEMPERATURE),
                List.of(softened),
                Map.of()));
  }

  private static Tensor scalar(double value) {
    return Tensor.of(Shape.of(), (float) value);
  }

  private RunningStatistics statistics() {
    return options.mode() == Executable.Mode.TRAINING
        ? RunningStatistics.save(calibration.model().graph(), calibration.parameters())
        : RunningStatistics.NONE;
  }

  @Override
  public void close() {
    executables.values().forEach(Executable::close);
    executables.clear();
  }
}
