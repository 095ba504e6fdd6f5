package io.github.secateur.exec;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.Ops;
import io.github.secateur.graph.TensorType;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A graph bound to a device, to concrete input shapes and to parameters: its kernels in order, its
 * memory planned. Compiled once, run many times; a run allocates nothing.
 *
 * <p>Memory: inputs and outputs have buffers of their own; inner values share one block by lifetime
 * ({@link MemoryPlan}); views take none; nodes that no output depends on are left out.
 */
public final class Executable implements AutoCloseable {
  private final Model model;
  private final Parameters parameters;
  private final Device device;
  private final boolean training;
  private final SparseWeights sparse; // null when all products are dense
  private final List<Buffer> owned = new ArrayList<>();
  private final List<Op.Kernel> kernels = new ArrayList<>();
  private final Map<String, DeviceTensor> tensors = new HashMap<>();
  private final Map<String, DeviceTensor> inputs = new LinkedHashMap<>();
  private final Map<String, DeviceTensor> outputs = new LinkedHashMap<>();
  private Buffer scratch;
  private DeviceTensor randomState;

  private Executable(Model model, Parameters parameters, Mode mode, SparseWeights sparse) {
    this.model = model;
    this.parameters = parameters;
    this.device = parameters.device();
    this.training = mode == Mode.TRAINING;
    this.sparse = sparse;
  }

  /** How a graph is run. */
  public enum Mode {
    INFERENCE,
    TRAINING
  }

  /**
   * Compiles a model's graph.
   *
   * @param inputs shape of every required input
   * @param parameters holds the floating-point initializers; not owned
   * @throws IllegalArgumentException when the engine does not know an operator, or shapes or
   *     element types do not fit
   */
  public static Executable compile(
      Model model, Map<String, Shape> inputs, Parameters parameters, Mode mode) {
    return compile(model, inputs, parameters, mode, null);
  }

  /**
   * The same, with masked products that run sparse while their weights are packed.
   *
   * @param sparse not owned; or null
   */
  public static Executable compile(
      Model model,
      Map<String, Shape> inputs,
      Parameters parameters,
      Mode mode,
      SparseWeights sparse) {
    Executable executable = new Executable(model, parameters, mode, sparse);
    try {
      executable.build(inputs);
      return executable;
    } catch (RuntimeException e) {
      executable.close();
      throw e;
    }
  }

  private void build(Map<String, Shape> inputShapes) {
    List<Node> nodes = Liveness.needed(model.graph());
    Map<String, TensorType> resident = new LinkedHashMap<>();
    for (String name : parameters.names()) {
      DeviceTensor p = parameters.get(name);
      resident.put(name, new TensorType(p.dtype(), p.shape()));
    }
    ShapeInference shapes = ShapeInference.of(model, inputShapes, resident, nodes);
    Liveness liveness = new Liveness(model.graph(), nodes, shapes, training);
    randomState = own(device.toDevice(Tensor.ofLongs(Shape.of(2), 0, 0)));
    placeInputs(shapes);
    List<Node> steps = new ArrayList<>();
    for (Node node : nodes) {
      if (node.is("Constant")) {
        placeResident(node.output(), shapes);
      } else {
        node.inputs().forEach(name -> placeResident(name, shapes));
        steps.add(node);
      }
    }
    placeComputed(nodes, shapes, liveness);
    steps.forEach(node -> prepare(node, shapes, liveness));
    bindOutputs(shapes, liveness);
  }

  private void placeInputs(ShapeInference shapes) {
    for (ValueInfo input : model.graph().requiredInputs()) {
      if (!parameters.contains(input.name())) {
        DeviceTensor t = own(empty(shapes.type(input.name())));
        inputs.put(input.name(), t);
        tensors.put(input.name(), t);
      }
    }
  }

  /** Parameters are bound; other initializers and constants are uploaded once. */
  private void placeResident(String name, ShapeInference shapes) {
    if (name.isEmpty() || tensors.containsKey(name)) {
      return;
    }
    if (parameters.contains(name)) {
      tensors.put(name, parameters.get(name));
    } else {
      shapes.constant(name).ifPresent(t -> tensors.put(name, own(device.toDevice(t))));
    }
  }

  private void placeComputed(List<Node> nodes, ShapeInference shapes, Liveness liveness) {
    List<MemoryPlan.Lifetime> lifetimes = new ArrayList<>();
    for (int step = 0; step < nodes.size(); step++) {
      for (String value : nodes.get(step).outputs()) {
        if (value.isEmpty() || tensors.containsKey(value) || liveness.isView(value)) {
          continue;
        }
        TensorType type = shapes.type(value);
        if (liveness.isOutput(value)) {
          tensors.put(value, own(empty(type)));
        } else if (liveness.isRead(value) || value.equals(nodes.get(step).output())) {
          lifetimes.add(
              new MemoryPlan.Lifetime(
                  value,
                  type.shape().size() * type.dtype().byteSize(),
                  step,
                  liveness.lastRead(value, step)));
        }
      }
    }
    MemoryPlan plan = MemoryPlan.of(lifetimes);
    Buffer block = own(device.allocate(plan.byteSize()));
    for (MemoryPlan.Lifetime value : lifetimes) {
      TensorType type = shapes.type(value.name());
      tensors.put(
          value.name(),
          new DeviceTensor(block, plan.offset(value.name()), type.dtype(), type.shape()));
    }
  }

