package io.github.secateur.bench;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * PyTorch's own build with MKL, by DJL: products of dense and of CSR matrices, run by TorchScript
 * modules that repeat them, so that a call from Java is no part of the time.
 */
final class TorchPeer implements AutoCloseable {
  private static final int SPIN_MILLIS = 10; // of libgomp
  private static final double SAMPLE_MICROS = 500;
  private static final int MAX_REPEATS = 1000;

  private final NDManager manager = Engine.getEngine("PyTorch").newBaseManager();
  private final List<Model> models = new ArrayList<>(); // a block ends with its model
  private final Block dense;
  private final Block csr;
  private final Block csrVector;
  private final Block toCsr;
  private final Block layerStep;

  /** Loads modules that peer.py wrote. */
  TorchPeer(Path scripts) throws IOException {
    try {
      dense = load(scripts, "dense");
      csr = load(scripts, "csr");
      csrVector = load(scripts, "csr-vector");
      toCsr = load(scripts, "to-csr");
      layerStep = load(scripts, "layer-step");
    } catch (MalformedModelException e) {
      throw new IOException("PyTorch does not read the scripts in " + scripts, e);
    }
  }

  private Block load(Path folder, String name) throws IOException, MalformedModelException {
    Model model = Model.newInstance(name, "PyTorch");
    model.load(folder, name);
    models.add(model);
    return model.getBlock();
  }

  static String version() {
    return Engine.getEngine("PyTorch").getVersion();
  }

  static void setThreads(int threads) {
    JniUtils.setNumThreads(threads);
  }

  /** y = x Wᵀ for x [batch, in], W [out, in], y [batch, out]. */
  Contestant dense(Tensor weight, Tensor x, Tensor y) {
    NDManager scope = manager.newSubManager();
    NDArray result = zeros(scope, y);
    return side("pytorch dense", scope, dense, y, array(scope, weight), array(scope, x), result);
  }

  /** y = W x for x [in, columns] and y [out, columns]. */
  Contestant sparse(Tensor weight, Tensor x, Tensor y) {
    NDManager scope = manager.newSubManager();
    NDArray w = forward(toCsr, scope, array(scope, weight));
    boolean vector = x.shape().dim(1) == 1;
    NDArray columns = array(scope, x);
    NDArray result = zeros(scope, y);
    if (vector) {
      columns = columns.reshape(x.size());
      result = scope.zeros(new Shape(y.size()), DataType.FLOAT32);
    }
    return side("pytorch csr", scope, vector ? csrVector : csr, y, w, columns, result);
  }

  /**
   * A training step of a masked layer: y = x Wᵀ, dx = dy W, dW = mask · (dyᵀ x).
   *
   * @param mask [out, in], 0 or 1
   * @param gradient dW, written
   */
  Contestant layerStep(Tensor weight, Tensor mask, Tensor x, Tensor dy, Tensor gradient) {
    NDManager scope = manager.newSubManager();
    NDArray y = zeros(scope, dy);
    NDArray dx = zeros(scope, x);
    return side(
        "pytorch dense",
        scope,
        layerStep,
        gradient,
        array(scope, weight),
        array(scope, mask),
        array(scope, x),
        array(scope, dy),
        y,
        dx,
        zeros(scope, gradient));
  }

  /**
   * A side that calls a module.
   *
   * @param y where the result goes for checking
   * @param inputs of the module, the result last; the number of repetitions follows them
   */
  private Contestant side(String name, NDManager scope, Block block, Tensor y, NDArray... inputs) {
    NDArray[] arguments = Arrays.copyOf(inputs, inputs.length + 1);
    // Warm up, and count how many repetitions make a sample.
    arguments[inputs.length] = scope.create(1L);
    run(block, scope, arguments);
    run(block, scope, arguments);
    long begin = System.nanoTime();
    run(block, scope, arguments);
    double micros = Math.max(1, (System.nanoTime() - begin) * 1e-3);
    int repeats = (int) Math.clamp(Math.ceil(SAMPLE_MICROS / micros), 1, MAX_REPEATS);
    arguments[inputs.length] = scope.create((long) repeats);
    y.data().copyFrom(MemorySegment.ofArray(inputs[inputs.length - 1].toFloatArray()));
    Contestant calls = Contestant.of(name, SPIN_MILLIS, () -> run(block, scope, arguments));
    Contestant single =
        new Contestant() {
          @Override
          public String name() {
            return name;
          }

          @Override
          public double[] block(double seconds) throws IOException {
            double[] samples = calls.block(seconds);
            for (int i = 0; i < samples.length; i++) {
              samples[i] /= repeats;
            }
            return samples;
          }
        };
    return new Owned(single, scope::close);
  }

  private static void run(Block block, NDManager scope, NDArray... inputs) {
    forward(block, scope, inputs).close();
  }

  private static NDArray zeros(NDManager scope, Tensor like) {
    return scope.zeros(new Shape(like.shape().dims()), DataType.FLOAT32);
  }

  private static NDArray forward(Block block, NDManager scope, NDArray... inputs) {
    NDList list = new NDList(inputs);
    NDArray y = block.forward(new ParameterStore(scope, false), list, false).get(0);
    y.attach(scope);
    return y;
  }

  private static NDArray array(NDManager scope, Tensor t) {
    return scope.create(
        t.data().asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(),
        new Shape(t.shape().dims()));
  }

  @Override
  public void close() {
    models.forEach(Model::close);
    manager.close();
  }
}
