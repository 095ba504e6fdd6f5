package io.github.secateur.graph;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseOps;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the engine knows of an operator: its shape rule, its gradient, its execution. One operator
 * (or one family that shares a rule) is one file in {@code graph.op} and one line in {@link Ops}.
 */
public interface Op {
  /** Domain and type. */
  OpId id();

  /**
   * Types of the outputs.
   *
   * @throws IllegalArgumentException naming node and shapes when the inputs do not fit
   */
  List<TensorType> infer(Node node, Inference inference);

  /**
   * Reverse mode: emits nodes that compute the gradients of the inputs from those of the outputs
   * (the vector-Jacobian product). Nothing is emitted for inputs that are not {@link
   * Gradients#wanted}.
   */
  default void gradient(Node node, Gradients gradients) {
    throw new IllegalArgumentException(node + " has no gradient rule");
  }

  /**
   * Whether the output is the first input, perhaps under another shape, so that it needs no memory
   * of its own and nothing is run.
   */
  default boolean isView(Node node, Inference inference, boolean training) {
    return false;
  }

  /**
   * Binds the node to tensors. Called once; the kernel is run many times. Not called for views.
   *
   * @param inputs null where an optional input is absent
   * @param outputs null where an output but the first is absent or nobody reads it
   */
  Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run);

  /** A node bound to its tensors. */
  interface Kernel extends AutoCloseable {
    /** Enqueues the operation. */
    void run();

    /** Frees what {@link Op#prepare} made. */
    @Override
    default void close() {}
  }

  /** What a shape rule may ask. */
  interface Inference {
    /** Number of inputs given, absent ones counted. */
    int count();

    /** Type of an input; absent optional inputs give null. */
    TensorType type(int input);

    /** Value of an input that is constant (initializer or Constant node). */
    Optional<Tensor> constant(int input);

    /** Operator-set version of the node's domain. */
    long opset();
  }

  /** What a gradient rule may ask and emit. */
  interface Gradients {
    /** Name of the gradient of an output, or null when none flows into it. */
    String of(int output);

    /** Whether the gradient of an input is needed. */
    boolean wanted(int input);

    /** Adds a node and returns the name of its (first) output. */
    String emit(OpId op, Map<String, Attribute> attributes, String... inputs);

    /** Adds a node with several outputs and returns their names. */
    List<String> emitAll(OpId op, Map<String, Attribute> attributes, int outputs, String... inputs);

    /**
     * Name of an output of the node itself that the gradient reads; the node gets it if it has none
     * there yet. For what a forward kernel may keep beside the outputs that ONNX knows.
     */
    String saved(int output);

    /** Gives a gradient of an input; several are summed. */
    void give(int input, String gradient);
  }

  /** A weight that is packed while its products are to run sparse. */
  interface SparseWeight {
    /** Which products a kernel takes of it. */
    enum Use {
      PRODUCT,
      INPUT_GRADIENT,
      WEIGHT_GRADIENT
    }

    /** One that is never packed. */
    SparseWeight DENSE =
        new SparseWeight() {
          @Override
          public SparseOps.PackedWeight packed() {
            return null;
          }

          @Override
          public Buffer workspace() {
            throw new IllegalStateException("a weight that is not packed needs no workspace");
          }
        };

    /** Its packed form now, or null while its products run dense; asked at every run. */
    SparseOps.PackedWeight packed();

    /** Workspace for its products while it is packed. */
    Buffer workspace();
  }

  /** What execution offers to kernels. */
  interface Run {
    /** Attribute of a node that repeats another node's draw: the name of that node's output. */
    String DRAW = "draw";

    /** Where it runs. */
    Device device();

    /** Whether Dropout and its kind are active. */
    boolean training();

    /** I64 [2] {seed, counter} on the device, advanced once a training step. */
    DeviceTensor randomState();

    /**
     * A number for the random draws of a node: a hash of its attribute {@link #DRAW} or else of its
     * first output's name, so that it differs from node to node and a gradient node can repeat the
     * draw of its forward node.
     */
    long salt();

    /** Scratch memory shared by all kernels of the run, at least this large; contents undefined. */
    Buffer scratch(long bytes);

    /**
     * The weight of a product under a mask, which whoever trains may have packed between runs.
     *
     * @param parameter its name
     * @param transposed whether it is stored input-major
     * @param rows activations of the product
     */
    SparseWeight sparseWeight(
        String parameter, boolean transposed, long rows, SparseWeight.Use use);

    /** Value as the graph holds it, when it is an initializer or the output of a Constant node. */
    Optional<Tensor> constant(String value);
  }
}
