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

  /** Loads modules that peer.py wrote. */
  TorchPeer(Path scripts) throws IOException {
    try {
      dense = load(scripts, "dense");
      csr = load(scripts, "csr");
      csrVector = load(scripts, "csr-vector");
      toCsr = load(scripts, "to-csr");
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
    return side("pytorch dense", scope, dense, array(scope, weight), array(scope, x), y);
  }

  /** y = W x for x [in, columns] and y [out, columns]. */
  Contestant sparse(Tensor weight, Tensor x, Tensor y) {
    NDManager scope = manager.newSubManager();
    NDArray w = forward(toCsr, scope, array(scope, weight));
    boolean vector = x.shape().dim(1) == 1;
    NDArray columns = array(scope, x);
    if (vector) {
      columns = columns.reshape(x.shape().dim(0));
    }
    return side("pytorch csr", scope, vector ? csrVector : csr, w, columns, y);
  }

  private Contestant side(
      String name, NDManager scope, Block block, NDArray weight, NDArray x, Tensor y) {
    NDArray result =
        scope.zeros(
            x.getShape().dimension() == 1 ? new Shape(y.size()) : new Shape(y.shape().dims()),
            DataType.FLOAT32);
    // Warm up, and count how many repetitions make a sample.
    NDArray once = scope.create(1L);
    forward(block, scope, weight, x, result, once);
    forward(block, scope, weight, x, result, once);
    long begin = System.nanoTime();
    forward(block, scope, weight, x, result, once);
    double micros = Math.max(1, (System.nanoTime() - begin) * 1e-3);
    int repeats = (int) Math.clamp(Math.ceil(SAMPLE_MICROS / micros), 1, MAX_REPEATS);
    NDArray many = scope.create((long) repeats);
    y.data().copyFrom(MemorySegment.ofArray(result.toFloatArray()));
    Contestant calls =
        Contestant.of(name, SPIN_MILLIS, () -> forward(block, scope, weight, x, result, many));
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
