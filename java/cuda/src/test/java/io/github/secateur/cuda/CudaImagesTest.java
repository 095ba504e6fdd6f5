package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.cuda.Simulator.Counters;
import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.ImageOps;
import io.github.secateur.device.ImageOps.Convolution;
import io.github.secateur.device.ImageOps.Extent;
import io.github.secateur.device.ImageOps.Gradients;
import io.github.secateur.device.ImageOps.Momentum;
import io.github.secateur.device.ImageOps.Norm;
import io.github.secateur.device.ImageOps.Pads;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.tensor.DType;
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
 * Image operations on the CUDA device beside the CPU device: convolutions to rounding, in chunks
 * and groups, all else bit for bit whatever the order in which the simulated GPU runs; and what a
 * convolution costs in launches.
 */
class CudaImagesTest {
  private static final int SEEDS = 5;
  private static final Window SAME =
      new Window(new Extent(3, 3), new Extent(1, 1), new Extent(1, 1), new Pads(1, 1, 1, 1));
  private static final Window POINT =
      new Window(new Extent(1, 1), new Extent(1, 1), new Extent(1, 1), new Pads(0, 0, 0, 0));

  private final Device cpu = Devices.open("cpu", DeviceOptions.defaults());
  private final Device cuda = Devices.open("cuda", DeviceOptions.defaults());

  @AfterEach
  void closeDevices() {
    Simulator.seed(0);
    assertEquals(0, cuda.liveBuffers());
    cpu.close();
    cuda.close();
  }

  /** A convolution with its operands; y and dy have one shape. */
  private record Task(Convolution convolution, Shape x, Shape w) {
    Shape y() {
      Window window = convolution.window();
      return Shape.of(x.dim(0), w.dim(0), window.outHeight(x.dim(2)), window.outWidth(x.dim(3)));
    }
  }

  /** Runs all three products and hands over y, dx and dw; each is filled before. */
  private static List<Tensor> products(Device device, Task task) {
    List<Tensor> results = new ArrayList<>();
    ImageOps images = device.images();
    Convolution convolution = task.convolution();
    try (DeviceTensor x = device.toDevice(gaussian(task.x(), 1));
        DeviceTensor w = device.toDevice(gaussian(task.w(), 2));
        DeviceTensor bias = device.toDevice(gaussian(Shape.of(task.w().dim(0)), 3));
        DeviceTensor dy = device.toDevice(gaussian(task.y(), 4));
        DeviceTensor y = device.toDevice(gaussian(task.y(), 5));
        DeviceTensor dx = device.toDevice(gaussian(task.x(), 6));
        DeviceTensor dw = device.toDevice(gaussian(task.w(), 7));
        Buffer workspace =
            device.allocate(images.workspaceBytes(convolution, task.x(), task.w()))) {
      images.convolve(convolution, x, w, bias, y, workspace);
      images.convolveInputGradient(convolution, dy, w, dx, workspace);
      images.convolveWeightGradient(convolution, x, dy, dw, workspace);
      results.add(device.toHost(y));
      results.add(device.toHost(dx));
      results.add(device.toHost(dw));
    }
    return results;
  }

  private static Task task(Window window, int groups, Shape x, long outputs) {
    Extent kernel = window.kernel();
    Shape w = Shape.of(outputs, x.dim(1) / groups, kernel.h(), kernel.w());
    return new Task(new Convolution(window, groups), x, w);
  }

  private static List<Task> tasks() {
    Window odd =
        new Window(new Extent(3, 2), new Extent(2, 1), new Extent(1, 3), new Pads(2, 0, 1, 4));
    return List.of(
        task(SAME, 1, Shape.of(3, 4, 7, 5), 6),
        task(SAME, 2, Shape.of(3, 4, 7, 5), 6),
        task(SAME, 4, Shape.of(2, 4, 7, 5), 8), // more groups than images
        task(odd, 3, Shape.of(2, 6, 9, 11), 3),
        task(odd, 1, Shape.of(1, 2, 9, 11), 5),
        task(POINT, 1, Shape.of(5, 7, 6, 6), 3),
        task(POINT, 3, Shape.of(2, 6, 6, 5), 9),
        task(POINT, 1, Shape.of(1, 3, 4, 4), 2),
        task(SAME, 1, Shape.of(0, 3, 4, 4), 2),
        task(SAME, 1, Shape.of(105, 16, 32, 32), 16)); // two chunks
  }

