package io.github.secateur.graph.op;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * secateur.BatchNormalizationGrad(x, scale, mean, variance, statistics, dy): dx, dscale, dshift of
 * a {@link BatchNormalization}.
 *
 * <p>Run for training, the statistics are those of the batch and depend on x. Otherwise they are
 * constants, x̂ = (x − mean) / √(variance + ε), and dx = dy · scale / √(variance + ε), dscale = Σ
 * dy · x̂, dshift = Σ dy over batch and places.
 */
public final class BatchNormalizationGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("BatchNormalizationGrad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    TensorType channels = new TensorType(DType.F32, Check.f32(node, inference, 1));
    return List.of(new TensorType(DType.F32, x), channels, channels);
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    return run.training() ? ofBatch(inputs, outputs, run) : ofConstants(node, inputs, outputs, run);
  }

  private static Kernel ofBatch(List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    Device device = run.device();
    ImageOps images = device.images();
    DeviceTensor x = BatchNormalization.images(inputs.get(0));
    DeviceTensor scale = inputs.get(1);
    DeviceTensor statistics = inputs.get(4);
    DeviceTensor dy = BatchNormalization.images(inputs.get(5));
    long bytes = 4 * scale.size();
    DeviceTensor dnorm =
        new DeviceTensor(run.scratch(2 * bytes), 0, DType.F32, Shape.of(2, scale.size()));
    ImageOps.Gradients into =
        new ImageOps.Gradients(BatchNormalization.images(outputs.get(0)), dnorm);
    return () -> {
      images.normalizeGradient(scale, statistics, x, dy, into);
      for (int row = 0; row < 2; row++) {
        DeviceTensor target = outputs.get(1 + row);
        if (target != null) {
          device.copy(dnorm.buffer(), row * bytes, target.buffer(), target.byteOffset(), bytes);
        }
      }
    };
  }

  private static Kernel ofConstants(
      Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    DeviceTensor x = BatchNormalization.images(inputs.get(0));
    List<DeviceTensor> scratch = scratch(run, inputs.get(1).shape(), x.shape());
    return new OfConstants(
        run.device(),
        BatchNormalization.epsilon(node),
        scratch,
        List.of(
            x,
            inputs.get(1),
            inputs.get(2),
            inputs.get(3),
            BatchNormalization.images(inputs.get(5))),
        new ArrayList<>(outputs));
  }

  /** Ones and zeros, one number a channel, and a tensor of the shape of x. */
  private static List<DeviceTensor> scratch(Run run, Shape channels, Shape x) {
    long row = (channels.size() * 4 + 127) / 128 * 128;
    Buffer buffer = run.scratch(2 * row + 4 * x.size());
    return List.of(
        new DeviceTensor(buffer, 0, DType.F32, channels),
        new DeviceTensor(buffer, row, DType.F32, channels),
        new DeviceTensor(buffer, 2 * row, DType.F32, x));
  }

  /**
   * The kernel for constant statistics.
   *
   * @param scratch ones, zeros, a tensor like x
   * @param in x, scale, mean, variance, dy
   * @param out dx, dscale, dshift; the last two may be null
   */
  private record OfConstants(
      Device device,
      float epsilon,
      List<DeviceTensor> scratch,
      List<DeviceTensor> in,
      List<DeviceTensor> out)
      implements Kernel {
    @Override
    public void run() {
      NnOps nn = device.nn();
      DeviceTensor ones = scratch.get(0);
      DeviceTensor zeros = scratch.get(1);
      DeviceTensor product = scratch.get(2);
      DeviceTensor dy = in.get(4);
      nn.fill(1, ones);
      nn.fill(0, zeros);
      ImageOps images = device.images();
      if (out.get(1) != null) {
        images.normalize(
            new ImageOps.Norm(ones, zeros, in.get(2), in.get(3)), epsilon, in.get(0), product);
        nn.binary(NnOps.Binary.MUL, product, dy, product);
        sum(nn, product, out.get(1));
      }
      if (out.get(2) != null) {
        sum(nn, dy, out.get(2));
      }
      images.normalize(
          new ImageOps.Norm(in.get(1), zeros, zeros, in.get(3)),
          epsilon,
          dy,
          BatchNormalization.images(out.get(0)));
    }

    private static void sum(NnOps nn, DeviceTensor x, DeviceTensor out) {
      nn.reduceSumTo(x.view(ChannelSum.places(x.shape())), out.view(Shape.of(out.size(), 1)));
    }
  }
}
