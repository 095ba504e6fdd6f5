package io.github.secateur.bench;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a training step does besides products: optimizer steps of 2^22 weights under a mask that
 * prunes nine of ten, and softmax and cross-entropy of 256 rows of 1000 classes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class StepBenchmark extends DeviceState {
  private static final int WEIGHTS = 1 << 22;
  private static final int ROWS = 256;
  private static final int CLASSES = 1000;

  private DeviceTensor weights;
  private DeviceTensor gradient;
  private DeviceTensor momentum;
  private NnOps.Moments moments;
  private DeviceMask mask;
  private Buffer sgd;
  private Buffer adam;
  private DeviceTensor logits;
  private DeviceTensor labels;
  private DeviceTensor probabilities;
  private DeviceTensor loss;

  @Override
  void fill() {
    weights = own(Data.normal(1, WEIGHTS));
    gradient = own(Data.normal(2, WEIGHTS));
    momentum = empty(WEIGHTS);
    moments = new NnOps.Moments(empty(WEIGHTS), empty(WEIGHTS));
    mask = own(Mask.ones(Shape.of(WEIGHTS)));
    device()
        .prune()
        .select(
            PruneOps.Key.ABS,
            List.of(new PruneOps.Segment(weights, null, mask, 0)),
            new long[] {Math.round(0.9 * WEIGHTS)});
    sgd = block();
    adam = block();
    // So small a rate leaves the weights about as they are, however often the step is taken.
    device().nn().uploadSgd(new NnOps.Sgd(1e-9f, 0.9f, 5e-4f, true, 1), sgd);
    device().nn().uploadAdam(new NnOps.Adam(1e-9f, 0.9f, 0.999f, 1e-8f, 0, false, 1), adam);
    logits = own(Data.normal(3, ROWS, CLASSES));
    int[] classes = new SplittableRandom(4).ints(ROWS, 0, CLASSES).toArray();
    labels = own(Tensor.ofInts(Shape.of(ROWS), classes));
    probabilities = empty(ROWS, CLASSES);
    loss = empty();
  }

  private Buffer block() {
    Buffer block = device().allocate(NnOps.OPTIMIZER_BLOCK_BYTES);
    later(block::close);
    return block;
  }

  /** SGD with Nesterov momentum and weight decay. */
  @Benchmark
  public void sgdMasked() {
    device().nn().sgdStep(sgd, weights, gradient, momentum, mask);
  }

  /** Adam. */
  @Benchmark
  public void adamMasked() {
    device().nn().adamStep(adam, weights, gradient, moments, mask);
  }

  /** Softmax of each row. */
  @Benchmark
  public void softmax() {
    device().nn().softmax(logits, probabilities);
  }

  /** Its mean cross-entropy. */
  @Benchmark
  public void crossEntropy() {
    device().nn().softmaxCrossEntropy(logits, labels, probabilities, loss);
  }
}