  private void prepare(Node node, ShapeInference shapes, Liveness liveness) {
    if (liveness.isView(node.output())) {
      tensors.put(node.output(), tensor(node.input(0)).view(shapes.type(node.output()).shape()));
      return;
    }
    List<DeviceTensor> in = new ArrayList<>();
    node.inputs().forEach(name -> in.add(name.isEmpty() ? null : tensor(name)));
    List<DeviceTensor> out = new ArrayList<>();
    for (String name : node.outputs()) {
      boolean absent = !name.equals(node.output()) && (name.isEmpty() || !liveness.isRead(name));
      out.add(absent ? null : tensor(name));
    }
    kernels.add(Ops.get(node).prepare(node, in, out, new Binding(node, shapes)));
  }

  private DeviceTensor tensor(String name) {
    DeviceTensor t = tensors.get(name);
    if (t == null) {
      throw new IllegalArgumentException(
          "nothing in graph '%s' makes the value '%s'".formatted(model.graph().name(), name));
    }
    return t;
  }

  private void bindOutputs(ShapeInference shapes, Liveness liveness) {
    for (ValueInfo output : model.graph().outputs()) {
      String name = output.name();
      placeResident(name, shapes);
      DeviceTensor value = tensor(name);
      String root = liveness.root(name);
      boolean computed = !inputs.containsKey(root) && !isResident(root, shapes);
      outputs.put(name, computed ? value : copied(value));
    }
  }

  private boolean isResident(String root, ShapeInference shapes) {
    return parameters.contains(root) || shapes.constant(root).isPresent();
  }

  /** An output that would be an input or a parameter itself gets a copy at the end of each run. */
  private DeviceTensor copied(DeviceTensor source) {
    DeviceTensor target = own(device.empty(source.dtype(), source.shape()));
    long bytes = source.size() * source.dtype().byteSize();
    kernels.add(() -> device.copy(source.buffer(), source.byteOffset(), target.buffer(), 0, bytes));
    return target;
  }

  private DeviceTensor empty(TensorType type) {
    return device.empty(type.dtype(), type.shape());
  }

  private DeviceTensor own(DeviceTensor tensor) {
    owned.add(tensor.buffer());
    return tensor;
  }

  private Buffer own(Buffer buffer) {
    owned.add(buffer);
    return buffer;
  }

  /** Where the graph is run. */
  public Device device() {
    return device;
  }

  /** The graph that is run. */
  public Graph graph() {
    return model.graph();
  }

  /**
   * Device tensor of an input, to be filled before a run.
   *
   * @throws IllegalArgumentException when there is none of this name
   */
  public DeviceTensor input(String name) {
    return named(inputs, "input", name);
  }

  /**
   * Device tensor of a graph output, valid after a run and until the next.
   *
   * @throws IllegalArgumentException when there is none of this name
   */
  public DeviceTensor output(String name) {
    return named(outputs, "output", name);
  }

  private static DeviceTensor named(Map<String, DeviceTensor> all, String kind, String name) {
    DeviceTensor t = all.get(name);
    if (t == null) {
      throw new IllegalArgumentException(
          "there is no %s '%s'; there are %s".formatted(kind, name, all.keySet()));
    }
    return t;
  }

  /** I64 [2] {seed, counter}: set before the first step, counter advanced by whoever trains. */
  public DeviceTensor randomState() {
    return randomState;
  }

  /** Enqueues all kernels. */
  public void run() {
    for (int i = 0; i < kernels.size(); i++) {
      kernels.get(i).run();
    }
  }

  /**
   * Uploads the inputs, runs, downloads the outputs.
   *
   * @throws IllegalArgumentException when an input is missing, unknown or of another shape
   */
  public Map<String, Tensor> run(Map<String, Tensor> values) {
    for (String name : inputs.keySet()) {
      if (!values.containsKey(name)) {
        throw new IllegalArgumentException("input '" + name + "' is missing");
      }
    }
    values.forEach((name, tensor) -> device.upload(tensor, input(name)));
    run();
    device.synchronize();
    Map<String, Tensor> results = new LinkedHashMap<>();
    outputs.forEach((name, tensor) -> results.put(name, device.toHost(tensor)));
    return results;
  }

  @Override
  public void close() {
    kernels.forEach(Op.Kernel::close);
    kernels.clear();
    owned.forEach(Buffer::close);
    owned.clear();
  }

  /** What a node's kernel is given. */
  private final class Binding implements Op.Run {
    private final Node node;
    private final ShapeInference shapes;

    Binding(Node node, ShapeInference shapes) {
      this.node = node;
      this.shapes = shapes;
    }

    @Override
    public Device device() {
      return device;
    }

    @Override
    public boolean training() {
      return training;
    }

    @Override
    public DeviceTensor randomState() {
      return randomState;
    }

    /** FNV-1a, 64 bits, of the name of the draw. */
    @Override
    public long salt() {
      long hash = 0xcbf29ce484222325L;
      for (byte b : node.textAttribute(DRAW, node.output()).getBytes(StandardCharsets.UTF_8)) {
        hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
      }
      return hash;
    }

    @Override
    public Buffer scratch(long bytes) {
      if (scratch == null || scratch.byteSize() < bytes) {
        scratch = own(device.allocate(bytes));
      }
      return scratch;
    }

    @Override
    public Op.SparseWeight sparseWeight(
        String parameter, boolean transposed, long rows, Op.SparseWeight.Use use) {
      return sparse == null ? Op.SparseWeight.DENSE : sparse.use(parameter, transposed, rows, use);
    }

    @Override
    public Optional<Tensor> constant(String value) {
      return shapes.constant(value);
    }
  }
}
