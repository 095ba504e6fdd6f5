package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers under masks that train sparse: the numbers of dense training, to rounding. */
class SparseTrainingTest {
  private static final String FC1 = "fc1.weight";
  private static final String FC2 = "fc2.weight";

  @TempDir Path folder;

  /** Noisy classes in the shape of MNIST, of which most features say nothing. */
  private static Samples digits(int n, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] x = new float[n * 784];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 10;
      for (int d = 0; d < 784; d++) {
        x[i * 784 + d] = (float) random.nextDouble() * (d % 10 == labels[i] ? 3f : 1f);
      }
    }
    return Toy.samples("digits " + n + "/" + seed, x, 784, labels, 10);
  }

  private static DataSplit data() {
    return new DataSplit(digits(580, 1), digits(200, 2), null); // batches of 100, the last of 80
  }

  private static Mask mask(Shape shape, double sparsity, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Mask mask = Mask.ones(shape);
    for (long i = 0; i < mask.size(); i++) {
      mask.set(i, random.nextDouble() >= sparsity);
    }
    return mask;
  }

  private static Model lenet(double sparsity) {
    Model model = Networks.parse("lenet-300-100", 3);
    for (String name : List.of(FC1, FC2)) {
      Tensor weight = model.graph().initializer(name);
      model.masks().put(name, mask(weight.shape(), sparsity, 4));
    }
    return model;
  }

  private static TrainOptions options(SparseMode mode) {
    return TrainOptions.adam(4, 0.002f, 5).withSparse(mode);
  }

  private static Trainer trainer(Device device, SparseMode mode, TrainHook... hooks) {
    return new Trainer(device, lenet(0.9), data(), options(mode), List.of(hooks));
  }

  private static void assertClose(TrainResult dense, TrainResult sparse) {
    for (int i = 0; i < dense.history().size(); i++) {
      EpochRecord d = dense.history().get(i);
      EpochRecord s = sparse.history().get(i);
      assertEquals(d.trainLoss(), s.trainLoss(), 1e-4 * d.trainLoss());
      assertEquals(d.validationLoss(), s.validationLoss(), 1e-4 * d.validationLoss());
      assertEquals(d.validationAccuracy(), s.validationAccuracy(), 1.01 / 200);
    }
    assertPlusZero(sparse.model());
  }

  private static void assertPlusZero(Model model) {
    assertEquals(2, model.masks().size());
    model
        .masks()
        .forEach(
            (name, mask) -> {
              Tensor weight = model.graph().initializer(name);
              for (long i = 0; i < mask.size(); i++) {
                assertTrue(mask.kept(i) || Float.floatToRawIntBits(weight.getFloat(i)) == 0, name);
              }
            });
  }

  @Test
  void lenetTrainsTheSame() {
    try (Device device = Toy.device()) {
      TrainResult dense = trainer(device, SparseMode.OFF).run();
      TrainResult sparse = trainer(device, SparseMode.ON).run();
      assertClose(dense, sparse);
      assertTrue(dense.history().getLast().validationAccuracy() > 0.5, "it learned nothing");
      assertNotEquals(
          Checkpoint.weightsHash(dense.model()),
          Checkpoint.weightsHash(sparse.model()),
          "nothing ran sparse: sums are rounded in another order there");
    }
  }

  @Test
  void threadsDoNotMatter() {
    List<String> hashes = new ArrayList<>();
    for (int threads : new int[] {1, 2}) {
      try (Device device = Devices.open("cpu", new DeviceOptions(threads))) {
        hashes.add(Checkpoint.weightsHash(trainer(device, SparseMode.ON).run().model()));
      }
    }
    assertEquals(hashes.get(0), hashes.get(1));
  }

  /** Sets masks that no longer, or once more, keep some weights. */
  private record Masks(boolean regrows) implements TrainHook {
    @Override
    public String name() {
      return "masks";
    }

    @Override
    public boolean repeatable() {
      return true;
    }

    @Override
    public void beforeStep(Training training) {
      if (training.step() % 5 != 3) {
        return;
      }
      for (String name : List.of(FC1, FC2)) {
        Device device = training.device();
        Mask mask = device.toHost(training.mask(name));
        Mask next =
            mask(
                mask.shape(),
                0.9 + 0.004 * training.step(),
                regrows ? training.step() : 4); // the same draw: a mask that shrinks
        device.upload(next.words(), training.mask(name).words(), 0);
        device.prune().applyMask(training.mask(name), training.parameters().get(name));
        training.maskChanged(name);
      }
    }
  }

  @Test
  void followsMasksThatShrink() {
    try (Device device = Toy.device()) {
      TrainResult sparse = trainer(device, SparseMode.ON, new Masks(false)).run();
      assertClose(trainer(device, SparseMode.OFF, new Masks(false)).run(), sparse);
      assertTrue(sparse.history().getFirst().sparsity() < sparse.history().getLast().sparsity());
    }
  }

  /** Weights that a mask keeps again start at 0: they must be stored, and get gradients. */
  @Test
  void followsMasksThatRegrow() {
    try (Device device = Toy.device()) {
      assertClose(
          trainer(device, SparseMode.OFF, new Masks(true)).run(),
          trainer(device, SparseMode.ON, new Masks(true)).run());
    }
  }

  /** Copies the checkpoint of step 9, between two masks, as it passes. */
  private static final class Copier implements Progress {
    private final Path file;
    private final Path copy;
    private int asked;

    Copier(Path file, Path copy) {
      this.file = file;
      this.copy = copy;
    }

    @Override
    public boolean stopRequested() {
      if (++asked == 9) {
        try {
          Files.copy(file, copy);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return false;
    }
  }

  @Test
  void resumesBitForBit() throws Exception {
    try (Device device = Toy.device()) {
      for (SparseMode mode : List.of(SparseMode.ON, SparseMode.AUTO)) {
        Path file = folder.resolve(mode + ".checkpoint");
        Path copy = folder.resolve(mode + ".copy");
        TrainResult whole =
            trainer(device, mode, new Masks(false))
                .checkpoint(new Checkpointing(file, 1, 0, 1))
                .progress(new Copier(file, copy))
                .run();
        Checkpoint checkpoint = Checkpoint.read(copy);
        assertEquals(9, checkpoint.step());
        assertEquals(
            mode == SparseMode.ON ? 0 : 3,
            checkpoint.state().breakEven().size(),
            "measured once, for every layer");
        TrainResult resumed = trainer(device, mode, new Masks(false)).resume(checkpoint).run();
        assertEquals(
            Checkpoint.weightsHash(whole.model()), Checkpoint.weightsHash(resumed.model()));
        assertClose(trainer(device, SparseMode.OFF, new Masks(false)).run(), resumed);
      }
    }
  }

  /** What a checkpoint says was measured decides, not what this machine would measure now. */
  @Test
  void decidesByWhatWasMeasured() {
    try (Device device = Toy.device()) {
      String dense = Checkpoint.weightsHash(trainer(device, SparseMode.OFF).run().model());
      String sparse = Checkpoint.weightsHash(trainer(device, SparseMode.ON).run().model());
      for (double breakEven : new double[] {0.85, 0.95}) {
        Trainer first = trainer(device, SparseMode.AUTO);
        Path file = folder.resolve("at" + breakEven);
        first
            .checkpoint(new Checkpointing(file, 0, 0, 1))
            .progress(
                new Progress() {
                  @Override
                  public boolean stopRequested() {
                    return true;
                  }
                });
        assertThrows(StoppedException.class, first::run);
        Checkpoint measured = read(file);
        RunState s = measured.state();
        RunState start =
            new RunState(
                0,
                false,
                initial(lenet(0.9)),
                s.masks(),
                zeros(s.optimizer()),
                s.hooks(),
                Tensor.zeros(DType.F32, Shape.of(0)),
                List.of(),
                Map.of(FC1, breakEven, FC2, breakEven, "fc3.weight", breakEven),
                s.best());
        Checkpoint other =
            new Checkpoint(
                "edited", measured.initialModel(), measured.provenance(), List.of(), start);
        TrainResult result = trainer(device, SparseMode.AUTO).resume(other).run();
        assertEquals(breakEven < 0.9 ? sparse : dense, Checkpoint.weightsHash(result.model()));
      }
    }
  }

  private static Checkpoint read(Path file) {
    try {
      return Checkpoint.read(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, Tensor> initial(Model model) {
    return model.graph().initializers();
  }

  private static Map<String, Tensor> zeros(Map<String, Tensor> like) {
    Map<String, Tensor> zeros = new LinkedHashMap<>();
    like.forEach((name, t) -> zeros.put(name, Tensor.zeros(t.dtype(), t.shape())));
    return zeros;
  }

  /** The last layer has no mask: it stays dense. A weight that two nodes read is left alone. */
  @Test
  void replacesProductsOfWeightsOfTheirOwn() {
    Graph graph = Networks.parse("mlp:6-5-4", 1).graph().copy();
    MaskedLayers.replace(graph);
    assertEquals(2, count(graph));
    Graph shared = Networks.parse("mlp:6-5-4", 1).graph().copy();
    shared
        .nodes()
        .add(Node.of("again", OpId.onnx("Identity"), List.of(FC1), List.of("z"), Map.of()));
    MaskedLayers.replace(shared);
    assertEquals(1, count(shared));
  }

  private static long count(Graph graph) {
    return graph.nodes().stream().filter(n -> n.opType().equals("MaskedGemm")).count();
  }

  @Test
  void optionsSayWhatIsNotTheDefault() {
    assertFalse(options(SparseMode.OFF).describe().containsKey("sparse training"));
    assertEquals("auto", options(SparseMode.AUTO).describe().get("sparse training"));
    assertEquals(SparseMode.ON, options(SparseMode.ON).withEpochs(2).sparse());
  }
}
