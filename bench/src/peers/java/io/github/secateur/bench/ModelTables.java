package io.github.secateur.bench;

import static io.github.secateur.bench.MarkdownTable.number;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.BatchNormFolding;
import io.github.secateur.graph.Model;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.nn.Networks;
import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.DataFree;
import io.github.secateur.sparse.SparseChoice;
import io.github.secateur.sparse.Sparsified;
import io.github.secateur.sparse.Sparsify;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Whole pruned networks: Secateur with the layouts that it chooses, and with dense products,
 * against ONNX Runtime on the same ONNX file, zeros and all, with the same number of threads and
 * its default settings. Input and output stand in memory that both reuse; both run in this process,
 * in turns.
 */
final class ModelTables {
  static final int SPIN_MILLIS = 20;

  /**
   * A network to prune by magnitude.
   *
   * @param words its name in the table
   * @param network for {@link Networks#parse}
   */
  private record Subject(String words, String network, double sparsity) {}

  private final Run run;
  private final ArrayNode json;

  ModelTables(Run run, ArrayNode json) {
    this.run = run;
    this.json = json;
  }

  /** All of them, in Markdown. */
  String write() throws IOException {
    String mlp = run.quick() ? "256-256-256" : "4096-4096-4096";
    MarkdownTable table =
        new MarkdownTable(
            "network",
            "threads",
            "batch",
            "ONNX Runtime µs",
            "Secateur dense µs",
            "Secateur pruned µs",
            "ONNX Runtime / pruned",
            "layers run");
    for (Subject subject :
        List.of(
            new Subject("LeNet-300-100 at 95 %", "lenet-300-100", 0.95),
            new Subject("MLP " + mlp + " at 90 %", "mlp:" + mlp, 0.9),
            new Subject("LeNet-5 at 95 %", "lenet-5-caffe", 0.95),
            new Subject("ResNet-20 at 90 %", "resnet-20:3x32x32", 0.9))) {
      for (int threads : Run.THREADS) {
        try (Device device = Devices.open("cpu", new DeviceOptions(threads))) {
          Model pruned = pruned(device, subject);
          Path file = run.folder().resolve("model.onnx");
          OnnxWriter.write(pruned, file);
          for (long batch : run.quick() ? List.of(1L, 64L) : List.of(1L, 64L, 256L)) {
            row(table, subject, threads, device, pruned, file, batch);
          }
        } catch (OrtException e) {
          throw new IOException("ONNX Runtime failed on " + subject.words, e);
        }
      }
    }
    return "\n" + table;
  }

  /**
   * Without its softmax: what is compared are the layers; batch normalizations are folded into
   * them, as ONNX Runtime does by itself.
   */
  private static Model pruned(Device device, Subject subject) {
    Model model = withoutSoftmax(subject.network);
    DataFree.Options options =
        new DataFree.Options(
            new Criterion.Magnitude(PruneOps.Norm.L1), new Allocation.Global(), subject.sparsity);
    return DataFree.prune(device, BatchNormFolding.fold(model), options).model();
  }

  /** A network by name, down to its logits. */
  static Model withoutSoftmax(String network) {
    Model model = Networks.parse(network, 1);
    model.graph().nodes().removeIf(n -> n.is("Softmax"));
    model.graph().outputs().removeIf(o -> o.name().equals("probabilities"));
    return model;
  }

