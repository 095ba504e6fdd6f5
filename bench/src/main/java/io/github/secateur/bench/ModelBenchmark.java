package io.github.secateur.bench;

import io.github.secateur.device.PruneOps;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.DataFree;
import io.github.secateur.sparse.Sparsify;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.TrainResult;
import io.github.secateur.train.Trainer;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/** LeNet-300-100: steps of its training, and inference when 95 % of it are pruned. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class ModelBenchmark extends DeviceState {
  private static final String NETWORK = "lenet-300-100";
  private static final int BATCH = 100; // of TrainOptions.adam
  private static final int EPOCHS = 10;
  private static final int STEPS_PER_EPOCH = 60;
  private static final int FEATURES = 784;
  private static final int CLASSES = 10;
  private static final int INFERENCE_BATCH = 64;

  private DataSplit data;
  private Executable dense;
  private Executable pruned;

  @Override
  void fill() {
    int samples = BATCH * STEPS_PER_EPOCH;
    int[] labels = new SplittableRandom(1).ints(samples, 0, CLASSES).toArray();
    Tensor x = Data.normal(1, samples, FEATURES);
    Tensor y = Tensor.ofInts(Shape.of(samples), labels);
    data = DataSplit.of(new Samples(x, y, CLASSES, "", "random numbers"));
    DataFree.Options options =
        new DataFree.Options(
            new Criterion.Magnitude(PruneOps.Norm.L1), new Allocation.Global(), 0.95);
    Model model = DataFree.prune(device(), Networks.parse(NETWORK, 1), options).model();
    dense = compile(model);
    pruned =
        compile(
            Sparsify.apply(
                    device(), model, List.of((long) INFERENCE_BATCH), Sparsify.Options.defaults())
                .getFirst()
                .model());
  }

  private Executable compile(Model model) {
    Parameters parameters = Parameters.upload(device(), model.graph());
    later(parameters::close);
    Tensor x = Data.normal(2, INFERENCE_BATCH, FEATURES);
    Executable executable =
        Executable.compile(model, Map.of("x", x.shape()), parameters, Executable.Mode.INFERENCE);
    later(executable::close);
    device().upload(x, executable.input("x"));
    return executable;
  }

  /** A step of batch 100 with Adam; the start of a run is spread over its 600 steps. */
  @Benchmark
  @OperationsPerInvocation(EPOCHS * STEPS_PER_EPOCH)
  public TrainResult trainingStep() {
    TrainOptions options = TrainOptions.adam(EPOCHS, 1.2e-3f, 1);
    return new Trainer(device(), Networks.parse(NETWORK, 1), data, options, List.of()).run();
  }

  /** Batch 64, the zeros multiplied. */
  @Benchmark
  public void inferenceDense() {
    dense.run();
  }

  /** Batch 64, as Sparsify chooses. */
  @Benchmark
  public void inferencePruned() {
    pruned.run();
  }
}