  @Test
  void convolutionsAreThoseOfTheCpu() {
    for (Task task : tasks()) {
      List<Tensor> wanted = products(cpu, task);
      List<Tensor> got = products(cuda, task);
      for (int i = 0; i < wanted.size(); i++) {
        assertClose(task + ", result " + i, wanted.get(i), got.get(i));
      }
    }
  }

  @Test
  void convolutionsAreTheSameInEverySchedule() {
    Task task = tasks().get(1);
    List<Tensor> wanted = products(cuda, task);
    for (int seed = 1; seed <= SEEDS; seed++) {
      Simulator.seed(seed);
      List<Tensor> got = products(cuda, task);
      for (int i = 0; i < wanted.size(); i++) {
        assertTrue(wanted.get(i).bitEquals(got.get(i)), "result " + i + ", seed " + seed);
      }
    }
  }

  @Test
  void everyScheduleMakesTheImagesOfTheCpu() {
    Map<String, Tensor> wanted = images(cpu);
    for (int seed = 0; seed <= SEEDS; seed++) {
      Simulator.seed(seed);
      String under = "seed " + seed + ", ";
      Map<String, Tensor> got = images(cuda);
      wanted.forEach(
          (name, tensor) ->
              assertEquals(-1, tensor.data().mismatch(got.get(name).data()), under + name));
    }
  }

  /** Everything but the convolutions, by name. */
  private static Map<String, Tensor> images(Device device) {
    Map<String, Tensor> results = new LinkedHashMap<>();
    Shape shape = Shape.of(9, 5, 24, 24);
    Window window =
        new Window(new Extent(3, 2), new Extent(2, 1), new Extent(1, 2), new Pads(1, 0, 0, 1));
    Shape pooled = Shape.of(9, 5, window.outHeight(24), window.outWidth(24));
    ImageOps ops = device.images();
    try (DeviceTensor x = device.toDevice(gaussian(shape, 1));
        DeviceTensor dy = device.toDevice(gaussian(pooled, 2));
        DeviceTensor y = device.empty(DType.F32, pooled);
        DeviceTensor places = device.empty(DType.I32, pooled);
        DeviceTensor dx = device.empty(DType.F32, shape);
        DeviceTensor scale = device.toDevice(gaussian(Shape.of(5), 3));
        DeviceTensor mean = device.toDevice(Tensor.of(Shape.of(5), 1, 2, 3, 4, 5));
        DeviceTensor variance = device.toDevice(Tensor.of(Shape.of(5), 1, 2, 3, 4, 5));
        DeviceTensor statistics = device.empty(DType.F32, Shape.of(2, 5));
        DeviceTensor dnorm = device.empty(DType.F32, Shape.of(2, 5))) {
      ops.maxPool(window, x, y, places);
      results.put("largest values", device.toHost(y));
      results.put("places", device.toHost(places));
      ops.maxPoolGradient(window, dy, places, dx);
      results.put("gradient of largest values", device.toHost(dx));
      ops.averagePool(window, false, x, y);
      results.put("means", device.toHost(y));
      ops.averagePoolGradient(window, true, dy, dx);
      results.put("gradient of means", device.toHost(dx));
      Norm norm = new Norm(scale, scale, mean, variance);
      ops.normalizeTraining(norm, new Momentum(1e-5f, 0.9f), x, dx, statistics);
      results.put("statistics", device.toHost(statistics));
      results.put("running mean", device.toHost(mean));
      results.put("running variance", device.toHost(variance));
      ops.normalizeGradient(scale, statistics, x, dx, new Gradients(dx, dnorm));
      results.put("gradient of scale and shift", device.toHost(dnorm));
      results.put("gradient of normalization", device.toHost(dx));
      ops.normalize(norm, 1e-3f, x, dx);
      results.put("normalized", device.toHost(dx));
      device.nn().clip(-1, 6, x, dx);
      results.put("clipped", device.toHost(dx));
    }
    return results;
  }

  @Test
  void aConvolutionIsFewLaunchesAndNeitherWaitsNorAllocates() {
    Task same = task(SAME, 1, Shape.of(4, 3, 8, 8), 5);
    assertCosts(same, 2, 1, 2); // im2col, bias; col2im; im2col, transpose
    Task point = task(POINT, 1, Shape.of(4, 3, 8, 8), 5);
    assertCosts(point, 1, 0, 2);
    assertCosts(task(SAME, 3, Shape.of(1, 3, 8, 8), 3), 2, 1, 1); // one image: dy as it lies
  }