  private void row(
      MarkdownTable table,
      Subject subject,
      int threads,
      Device device,
      Model pruned,
      Path file,
      long batch)
      throws IOException, OrtException {
    System.err.printf("%s, threads %d, batch %d%n", subject.words, threads, batch);
    Sparsified chosen =
        Sparsify.apply(device, pruned, List.of(batch), Sparsify.Options.defaults()).getFirst();
    Shape shape = pruned.graph().inputs().getFirst().shape(batch);
    Tensor x = Data.normal(batch, batch, shape.size() / batch).reshape(shape);
    Map<String, Times> times;
    try (Ours dense = new Ours(device, pruned, x);
        Ours fast = new Ours(device, chosen.model(), x);
        Ort ort = new Ort(file, threads, x, dense.result().shape())) {
      ort.run();
      Tensor wanted = ort.result;
      dense.executable.run();
      Run.check("ONNX Runtime against the dense model", dense.result(), wanted);
      fast.executable.run();
      Run.check("ONNX Runtime against the pruned model", fast.result(), wanted);
      List<Contestant> sides = new ArrayList<>();
      sides.add(Contestant.of("onnx runtime dense", threads == 1 ? 0 : SPIN_MILLIS, ort::run));
      sides.add(Contestant.of("secateur dense", SPIN_MILLIS, dense.executable::run));
      sides.add(Contestant.of("secateur pruned", SPIN_MILLIS, fast.executable::run));
      times = (run.quick() ? new Race(2, 0.005) : new Race(7, 0.1)).run(sides);
    }
    String layers =
        chosen.choices().stream()
            .map(c -> c.chosen() ? c.layout() : "dense")
            .collect(Collectors.joining(", "));
    ObjectNode json = this.json.addObject();
    json.put("network", subject.words).put("threads", threads).put("batch", batch);
    json.put("verdict", chosen.verdict());
    ArrayNode choices = json.putArray("layers");
    for (SparseChoice c : chosen.choices()) {
      choices
          .addObject()
          .put("layer", c.layer())
          .put("sparsity", c.sparsity())
          .put("runs", c.chosen() ? c.layout() : "dense");
    }
    Run.put(json, times);
    double theirs = times.get("onnx runtime dense").median();
    double ours = times.get("secateur pruned").median();
    table.row(
        subject.words,
        Integer.toString(threads),
        Long.toString(batch),
        number("%.1f", theirs),
        number("%.1f", times.get("secateur dense").median()),
        number("%.1f", ours),
        number("%.2f", theirs / ours),
        layers);
  }

  /** A model compiled for one input. */
  static final class Ours implements AutoCloseable {
    private final Device device;
    private final Parameters parameters;
    private final Executable executable;

    Ours(Device device, Model model, Tensor x) {
      this.device = device;
      parameters = Parameters.upload(device, model.graph());
      executable =
          Executable.compile(model, Map.of("x", x.shape()), parameters, Executable.Mode.INFERENCE);
      device.upload(x, executable.input("x"));
      executable.run();
    }

    void run() {
      executable.run();
    }

    Tensor result() {
      return device.toHost(executable.output("logits"));
    }

    @Override
    public void close() {
      executable.close();
      parameters.close();
    }
  }

  /** A session of ONNX Runtime with input and output in place. */
  static final class Ort implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final OnnxTensor input;
    private final OnnxTensor output;
    private final Tensor result;

    Ort(Path file, int threads, Tensor x, Shape outputShape) throws OrtException {
      try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        session = environment.createSession(file.toString(), options);
      }
      result = Tensor.zeros(DType.F32, outputShape);
      input = OnnxTensor.createTensor(environment, floats(x), x.shape().dims());
      output = OnnxTensor.createTensor(environment, floats(result), outputShape.dims());
    }

    private static FloatBuffer floats(Tensor t) {
      return t.data().asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    Tensor result() {
      return result;
    }

    void run() {
      Map<String, OnnxValue> outputs = Map.of("logits", output);
      try (OrtSession.Result done = session.run(Map.of("x", input), outputs)) {
        if (done.size() != 1) {
          throw new IllegalStateException("ONNX Runtime answered " + done.size() + " outputs");
        }
      } catch (OrtException e) {
        throw new IllegalStateException("ONNX Runtime failed", e);
      }
    }

    @Override
    public void close() throws OrtException {
      input.close();
      output.close();
      session.close();
    }
  }
}
