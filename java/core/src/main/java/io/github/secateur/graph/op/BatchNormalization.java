package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * y = scale · (x − mean) / √(variance + epsilon) + shift, channel by channel of x [batch, channels,
 * ...] (ONNX BatchNormalization; inputs x, scale, shift, running mean, running variance; Ioffe and
 * Szegedy 2015, arXiv 1502.03167).
 *
 * <p>A graph run for training normalizes by the mean and the biased variance of the batch, and
 * moves the running statistics in place: running = momentum · running + (1 − momentum) · batch.
 * Which of the two it is follows from how the graph is run, not from the attribute training_mode.
 * The further outputs of ONNX are not computed. A sixth output of our own, F32 [2, channels], holds
 * mean and 1 / √(variance + epsilon) of the batch for the gradient: {@link BatchNormalizationGrad}.
 */
public final class BatchNormalization implements Op {
  /** Its name. */
  public static final OpId ID = OpId.onnx("BatchNormalization");

  private static final int MEAN = 3;
  private static final int VARIANCE = 4;
  private static final int STATISTICS = 5;

  @Override
  public OpId id() {
    return ID;
  }

  /** Names of the running means and variances in a graph: moved by running it, never trained. */
  public static Set<String> runningStatistics(Graph graph) {
    Set<String> names = new LinkedHashSet<>();
    for (Node node : graph.nodes()) {
      if (node.is(ID.type())) {
        names.add(node.input(MEAN));
        names.add(node.input(VARIANCE));
      }
    }
    return names;
  }

  /** ε, 1e-5 unless given. */
  static float epsilon(Node node) {
    return node.realAttribute("epsilon", 1e-5f);
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    if (x.rank() < 2) {
      throw Check.misfit(node, "x '%s' %s must be [batch, channels, ...]", node.input(0), x);
    }
    if (node.intAttribute("spatial", 1) == 0) {
      throw Check.misfit(node, "spatial 0 (a norm for every place) is not executed");
    }
    Shape channels = Shape.of(x.dim(1));
    for (int i = 1; i <= VARIANCE; i++) {
      if (!Check.f32(node, inference, i).equals(channels)) {
        throw Check.misfit(
            node,
            "'%s' must be %s, one number for each channel of x %s, got %s",
            node.input(i),
            channels,
            x,
            inference.type(i).shape());
      }
    }
    TensorType vector = new TensorType(DType.F32, channels);
    return List.of(
        new TensorType(DType.F32, x),
        vector,
        vector,
        vector,
        vector,
        new TensorType(DType.F32, Shape.of(2, x.dim(1))));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    if (gradients.of(0) == null) {
      return;
    }
    List<String> all =
        gradients.emitAll(
            BatchNormalizationGrad.ID,
            node.attributes(),
            3,
            node.input(0),
            node.input(1),
            node.input(MEAN),
            node.input(VARIANCE),
            gradients.saved(STATISTICS),
            gradients.of(0));
    for (int i = 0; i < 3; i++) {
      gradients.give(i, all.get(i));
    }
  }

  /** x [batch, channels, ...] as images [batch, channels, 1, places]. */
  static DeviceTensor images(DeviceTensor x) {
    Shape places = ChannelSum.places(x.shape());
    return x.view(Shape.of(places.dim(0), places.dim(1), 1, places.dim(2)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    for (int i = 1; i < Math.min(outputs.size(), STATISTICS); i++) {
      if (outputs.get(i) != null) {
        throw Check.misfit(node, "the output '%s' is not computed", node.outputs().get(i));
      }
    }
    ImageOps images = run.device().images();
    DeviceTensor x = images(inputs.get(0));
    DeviceTensor y = images(outputs.get(0));
    ImageOps.Norm norm =
        new ImageOps.Norm(inputs.get(1), inputs.get(2), inputs.get(MEAN), inputs.get(VARIANCE));
    float epsilon = epsilon(node);
    if (!run.training()) {
      return () -> images.normalize(norm, epsilon, x, y);
    }
    ImageOps.Momentum momentum =
        new ImageOps.Momentum(epsilon, node.realAttribute("momentum", 0.9f));
    Shape pair = Shape.of(2, x.shape().dim(1));
    DeviceTensor statistics =
        outputs.size() > STATISTICS && outputs.get(STATISTICS) != null
            ? outputs.get(STATISTICS)
            : new DeviceTensor(run.scratch(4 * pair.size()), 0, DType.F32, pair);
    return () -> images.normalizeTraining(norm, momentum, x, y, statistics);
  }
}
