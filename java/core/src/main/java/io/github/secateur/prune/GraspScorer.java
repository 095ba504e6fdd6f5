package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PruneOps;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Graph;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * GraSP (Wang, Zhang &amp; Grosse, arXiv 2002.07376, eq. 8 and algorithm 2): removing a weight
 * changes ‖∇L‖² by about −2 · w · (H g), g = ∇L and H its Hessian, both over the prunable weights
 * and with logits divided by a temperature. The paper removes the weights with the largest −w · (H
 * g); here low scores go first, so the score is
 *
 * <pre>S = w · (H g)</pre>
 *
 * signed and without the paper's normalisation, which changes no order. H g is the central
 * difference of the gradient along itself,
 *
 * <pre>H g ≈ (∇L(w + ε g) − ∇L(w − ε g)) / 2ε,  ε = {@value #STEP} · ‖w‖₂ / ‖g‖₂,</pre>
 *
 * whose error by rounding is about 1e-4 of the largest |H g|. Where the step crosses a kink (of
 * ReLU or max pooling) the difference counts it, as the Hessian of the expected loss does and
 * automatic differentiation does not. The weights on the device are not touched: moved ones live in
 * a copy of all parameters.
 *
 * <p>Cost: three passes over the samples, forward and backward, and three times the memory of the
 * parameters.
 */
record GraspScorer(WeightScorer.Source source, int samples, double temperature) {
  /** Length of the step along the gradient, as a share of the weights' norm. */
  private static final double STEP = 1.0 / 2048;

  WeightScores score() {
    GradientSource.Options options =
        GradientSource.Options.of(samples).at(temperature).shared().training();
    Map<String, DeviceTensor> gradient;
    try (GradientSource gradients = source.gradients(options)) {
      gradient = gradients.sum();
    }
    try {
      double epsilon = STEP * norm(weights()) / norm(gradient);
      if (!(epsilon > 0 && Double.isFinite(epsilon))) {
        return source.scores(PruneOps.Key.SIGNED, (layer, scores) -> zero(scores));
      }
      return differences(options, gradient, epsilon);
    } finally {
      gradient.values().forEach(DeviceTensor::close);
    }
  }

  private WeightScores differences(
      GradientSource.Options options, Map<String, DeviceTensor> gradient, double epsilon) {
    NnOps nn = device().nn();
    Map<String, DeviceTensor> before = null;
    Map<String, DeviceTensor> after = null;
    try (Parameters moved = copy();
        GradientSource gradients =
            new WeightScorer.Source(
                    source.site(),
                    source.layers(),
                    new Calibration(
                        source.calibration().model(), moved, source.calibration().samples()))
                .gradients(options);
        DeviceTensor scale = scalar(1 / (2 * epsilon))) {
      move(moved, gradient, -epsilon);
      before = gradients.sum();
      move(moved, gradient, epsilon);
      after = gradients.sum();
      Map<String, DeviceTensor> low = before;
      Map<String, DeviceTensor> high = after;
      return source.scores(
          PruneOps.Key.SIGNED,
          (layer, scores) -> {
            DeviceTensor difference = low.get(layer.parameter()); // of −H g
            nn.binary(NnOps.Binary.SUB, difference, high.get(layer.parameter()), difference);
            nn.binary(NnOps.Binary.MUL, difference, scale, difference);
            device()
                .prune()
                .scoreGradient(
                    PruneOps.GradientScore.MOVEMENT,
                    false,
                    source.site().weight(layer.parameter()),
                    difference,
                    scores);
          });
    } finally {
      close(before);
      close(after);
    }
  }

  /** target = w + factor · gradient, from the weights as they are. */
  private void move(Parameters target, Map<String, DeviceTensor> gradient, double factor) {
    NnOps nn = device().nn();
    try (DeviceTensor scale = scalar(factor)) {
      gradient.forEach(
          (name, g) -> {
            DeviceTensor to = target.get(name);
            nn.binary(NnOps.Binary.MUL, g, scale, to);
            nn.binary(NnOps.Binary.ADD, to, source.site().weight(name), to);
          });
    }
  }

  /** A copy of all parameters, which the caller owns. */
  private Parameters copy() {
    Parameters from = source.calibration().parameters();
    Parameters copy = Parameters.upload(device(), new Graph("copy"));
    try {
      for (String name : from.names()) {
        DeviceTensor tensor = from.get(name);
        DeviceTensor twin = device().empty(tensor.dtype(), tensor.shape());
        copy.add(name, twin);
        device()
            .copy(
                tensor.buffer(),
                tensor.byteOffset(),
                twin.buffer(),
                0,
                tensor.size() * tensor.dtype().byteSize());
      }
      return copy;
    } catch (RuntimeException e) {
      copy.close();
      throw e;
    }
  }

  private Map<String, DeviceTensor> weights() {
    Map<String, DeviceTensor> weights = new LinkedHashMap<>();
    source
        .layers()
        .forEach(layer -> weights.put(layer.parameter(), source.site().weight(layer.parameter())));
    return weights;
  }

  /** ‖·‖₂ over all tensors. */
  private double norm(Map<String, DeviceTensor> tensors) {
    double squares = 0;
    try (DeviceTensor norm = device().empty(DType.F32, Shape.of(1))) {
      for (DeviceTensor tensor : tensors.values()) {
        device()
            .prune()
            .scoreUnits(PruneOps.Norm.L2, 0, tensor.view(Shape.of(1, tensor.size())), norm);
        double value = device().toHost(norm).getFloat(0);
        squares += value * value;
      }
    }
    return Math.sqrt(squares);
  }

  private void zero(DeviceTensor tensor) {
    device().zero(tensor.buffer(), 0, tensor.buffer().byteSize());
  }

  private DeviceTensor scalar(double value) {
    return device().toDevice(Tensor.of(Shape.of(), (float) value));
  }

  private Device device() {
    return source.site().device();
  }

  private static void close(Map<String, DeviceTensor> tensors) {
    if (tensors != null) {
      tensors.values().forEach(DeviceTensor::close);
    }
  }
}
