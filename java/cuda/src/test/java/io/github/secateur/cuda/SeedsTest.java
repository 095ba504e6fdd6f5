package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.NM;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Segment;
import io.github.secateur.device.PruneOps.Selection;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The CPU device's masks and sums, bit for bit, whatever the order in which the simulated GPU runs
 * its queues, blocks and warps: each seed is another.
 */
class SeedsTest {
  private static final int MASK_SEEDS = 20;
  private static final int SUM_SEEDS = 5;

  private final Device cpu = Devices.open("cpu", DeviceOptions.defaults());
  private final Device cuda = Devices.open("cuda", DeviceOptions.defaults());

  @AfterEach
  void closeDevices() {
    Simulator.seed(0);
    assertEquals(0, cuda.liveBuffers());
    cpu.close();
    cuda.close();
  }

  /** Tensors to prune k[g] elements of in each group g. */
  private record Task(Key key, List<Tensor> scores, List<Mask> previous, int[] groups, long[] k) {
    static Task of(Key key, double pruned, float[] scores) {
      Tensor tensor = Tensor.of(Shape.of(scores.length), scores);
      long[] k = {Math.round(pruned * scores.length)};
      List<Mask> previous = new ArrayList<>();
      previous.add(null);
      return new Task(key, List.of(tensor), previous, new int[1], k);
    }
  }

  /** What a selection gave: counts and thresholds, and all masks. */
  private record Outcome(List<String> results, List<Mask> masks) {
    void assertSame(String occasion, Outcome other) {
      assertEquals(results, other.results, occasion);
      for (int i = 0; i < masks.size(); i++) {
        assertTrue(masks.get(i).bitEquals(other.masks.get(i)), occasion + ", mask " + i);
      }
    }
  }

  private static Outcome select(Device device, Task task) {
    List<Segment> segments = new ArrayList<>();
    for (int i = 0; i < task.scores().size(); i++) {
      Tensor scores = task.scores().get(i);
      Mask before = task.previous().get(i);
      DeviceTensor onDevice = device.toDevice(scores);
      DeviceMask mask = device.toDevice(Mask.ones(scores.shape()));
      DeviceMask previous = before == null ? null : device.toDevice(before);
      segments.add(new Segment(onDevice, previous, mask, task.groups()[i]));
    }
    List<String> results = new ArrayList<>();
    for (Selection s : device.prune().select(task.key(), segments, task.k())) {
      int threshold = Float.floatToRawIntBits(s.threshold());
      results.add("%d pruned, threshold %08x".formatted(s.pruned(), threshold));
    }
    List<Mask> masks = new ArrayList<>();
    for (Segment segment : segments) {
      masks.add(device.toHost(segment.mask()));
      segment.scores().close();
      segment.mask().close();
      if (segment.previous() != null) {
        segment.previous().close();
      }
    }
    return new Outcome(results, masks);
  }

  private static Map<String, Task> tasks() {
    SplittableRandom random = new SplittableRandom(1);
    int n = 20_011;
    float[] gaussian = new float[n];
    float[] tied = new float[n];
    float[] zeroHeavy = new float[n];
    float[] denormal = new float[n];
    for (int i = 0; i < n; i++) {
      gaussian[i] = (float) random.nextGaussian();
      tied[i] = random.nextInt(3) - 1;
      zeroHeavy[i] = random.nextDouble() < 0.6 ? (i % 2 == 0 ? 0f : -0f) : gaussian[i];
      denormal[i] = Float.intBitsToFloat(random.nextInt(500)) * (i % 2 == 0 ? 1 : -1);
    }
    Map<String, Task> tasks = new LinkedHashMap<>();
    tasks.put("random", Task.of(Key.ABS, 0.9, gaussian));
    tasks.put("random, signed", Task.of(Key.SIGNED, 0.37, gaussian));
    tasks.put("tied", Task.of(Key.ABS, 0.7, tied));
    tasks.put("tied, signed", Task.of(Key.SIGNED, 0.5, tied));
    tasks.put("all equal", Task.of(Key.ABS, 0.31, new float[n]));
    tasks.put("zeros half pruned", Task.of(Key.ABS, 0.3, zeroHeavy));
    tasks.put("beyond the zeros", Task.of(Key.ABS, 0.8, zeroHeavy));
    tasks.put("denormal", Task.of(Key.ABS, 0.5, denormal));
    tasks.put("many tensors", many(random));
    return tasks;
  }

