package io.github.secateur.bench;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.SparseOps;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.Progress;
import io.github.secateur.train.SparseMode;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import io.github.secateur.train.Training;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Times steps of training under masks, dense and sparse in turns, and prints a table: median
 * microseconds of a step and of its optimizer, dense over sparse, what packing all weights once
 * costs, and what {@code --sparse-training auto} would choose.
 *
 * <p>Arguments: steps a run (40), threads (1), {@code --device=NAME} (cpu).
 */
public final class SparseTrainingTables {
  private static final double[] SPARSITIES = {0.8, 0.9, 0.95, 0.98};
  private static final int ROUNDS = 3;
  private static final int WARM = 4; // steps of a run that are left out

  private final Device device;
  private final int steps;

  private SparseTrainingTables(Device device, int steps) {
    this.device = device;
    this.steps = steps;
  }

  /** Runs it. */
  public static void main(String[] arguments) {
    List<String> numbers = List.of(arguments).stream().filter(a -> !a.startsWith("--")).toList();
    int steps = numbers.isEmpty() ? 40 : Integer.parseInt(numbers.get(0));
    int threads = numbers.size() < 2 ? 1 : Integer.parseInt(numbers.get(1));
    String name =
        List.of(arguments).stream()
            .filter(a -> a.startsWith("--device="))
            .map(a -> a.substring("--device=".length()))
            .findFirst()
            .orElse("cpu");
    try (Device device = Devices.open(name, new DeviceOptions(threads))) {
      System.out.println(device.info().description() + ", " + threads + " threads\n");
      System.out.println(
          "| network | batch | sparsity | dense µs | sparse µs | speed-up | optimizer µs |"
              + " packing ms | auto |\n|---|---|---|---|---|---|---|---|---|");
      SparseTrainingTables tables = new SparseTrainingTables(device, steps);
      for (double sparsity : SPARSITIES) {
        tables.row("lenet-300-100", 784, 10, 100, sparsity);
      }
      for (int batch : new int[] {64, 256}) {
        for (double sparsity : SPARSITIES) {
          tables.row("mlp:2048-2048-2048", 2048, 2048, batch, sparsity);
        }
      }
    }
  }

  private void row(String network, int features, int classes, int batch, double sparsity) {
    Model model = masked(Networks.parse(network, 1), sparsity);
    DataSplit data = DataSplit.of(samples(batch * steps, features, classes));
    TrainOptions options =
        new TrainOptions(
            1, batch, Optimizer.Adam.defaults(), new LearningRate.Constant(1e-3f), 1, 0, List.of());
    Steps dense = new Steps();
    Steps sparse = new Steps();
    for (int round = 0; round < ROUNDS; round++) {
      train(model, data, options.withSparse(SparseMode.OFF), dense);
      train(model, data, options.withSparse(SparseMode.ON), sparse);
    }
    String auto = train(model, data, options.withSparse(SparseMode.AUTO), new Steps());
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %.0f %% | %.0f | %.0f | %.2f | %.0f | %.1f | %s |%n",
        network,
        batch,
        100 * sparsity,
        median(dense.whole),
        median(sparse.whole),
        median(dense.whole) / median(sparse.whole),
        median(sparse.optimizer),
        packingMillis(model),
        auto);
  }

  /** The last part of the run's summary. */
  private String train(Model model, DataSplit data, TrainOptions options, Steps hook) {
    String[] summary = {""};
    new Trainer(device, model, data, options, List.of(hook))
        .progress(
            new Progress() {
              @Override
              public void end(String text) {
                summary[0] = text.replaceFirst("^.*training loss [^,]*,? ?", "");
              }
            })
        .run();
    return summary[0];
  }

  private double packingMillis(Model model) {
    List<Double> millis = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      double sum = 0;
      for (Prunable weight : Prunables.find(model)) {
        String name = weight.parameter();
        try (DeviceTensor w = device.toDevice(model.graph().initializer(name));
            DeviceMask mask = device.toDevice(model.masks().get(name))) {
          device.synchronize();
          long begin = System.nanoTime();
          try (SparseOps.PackedWeight packed = device.sparse().packTrainable(w, false, mask)) {
            device.synchronize();
            sum += packed.nonzeros() >= 0 ? (System.nanoTime() - begin) * 1e-6 : 0;
          }
        }
      }
      millis.add(sum);
    }
    return median(millis);
  }

  private static Model masked(Model model, double sparsity) {
    SplittableRandom random = new SplittableRandom(2);
    for (Prunable weight : Prunables.find(model)) {
      Mask mask = Mask.ones(model.graph().initializer(weight.parameter()).shape());
      for (long i = 0; i < mask.size(); i++) {
        mask.set(i, random.nextDouble() >= sparsity);
      }
      model.masks().put(weight.parameter(), mask);
    }
    return model;
  }

  private static Samples samples(int count, int features, int classes) {
    SplittableRandom random = new SplittableRandom(1);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(count, features));
    for (long i = 0; i < x.size(); i++) {
      x.setFloat(i, (float) random.nextDouble());
    }
    int[] labels = random.ints(count, 0, classes).toArray();
    return new Samples(x, Tensor.ofInts(Shape.of(count), labels), classes, "", "random numbers");
  }

  private static double median(List<Double> values) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2);
  }

  /** Microseconds of the steps, and of their optimizers. */
  private static final class Steps implements TrainHook {
    final List<Double> whole = new ArrayList<>();
    final List<Double> optimizer = new ArrayList<>();
    private long begin;
    private long gradients;

    @Override
    public String name() {
      return "steps";
    }

    @Override
    public void beforeStep(Training training) {
      training.device().synchronize();
      begin = System.nanoTime();
    }

    @Override
    public void afterGradients(Training training) {
      training.device().synchronize();
      gradients = System.nanoTime();
    }

    @Override
    public void afterStep(Training training) {
      training.device().synchronize();
      long now = System.nanoTime();
      if (training.step() >= WARM) {
        whole.add((now - begin) * 1e-3);
        optimizer.add((now - gradients) * 1e-3);
      }
    }
  }
}
