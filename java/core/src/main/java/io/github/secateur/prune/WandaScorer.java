package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PruneOps;
import io.github.secateur.exec.Executable;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.op.Conv;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Wanda (Sun et al., arXiv 2306.11695, eq. 1): S_ij = |W_ij| · ‖x_j‖₂, x_j what input j of the
 * layer is over all calibration samples, all rows of a sample and all nodes that multiply by the
 * weight. An input of a convolution is a place (c, k, l) of its window, and x_j what that place
 * sees from every output place, zeros of the padding included; each group has its own channels.
 *
 * <p>The sums of squares are doubles on the device ({@link PruneOps#accumulateActivation}), never
 * downloaded. Cost: a forward pass over the samples in evaluation mode; for convolutions also the
 * windows' columns and their transpose, a part of a batch at a time.
 */
record WandaScorer(WeightScorer.Source source, int samples) {
  /** Numbers of windows' columns held at once. */
  private static final long COLUMNS = 1L << 22;

  private static final int STATISTICS = 4;

  WeightScores score() {
    Map<String, DeviceTensor> sums = new TreeMap<>();
    try {
      List<Node> readers = new ArrayList<>();
      for (Layer layer : source.layers()) {
        List<Node> own = readers(layer);
        readers.addAll(own);
        long inputs = layer.size() / Math.max(1, layer.units()) * groups(own.getFirst());
        DeviceTensor sum = device().empty(DType.F64, Shape.of(STATISTICS, inputs));
        sums.put(layer.parameter(), sum);
        device().zero(sum.buffer(), 0, sum.buffer().byteSize());
      }
      source
          .calibration()
          .forEach(
              readers.stream().map(node -> node.input(0)).distinct().toList(),
              samples,
              executable -> readers.forEach(node -> add(node, executable, sums)));
      return source.scores((layer, scores) -> multiply(layer, sums.get(layer.parameter()), scores));
    } finally {
      sums.values().forEach(DeviceTensor::close);
    }
  }

  /** The nodes that multiply by a layer's weight. */
  private List<Node> readers(Layer layer) {
    List<Node> readers = source.calibration().model().graph().consumers(layer.parameter());
    boolean fit =
        readers.stream()
            .allMatch(
                node ->
                    node.inputs().indexOf(layer.parameter()) == 1
                        && (node.is("Gemm") || node.is("MatMul") || node.is("Conv")));
    if (readers.isEmpty() || !fit) {
      throw new IllegalArgumentException(
          "Wanda takes the weights of Gemm, MatMul and Conv, but '%s' of layer '%s' is read by %s;"
                  .formatted(layer.parameter(), layer.name(), readers)
              + " exclude the layer");
    }
    return readers;
  }

  private static int groups(Node node) {
    return node.is("Conv") ? (int) node.intAttribute("group", 1) : 1;
  }

  private void add(Node node, Executable executable, Map<String, DeviceTensor> sums) {
    DeviceTensor x = executable.output(node.input(0));
    DeviceTensor sum = sums.get(node.input(1));
    long inputs = sum.shape().dim(1);
    if (node.is("Conv")) {
      Shape weight = source.site().weight(node.input(1)).shape();
      addWindows(Conv.window(node, x.shape(), weight), x, sum);
    } else if (node.is("Gemm") && node.intAttribute("transA", 0) != 0) {
      addTransposed(x.view(Shape.of(inputs, x.size() / inputs)), sum);
    } else {
      prune().accumulateActivation(x.view(Shape.of(x.size() / inputs, inputs)), sum);
    }
  }

  /** Adds what each place of a window sees of x [batch, channels, (h,) w]. */
  private void addWindows(Window window, DeviceTensor x, DeviceTensor sum) {
    Shape s = x.shape();
    long batch = s.dim(0);
    long h = s.rank() == 3 ? 1 : s.dim(2);
    long w = s.dim(s.rank() - 1);
    long inputs = sum.shape().dim(1);
    long places = window.outHeight(h) * window.outWidth(w);
    long part = Math.clamp(COLUMNS / (inputs * places), 1, batch);
    try (DeviceTensor columns = device().empty(DType.F32, Shape.of(inputs, part * places))) {
      for (long from = 0; from < batch; from += part) {
        long count = Math.min(part, batch - from);
        Shape images = Shape.of(count, s.dim(1), h, w);
        long offset = x.byteOffset() + from * (x.size() / batch) * Float.BYTES;
        DeviceTensor matrix =
            new DeviceTensor(columns.buffer(), 0, DType.F32, Shape.of(inputs, count * places));
        device()
            .images()
            .im2col(window, new DeviceTensor(x.buffer(), offset, DType.F32, images), matrix);
        addTransposed(matrix, sum);
      }
    }
  }

  /** Adds x [inputs, rows]. */
  private void addTransposed(DeviceTensor x, DeviceTensor sum) {
    Shape transposed = Shape.of(x.shape().dim(1), x.shape().dim(0));
    try (DeviceTensor rows = device().empty(DType.F32, transposed)) {
      device().nn().transpose(new int[] {1, 0}, x, rows);
      prune().accumulateActivation(rows, sum);
    }
  }

  /** scores = |w| · ‖x‖, the norms spread over the outputs (of each group). */
  private void multiply(Layer layer, DeviceTensor sum, DeviceTensor scores) {
    DeviceTensor w = source.site().weight(layer.parameter());
    long inputs = sum.shape().dim(1);
    boolean outputsFirst = layer.outputAxis() == 0;
    long ofGroup = layer.size() / Math.max(1, layer.units());
    long groups = inputs / ofGroup;
    Shape spread = outputsFirst ? Shape.of(groups, 1, ofGroup) : Shape.of(layer.shape().dim(0), 1);
    Shape matrix =
        outputsFirst
            ? Shape.of(groups, layer.units() / groups, ofGroup)
            : Shape.of(layer.shape().dim(0), layer.units());
    try (DeviceTensor norms = device().empty(DType.F32, Shape.of(inputs))) {
      prune().activationScores(PruneOps.Statistic.RMS, 1, sum, norms); // √(Σ x² / 1)
      device().nn().unary(NnOps.Unary.ABS, 0, w, scores);
      DeviceTensor out = scores.view(matrix);
      device().nn().binary(NnOps.Binary.MUL, out, norms.view(spread), out);
    }
  }

  private Device device() {
    return source.site().device();
  }

  private PruneOps prune() {
    return device().prune();
  }
}
