package io.github.secateur.bench;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import io.github.secateur.train.Training;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Times epochs of training LeNet-300-100 on 60,000 samples of 784 numbers, batch 100, Adam: the
 * counterpart of {@code bench/peers/torch_epoch.py}. Prints the seconds of each epoch, one a line,
 * the first left out as warm-up; {@code --phases} adds where the time of a step goes.
 *
 * <p>Arguments: epochs (5), threads (2), {@code --device=NAME} (cpu).
 */
public final class EpochBenchmark {
  private static final int SAMPLES = 60_000;
  private static final int FEATURES = 784;
  private static final int CLASSES = 10;

  private EpochBenchmark() {}

  /** Runs it. */
  public static void main(String[] arguments) {
    List<String> numbers = List.of(arguments).stream().filter(a -> !a.startsWith("--")).toList();
    int epochs = numbers.isEmpty() ? 5 : Integer.parseInt(numbers.get(0));
    int threads = numbers.size() < 2 ? 2 : Integer.parseInt(numbers.get(1));
    Phases phases = new Phases();
    String name =
        List.of(arguments).stream()
            .filter(a -> a.startsWith("--device="))
            .map(a -> a.substring("--device=".length()))
            .findFirst()
            .orElse("cpu");
    boolean wantPhases = List.of(arguments).contains("--phases");
    TrainOptions options =
        TrainOptions.adam(epochs + 1, 1.2e-3f, 1)
            .withLearningRate(new LearningRate.Constant(1.2e-3f));
    try (Device device = Devices.open(name, new DeviceOptions(threads))) {
      System.err.println(device.info().description() + " " + device.info().details());
      Trainer trainer =
          new Trainer(
              device,
              Networks.parse("lenet-300-100", 1),
              DataSplit.of(samples()),
              options,
              wantPhases ? List.of(phases) : List.of());
      List<EpochRecord> history = trainer.run().history();
      for (EpochRecord epoch : history.subList(1, history.size())) {
        System.out.printf(Locale.ROOT, "%.4f%n", epoch.seconds());
      }
    }
    if (wantPhases) {
      phases.print();
    }
  }

  static Samples samples() {
    SplittableRandom random = new SplittableRandom(1);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(SAMPLES, FEATURES));
    for (long i = 0; i < x.size(); i++) {
      x.setFloat(i, (float) random.nextDouble());
    }
    int[] labels = random.ints(SAMPLES, 0, CLASSES).toArray();
    return new Samples(x, Tensor.ofInts(Shape.of(SAMPLES), labels), CLASSES, "", "random numbers");
  }

  /** Time from each phase of a step to the next, on a device that works while it is called. */
  private static final class Phases implements TrainHook {
    private long gradientNanos;
    private long optimizerNanos;
    private long betweenNanos;
    private long steps;
    private long mark;

    @Override
    public String name() {
      return "phases";
    }

    @Override
    public void beforeStep(Training training) {
      long now = System.nanoTime();
      if (training.epoch() > 0) {
        betweenNanos += now - mark;
      }
      mark = now;
    }

    @Override
    public void afterGradients(Training training) {
      long now = System.nanoTime();
      if (training.epoch() > 0) {
        gradientNanos += now - mark;
      }
      mark = now;
    }

    @Override
    public void afterStep(Training training) {
      long now = System.nanoTime();
      if (training.epoch() > 0) {
        optimizerNanos += now - mark;
        steps++;
      }
      mark = now;
    }

    void print() {
      System.err.printf(
          Locale.ROOT,
          "a step: forward and backward %.1f us, optimizer %.1f us, batch and the rest %.1f us%n",
          gradientNanos * 1e-3 / steps,
          optimizerNanos * 1e-3 / steps,
          betweenNanos * 1e-3 / steps);
    }
  }
}