  /** Tensors of two groups, of which some were pruned before. */
  private static Task many(SplittableRandom random) {
    int[] sizes = {5000, 33, 1, 2048, 31, 900};
    List<Tensor> scores = new ArrayList<>();
    List<Mask> previous = new ArrayList<>();
    long[] k = new long[2];
    int[] groups = new int[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      Tensor t = Tensor.zeros(DType.F32, Shape.of(sizes[i]));
      Mask mask = Mask.ones(t.shape());
      for (long e = 0; e < sizes[i]; e++) {
        t.setFloat(e, random.nextInt(4) == 0 ? 0.5f : (float) random.nextGaussian());
        mask.set(e, random.nextInt(10) >= 3);
      }
      groups[i] = i % 2;
      k[i % 2] += sizes[i] / 10 * 6L;
      scores.add(t);
      previous.add(i % 3 == 2 ? null : mask);
    }
    return new Task(Key.ABS, scores, previous, groups, k);
  }

  @Test
  void everyScheduleMakesTheMasksOfTheCpu() {
    Map<String, Task> tasks = tasks();
    Map<String, Outcome> wanted = new LinkedHashMap<>();
    tasks.forEach((name, task) -> wanted.put(name, select(cpu, task)));
    for (int seed = 1; seed <= MASK_SEEDS; seed++) {
      Simulator.seed(seed);
      String under = "seed " + seed + ", ";
      tasks.forEach((name, task) -> wanted.get(name).assertSame(under + name, select(cuda, task)));
    }
  }

  @Test
  void everyScheduleMakesTheBlocksOfNAndM() {
    Tensor scores = gaussian(Shape.of(67, 90), 2);
    for (NM pattern : List.of(new NM(2, 4, 1), new NM(1, 4, 0), new NM(5, 32, 1))) {
      Mask wanted = selectNm(cpu, pattern, scores);
      for (int seed = 1; seed <= SUM_SEEDS; seed++) {
        Simulator.seed(seed);
        assertTrue(wanted.bitEquals(selectNm(cuda, pattern, scores)), pattern + ", seed " + seed);
      }
    }
  }

  private static Mask selectNm(Device device, NM pattern, Tensor scores) {
    try (DeviceTensor s = device.toDevice(scores);
        DeviceMask mask = device.toDevice(Mask.ones(scores.shape()))) {
      device.prune().selectNM(Key.ABS, pattern, s, null, mask);
      return device.toHost(mask);
    }
  }

  @Test
  void everyScheduleMakesTheSumsOfTheCpu() {
    Map<String, Tensor> wanted = sums(cpu);
    assertEquals(11, wanted.size());
    for (int seed = 1; seed <= SUM_SEEDS; seed++) {
      Simulator.seed(seed);
      String under = "seed " + seed + ", ";
      Map<String, Tensor> got = sums(cuda);
      wanted.forEach(
          (name, tensor) ->
              assertEquals(-1, tensor.data().mismatch(got.get(name).data()), under + name));
    }
  }

  /** Everything that adds many numbers, by name. */
  private static Map<String, Tensor> sums(Device device) {
    Map<String, Tensor> results = new LinkedHashMap<>();
    Shape shape = Shape.of(130, 53);
    int[] labels = new int[130];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = i * 7 % 53;
    }
    try (DeviceTensor x = device.toDevice(gaussian(shape, 3));
        DeviceTensor t = device.toDevice(gaussian(shape, 4));
        DeviceTensor classes = device.toDevice(Tensor.ofInts(Shape.of(130), labels));
        DeviceTensor scalar = device.empty(DType.F32, Shape.of());
        DeviceTensor same = device.empty(DType.F32, shape);
        DeviceTensor row = device.empty(DType.F32, Shape.of(53));
        DeviceTensor column = device.empty(DType.F32, Shape.of(130, 1));
        DeviceTensor accumulators = device.toDevice(Tensor.zeros(DType.F64, Shape.of(4, 53)))) {
      device.nn().reduceSumTo(x, scalar);
      results.put("sum", device.toHost(scalar));
      device.nn().reduceSumTo(x, row);
      results.put("sums of columns", device.toHost(row));
      device.nn().reduceSumTo(x, column);
      results.put("sums of rows", device.toHost(column));
      device.nn().mse(x, t, scalar);
      results.put("squared error", device.toHost(scalar));
      device.nn().softmax(x, same);
      results.put("softmax", device.toHost(same));
      device.nn().softmaxCrossEntropy(x, classes, same, scalar);
      results.put("probabilities", device.toHost(same));
      results.put("cross-entropy", device.toHost(scalar));
      device.prune().accumulateActivation(x, accumulators);
      device.prune().accumulateActivation(t, accumulators);
      results.put("activations", device.toHost(accumulators));
      device.prune().activationScores(Statistic.RMS, 260, accumulators, row);
      results.put("root mean square", device.toHost(row));
      device.prune().scoreUnits(Norm.L2, 0, x, column);
      results.put("norms of rows", device.toHost(column));
      device.prune().scoreUnits(Norm.L1, 1, x, row);
      results.put("norms of columns", device.toHost(row));
    }
    return results;
  }

  private static Tensor gaussian(Shape shape, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Tensor t = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) random.nextGaussian());
    }
    return t;
  }
}
