package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The proximal step of a group lasso on the device, the same operations every time:
 *
 * <pre>
 *   w_g ← w_g · max(‖w_g‖₂ − t · c_g / d_g, 0) / (‖w_g‖₂ + tiny)
 * </pre>
 *
 * c_g is the group's factor; d_g = √(mean of v over the group) + ε where the optimizer divides
 * steps by √v, else 1: the proximal step in the optimizer's metric (ProxGen: Yun, Lozano &amp;
 * Yang, arXiv 2003.07336, section 4) with one number for a group in the place of its diagonal, so
 * that a group rests at zero where its mean gradient's norm is below λ c_g. Cost: a few passes over
 * the weights; weights that the pieces do not divide pass through a padded copy.
 */
final class GroupShrinkage implements AutoCloseable {
  private static final float TINY = 1e-30f;
  private static final float EPSILON = 1e-8f;

  private final Device device;
  private final LassoGroups groups;
  private final List<DeviceTensor> copies = new ArrayList<>(); // null where in place
  private final List<DeviceTensor> squares = new ArrayList<>();
  private final List<DeviceTensor> owned = new ArrayList<>();
  private final DeviceTensor partial;
  private final DeviceTensor norms;
  private final DeviceTensor metric;
  private final DeviceTensor factors;
  private final DeviceTensor weights;
  private final DeviceTensor inverseSizes;
  private final DeviceTensor tiny;
  private final DeviceTensor epsilon;
  private final DeviceMask all;

  GroupShrinkage(Device device, LassoGroups groups) {
    this.device = device;
    this.groups = groups;
    Shape count = Shape.of(groups.count());
    for (LassoGroups.Part part : groups.parts()) {
      DeviceTensor copy = part.inPlace() ? null : own(device.empty(DType.F32, part.padded()));
      if (copy != null) {
        device.nn().fill(0, copy);
      }
      copies.add(copy);
      squares.add(own(device.empty(DType.F32, part.pieces())));
    }
    partial = own(device.empty(DType.F32, count));
    norms = own(device.empty(DType.F32, count));
    metric = own(device.empty(DType.F32, count));
    factors = own(device.empty(DType.F32, count));
    device.nn().fill(1, factors);
    weights = own(device.toDevice(Tensor.of(count, groups.weights())));
    float[] inverse = groups.sizes().clone();
    for (int i = 0; i < inverse.length; i++) {
      inverse[i] = 1 / inverse[i];
    }
    inverseSizes = own(device.toDevice(Tensor.of(count, inverse)));
    tiny = own(device.toDevice(Tensor.of(Shape.of(), TINY)));
    epsilon = own(device.toDevice(Tensor.of(Shape.of(), EPSILON)));
    all = device.toDevice(Mask.ones(count));
  }

  private DeviceTensor own(DeviceTensor tensor) {
    owned.add(tensor);
    return tensor;
  }

  /**
   * Enqueues the step.
   *
   * @param t scalar on the device
   * @param weight by name
   * @param secondMoment v by name, null where steps are not divided
   */
  void shrink(
      DeviceTensor t,
      Function<String, DeviceTensor> weight,
      Function<String, DeviceTensor> secondMoment) {
    NnOps nn = device.nn();
    nn.binary(NnOps.Binary.MUL, weights, t, factors);
    if (secondMoment.apply(groups.parts().getFirst().parameter()) != null) {
      sum(secondMoment, false, metric);
      nn.binary(NnOps.Binary.MUL, metric, inverseSizes, metric);
      nn.unary(NnOps.Unary.SQRT, 0, metric, metric);
      nn.binary(NnOps.Binary.ADD, metric, epsilon, metric);
      nn.binary(NnOps.Binary.DIV, factors, metric, factors);
    }
    sum(weight, true, norms);
    nn.unary(NnOps.Unary.SQRT, 0, norms, norms);
    nn.binary(NnOps.Binary.SUB, norms, factors, factors);
    nn.unary(NnOps.Unary.RELU, 0, factors, factors);
    nn.binary(NnOps.Binary.ADD, norms, tiny, norms);
    nn.binary(NnOps.Binary.DIV, factors, norms, factors);
    for (int i = 0; i < copies.size(); i++) {
      scale(i, weight);
    }
  }

  /** Sums of elements, or of their squares, by group. */
  private void sum(Function<String, DeviceTensor> tensors, boolean squared, DeviceTensor sums) {
    NnOps nn = device.nn();
    for (int i = 0; i < copies.size(); i++) {
      LassoGroups.Part part = groups.parts().get(i);
      DeviceTensor x = pieces(i, tensors.apply(part.parameter()));
      if (squared) {
        nn.binary(NnOps.Binary.MUL, x, x, squares.get(i));
      }
      DeviceTensor terms = squared ? squares.get(i) : x;
      nn.reduceSumTo(terms, (i == 0 ? sums : partial).view(part.sums()));
      if (i > 0) {
        nn.binary(NnOps.Binary.ADD, sums, partial, sums);
      }
    }
  }

  private DeviceTensor pieces(int i, DeviceTensor tensor) {
    LassoGroups.Part part = groups.parts().get(i);
    DeviceTensor copy = copies.get(i);
    if (copy == null) {
      return tensor.view(part.pieces());
    }
    device
        .nn()
        .copyBox(part.region().dims(), part.from(), tensor.view(part.tensor()), new long[3], copy);
    return copy.view(part.pieces());
  }

  private void scale(int i, Function<String, DeviceTensor> weight) {
    LassoGroups.Part part = groups.parts().get(i);
    DeviceTensor tensor = weight.apply(part.parameter());
    DeviceTensor copy = copies.get(i);
    DeviceTensor x = (copy == null ? tensor : copy).view(part.pieces());
    device.nn().binary(NnOps.Binary.MUL, x, factors.view(part.sums()), x);
    if (copy != null) {
      device
          .nn()
          .copyBox(
              part.region().dims(), new long[3], copy, part.from(), tensor.view(part.tensor()));
    }
  }

  /** Share of the groups that the last step left alive, 0..1. Waits for the device. */
  double alive() {
    return 1 - (double) device.prune().keptZeros(all, factors) / Math.max(1, groups.count());
  }

  @Override
  public void close() {
    owned.forEach(DeviceTensor::close);
    all.close();
  }
}
