package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a classifier over samples in batches. The model has one input [batch, ...] and its first
 * output is [batch, classes]: logits, or a Softmax of them, which is then taken off. Keeps one
 * compiled executable a batch size, so that repeated use is cheap.
 */
public final class Evaluator implements AutoCloseable {
  /** Samples a batch unless said. */
  public static final int BATCH = 1000;

  private final Model logitsModel;
  private final ValueInfo input;
  private final String logits;
  private final Parameters parameters;
  private final boolean ownsParameters;
  private final int batch;
  private final Map<Integer, Compiled> executables = new LinkedHashMap<>();

  /** A graph compiled for a batch size, and its repeatable pass. */
  private record Compiled(Executable executable, Device.Replay pass) implements AutoCloseable {
    @Override
    public void close() {
      pass.close();
      executable.close();
    }
  }

  /** Evaluates the model's own weights; uploads and owns them. */
  public Evaluator(Device device, Model model) {
    this(model, Parameters.upload(device, model.graph()), BATCH, true);
  }

  /** Evaluates weights that live on a device already, such as those of a training run. */
  public Evaluator(Model model, Parameters parameters, int batch) {
    this(model, parameters, batch, false);
  }

  private Evaluator(Model model, Parameters parameters, int batch, boolean ownsParameters) {
    this.parameters = parameters;
    this.ownsParameters = ownsParameters;
    this.batch = batch;
    try (Owner failed = new Owner()) {
      if (ownsParameters) {
        failed.add(parameters);
      }
      if (batch < 1) {
        throw new IllegalArgumentException("batch size must be 1 or more, got " + batch);
      }
      this.input = Classifier.input(model.graph());
      this.logits = Classifier.logits(model.graph());
      this.logitsModel = withOutput(model, logits);
      failed.release();
    }
  }

  private static Model withOutput(Model model, String value) {
    Graph graph = model.graph().copy();
    graph.outputs().clear();
    graph.outputs().add(new ValueInfo(value, DType.F32, null, new byte[0]));
    return model.withGraph(graph);
  }

  /** Metrics of a model on samples. */
  public static Metrics evaluate(Device device, Model model, Samples samples) {
    try (Evaluator evaluator = new Evaluator(device, model)) {
      return evaluator.evaluate(samples);
    }
  }

  /** Logits [n, classes] of a model for x [n, ...]. */
  public static Tensor predict(Device device, Model model, Tensor x) {
    try (Evaluator evaluator = new Evaluator(device, model)) {
      return evaluator.predict(x);
    }
  }

  /**
   * Metrics on samples. The loss is the mean of logsumexp(logits) − logits[label] in double; the
   * predicted class is the lowest index of the largest logit.
   *
   * @throws IllegalArgumentException when the model has fewer outputs than the samples classes, or
   *     an output is NaN, naming the sample
   */
  public Metrics evaluate(Samples samples) {
    int[] labels = samples.labels().toInts();
    Tensor outputs = predict(samples.x());
    int classes = Math.toIntExact(outputs.shape().dim(1));
    if (classes < samples.classes()) {
      throw new IllegalArgumentException(
          "the model has %d outputs, but %s has %d classes"
              .formatted(classes, samples.name(), samples.classes()));
    }
    Confusion confusion = new Confusion(classes);
    confusion.add(outputs, labels);
    return confusion.metrics();
  }

  /** Logits [n, classes] for x [n, ...]. */
  public Tensor predict(Tensor x) {
    int count = Math.toIntExact(x.shape().dim(0));
    if (count == 0) {
      throw new IllegalArgumentException("there are no samples to evaluate");
    }
    List<Tensor> parts = new ArrayList<>();
    long rowBytes = x.byteSize() / count;
    for (int from = 0; from < count; from += batch) {
      int size = Math.min(batch, count - from);
      parts.add(run(size, x.data().asSlice(from * rowBytes, size * rowBytes)));
    }
    return concatenate(parts, count);
  }

  private Tensor run(int size, MemorySegment rows) {
    Compiled compiled = executables.computeIfAbsent(size, this::compile);
    DeviceTensor target = compiled.executable().input(input.name());
    Device device = parameters.device();
    if (rows.byteSize() != target.size() * DType.F32.byteSize()) {
      throw new IllegalArgumentException(
          "the model's input '%s' takes %d numbers a sample, the data has %d"
              .formatted(input.name(), target.size() / size, rows.byteSize() / size / 4));
    }
    device.upload(rows, target.buffer(), target.byteOffset());
    compiled.pass().run();
    Tensor out = device.toHost(compiled.executable().output(logits));
    if (out.shape().rank() != 2 || out.shape().dim(0) != size) {
      throw new IllegalArgumentException(
          "output '%s' should be [batch, classes], got %s for a batch of %d"
              .formatted(logits, out.shape(), size));
    }
    return out;
  }

  private Compiled compile(int size) {
    Executable executable =
        Executable.compile(
            logitsModel,
            Map.of(input.name(), input.shape(size)),
            parameters,
            Executable.Mode.INFERENCE);
    return new Compiled(executable, parameters.device().replay(executable::run));
  }

  private static Tensor concatenate(List<Tensor> parts, int count) {
    if (parts.size() == 1) {
      return parts.getFirst();
    }
    Tensor all = Tensor.zeros(DType.F32, Shape.of(count, parts.getFirst().shape().dim(1)));
    long offset = 0;
    for (Tensor part : parts) {
      MemorySegment.copy(part.data(), 0, all.data(), offset, part.byteSize());
      offset += part.byteSize();
    }
    return all;
  }

  @Override
  public void close() {
    try (Owner all = new Owner()) {
      if (ownsParameters) {
        all.add(parameters);
      }
      executables.values().forEach(all::add);
      executables.clear();
    }
  }
}
