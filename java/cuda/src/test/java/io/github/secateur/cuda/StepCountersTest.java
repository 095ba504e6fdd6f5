package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.cuda.Simulator.Counters;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.Segment;
import io.github.secateur.graph.Model;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * What a pruning step and a training step cost in launches, waits, allocations and bytes between
 * host and device: the part of a GPU's speed that can be counted without one.
 */
class StepCountersTest {
  /** Weights of LeNet-300-100. */
  private static final List<Shape> WEIGHTS =
      List.of(Shape.of(300, 784), Shape.of(100, 300), Shape.of(10, 100));

  /** Bytes that may cross in a pruning step: counts to the device, results to the host. */
  private static final long STEP_BYTES = 256;

  @Test
  void aPruningStepWaitsOnceAndMovesNoWeights() {
    try (Device device = Toys.device()) {
      List<DeviceTensor> weights = new ArrayList<>();
      List<DeviceMask> masks = new ArrayList<>();
      List<Segment> segments = new ArrayList<>();
      long total = 0;
      for (Shape shape : WEIGHTS) {
        DeviceTensor w = device.toDevice(gaussian(shape));
        DeviceMask mask = device.toDevice(Mask.ones(shape));
        weights.add(w);
        masks.add(mask);
        segments.add(new Segment(w, mask, mask, 0));
        total += shape.size();
      }
      for (double sparsity : new double[] {0.5, 0.8}) { // the first makes the workspace
        device.synchronize();
        Simulator.reset();
        long[] k = {Math.round(sparsity * total)};
        assertEquals(k[0], device.prune().select(Key.ABS, segments, k).getFirst().pruned());
        device.prune().applyMasks(masks, weights);
      }
      Counters step = Simulator.counters();
      System.out.println("pruning step: " + step);
      assertTrue(
          step.launches() <= 8 || (step.launches() == 0 && step.graphLaunches() == 1),
          step + " launches more than 8 kernels");
      assertEquals(1, step.synchronizations(), "waits");
      assertEquals(0, step.allocations(), "allocations");
      assertTrue(step.uploadBytes() <= STEP_BYTES, step + " uploads more than counts");
      assertTrue(step.downloadBytes() <= STEP_BYTES, step + " downloads more than results");
      long zeros = 0;
      for (DeviceTensor w : weights) {
        Tensor host = device.toHost(w);
        for (long i = 0; i < host.size(); i++) {
          zeros += Float.floatToRawIntBits(host.getFloat(i)) == 0 ? 1 : 0;
        }
      }
      assertEquals(Math.round(0.8 * total), zeros);
      weights.forEach(DeviceTensor::close);
      masks.forEach(DeviceMask::close);
    }
  }

  @Test
  void aTrainingStepIsOneGraphAndNeitherWaitsNorAllocates() {
    countTraining("lenet-300-100", Toys.data(3000, 784, 10));
  }

  @Test
  void soIsOneOfAConvolutionalNetwork() {
    countTraining("resnet-8:1x8x8", Toys.data(3000, 64, 10));
  }

  private static void countTraining(String network, DataSplit data) {
    List<Counters> seen = new ArrayList<>();
    Counters whole;
    TrainOptions options =
        TrainOptions.adam(1, 1e-3f, 1).withLearningRate(new LearningRate.Cosine(1e-3f));
    try (Device device = Toys.device()) {
      Toys.Before counting =
          new Toys.Before(
              step -> {
                if (step == 3) {
                  device.synchronize(); // uploads are counted when they run
                  Simulator.reset();
                } else if (step > 3) {
                  seen.add(Simulator.counters());
                }
              },
              true);
      new Trainer(device, Networks.parse(network, 1), data, options, List.of(counting)).run();
      device.synchronize();
      whole = Simulator.counters();
    }
    int steps = seen.size();
    assertTrue(steps >= 20, steps + " steps were counted");
    Counters all = seen.getLast();
    System.out.println(
        network + ", " + steps + " training steps: " + all + ", to the end: " + whole);
    assertEquals(0, all.synchronizations(), "waits");
    assertEquals(0, all.allocations(), "allocations");
    assertEquals(steps, all.graphLaunches(), "graphs");
    assertEquals(0, all.launches(), "kernels outside graphs");
    assertEquals(0, all.downloadBytes(), "bytes downloaded");

    // Uploads run late, so those of all counted steps are read when all has run: a random state and
    // a parameter block a step, and the block of the step before, uploaded after its hooks. The
    // run's end downloads; without validation it uploads nothing.
    assertEquals(2L * steps + 1, whole.uploads(), "uploads");
    assertTrue(whole.uploadBytes() <= 128L * steps, whole + " uploads more than parameter blocks");
  }

  @Test
  void trainingTakesTheMemoryOfWhatItHolds() {
    int in = 1024;
    int hidden = 2048;
    int batch = 16;
    Model model = Networks.parse("mlp:%d-%d-%d-10".formatted(in, hidden, hidden), 1);
    long weights = 4L * (in * hidden + hidden * hidden + hidden * 10 + 2 * hidden + 10);
    // Weights, gradients and two moments; what the layers give and take; the samples.
    long activations = 4L * batch * (in + 6 * hidden + 60);
    long samples = 4L * 64 * (in + 2);
    long wanted = 4 * weights + weights / 32 + activations + samples;
    TrainOptions options =
        new TrainOptions(
            1, batch, Optimizer.Adam.defaults(), new LearningRate.Constant(1e-3f), 1, 0, List.of());
    try (Device device = Toys.device()) {
      Simulator.reset();
      long before = Simulator.counters().liveBytes();
      new Trainer(device, model, Toys.data(64, in, 10), options, List.of()).run();
      long peak = Simulator.counters().peakBytes() - before;
      System.out.printf("training memory: peak %d bytes, sum of parts %d%n", peak, wanted);
      assertTrue(
          peak <= wanted * 1.05 + (64 << 20),
          "peak of " + peak + " bytes for " + wanted + " bytes of tensors");
    }
  }

  private static Tensor gaussian(Shape shape) {
    SplittableRandom random = new SplittableRandom(shape.size());
    Tensor t = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) random.nextGaussian());
    }
    return t;
  }
}