  /** The kernels of the three products; each takes one product of cuBLAS beside them. */
  private void assertCosts(Task task, long forward, long inputGradient, long weightGradient) {
    ImageOps images = cuda.images();
    Convolution convolution = task.convolution();
    try (DeviceTensor x = cuda.toDevice(gaussian(task.x(), 1));
        DeviceTensor w = cuda.toDevice(gaussian(task.w(), 2));
        DeviceTensor bias = cuda.toDevice(gaussian(Shape.of(task.w().dim(0)), 3));
        DeviceTensor y = cuda.toDevice(gaussian(task.y(), 4));
        Buffer workspace = cuda.allocate(images.workspaceBytes(convolution, task.x(), task.w()))) {
      assertCost(forward, () -> images.convolve(convolution, x, w, bias, y, workspace));
      assertCost(
          inputGradient, () -> images.convolveInputGradient(convolution, y, w, x, workspace));
      assertCost(
          weightGradient, () -> images.convolveWeightGradient(convolution, x, y, w, workspace));
    }
  }

  private void assertCost(long kernels, Runnable work) {
    cuda.synchronize();
    Simulator.reset();
    work.run();
    Counters cost = Simulator.counters();
    assertEquals(kernels, cost.launches(), "launches");
    assertEquals(0, cost.synchronizations(), "waits");
    assertEquals(0, cost.allocations(), "allocations");
    assertEquals(0, cost.uploads(), "uploads");
    cuda.synchronize();
    assertEquals(1, Simulator.counters().libraryCalls(), "products");
  }

  @Test
  void convolutionsCanBeRecorded() {
    Task task = task(SAME, 1, Shape.of(4, 3, 8, 8), 5);
    ImageOps images = cuda.images();
    Convolution convolution = task.convolution();
    try (DeviceTensor x = cuda.toDevice(gaussian(task.x(), 1));
        DeviceTensor w = cuda.toDevice(gaussian(task.w(), 2));
        DeviceTensor y = cuda.toDevice(gaussian(task.y(), 3));
        Buffer workspace = cuda.allocate(images.workspaceBytes(convolution, task.x(), task.w()));
        Device.Replay replay =
            cuda.replay(
                () -> {
                  images.convolve(convolution, x, w, null, y, workspace);
                  images.convolveInputGradient(convolution, y, w, x, workspace);
                  images.convolveWeightGradient(convolution, x, y, w, workspace);
                })) {
      List<Tensor> eager = new ArrayList<>();
      for (int run = 0; run < 4; run++) { // as it is, recorded, replayed twice
        cuda.upload(gaussian(task.x(), 1), x);
        cuda.upload(gaussian(task.w(), 2), w);
        replay.run();
        List<Tensor> now = List.of(cuda.toHost(y), cuda.toHost(x), cuda.toHost(w));
        if (run == 0) {
          eager.addAll(now);
        }
        for (int i = 0; i < now.size(); i++) {
          assertTrue(eager.get(i).bitEquals(now.get(i)), "result " + i + ", run " + run);
        }
      }
    }
  }

  @Test
  void aWorkspaceTooSmallIsRefused() {
    Task task = task(SAME, 1, Shape.of(4, 3, 8, 8), 5);
    try (DeviceTensor x = cuda.toDevice(gaussian(task.x(), 1));
        DeviceTensor w = cuda.toDevice(gaussian(task.w(), 2));
        DeviceTensor y = cuda.empty(DType.F32, task.y());
        Buffer workspace = cuda.allocate(100)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> cuda.images().convolve(task.convolution(), x, w, null, y, workspace))
              .getMessage();
      assertTrue(message.startsWith("convolve: a workspace of 100 bytes is too small"), message);
    }
  }

  private static void assertClose(String what, Tensor wanted, Tensor got) {
    double largest = 0;
    double difference = 0;
    for (long i = 0; i < wanted.size(); i++) {
      largest = Math.max(largest, Math.abs(wanted.getFloat(i)));
      difference = Math.max(difference, Math.abs(wanted.getFloat(i) - (double) got.getFloat(i)));
    }
    assertTrue(
        difference <= 1e-5 * largest, what + ": " + difference + " beside values to " + largest);
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
